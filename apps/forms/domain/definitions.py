"""Definitions of fields: which options and which further rules each type takes.

Source: contract/forms.md 0.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.forms.domain.field_types import (
    CHOSEN,
    LIST_ITEMS,
    TEXT_CHARACTERS,
    TEXTAREA_CHARACTERS,
    TODAY,
    BadValue,
    Definition,
    FieldType,
    compiled,
    day,
    number,
    plain_line,
)

MOST_OPTIONS, LABEL_CHARACTERS, PATTERN_CHARACTERS, UNIT_CHARACTERS, MOST_DECIMALS = 100, 200, 200, 20, 6
LARGEST_FILE_BYTES, USUAL_FILE_BYTES = 52_428_800, 10_485_760
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/heic")
#: What a field may let in; `image/*` means the five image types (forms.md 0.2).
FILE_TYPES = (
    "image/*", *IMAGES, "application/pdf", "application/dicom", "video/mp4", "video/quicktime", "video/webm",
)  # fmt: skip
USUAL_FILE_TYPES = ("image/*", "application/pdf")
_OPTION_VALUE = re.compile(r"[A-Za-z0-9_.+-]{1,64}")


class BadDefinition(ValueError):
    """The definition is not one of a field: `problems` tells by path (`options[1].value`) what was expected."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Take what is wrong, by path."""
        super().__init__(", ".join(f"{path}: {message}" for path, message in problems.items()))
        self.problems = dict(problems)


def define(field_type: FieldType, options: Sequence[Any], validation: Mapping[str, Any]) -> Definition:
    """Return the definition with its texts trimmed and its numbers in their plain form.

    Raises BadDefinition naming every problem: options where there must be none, an unknown rule, min over max.
    """
    problems: dict[str, str] = {}
    kept = _options(field_type, options, problems)
    rules = _rules(field_type, validation, problems)
    if not problems:
        _check_together(field_type, rules, len(kept), problems)
    if problems:
        raise BadDefinition(problems)
    return Definition(field_type, kept, rules)


def _options(field_type: FieldType, options: Sequence[Any], problems: dict[str, str]) -> list[dict[str, str]]:
    if field_type not in CHOSEN:
        if options:
            problems["options"] = f"a field of type {field_type} has no options"
        return []
    if not 1 <= len(options) <= MOST_OPTIONS:
        problems["options"] = f"1 to {MOST_OPTIONS} options are expected"
        return []
    kept: list[dict[str, str]] = []
    for index, option in enumerate(options):
        _keep_option(option, f"options[{index}]", kept, problems)
    return kept


def _keep_option(option: Any, path: str, kept: list[dict[str, str]], problems: dict[str, str]) -> None:
    if not isinstance(option, Mapping):
        problems[path] = "an object of value and label is expected"
        return
    problems.update({f"{path}.{name}": "unknown field" for name in option if name not in {"value", "label"}})
    problems.update({f"{path}.{name}": "required" for name in ("value", "label") if name not in option})
    value, label = option.get("value", "value"), option.get("label", "label")
    if not isinstance(value, str) or not _OPTION_VALUE.fullmatch(value):
        problems[f"{path}.value"] = "1 to 64 letters, digits and _ . + - are expected"
    elif any(value == other["value"] for other in kept):
        problems[f"{path}.value"] = "stands twice"
    trimmed = label.strip() if isinstance(label, str) else ""
    if not 1 <= len(trimmed) <= LABEL_CHARACTERS:
        problems[f"{path}.label"] = f"1 to {LABEL_CHARACTERS} characters are expected"
    kept.append({"value": str(value), "label": trimmed})


def _rules(field_type: FieldType, validation: Mapping[str, Any], problems: dict[str, str]) -> dict[str, Any]:
    known, kept = _RULES.get(field_type, {}), {}
    for name, value in validation.items():
        if name not in known:
            problems[f"validation.{name}"] = "unknown field"
            continue
        try:
            kept[name] = known[name](value)
        except BadValue as error:
            problems[f"validation.{name}"] = str(error)
    return kept


def rules_that_stay(field_type: FieldType, validation: Mapping[str, Any]) -> dict[str, Any]:
    """Return those rules of a field that it can keep when it becomes one of `field_type`."""
    return _rules(field_type, validation, {})


def _whole(smallest: int, largest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not smallest <= value <= largest:
            raise BadValue(f"a whole number from {smallest} to {largest} is expected")
        return value

    return read


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= PATTERN_CHARACTERS:
        raise BadValue(f"a pattern of 1 to {PATTERN_CHARACTERS} characters is expected")
    compiled(value)
    return value


def _unit(value: Any) -> str:
    text = plain_line(value)
    if not 1 <= len(text) <= UNIT_CHARACTERS:
        raise BadValue(f"1 to {UNIT_CHARACTERS} characters are expected")
    return text


def _day(value: Any) -> str:
    return TODAY if value == TODAY else day(value).isoformat()


def _file_types(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(each in FILE_TYPES for each in value):
        raise BadValue(f"a list of {', '.join(FILE_TYPES)} is expected")
    return list(dict.fromkeys(value))


def _lengths(most: int) -> dict[str, Callable[[Any], Any]]:
    return {"min_length": _whole(0, most), "max_length": _whole(1, most)}


#: What each type's `validation` may hold, and how it is read; types that are not here take nothing.
_RULES: Mapping[FieldType, Mapping[str, Callable[[Any], Any]]] = {
    FieldType.TEXT: {**_lengths(TEXT_CHARACTERS), "pattern": _pattern},
    FieldType.TEXTAREA: _lengths(TEXTAREA_CHARACTERS),
    FieldType.NUMBER: {"min": number, "max": number, "decimals": _whole(0, MOST_DECIMALS), "unit": _unit},
    FieldType.DATE: {"min": _day, "max": _day},
    FieldType.CHECKBOX: {"min_items": _whole(0, MOST_OPTIONS), "max_items": _whole(1, MOST_OPTIONS)},
    FieldType.TEXT_LIST: {"max_items": _whole(1, LIST_ITEMS)},
    FieldType.FILE: {"allowed_file_types": _file_types, "max_file_size": _whole(1, LARGEST_FILE_BYTES)},
}


def _check_together(field_type: FieldType, rules: Mapping[str, Any], options: int, problems: dict[str, str]) -> None:
    for smallest, largest in (("min", "max"), ("min_length", "max_length"), ("min_items", "max_items")):
        low, high = rules.get(smallest), rules.get(largest)
        if low is not None and high is not None and TODAY not in (low, high) and low > high:
            problems[f"validation.{smallest}"] = f"must not be more than {largest}"
    if field_type == FieldType.CHECKBOX and rules.get("min_items", 0) > options:
        problems["validation.min_items"] = "must not be more than there are options"
