"""Strict fields: exactly what the contract writes, and one sentence for everything else."""

from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.serializers import ValidationError

from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, Query, read
from restartix.kernel.errors import Invalid

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
EVERY_FIELD = [
    fields.Text(max_length=10),
    fields.Slug(),
    fields.Colour(),
    fields.Email(),
    fields.Phone(),
    fields.Url(),
    fields.Choice(("a", "b")),
    fields.TimeZone(),
    fields.Currency(),
    fields.Country(),
    fields.Locale(),
    fields.Uuid(),
    fields.Integer(),
    fields.Id(),
    fields.Boolean(),
    fields.Money(),
    fields.Instant(),
    fields.Date(),
    fields.TimeOfDay(),
    fields.ListOf(fields.Id()),
    fields.Object(),
    fields.File(),
]


@pytest.mark.parametrize("field", EVERY_FIELD, ids=lambda field: type(field).__name__)
@given(value=ANYTHING)
@settings(max_examples=60)
def test_no_value_brings_a_field_down(field, value):
    with suppress(ValidationError):
        field.run_validation(value)


def refused(field, value):
    with pytest.raises(ValidationError) as error:
        field.run_validation(value)
    return str(error.value.detail[0] if isinstance(error.value.detail, list) else error.value.detail)


class TestTexts:
    def test_are_trimmed_and_counted_in_code_points(self):
        field = fields.Text(max_length=3)
        assert field.run_validation("  abc\n") == "abc"
        assert field.run_validation("\U0001f600" * 3) == "\U0001f600" * 3
        assert refused(field, "abcd") == "at most 3 characters expected"

    def test_that_are_required_may_not_be_empty(self):
        assert refused(fields.Text(max_length=3), " \t ") == "must not be empty"

    def test_that_may_be_null_are_null_when_empty(self):
        assert fields.Text(max_length=3, allow_null=True).run_validation("   ") is None

    @pytest.mark.parametrize("value", [1, 1.5, True, [], {}])
    def test_are_not_made_of_other_things(self, value):
        assert refused(fields.Text(max_length=9), value) == "a text is expected"

    @pytest.mark.parametrize("value", ["a@b.example", "Ana.Pop+x@Example.ORG"])
    def test_may_be_addresses(self, value):
        assert fields.Email().run_validation(value).endswith(value.split("@")[1].lower())

    @pytest.mark.parametrize("value", ["a", "a@", "@b.example", "a b@c.example", "a@b", "a" * 250 + "@b.example"])
    def test_that_are_no_address_are_refused(self, value):
        assert refused(fields.Email(), value)

    def test_may_be_telephone_numbers(self):
        assert fields.Phone().run_validation("(0040) 721-000.111") == "+40721000111"
        assert refused(fields.Phone(), "0721000111")

    @pytest.mark.parametrize("value", ["#0a7b83", "#FFFFFF"])
    def test_may_be_colours_in_upper_case(self, value):
        assert fields.Colour().run_validation(value) == value.upper()

    @pytest.mark.parametrize("value", ["0A7B83", "#FFF", "#GGGGGG", "#٣٣٣٣٣٣", "red"])
    def test_that_are_no_colour_are_refused(self, value):
        assert refused(fields.Colour(), value) == "a colour like #0A7B83 is expected"

    @pytest.mark.parametrize(
        "value",
        ["http://", "https:///x", "ftp://x.example", "javascript:alert(1)", "https://a b", "https://x:99999/", "//x"],
    )
    def test_that_are_no_web_address_are_refused(self, value):
        assert refused(fields.Url(), value)

    @pytest.mark.parametrize("value", ["Europe/Bucharest", "UTC", "America/Argentina/Buenos_Aires"])
    def test_may_be_time_zones(self, value):
        assert fields.TimeZone().run_validation(value) == value

    @pytest.mark.parametrize(
        "value", ["europe/bucharest", "Europe/Nowhere", "+02:00", "../UTC", "localtime", "posix/UTC"]
    )
    def test_that_are_no_time_zone_are_refused(self, value):
        assert refused(fields.TimeZone(), value)

    @pytest.mark.parametrize("value", ["ro", "ro-RO", "zh-Hans-CN", "es-419", "sl-rozaj"])
    def test_may_be_language_tags(self, value):
        assert fields.Locale().run_validation(value) == value

    @pytest.mark.parametrize("value", ["r", "ro_RO", "ro-", "english language"])
    def test_that_are_no_language_tag_are_refused(self, value):
        assert refused(fields.Locale(), value)


