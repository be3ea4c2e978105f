"""Consents as they stand. Source: contract/profiles.md 1.5."""

from __future__ import annotations

from collections.abc import Collection

from apps.organizations.models import ConsentType, Organization
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient

#: The highest level whose consent is active counts.
_TELEMETRY_LEVELS = (
    (3, ConsentType.MOVEMENT_DATA),
    (2, ConsentType.ANALYTICS),
    (1, ConsentType.PRIVACY_POLICY),
)
FIRST_VERSION = "1"


def active_types(patient: Patient) -> set[str]:
    """Return the types of the patient's active consents."""
    rows = ConsentRecord.objects.filter(patient=patient, status=ConsentStatus.ACTIVE)
    return set(rows.values_list("type", flat=True))


def missing_types(patient: Patient, organization: Organization) -> list[str]:
    """Return which consents the organization requires and the patient has not given, in the order of the setting."""
    active = active_types(patient)
    return [kind for kind in organization.setting("required_consents") if kind not in active]


def telemetry_level(active: Collection[str]) -> int:
    """Return what may be measured of a patient with these active consents: 0 nothing to 3 movements."""
    return next((level for level, kind in _TELEMETRY_LEVELS if kind in active), 0)


def current_version(organization: Organization, kind: str) -> str:
    """Return the version of the organization's current policy text for this type of consent."""
    policy = organization.setting("policies").get(kind)
    return str(policy["version"]) if policy else FIRST_VERSION
