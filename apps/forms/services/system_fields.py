"""The fields that every clinic begins with. Source: contract/forms.md 1.5."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from apps.forms.domain.field_types import FieldType
from apps.forms.models import CustomField, CustomFieldVersion, EntityType
from apps.forms.services.custom_fields import STEP, VERSIONED
from apps.organizations.models import Organization
from apps.organizations.services import organizations
from restartix.kernel.tenancy import Actor
from restartix.kernel.transactions import joins_transaction

SYSTEM_FIELDS: tuple[dict[str, Any], ...] = (
    {"entity_type": "patient", "key": "referring_doctor", "label": gettext_noop("Referring doctor")},
    {
        "entity_type": "patient",
        "key": "primary_diagnosis",
        "label": gettext_noop("Primary diagnosis"),
        "field_type": "textarea",
        "is_private": True,
    },
    {
        "entity_type": "appointment",
        "key": "visit_reason",
        "label": gettext_noop("Reason of the visit"),
        "field_type": "textarea",
    },
    {"entity_type": "specialist", "key": "professional_code", "label": gettext_noop("Professional code")},
    {"entity_type": "organization", "key": "legal_name", "label": gettext_noop("Legal name")},
    {"entity_type": "organization", "key": "tax_id", "label": gettext_noop("Tax number")},
)


def register() -> None:
    """Let every organization begin with them; called once at start."""
    organizations.founding.together_with(seed)


@joins_transaction
def seed(organization: Organization, by: Actor) -> None:
    """Give the active organization, which is new, the system fields, labelled in its language."""
    with translation.override(organization.locale):
        fields = CustomField.objects.bulk_create(_fields())
    CustomFieldVersion.objects.bulk_create(
        CustomFieldVersion(
            custom_field=field,
            version=field.version,
            created_at=field.updated_at,
            created_by_id=by.user_id,
            **{name: getattr(field, name) for name in VERSIONED},
        )
        for field in fields
    )


def _fields() -> list[CustomField]:
    places = dict.fromkeys(EntityType.values, 0)
    made = []
    for each in SYSTEM_FIELDS:
        places[each["entity_type"]] += STEP
        stated = {"field_type": str(FieldType.TEXT), **each, "label": gettext(each["label"])}
        made.append(CustomField(system_key=each["key"], sort_order=places[each["entity_type"]], **stated))
    return made
