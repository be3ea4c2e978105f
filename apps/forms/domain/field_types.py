"""Field types: which values each takes, and how they are stored and returned.

One implementation serves form fields, custom field values and imports. A value is judged by this table alone.
Source: contract/forms.md 0.3.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn

import re2

from restartix.kernel import phones

TEXT_CHARACTERS, TEXTAREA_CHARACTERS, EMAIL_CHARACTERS = 500, 10_000, 254
LIST_ITEMS, LIST_ITEM_CHARACTERS = 50, 200
INSURANCES, INSURER_CHARACTERS, POLICY_NUMBER_CHARACTERS = 10, 200, 100
INSURANCE_KINDS = ("employer", "private", "state")
SIGNIFICANT_DIGITS = 15
#: Numbers beyond 64 bits are refused everywhere (contract/conventions.md, "Errors"); 15 digits may stand before zeros.
LARGEST_NUMBER = 2**63 - 1
#: The years that any date may have (contract/conventions.md, "Errors").
FIRST_YEAR, LAST_YEAR = 1900, 2200
TODAY = "today"


class FieldType(StrEnum):
    """What a field takes."""

    TEXT = "text"
    TEXTAREA = "textarea"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    SELECT = "select"
    RADIO = "radio"
    CHECKBOX = "checkbox"
    TEXT_LIST = "text_list"
    INSURANCE_LIST = "insurance_list"
    FILE = "file"
    SIGNATURE = "signature"
    HEADING = "heading"
    PARAGRAPH = "paragraph"


#: The types that a custom field may have.
CUSTOM_FIELD_TYPES = tuple(FieldType)[:9]
#: The types whose values are chosen from options.
CHOSEN = frozenset({FieldType.SELECT, FieldType.RADIO, FieldType.CHECKBOX})


class BadValue(ValueError):
    """The value is not one that the field takes; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a field is: its type, its options in their order, and its further rules, all of them checked before."""

    field_type: FieldType
    options: Sequence[Mapping[str, str]] = ()
    validation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def option_values(self) -> list[str]:
        """The values of the options, in their order."""
        return [option["value"] for option in self.options]

    def bare(self) -> Definition:
        """Return the same field without its further rules."""
        return Definition(self.field_type, self.options)


def is_empty(value: Any) -> bool:
    """Say whether a value counts as none: null, a blank text, an empty list. Zero is a value."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def read(definition: Definition, value: Any, *, today: date) -> Any:
    """Return `value` as it is stored, None where it is empty; `today` is the organization's date.

    Raises BadValue for anything that the field does not take.
    """
    return None if is_empty(value) else _READERS[definition.field_type](definition, value, today)


def _refuse(message: str) -> NoReturn:
    raise BadValue(message)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else _refuse("a text is expected")


def _bounded(text: str, *, at_least: int = 0, at_most: int) -> str:
    if len(text) > at_most:
        _refuse(f"at most {at_most} characters expected")
    if len(text) < at_least:
        _refuse(f"at least {at_least} characters expected")
    return text


def plain_line(value: Any) -> str:
    """Return a text in NFC, trimmed. Raises BadValue if it is none, or has more than one line."""
    text = unicodedata.normalize("NFC", _string(value)).strip()
    if len(text.splitlines()) > 1:
        _refuse("a text without line breaks is expected")
    return text


def _read_text(definition: Definition, value: Any, today: date) -> str:
    rules = definition.validation
    longest = rules.get("max_length", TEXT_CHARACTERS)
    text = _bounded(plain_line(value), at_least=rules.get("min_length", 0), at_most=longest)
    if "pattern" in rules and compiled(rules["pattern"]).fullmatch(text) is None:
        _refuse(f"must match the pattern {rules['pattern']}")
    return text


def _read_textarea(definition: Definition, value: Any, today: date) -> str:
    rules = definition.validation
    lines = re.sub(r"\r\n?", "\n", unicodedata.normalize("NFC", _string(value)))
    longest = rules.get("max_length", TEXTAREA_CHARACTERS)
    return _bounded(lines.strip(), at_least=rules.get("min_length", 0), at_most=longest)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """Return a pattern in RE2's syntax, which matches in linear time. Raises BadValue if it is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadValue("a pattern in RE2 syntax is expected") from error


_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


def _read_email(definition: Definition, value: Any, today: date) -> str:
    text = _string(value).strip()
    if not _EMAIL.fullmatch(text):
        _refuse("an e-mail address is expected")
    local, _, domain = text.partition("@")
    return _bounded(f"{local}@{domain.lower()}", at_most=EMAIL_CHARACTERS)


def _read_phone(definition: Definition, value: Any, today: date) -> str:
    try:
        return phones.normalised(_string(value))
    except BadValue:
        raise
    except ValueError as error:
        raise BadValue(str(error)) from error


def number(value: Any) -> int | float:
    """Return a number, a whole one without its point. Raises BadValue for a text, a boolean or too many digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("a number is expected")
    if not abs(value) <= LARGEST_NUMBER:  # neither an infinity nor NaN passes
        _refuse("a number of at most 64 bits is expected")
    if len(_decimal(value).as_tuple().digits) > SIGNIFICANT_DIGITS:
        _refuse(f"a number of at most {SIGNIFICANT_DIGITS} significant digits is expected")
    return int(value) if value == int(value) else value


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).normalize()