class TestNumbers:
    @pytest.mark.parametrize("value", [1.0, 1.5, "1", True, None, "٣", [1], 2**63])
    def test_are_whole_numbers_of_64_bits_and_nothing_else(self, value):
        assert refused(fields.Integer(), value)

    def test_have_their_bounds_included(self):
        field = fields.Integer(min_value=5, max_value=480)
        assert [field.run_validation(5), field.run_validation(480)] == [5, 480]
        assert refused(field, 4) == "at least 5 expected"
        assert refused(field, 481) == "at most 480 expected"

    @pytest.mark.parametrize("value", [1, 0, "true", "yes", None, []])
    def test_are_not_booleans_and_booleans_not_numbers(self, value):
        assert refused(fields.Boolean(), value)

    @pytest.mark.parametrize(
        ("value", "amount"), [("180", "180.00"), ("0", "0.00"), ("0.5", "0.50"), ("99999999.99", "99999999.99")]
    )
    def test_of_money_are_decimal_texts(self, value, amount):
        assert fields.Money().run_validation(value) == Decimal(amount)
        assert fields.Money().to_representation(Decimal(value)) == amount

    @pytest.mark.parametrize(
        "value", [180, 1.5, "-1", "1.234", "1e3", "NaN", "sNaN", "Infinity", "", " 1", "1,50", "٣", "100000000"]
    )
    def test_of_money_in_other_forms_are_refused(self, value):
        assert refused(fields.Money(), value)


