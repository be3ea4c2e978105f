"""The canonical form, the digest of changes and the hash of a row, against the vectors of their standards."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.organizations.domain import chain

SALT = bytes(range(16))
#: contract/telemetry.md 1.2
DIGEST = "f87c4ae3ef4421e663111aea54f1911b241fa04329fdb51b8ecbbcf8777c6217"
ROW = {
    "action": "UPDATE", "actor": "user:12", "actor_role": "specialist", "at": "2026-12-01T10:00:00.000000Z",
    "changes_digest": DIGEST, "claimed_at": None, "entity_id": "9", "entity_type": "patient_treatment_plan",
    "impersonation_id": None, "ip": "203.0.113.7", "method": "PUT", "on_behalf_of": None, "organization_id": 7,
    "path": "/v1/patient-treatment-plans/9/status", "patient_id": 501, "prev_hash": "0" * 64, "request_id": "req-1",
    "seq": 1, "service": None, "source": "api", "status_code": 200, "uid": "0193a5b0-0000-7000-8000-000000000001",
    "user_agent": None,
}  # fmt: skip


class TestTheVectorsOfTheContract:
    def test_digest_of_changes(self):
        assert chain.changes_digest(SALT, '{"status": {"old": "active", "new": "paused"}}') == DIGEST

    def test_hash_of_a_row(self):
        assert chain.row_hash(ROW) == "4d5e15e1d33f7da6908cfd29d1e98d1c073244e1c571dbafd2d9d48c8e8f3fbd"

    def test_the_order_of_the_fields_does_not_matter(self):
        assert chain.row_hash(dict(reversed(ROW.items()))) == chain.row_hash(ROW)

    @pytest.mark.parametrize("fields", [{**ROW, "id": 1}, {key: ROW[key] for key in ROW if key != "service"}])
    def test_a_row_has_exactly_the_23_fields(self, fields):
        assert len(chain.KEYS) == 23
        assert list(chain.KEYS) == sorted(chain.KEYS)
        with pytest.raises(ValueError, match="fields"):
            chain.row_hash(fields)


#: RFC 8785, appendix B.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


class TestCanonicalJson:
    @pytest.mark.parametrize(("bits", "shown"), NUMBERS.items(), ids=NUMBERS)
    def test_numbers(self, bits, shown):
        (number,) = struct.unpack(">d", bytes.fromhex(bits))

        assert chain.canonical_json(number).decode() == shown
        assert chain.canonicalized(f'{{"n": [{number!r}]}}').decode() == f'{{"n":[{shown}]}}'

    def test_the_example_of_the_standard(self):
        """RFC 8785, 3.2.2 and 3.2.3."""
        text = (
            '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
            ' "string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false]}'
        )

        assert chain.canonicalized(text).decode() == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        )

    def test_keys_are_sorted_by_their_utf_16_units(self):
        """RFC 8785, 3.2.3."""
        keys = ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]

        assert list(json.loads(chain.canonicalized(json.dumps(dict.fromkeys(reversed(keys)))))) == keys

    def test_integers_beyond_a_double_are_what_other_readers_take_them_for(self):
        assert chain.canonicalized("[9007199254740991, 9007199254740993, 123456789012345678901234]") == (
            b"[9007199254740991,9007199254740992,1.2345678901234569e+23]"
        )

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400, "\ud800", {"\udfff": 1}])
    def test_what_json_cannot_hold_is_refused(self, value):
        with pytest.raises(ValueError):
            chain.canonical_json(value)

    @pytest.mark.parametrize("value", [b"x", {1}, object(), {1: 2}])
    def test_what_is_no_json_is_refused(self, value):
        with pytest.raises((TypeError, AttributeError)):
            chain.canonical_json(value)

    @settings(max_examples=60, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_both_ways_lead_to_the_same(self, value):
        assert chain.canonicalized(json.dumps(value)) == chain.canonical_json(json.loads(json.dumps(value)))

    @pytest.mark.parametrize("text", ["[1e400]", f"[{'9' * 400}]", "[" * 5000 + "]" * 5000, "[" * 600 + "]" * 600])
    def test_no_document_can_stop_the_sealing(self, text):
        assert chain.changes_digest(SALT, text) == chain.changes_digest(SALT, text) != chain.changes_digest(SALT, "[]")
