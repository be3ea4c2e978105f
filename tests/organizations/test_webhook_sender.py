"""One request to a receiver of any kind: where it goes, how long it may take, what is kept of the answer."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.organizations.domain import events
from restartix.kernel import signatures
from restartix.kernel.outbound.addresses import Address, is_public
from restartix.kernel.outbound.posting import Failure, Outcome, Poster, snippet_of
from restartix.kernel.outbound.resolving import NotResolved, resolver
from tests.organizations.receivers import Receiver, answer, drip, drip_body, hang, huge, receiver, reset


def anywhere(host: str, address: Address) -> bool:
    return True


def post(to: Receiver | str, **options: object) -> Outcome:
    poster = Poster(anywhere, timeout_seconds=1.0, **options)
    return poster.post(to if isinstance(to, str) else to.url, headers={"X-Test": "1"}, body=b"{}")


class Names:
    """A resolver that answers as it is told."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, *, seconds: float) -> Sequence[Address]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [ip_address(each) for each in found]


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            (200, None), (201, None), (204, None), (299, None), (301, Failure.REDIRECT), (302, Failure.REDIRECT),
            (307, Failure.REDIRECT), (400, Failure.HTTP_STATUS), (410, Failure.HTTP_STATUS),
            (429, Failure.HTTP_STATUS), (500, Failure.HTTP_STATUS),
        ],
    )  # fmt: skip
    def test_is_a_success_exactly_if_it_is_2xx(self, code: int, failure: Failure | None) -> None:
        with receiver(answer(code)) as hook:
            outcome = post(hook)

        assert (outcome.failure, outcome.response_code) == (failure, code)

    def test_leads_nowhere_else(self) -> None:
        with receiver() as other, receiver(answer(302, headers={"Location": other.url})) as hook:
            post(hook)

        assert other.received == []

    def test_of_ten_megabytes_is_read_in_part(self) -> None:
        with receiver(huge) as hook:
            outcome = post(hook)

        assert (outcome.failure, outcome.response_code) == (None, 200)
        assert outcome.snippet == "x" * 1024

    def test_is_kept_without_control_characters(self) -> None:
        with receiver(answer(500, "a\x00b\nc\x1bd\x7fé\x85".encode() + b"\xff")) as hook:
            outcome = post(hook)

        assert outcome.snippet == "abcdé\ufffd"
        assert len(snippet_of("ț".encode() * 5000)) == 1024

    def test_that_is_compressed_stays_so(self) -> None:
        with receiver(answer(200, b"\x1f\x8b bomb", {"Content-Encoding": "gzip"})) as hook:
            assert post(hook).failure is None


class TestTime:
    @pytest.mark.parametrize("behave", [hang(3), drip(0.05, 60), drip_body(0.05, 60)], ids=["hang", "drip", "body"])
    def test_is_counted_from_the_connection_to_the_last_byte(self, behave) -> None:
        with receiver(behave) as hook:
            began = time.monotonic()
            outcome = post(hook)

        assert outcome.failure == Failure.TIMEOUT
        assert time.monotonic() - began < 1.5
        assert 900 <= outcome.duration_ms <= 1500

    def test_of_a_silent_resolver_is_over_as_well(self) -> None:
        def silent(host: str, *, seconds: float) -> Sequence[Address]:
            raise NotResolved(host)

        assert post("https://hooks.example.org/", resolve=silent).failure == Failure.DNS


