"""The table of field types: what each takes, and how it is kept (contract/forms.md 0.3)."""

from __future__ import annotations

import json
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.forms.domain.conversions import convert, is_convertible
from apps.forms.domain.definitions import BadDefinition, define
from apps.forms.domain.field_types import CUSTOM_FIELD_TYPES, BadValue, Definition, FieldType, is_empty, read

TODAY = date(2026, 12, 1)
OPTIONS = [{"value": value, "label": value.upper()} for value in ("a", "b", "c")]
CHOSEN = {FieldType.SELECT, FieldType.RADIO, FieldType.CHECKBOX}


def field(kind: str, **validation) -> Definition:
    kind = FieldType(kind)
    return define(kind, OPTIONS if kind in CHOSEN else [], validation)


def kept(kind: str, value, **validation):
    return read(field(kind, **validation), value, today=TODAY)


def refused(kind: str, value, **validation) -> bool:
    try:
        kept(kind, value, **validation)
    except BadValue:
        return True
    return False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(list(FieldType)), json_values)
def test_any_value_is_kept_in_a_stable_form_or_refused(kind: FieldType, value) -> None:
    definition = field(kind)
    try:
        once = read(definition, value, today=TODAY)
    except BadValue:
        return
    assert read(definition, once, today=TODAY) == once
    assert (once is None) == is_empty(value)
    assert once is None or not is_empty(once)
    assert json.loads(json.dumps(once)) == once


@given(st.text(max_size=600))
def test_text_is_one_trimmed_line_of_nfc(text: str) -> None:
    if refused("text", text):
        normal = unicodedata.normalize("NFC", text).strip()
        assert len(normal) > 500 or len(normal.splitlines()) > 1
    elif (value := kept("text", text)) is not None:
        assert value == unicodedata.normalize("NFC", value) == value.strip()
        assert len(value) <= 500


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1))
def test_whole_numbers_of_fifteen_digits_are_kept_as_they_are(number: int) -> None:
    assert kept("number", number) == number
    assert kept("number", float(number)) == number
    assert isinstance(kept("number", float(number)), int)


@given(st.decimals(min_value=-1000, max_value=1000, places=4), st.integers(min_value=0, max_value=6))
def test_decimals_are_counted_without_trailing_zeros(number, places: int) -> None:
    places_of = max(0, -number.normalize().as_tuple().exponent)

    assert refused("number", float(number), decimals=places) == (places_of > places)


@given(st.lists(st.sampled_from("abc"), max_size=5))
def test_a_checkbox_keeps_each_option_once_in_the_order_of_the_options(chosen: list[str]) -> None:
    if len(set(chosen)) != len(chosen):
        assert refused("checkbox", chosen)
    else:
        assert kept("checkbox", chosen) == (sorted(chosen) or None)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 12, 31)))
def test_every_day_of_the_calendar_is_one(day: date) -> None:
    assert kept("date", day.isoformat()) == day.isoformat()
    assert refused("date", day.isoformat(), max="today") == (day > TODAY)


@pytest.mark.parametrize("value", ["20", True, 1.5, 0, 101])
def test_a_number_takes_neither_text_nor_boolean_nor_what_lies_outside(value) -> None:
    assert refused("number", value, min=1, max=100, decimals=0)


def test_a_number_within_its_bounds_is_taken() -> None:
    assert kept("number", 20, min=1, max=100, decimals=0) == 20
    assert kept("number", 0) == 0


