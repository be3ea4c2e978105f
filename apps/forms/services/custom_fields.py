"""Custom fields: written, changed with the values that people have of them, removed. Source: forms.md 1.5, 2.3.

Who writes values holds the field FOR SHARE, who changes the field holds it FOR UPDATE: no value is judged by a
definition that is being replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.forms.domain import conversions
from apps.forms.domain.definitions import BadDefinition, define, rules_that_stay
from apps.forms.domain.field_types import CHOSEN, BadValue, Definition, FieldType
from apps.forms.errors import FieldInUse, OptionInUse, SystemField, ValuesNotConvertible
from apps.forms.models import CustomField, CustomFieldValue, CustomFieldVersion
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid, NotFound, refusing
from restartix.kernel.tenancy import Actor
from restartix.kernel.transactions import joins_transaction

STEP, LAST_PLACE = 10, 10_000
#: A change of one of these is a new version.
VERSIONED = ("label", "field_type", "options", "validation", "is_private")
_BATCH_ROWS = 1000
_KEY_TAKEN = {"custom_field_key_free": AlreadyTaken("key")}

SegmentsOf = Callable[[CustomField], Collection[int]]
_segments_of: list[SegmentsOf] = []


def segments_are_known_by(find: SegmentsOf) -> None:
    """Let `find` name the segments that ask for a field, which cannot be removed as long as there are any."""
    _segments_of.append(find)


@transaction.atomic
def create(
    *,
    by: Actor,
    field_type: str,
    options: Sequence[Any] = (),
    validation: Mapping[str, Any] | None = None,
    sort_order: int | None = None,
    **fields: Any,
) -> CustomField:
    """Add a field, by default after the others of its entity, and keep its first version.

    Raises Invalid (422) for options and rules that the type does not take, AlreadyTaken (409) for a key in use.
    """
    definition = _defined(FieldType(field_type), options, validation or {})
    place = _next_place(fields["entity_type"]) if sort_order is None else sort_order
    field = CustomField(sort_order=place, **_columns(definition), **fields)
    with refusing(**_KEY_TAKEN):
        field.save(force_insert=True)
    _keep_version(field, by=by)
    return field


def _defined(field_type: FieldType, options: Sequence[Any], validation: Mapping[str, Any]) -> Definition:
    try:
        return define(field_type, options, validation)
    except BadDefinition as error:
        raise Invalid({path: [message] for path, message in error.problems.items()}) from error


def _columns(definition: Definition) -> dict[str, Any]:
    return {
        "field_type": str(definition.field_type),
        "options": list(definition.options),
        "validation": dict(definition.validation),
    }


def _next_place(entity_type: str) -> int:
    last = CustomField.objects.alive().filter(entity_type=entity_type).aggregate(last=Max("sort_order"))["last"]
    return min((last or 0) + STEP, LAST_PLACE)


@joins_transaction
def _keep_version(field: CustomField, *, by: Actor) -> None:
    columns = {name: getattr(field, name) for name in VERSIONED}
    CustomFieldVersion.objects.create(
        custom_field=field, version=field.version, created_at=field.updated_at, created_by_id=by.user_id, **columns
    )


@transaction.atomic
def change(field: CustomField, *, by: Actor, **fields: Any) -> CustomField:
    """Change the given fields, holding the row, and convert what people have of it; what versions keep makes a new one.

    Raises Invalid (422) for options and rules that the type does not take; AlreadyTaken (409) for a key in use;
    SystemField, OptionInUse, ValuesNotConvertible (409).
    """
    field = _held(field)
    old, new = field.definition, _redefined(field, fields)
    if new.field_type != old.field_type and field.system_key is not None:
        raise SystemField
    _refuse_dropping(field, old, new)
    _convert_values(field, old, new)
    columns = {**fields, **_columns(new)}
    differing = [name for name, value in columns.items() if getattr(field, name) != value]
    for name in differing:
        setattr(field, name, columns[name])
    if differing:
        _save(field, differing, by=by)
    return field


def _held(field: CustomField) -> CustomField:
    held = CustomField.objects.alive().select_for_update(no_key=True).filter(pk=field.pk).first()
    if held is None:
        raise NotFound
    return held


def _redefined(field: CustomField, fields: Mapping[str, Any]) -> Definition:
    """Return what the field becomes: of another type it keeps the options and rules that this type knows."""
    field_type = FieldType(fields.get("field_type", field.field_type))
    options = fields.get("options", field.options if field_type in CHOSEN else [])
    kept = field.validation if field_type == field.field_type else rules_that_stay(field_type, field.validation)
    return _defined(field_type, options, fields.get("validation", kept))


def _refuse_dropping(field: CustomField, old: Definition, new: Definition) -> None:
    for option in conversions.dropped_options(old, new):
        count = CustomFieldValue.objects.filter(custom_field=field, value__contains=option).count()
        if count:
            raise OptionInUse(option, count)


def _convert_values(field: CustomField, old: Definition, new: Definition) -> None:
    if new.field_type == old.field_type:
        return
    stored = CustomFieldValue.objects.filter(custom_field=field)
    if not conversions.is_convertible(old.field_type, new.field_type):
        count = stored.count()
        if count:
            raise ValuesNotConvertible(count)
        return
    _rewrite(list(stored.select_for_update(no_key=True).order_by("pk")), old, new)


@joins_transaction
def _rewrite(rows: list[CustomFieldValue], old: Definition, new: Definition) -> None:
    """Write every value as one of the new type, or none: raises ValuesNotConvertible (409) with how many do not fit."""
    changed, misfits = [], 0
    for row in rows:
        try:
            value = conversions.convert(row.value, old.field_type, new)
        except BadValue:
            misfits += 1
            continue
        if value != row.value:
            row.value = value
            changed.append(row)
    if misfits:
        raise ValuesNotConvertible(misfits)
    CustomFieldValue.objects.bulk_update(changed, ["value"], batch_size=_BATCH_ROWS)


@joins_transaction
def _save(field: CustomField, differing: Sequence[str], *, by: Actor) -> None:
    is_new_version = not set(VERSIONED).isdisjoint(differing)
    field.version += is_new_version
    with refusing(**_KEY_TAKEN):
        field.save(update_fields=[*differing, "version"])
    if is_new_version:
        _keep_version(field, by=by)


@transaction.atomic
def remove(field: CustomField, *, by: Actor) -> None:
    """Remove the field softly, holding the row: values are no longer shown, and stay.

    Raises SystemField (409), and FieldInUse (409) while a segment asks for it.
    """
    field = _held(field)
    if field.system_key is not None:
        raise SystemField
    segment_ids = [each for find in _segments_of for each in find(field)]
    if segment_ids:
        raise FieldInUse(segment_ids)
    field.deleted_at = clock.now()
    field.save(update_fields=["deleted_at"])