class TestMoments:
    @pytest.mark.parametrize(
        ("value", "moment"),
        [
            ("2026-12-01T09:00:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
            ("2026-12-01T09:00:00.123456789+02:00", datetime(2026, 12, 1, 7, 0, 0, 123456, tzinfo=UTC)),
            ("2026-12-01t09:00:00z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
            ("2026-12-01 09:00:00-23:59", datetime(2026, 12, 2, 8, 59, tzinfo=UTC)),
            ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ],
    )
    def test_are_read_with_their_offset(self, value, moment):
        assert fields.Instant().run_validation(value) == moment

    @pytest.mark.parametrize(
        "value",
        [
            "2026-12-01T09:00:00",
            "2026-12-01",
            "2026-12-01T09:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:00:60Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-12-01T09:00:00+24:00",
            "2026-12-01T09:00:00+2:00",
            "2026-12-01T09:00:00 02:00",
            "now",
            "infinity",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "10000-01-01T00:00:00Z",
            "1899-12-31T00:00:00Z",
            "2201-01-01T00:00:00Z",
            1796119200,
            None,
            "٢٠٢٦-12-01T09:00:00Z",
            "2026-12-01T09:00:00+16:00Z",
        ],
    )
    def test_in_other_forms_or_years_are_refused(self, value):
        assert refused(fields.Instant(), value)

    def test_may_have_to_be_full_minutes(self):
        field = fields.Instant(whole_minutes=True)
        assert field.run_validation("2026-12-01T09:30:00Z")
        assert "full minute" in refused(field, "2026-12-01T09:30:01Z")
        assert "full minute" in refused(field, "2026-12-01T09:30:00.000001Z")

    def test_may_be_days(self):
        assert fields.Date().run_validation("2024-02-29") == date(2024, 2, 29)
        for value in (
            "2025-02-29",
            "20240229",
            "2024-2-29",
            "1899-12-31",
            "2201-01-01",
            "2024-02-29T00:00:00Z",
            "",
            "٢٠٢٤-02-29",
        ):
            assert refused(fields.Date(), value)

    def test_may_be_times_of_day(self):
        assert fields.TimeOfDay().run_validation("23:59") == time(23, 59)
        assert fields.TimeOfDay().to_representation(time(9, 5)) == "09:05"
        for value in ("24:00", "9:00", "09:60", "09:00:00", "0900", ""):
            assert refused(fields.TimeOfDay(), value)


class TestUuids:
    def test_are_taken_in_their_canonical_form_only(self):
        text = "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21"
        assert fields.Uuid().run_validation(text.upper()) == UUID(text)
        for value in ("{" + text + "}", "urn:uuid:" + text, text.replace("-", ""), 5, text + "0"):
            assert refused(fields.Uuid(), value)


class PartBody(Body):
    kind = fields.Choice(("knee", "hip"))
    priority = fields.Integer(min_value=1, max_value=100)


class WholeBody(Body):
    name = fields.Text(max_length=5)
    note = fields.Text(max_length=5, allow_null=True, required=False)
    parts = fields.ListOf(PartBody(), required=False, max_items=2)
    contact = PartBody(required=False, allow_null=True)
    ids = fields.ListOf(fields.Id(), unique=True, required=False)


class TestBodies:
    def problems(self, data, **options):
        with pytest.raises(Invalid) as refusal:
            read(WholeBody, data, **options)
        return refusal.value.fields

    def test_refuse_unknown_fields_by_name_at_every_depth(self):
        problems = self.problems(
            {
                "name": "a",
                "nmae": 1,
                "parts": [{"kind": "hip", "priority": 1}, {"kind": "hip", "priority": 1, "prio": 2}],
            }
        )
        assert problems["nmae"][0] == "unknown field"
        assert problems["nmae"][1] == "did you mean name?"
        assert problems["parts[1].prio"][0] == "unknown field"

    def test_name_every_problem_by_its_path(self):
        problems = self.problems(
            {"parts": [{"kind": "elbow", "priority": 0}], "contact": {"kind": "hip"}, "ids": [1, "2", 1]}
        )
        assert problems == {
            "name": ["required"],
            "parts[0].kind": ["one of knee, hip is expected"],
            "parts[0].priority": ["at least 1 expected"],
            "contact.priority": ["required"],
            "ids[1]": ["a whole number is expected"],
        }
        assert self.problems({"name": "a", "ids": [7, 8, 7]}) == {"ids[2]": ["stands twice"]}
        assert self.problems({"name": "a", "parts": {}}) == {"parts": ["a list is expected"]}
        assert self.problems({"name": "a", "parts": [None]}) == {"parts[0]": ["null is not accepted"]}
        assert self.problems({"name": "a", "contact": 3}) == {"contact": ["an object is expected"]}
        assert self.problems({"name": None}) == {"name": ["null is not accepted"]}

    def test_of_a_change_need_no_field_but_judge_what_was_sent(self):
        assert read(WholeBody, {}, sent_only=True) == {}
        assert read(WholeBody, {"note": ""}, sent_only=True) == {"note": None}
        assert self.problems({"name": ""}, sent_only=True) == {"name": ["must not be empty"]}
        assert self.problems({"contact": {"kind": "hip"}}, sent_only=True) == {"contact.priority": ["required"]}


class Places(Query):
    from_ = fields.Date()
    days = fields.Integer(min_value=1, required=False)
    exact = fields.Boolean(required=False)
    ids = fields.ListOf(fields.Id(), required=False)


class TestQueries:
    def test_are_texts_read_by_the_kind_of_their_field(self):
        assert read(Places, {"from": "2026-12-01", "days": "3", "exact": "true", "ids": "1,2"}) == {
            "from": date(2026, 12, 1), "days": 3, "exact": True, "ids": [1, 2],
        }  # fmt: skip

    @pytest.mark.parametrize("days", ["", "01", "1_0", "٣", "1.0", " 1", "0", "-1", "99999999999999999999", "0x1"])
    def test_take_canonical_numbers_only(self, days):
        with pytest.raises(Invalid) as refusal:
            read(Places, {"from": "2026-12-01", "days": days})
        assert list(refusal.value.fields) == ["days"]

    def test_refuse_unknown_parameters(self):
        with pytest.raises(Invalid) as refusal:
            read(Places, {"from": "2026-12-01", "form": "x"})
        assert refusal.value.fields == {"form": ["unknown parameter", "did you mean from?"]}