@pytest.mark.parametrize("value", [1234567890123456, 0.1234567890123456, 1e300, float("inf"), float("nan"), 2**63])
def test_a_number_has_at_most_fifteen_digits(value) -> None:
    assert refused("number", value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "one\ntwo"),
        ("text", "one\u2028two"),
        ("text", "x" * 501),
        ("text", 5),
        ("textarea", "x" * 10_001),
        ("email", "maria@localhost"),
        ("email", "maria@@example.org"),
        ("email", "maria ionescu@example.org"),
        ("email", "maria@example..org"),
        ("email", "m" * 250 + "@example.org"),
        ("phone", "0722123456"),
        ("phone", "+0722123456"),
        ("phone", "+1234567"),
        ("phone", "+1234567890123456"),
        ("phone", 40722123456),
        ("date", "2027-02-29"),
        ("date", "2027-2-9"),
        ("date", "20270209"),
        ("date", "1899-12-31"),
        ("date", "2201-01-01"),
        ("date", "2027-02-09T10:00:00Z"),
        ("date", "２０２７-02-09"),
        ("select", "d"),
        ("select", ["a"]),
        ("radio", "A"),
        ("checkbox", "a"),
        ("checkbox", ["b", "a", "b"]),
        ("checkbox", ["d"]),
        ("checkbox", [["a"]]),
        ("text_list", ["latex", "Latex"]),
        ("text_list", [" "]),
        ("text_list", ["x" * 201]),
        ("text_list", [str(number) for number in range(51)]),
        ("insurance_list", [{"kind": "private"}]),
        ("insurance_list", [{"kind": "own", "insurer": "x", "policy_number": "1"}]),
        ("insurance_list", [{"kind": "state", "insurer": "x", "policy_number": "1", "since": "2020-01-01"}]),
        ("insurance_list", [{"kind": "state", "insurer": "x", "policy_number": "1"}] * 11),
        ("file", "x.pdf"),
        ("signature", "data:image/png;base64,"),
        ("heading", "x"),
        ("paragraph", "x"),
    ],
)
def test_refuses(kind: str, value) -> None:
    assert refused(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "  S\u0326tefan  ", "\u0218tefan"),
        ("textarea", " one\r\ntwo ", "one\ntwo"),
        ("email", " Maria@Example.ORG ", "Maria@example.org"),
        ("phone", "0040 (722) 123-456", "+40722123456"),
        ("date", "2028-02-29", "2028-02-29"),
        ("select", "b", "b"),
        ("checkbox", ["b", "a"], ["a", "b"]),
        ("text_list", [" latex ", "nuts"], ["latex", "nuts"]),
        (
            "insurance_list",
            [{"kind": "state", "insurer": " CNAS ", "policy_number": "1"}],
            [{"kind": "state", "insurer": "CNAS", "policy_number": "1", "valid_to": None}],
        ),
        ("number", 7.0, 7),
        ("number", 7.25, 7.25),
    ],
)
def test_keeps(kind: str, value, stored) -> None:
    assert kept(kind, value) == stored


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("value", [None, "", "  ", []])
def test_an_empty_value_is_none_whatever_the_field(kind: str, value) -> None:
    assert kept(kind, value) is None


def test_a_minimum_counts_only_for_what_is_not_empty() -> None:
    assert kept("checkbox", [], min_items=2) is None
    assert refused("checkbox", ["a"], min_items=2)
    assert refused("checkbox", ["a", "b"], max_items=1)
    assert kept("text", "", min_length=3) is None
    assert refused("text", "ab", min_length=3)


def test_a_pattern_matches_the_whole_value() -> None:
    assert kept("text", "AB12", pattern="[A-Z]{2}[0-9]{2}") == "AB12"
    assert refused("text", "AB123", pattern="[A-Z]{2}[0-9]{2}")
    assert refused("text", "xAB12", pattern="[A-Z]{2}[0-9]{2}")


