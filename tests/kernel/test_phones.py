"""The one phone rule: contract/forms.md 0.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restartix.kernel import phones


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+40721000111", "+40721000111"),
        (" +40 (721) 000-111 ", "+40721000111"),
        ("0040 721/000.111", "+40721000111"),
        ("00 40 721 000 111", "+40721000111"),
        ("+12345678", "+12345678"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_an_international_number_is_stored_as_plus_and_digits(typed, stored):
    assert phones.normalised(typed) == stored


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("0721 000 111", "start with \\+ and the country code"),
        ("", "start with \\+ and the country code"),
        ("+0721000111", "does not begin with 0"),
        ("00 0721 000 111", "does not begin with 0"),
        ("+1234567", "8 to 15 digits with its country code, this one 7"),
        ("+", "8 to 15 digits with its country code, this one 0"),
        ("+1234567890123456", "8 to 15 digits with its country code, this one 16"),
        ("+40 721 000 ext", "only digits"),
        ("+40+721000111", "only digits"),
        ("++40721000111", "only digits"),
        ("00+40721000111", "only digits"),
        ("+٤٠٧٢١٠٠٠١١١", "only digits"),
        ("+40\n721000111", "only digits"),
    ],
)
def test_anything_else_is_refused_with_what_to_do(typed, problem):
    with pytest.raises(ValueError, match=problem):
        phones.normalised(typed)


@given(st.from_regex(r"\A\+[1-9][0-9]{7,14}\Z"), st.lists(st.tuples(st.integers(0, 15), st.sampled_from(" .-/()"))))
def test_separators_do_not_matter_and_a_stored_number_stays_itself(number, separators):
    typed = number
    for place, separator in separators:
        typed = typed[:place] + separator + typed[place:]

    assert phones.normalised(typed) == phones.normalised(number) == number
