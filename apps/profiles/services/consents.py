"""Consents: given, replaced by a newer version, withdrawn; never changed, never deleted.

Source: contract/profiles.md 1.5.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from apps.organizations.models import ConsentType
from apps.organizations.services import facts
from apps.profiles.facts import PatientUpdated
from apps.profiles.lifecycles import CONSENT, ConsentStatus
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.models.consents import ConsentMethod
from apps.profiles.selectors.consents import active_types, current_version
from restartix.kernel import clock, tenancy
from restartix.kernel.errors import Invalid
from restartix.kernel.tenancy import Actor

__all__ = ["Grant", "active_types", "grant", "withdraw"]

USER_AGENT_CHARACTERS = 500


class Grant(NamedTuple):
    """A consent, and whether it was given just now rather than before."""

    record: ConsentRecord
    is_new: bool


@transaction.atomic
def grant(
    *,
    patient: Patient,
    type: str,  # noqa: A002 (the contract's name)
    method: str,
    by: Actor,
    policy_version: str | None = None,
    granted_at: datetime | None = None,
    form_id: int | None = None,
    is_present: bool = True,
) -> Grant:
    """Record that the patient agrees; holds the patient's row, so that one of two equal agreements is recorded.

    `policy_version` defaults to the organization's current one, `granted_at` to now. An active consent of the same type
    and version stays as it is; one of another version is withdrawn with the note `replaced`. Address and browser are
    those of the present request, and so is who granted it, unless the consent was not given in it (`is_present`): then
    they are not known. Raises Invalid (422) if `granted_at` lies in the future.
    """
    now = clock.now()
    if granted_at is not None and granted_at > now:
        raise Invalid({"granted_at": ["must not lie in the future"]})
    patient = _locked(patient)
    version = policy_version or current_version(patient.organization, type)
    standing = ConsentRecord.objects.filter(patient=patient, type=type, status=ConsentStatus.ACTIVE).first()
    if standing is not None and standing.policy_version == version:
        return Grant(standing, is_new=False)
    if standing is not None:
        _end(standing, by=by, note="replaced")
    record = ConsentRecord.objects.create(
        patient=patient,
        type=type,
        policy_version=version,
        method=method,
        form_id=form_id,
        granted_at=granted_at or now,
        granted_by_id=by.user_id if is_present else None,
        **(_origin() if is_present else {}),
    )
    if standing is None:
        _tell(patient, type)
    return Grant(record, is_new=True)


def _locked(patient: Patient) -> Patient:
    patients = Patient.objects.select_for_update(of=("self",), no_key=True)
    return patients.select_related("organization").get(pk=patient.pk)


def _origin() -> dict[str, str | None]:
    """Return address and browser of the present request; a task or a command has none."""
    scope = tenancy.current()
    if scope is None or scope.trace.source != "api":
        return {}
    agent = scope.trace.user_agent
    return {"ip_address": scope.trace.ip, "user_agent": agent[:USER_AGENT_CHARACTERS] if agent else None}


@transaction.atomic
def withdraw(record: ConsentRecord, *, by: Actor, note: str | None = None, for_patient: bool = False) -> ConsentRecord:
    """End the consent at once: the next request of anybody sees the gate closed and the telemetry level lowered.

    Holds the record's row. With `for_patient` the clinic does it in the patient's stead, and has to say by `note` why
    it ends what the patient gave electronically: else raises Invalid (422). Raises InvalidTransition (409) if it is
    withdrawn already.
    """
    if for_patient and record.method == ConsentMethod.ELECTRONIC and not note:
        raise Invalid({"note": ["required, for the patient gave this consent in person"]})
    record = ConsentRecord.objects.select_for_update(of=("self",)).select_related("patient").get(pk=record.pk)
    CONSENT.check(record.status, ConsentStatus.WITHDRAWN)
    _end(record, by=by, note=note)
    _tell(record.patient, record.type)
    return record


def _end(record: ConsentRecord, *, by: Actor, note: str | None) -> None:
    record.status, record.withdrawn_at, record.withdrawal_note = ConsentStatus.WITHDRAWN, clock.now(), note
    record.withdrawn_by_id = by.user_id
    record.save(update_fields=["status", "withdrawn_at", "withdrawn_by", "withdrawal_note"])


def _tell(patient: Patient, kind: str) -> None:
    """Announce that the gate moved; other consents are nobody's business outside."""
    if kind == ConsentType.PROFILE_SHARING:
        facts.record(PatientUpdated(patient.pk))