def test_a_hostile_pattern_is_matched_in_linear_time() -> None:
    began = time.perf_counter()

    assert refused("text", "a" * 499 + "b", pattern="(a+)+")

    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize(
    ("kind", "options", "validation", "path"),
    [
        ("text", OPTIONS, {}, "options"),
        ("select", [], {}, "options"),
        ("select", [{"value": "a", "label": "A"}] * 2, {}, "options[1].value"),
        ("select", [{"value": "a b", "label": "A"}], {}, "options[0].value"),
        ("select", [{"value": "a", "label": " "}], {}, "options[0].label"),
        ("select", [{"value": "a"}], {}, "options[0].label"),
        ("select", ["a"], {}, "options[0]"),
        ("select", [{"value": "a", "label": "A", "color": "red"}], {}, "options[0].color"),
        ("select", [{"value": str(n), "label": "x"} for n in range(101)], {}, "options"),
        ("text", [], {"min": 1}, "validation.min"),
        ("text", [], {"min_length": 9, "max_length": 3}, "validation.min_length"),
        ("text", [], {"max_length": 501}, "validation.max_length"),
        ("text", [], {"max_length": "5"}, "validation.max_length"),
        ("text", [], {"pattern": "(?=a)"}, "validation.pattern"),
        ("text", [], {"pattern": "("}, "validation.pattern"),
        ("text", [], {"pattern": "a" * 201}, "validation.pattern"),
        ("number", [], {"min": 2, "max": 1}, "validation.min"),
        ("number", [], {"min": "1"}, "validation.min"),
        ("number", [], {"decimals": 7}, "validation.decimals"),
        ("number", [], {"unit": "x" * 21}, "validation.unit"),
        ("date", [], {"min": "2027-02-30"}, "validation.min"),
        ("date", [], {"min": "2027-02-02", "max": "2027-02-01"}, "validation.min"),
        ("checkbox", OPTIONS, {"min_items": 4}, "validation.min_items"),
        ("email", [], {"max_length": 5}, "validation.max_length"),
        ("file", [], {"allowed_file_types": ["image/svg+xml"]}, "validation.allowed_file_types"),
        ("file", [], {"max_file_size": 52_428_801}, "validation.max_file_size"),
    ],
)
def test_a_definition_names_what_is_wrong_with_it(kind, options, validation, path) -> None:
    with pytest.raises(BadDefinition) as refusal:
        define(FieldType(kind), options, validation)

    assert list(refusal.value.problems) == [path]


def test_a_definition_takes_what_the_table_says() -> None:
    assert define(FieldType.DATE, [], {"min": "1900-01-01", "max": "today"}).validation["max"] == "today"
    assert define(FieldType.NUMBER, [], {"min": 0, "max": 10.0, "unit": " cm "}).validation == {
        "min": 0, "max": 10, "unit": "cm",
    }  # fmt: skip
    assert define(FieldType.FILE, [], {"allowed_file_types": ["image/*"], "max_file_size": 1}).options == []


def test_custom_fields_take_the_first_nine_types() -> None:
    assert CUSTOM_FIELD_TYPES == (
        "text", "textarea", "email", "phone", "number", "date", "select", "radio", "checkbox",
    )  # fmt: skip


def test_values_become_values_of_another_type_only_where_the_contract_says() -> None:
    allowed = {(old, new) for old in CUSTOM_FIELD_TYPES for new in CUSTOM_FIELD_TYPES if is_convertible(old, new)}

    to_text = {(old, "text") for old in ("email", "phone", "number", "date", "select", "radio")}
    to_checkbox = {("select", "checkbox"), ("radio", "checkbox")}
    both_ways = {("text", "textarea"), ("textarea", "text"), ("select", "radio"), ("radio", "select")}
    assert allowed == to_text | to_checkbox | both_ways | {(kind, kind) for kind in CUSTOM_FIELD_TYPES}


@pytest.mark.parametrize(
    ("value", "old", "new", "becomes"),
    [
        (7, "number", "text", "7"),
        (0.000001, "number", "text", "0.000001"),
        ("a", "select", "checkbox", ["a"]),
        ("a", "radio", "select", "a"),
        ("2027-01-01", "date", "text", "2027-01-01"),
        ("one line", "textarea", "text", "one line"),
    ],
)
def test_a_value_is_converted(value, old, new, becomes) -> None:
    assert convert(value, FieldType(old), field(new)) == becomes


def test_a_value_of_two_lines_does_not_become_a_text() -> None:
    with pytest.raises(BadValue):
        convert("one\ntwo", FieldType.TEXTAREA, field("text"))
