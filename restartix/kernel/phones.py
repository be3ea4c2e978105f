"""Phone numbers as they are stored: a plus sign and digits.

Source: contract/forms.md 0.3, field type `phone`; persons, contacts and form answers share the one rule. National
formats are a matter of the pages, which know the visitor's country.
"""

from __future__ import annotations

import re

SEPARATORS = str.maketrans("", "", " .-/()")
FEWEST_DIGITS, MOST_DIGITS = 8, 15


def normalised(text: str) -> str:
    """Return `+` and 8-15 digits: `(0040) 721-000.111` becomes `+40721000111`.

    Raises ValueError, with a message for the person who typed the number, if it is not such a number.
    """
    number = text.translate(SEPARATORS)
    if number.startswith("00"):
        number = "+" + number[2:]
    problem = _problem(number)
    if problem:
        raise ValueError(problem)
    return number


def _problem(number: str) -> str | None:
    digits = number[1:]
    if re.search(r"[^+0-9]", number) or "+" in digits:
        return "only digits, spaces and . - / ( ) may stand in a phone number, with + in front"
    if not number.startswith("+"):
        return "start with + and the country code, like +40 721 000 111"
    if digits.startswith("0"):
        return "a country code does not begin with 0: write +40 721 000 111, not +0 721 000 111"
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        return (
            f"a phone number has {FEWEST_DIGITS} to {MOST_DIGITS} digits with its country code, this one {len(digits)}"
        )
    return None
