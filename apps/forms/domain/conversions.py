"""What becomes of stored values when a field changes. Source: contract/forms.md 2.3, "PUT with stored values"."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from apps.forms.domain.field_types import CHOSEN, BadValue, Definition, FieldType, read

_LINES = frozenset({FieldType.TEXT, FieldType.TEXTAREA})
_ONE_OF = frozenset({FieldType.SELECT, FieldType.RADIO})
_TO_TEXT = _ONE_OF | {FieldType.EMAIL, FieldType.PHONE, FieldType.NUMBER, FieldType.DATE}


def is_convertible(old: FieldType, new: FieldType) -> bool:
    """Say whether values of one type can become values of another."""
    return (
        old == new
        or {old, new} in (_LINES, _ONE_OF)
        or (old in _ONE_OF and new == FieldType.CHECKBOX)
        or (old in _TO_TEXT and new == FieldType.TEXT)
    )


def convert(value: Any, old: FieldType, new: Definition) -> Any:
    """Return a stored value as one of the field `new`. Raises BadValue if it does not fit that type.

    The further rules of `new` are no measure: tightening them leaves stored values alone.
    """
    if not is_convertible(old, new.field_type):
        raise BadValue(f"{old} does not become {new.field_type}")
    return read(new.bare(), _carried(value, old, new.field_type), today=date.max)  # no bare field asks for today


def _carried(value: Any, old: FieldType, new: FieldType) -> Any:
    if old == new:
        return value
    if new == FieldType.CHECKBOX:
        return [value]
    return f"{Decimal(repr(value)):f}" if old == FieldType.NUMBER else value


def dropped_options(old: Definition, new: Definition) -> list[str]:
    """Return the options, in their order, that `new` no longer has although values are chosen from options in both."""
    if new.field_type not in CHOSEN:
        return []
    return [value for value in old.option_values if value not in new.option_values]
