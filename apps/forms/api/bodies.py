"""What the operations of custom fields take. Source: contract/forms.md 1.5, 2.3; contract/profiles.md 2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.forms.models import CustomFieldType, EntityType
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body

MOST_VALUES = 200


class _Options(fields.ListOf):
    """The options of a field; each is judged with the field's type."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Object(example={"value": "left", "label": "Left"}), max_items=1000, **kwargs)


class CustomFieldChanges(Body):
    """A custom field's writable fields but the entity."""

    examples = {
        "key": "pain_level", "label": "Pain (0-10)", "field_type": "number", "options": [],
        "validation": {"min": 0, "max": 10, "decimals": 0}, "description": "", "is_private": False, "sort_order": 30,
    }  # fmt: skip

    key = fields.Pattern(
        r"[a-z][a-z0-9_]{0,62}",
        expected="a small letter, then small letters, digits and _, 63 characters at most, are expected",
    )
    label = fields.Text(max_length=200)  # type: ignore[assignment]  # a declared field, not the label of this one
    field_type = fields.Choice(CustomFieldType)
    options = _Options(required=False)
    validation = fields.Object(required=False)
    description = fields.Text(max_length=1000, min_length=0, required=False)
    is_private = fields.Boolean(required=False)
    sort_order = fields.Integer(min_value=0, max_value=10_000, required=False)


class CustomFieldBody(CustomFieldChanges):
    """A new custom field."""

    examples = {"entity_type": "patient", **CustomFieldChanges.examples}

    entity_type = fields.Choice(EntityType)


class _Values(fields.Object):
    """Values by the keys of their fields."""

    def read(self, data: Any) -> Any:
        values: Mapping[str, Any] = super().read(data)
        return values if 1 <= len(values) <= MOST_VALUES else self.refuse(f"1 to {MOST_VALUES} keys are expected")


class ProfileBody(Body):
    """Values to be set; an empty one clears, one that is not sent stays."""

    values = _Values(example={"pain_level": 4, "referring_doctor": None})