class TestABrokenReceiver:
    def test_that_resets_is_a_failed_connection(self) -> None:
        with receiver(reset) as hook:
            assert post(hook).failure == Failure.CONNECTION

    def test_that_is_not_there_is_a_failed_connection(self) -> None:
        assert post("http://127.0.0.1:9/").failure == Failure.CONNECTION

    def test_that_speaks_no_http_is_a_failed_connection(self) -> None:
        with receiver(lambda handler, received: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")) as hook:
            assert post(hook).failure == Failure.CONNECTION

    def test_that_has_no_name_is_a_failed_resolution(self) -> None:
        assert post("https://nothing.invalid/").failure == Failure.DNS


class TestAForbiddenAddress:
    def test_is_not_connected_to(self) -> None:
        with receiver() as hook:
            outcome = Poster(lambda host, address: is_public(address)).post(hook.url, headers={}, body=b"")

        assert outcome.failure == Failure.BLOCKED_ADDRESS
        assert hook.received == []

    def test_that_a_name_comes_to_mean_later_is_found_out(self) -> None:
        """Rebinding: what was judged yesterday counts for nothing."""
        with receiver() as hook:
            names = Names(["127.0.0.1"], ["10.0.0.5"])
            poster = Poster(lambda host, address: str(address) == "127.0.0.1", resolve=names, timeout_seconds=1.0)
            url = f"http://rebinding.example:{hook.port}/hook"
            outcomes = [poster.post(url, headers={}, body=b"").failure for _ in range(2)]

        assert outcomes == [None, Failure.BLOCKED_ADDRESS]
        assert len(hook.received) == 1
        assert hook.received[0].headers["host"] == f"rebinding.example:{hook.port}"

    def test_among_good_ones_spoils_them_all(self) -> None:
        names = Names(["8.8.8.8", "::ffff:10.0.0.5"])

        outcome = Poster(lambda host, address: is_public(address), resolve=names).post(
            "https://two.example/", headers={}, body=b""
        )

        assert outcome.failure == Failure.BLOCKED_ADDRESS
        assert names.asked == 1


class TestTheEnvironment:
    def test_names_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiver() as proxy, receiver() as hook:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            outcome = post(hook)

        assert outcome.failure is None
        assert (proxy.received, len(hook.received)) == ([], 1)


@pytest.fixture
def certified(tmp_path: Path) -> Callable[[str], ssl.SSLContext]:
    """Make a server's context with a self-signed certificate for one name; its file is tmp_path/name.pem."""

    def make(name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    return make


class TestTls:
    def test_of_nobody_known_is_refused(self, certified) -> None:
        with receiver(tls=certified("hooks.example")) as hook:
            outcome = post(f"https://hooks.example:{hook.port}/", resolve=Names(["127.0.0.1"]))

        assert outcome.failure == Failure.TLS
        assert hook.received == []

    def test_is_of_the_name_and_not_of_the_address(self, certified, tmp_path: Path) -> None:
        def trusting() -> ssl.SSLContext:
            return ssl.create_default_context(cafile=tmp_path / "hooks.example.pem")

        with receiver(tls=certified("hooks.example")) as hook:
            good = post(f"https://hooks.example:{hook.port}/", resolve=Names(["127.0.0.1"]), tls=trusting)
            bad = post(f"https://other.example:{hook.port}/", resolve=Names(["127.0.0.1"]), tls=trusting)

        assert (good.failure, bad.failure) == (None, Failure.TLS)
        assert len(hook.received) == 1


def test_the_contracts_vector_is_what_we_sign() -> None:
    document = events.envelope(
        event_id="evt_01KBC0DE0000000000000000TS",
        name="webhook.test",
        at=datetime(2026, 12, 1, 10, tzinfo=UTC),
        organization_id=7,
        data={"subscription_uid": "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"},
    )
    body = events.body_of(document)

    assert body == (
        b'{"id":"evt_01KBC0DE0000000000000000TS","type":"webhook.test","timestamp":"2026-12-01T10:00:00Z",'
        b'"organization_id":7,"data":{"subscription_uid":"3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"}}'
    )
    signature = signatures.sign(
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        message_id=document["id"],
        timestamp=1796119200,
        body=body,
    )
    assert signature == "v1,XK+s77VSnZUm6KgcEUpxCi98tnZBdb5+w8c1J8MHZWk="


def test_the_system_resolves_this_machine() -> None:
    assert ip_address("127.0.0.1") in resolver()("localhost", seconds=2)