def _places(value: float) -> int:
    return max(0, -int(_decimal(value).as_tuple().exponent))


def _read_number(definition: Definition, value: Any, today: date) -> int | float:
    given, rules = number(value), definition.validation
    if "decimals" in rules and _places(given) > rules["decimals"]:
        places = rules["decimals"]
        _refuse(f"at most {places} decimals expected" if places else "a whole number is expected")
    if "min" in rules and given < rules["min"]:
        _refuse(f"at least {rules['min']} expected")
    if "max" in rules and given > rules["max"]:
        _refuse(f"at most {rules['max']} expected")
    return given


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day(value: Any) -> date:
    """Return the day that `YYYY-MM-DD` names. Raises BadValue if there is none such."""
    text = _string(value)
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else _refuse("a date like 2027-03-31 is expected")
    except BadValue:
        raise
    except ValueError as error:
        raise BadValue("there is no such day: a date like 2027-03-31 is expected") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        _refuse(f"a date from {FIRST_YEAR} to {LAST_YEAR} is expected")
    return found


def _read_date(definition: Definition, value: Any, today: date) -> str:
    given, rules = day(value), definition.validation
    earliest, latest = (today if rules.get(name) == TODAY else rules.get(name) for name in ("min", "max"))
    if earliest is not None and given.isoformat() < str(earliest):
        _refuse(f"{earliest} or later is expected")
    if latest is not None and given.isoformat() > str(latest):
        _refuse(f"{latest} or earlier is expected")
    return given.isoformat()


def _read_choice(definition: Definition, value: Any, today: date) -> str:
    if not isinstance(value, str) or value not in definition.option_values:
        _refuse("one of the options is expected")
    return value


def _read_choices(definition: Definition, value: Any, today: date) -> list[str]:
    chosen, known, rules = _array(value), definition.option_values, definition.validation
    if not all(isinstance(each, str) and each in known for each in chosen):
        _refuse("only options are expected")
    if len(set(chosen)) != len(chosen):
        _refuse("each option may stand only once")
    _check_count(chosen, rules)
    return [option for option in known if option in chosen]


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else _refuse("a list is expected")


def _check_count(items: Sequence[Any], rules: Mapping[str, Any]) -> None:
    if len(items) < rules.get("min_items", 0):
        _refuse(f"at least {rules['min_items']} of them expected")
    if "max_items" in rules and len(items) > rules["max_items"]:
        _refuse(f"at most {rules['max_items']} of them expected")


def _read_text_list(definition: Definition, value: Any, today: date) -> list[str]:
    rules = {"max_items": LIST_ITEMS, **definition.validation}
    _check_count(_array(value), rules)
    texts = [_bounded(plain_line(each), at_most=LIST_ITEM_CHARACTERS) for each in value]
    if not all(texts):
        _refuse("no text may be empty")
    if len({text.casefold() for text in texts}) != len(texts):
        _refuse("each text may stand only once, whatever its capitals")
    return texts


def _read_insurances(definition: Definition, value: Any, today: date) -> list[dict[str, Any]]:
    _check_count(_array(value), {"max_items": INSURANCES})
    return [_insurance(each) for each in value]


def _insurance(entry: Any) -> dict[str, Any]:
    names = {"kind", "insurer", "policy_number", "valid_to"}
    if not isinstance(entry, dict) or not {"kind", "insurer", "policy_number"} <= set(entry) <= names:
        _refuse("objects of kind, insurer, policy_number and valid_to are expected")
    if entry["kind"] not in INSURANCE_KINDS:
        _refuse(f"kind: one of {', '.join(INSURANCE_KINDS)} is expected")
    last = entry.get("valid_to")
    return {
        "kind": entry["kind"],
        "insurer": _bounded(plain_line(entry["insurer"]), at_least=1, at_most=INSURER_CHARACTERS),
        "policy_number": _bounded(plain_line(entry["policy_number"]), at_least=1, at_most=POLICY_NUMBER_CHARACTERS),
        "valid_to": None if last is None else day(last).isoformat(),
    }


def _read_file(definition: Definition, value: Any, today: date) -> NoReturn:
    _refuse("files are uploaded, not sent as values")


def _read_nothing(definition: Definition, value: Any, today: date) -> NoReturn:
    _refuse("this field takes no value")


_READERS: Mapping[FieldType, Callable[[Definition, Any, date], Any]] = {
    FieldType.TEXT: _read_text,
    FieldType.TEXTAREA: _read_textarea,
    FieldType.EMAIL: _read_email,
    FieldType.PHONE: _read_phone,
    FieldType.NUMBER: _read_number,
    FieldType.DATE: _read_date,
    FieldType.SELECT: _read_choice,
    FieldType.RADIO: _read_choice,
    FieldType.CHECKBOX: _read_choices,
    FieldType.TEXT_LIST: _read_text_list,
    FieldType.INSURANCE_LIST: _read_insurances,
    FieldType.FILE: _read_file,
    FieldType.SIGNATURE: _read_file,
    FieldType.HEADING: _read_nothing,
    FieldType.PARAGRAPH: _read_nothing,
}
