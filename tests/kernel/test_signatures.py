"""Standard Webhooks signatures match the published vectors and nothing else."""

from __future__ import annotations

import base64

import pytest

from restartix.kernel import signatures

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = signatures.new_secret()
AT = "1796119200"
OUTGOING = (
    "evt_01KBC0DE0000000000000000TS",
    (
        b'{"id":"evt_01KBC0DE0000000000000000TS","type":"webhook.test","timestamp":"2026-12-01T10:00:00Z",'
        b'"organization_id":7,"data":{"subscription_uid":"3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"}}'
    ),
    "v1,XK+s77VSnZUm6KgcEUpxCi98tnZBdb5+w8c1J8MHZWk=",
)
INCOMING = (
    "msg_contract_0001",
    (
        b'{"type":"user.created","object":"event","data":{"id":"user_ana","email_addresses":[{"id":"e1",'
        b'"email_address":"Ana@Example.org","verification":{"status":"verified"}}],"primary_email_address_id":"e1",'
        b'"username":null,"first_name":"Ana","last_name":"Pop","updated_at":1796119200000}}'
    ),
    "v1,N5jesNTj+Fq4BvuqOWYD++SmS51NOpw+ISa6SY8AKOU=",
)


@pytest.mark.parametrize(("name", "body", "expected"), [OUTGOING, INCOMING])
def test_the_vectors_of_the_contract_are_signed_and_verified(name: str, body: bytes, expected: str) -> None:
    assert signatures.sign(SECRET, message_id=name, timestamp=AT, body=body) == expected
    assert signatures.sign(SECRET, message_id=name, timestamp=int(AT), body=body) == expected
    assert signatures.verify([SECRET], message_id=name, timestamp=AT, body=body, signatures=expected)


@pytest.mark.parametrize(
    "changed",
    [{"message_id": "evt_x"}, {"timestamp": "1796119201"}, {"body": OUTGOING[1] + b" "}, {"signatures": INCOMING[2]}],
    ids=["id", "timestamp", "body", "signature"],
)
def test_any_change_of_what_is_signed_breaks_the_signature(changed: dict[str, object]) -> None:
    message: dict[str, object] = {
        "message_id": OUTGOING[0], "timestamp": AT, "body": OUTGOING[1], "signatures": OUTGOING[2],
    }  # fmt: skip
    assert not signatures.verify([SECRET], **{**message, **changed})  # type: ignore[arg-type]


def test_one_match_among_several_signatures_and_secrets_is_enough() -> None:
    name, body, good = OUTGOING
    listed = f"v1,AAAA v2,whatever {good} v1a,{'B' * 88}"
    assert signatures.verify([OTHER, SECRET], message_id=name, timestamp=AT, body=body, signatures=listed)
    assert not signatures.verify([OTHER], message_id=name, timestamp=AT, body=body, signatures=listed)
    both = signatures.sign_with_all([OTHER, SECRET], message_id=name, timestamp=AT, body=body)
    assert both.split()[1] == good
    for secret in (OTHER, SECRET):
        assert signatures.verify([secret], message_id=name, timestamp=AT, body=body, signatures=both)


@pytest.mark.parametrize(
    "offered", ["", "v1", "v1,", good := OUTGOING[2][3:], "V1," + good, "v1,\xe9\udc80", "v2," + good]
)
def test_what_is_no_signature_of_version_one_never_matches(offered: str) -> None:
    name, body, _ = OUTGOING
    assert not signatures.verify(
        [SECRET], message_id=name, timestamp=AT, body=body, signatures=offered.encode("utf-8", "replace").decode()
    )


def test_a_signature_is_valid_for_three_hundred_seconds_either_way() -> None:
    now = float(AT)
    for moment in (now - 300, now, now + 300):
        assert signatures.is_current(AT, now=moment)
    for moment in (now - 300.5, now + 301):
        assert not signatures.is_current(AT, now=moment)
    for text in ("", "abc", "-1", "1796119200.0", "１７９６１１９２００", "1e9", "9" * 400):
        assert not signatures.is_current(text, now=now)


def test_new_secrets_hold_thirty_two_random_bytes() -> None:
    first, second = signatures.new_secret(), signatures.new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_abc"])
def test_a_malformed_secret_is_refused(secret: str) -> None:
    with pytest.raises(signatures.BadSecret):
        signatures.sign(secret, message_id="a", timestamp=1, body=b"")
