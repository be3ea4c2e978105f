"""Traces of a phone number by which part of it can be found although the number is stored sealed.

Four digits in a row make a gram; a keyed hash puts each of the 10,000 possible grams into one of `BUCKETS`, about ten
grams each, and a row keeps the buckets, sorted, without their order or count. So a bucket says "one of ten grams",
and only to whoever has the key; what is found by buckets is opened and compared before it is shown.
Source: docs/adr/0017-search.md.
"""

from __future__ import annotations

import re

from restartix.kernel.crypto import keyed_hash

#: The fewest digits that can be looked for.
LENGTH = 4
BUCKETS = 1024
_NO_DIGIT = re.compile(r"[^0-9]")
_PHONE_TEXT = re.compile(r"^[0-9 .\-/()+]*$")


def digits_of(text: str) -> str:
    """Return the digits alone."""
    return _NO_DIGIT.sub("", text)


def buckets_of(digits: str) -> list[int]:
    """Return the buckets of all grams of `digits`, sorted and without repeats; none for fewer than four digits."""
    grams = {digits[start : start + LENGTH] for start in range(len(digits) - LENGTH + 1)}
    return sorted({_bucket(gram) for gram in grams})


def _bucket(gram: str) -> int:
    return int.from_bytes(keyed_hash(gram, purpose="phone_gram")[:4], "big") % BUCKETS


def wanted_digits(text: str) -> list[str]:
    """Return what to look for in the digits of stored numbers, nothing where `text` is no part of a phone number.

    Numbers are stored with their country code, so a national 0 or an international 00 in front may be missing there.
    """
    if not _PHONE_TEXT.match(text):
        return []
    digits = digits_of(text)
    if digits.startswith("00"):
        return [each for each in (digits[2:],) if len(each) >= LENGTH]
    forms = [digits, digits[1:]] if digits.startswith("0") else [digits]
    return [each for each in forms if len(each) >= LENGTH]
