"""The strict reader of JSON: what it takes, and with which words it refuses the rest."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restartix.kernel.api.parsing import parse_json
from restartix.kernel.errors import Invalid, MalformedRequest

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
@settings(max_examples=150)
def test_every_ordinary_document_is_read_as_the_standard_library_reads_it(value):
    document = json.dumps(value).encode()
    assert parse_json(document) == json.loads(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b"nul",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1 2]",
        b'{"a": 1} {"b": 2}',
        b'{"a": 1}x',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\xaf"}',
        b'{"a": "\xe2\x82"}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": 1_0}',
        b'{"a": 0x10}',
        b'{"a": +1}',
        b'{"a": "tab\there"}',
        b'{"a": "\x00"}',
        '{"a": ٣}'.encode(),
        b'{"a": .5}',
    ],
)
def test_what_is_not_json_is_malformed(document):
    with pytest.raises(MalformedRequest):
        parse_json(document)


def test_a_key_that_stands_twice_is_malformed_at_any_depth():
    for document in (b'{"a": 1, "a": 2}', b'{"x": [{"a": 1, "\\u0061": 2}]}'):
        with pytest.raises(MalformedRequest, match="stands twice"):
            parse_json(document)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_sixty_four_levels_are_read_and_no_more(opening, closing):
    inner = "1" if closing == "}" else ""
    parse_json((opening * 64 + inner + closing * 64).encode())
    for depth in (65, 900, 1100, 100_000):
        with pytest.raises(MalformedRequest, match="levels deep"):
            parse_json((opening * depth + inner + closing * depth).encode())


def test_many_brackets_side_by_side_are_not_deep():
    assert parse_json(("[" + ",".join(["[]"] * 500) + "]").encode()) == [[]] * 500


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "-9223372036854775809", "1" * 400, "9" * 5000, "1e400", "-1e400"]
)
def test_a_number_beyond_64_bits_is_named_by_its_path(number):
    with pytest.raises(Invalid) as refusal:
        parse_json(f'{{"a": [{{"b": {number}}}]}}'.encode())
    assert list(refusal.value.fields) == ["a[0].b"]


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "0", "-0", "1e2", "-1e-400"])
def test_a_number_within_64_bits_is_read(number):
    assert parse_json(number.encode()) == json.loads(number)


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\ud800", r"\udfff\ud800", r"\uD83D", r"\ude00"])
def test_text_that_cannot_be_kept_is_named_by_its_path(text):
    with pytest.raises(Invalid) as refusal:
        parse_json(f'{{"a": {{"b": ["ok", "{text}"]}}}}'.encode())
    assert list(refusal.value.fields) == ["a.b[1]"]
    with pytest.raises(Invalid) as refusal:
        parse_json(f'{{"{text}": 1}}'.encode())
    assert json.dumps(list(refusal.value.fields)).isascii()
    assert "\x00" not in next(iter(refusal.value.fields))


def test_a_surrogate_pair_is_a_character_like_others():
    assert parse_json(rb'"\ud83d\ude00"') == "\U0001f600"
