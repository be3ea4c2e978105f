"""Onboarding: whoever booked becomes a patient of the clinic, and the appointment that patient's.

Source: contract/scheduling.md 3.1 (onboard).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.organizations.models import Organization
from apps.organizations.services import accounts, facts
from apps.organizations.services.accounts import Provided
from apps.profiles.errors import AlreadyPatient
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.models.consents import ConsentMethod
from apps.profiles.selectors.consents import missing_types
from apps.profiles.services import consents, intake, patients
from apps.profiles.services.intake import Contact
from apps.scheduling.errors import ConsentRequired, PatientExists
from apps.scheduling.lifecycles import ONBOARD_OPERATION, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.models.appointments import RoomStatus
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import moves, paperwork, rooms
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.errors import Invalid, named_within
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Actor, active_organization_id


@dataclass(frozen=True, slots=True)
class Admission:
    """What the clinic says of whom it takes in: one of its patients, or what a new one agreed to."""

    patient: Patient | None = None
    #: What the booking has otherwise: some of `name`, `email`, `phone`.
    contact: Mapping[str, str] = field(default_factory=dict)
    create_account: bool = True
    #: `{type, method, policy_version?}` each, as the patient told the staff.
    consents: Sequence[Mapping[str, Any]] = ()


def take_in(appointment: Appointment, *, admission: Admission, by: Actor) -> Appointment | Outside[Provided]:
    """Onboard now or, where a login has to be made at the identity provider, after the commit.

    No transaction is open while the provider is asked. Where `onboard` refuses then, the account that was made is
    removed again; what can be known before is refused before. Raises what `onboard` raises.
    """
    contact = contact_of(appointment, admission)
    if not _is_asked_of_provider(contact, admission):
        return onboard(appointment, admission=admission, by=by)
    ONBOARD_OPERATION.check(appointment.status, AppointmentStatus.UPCOMING)
    _check_newcomer(appointment, admission)
    return Outside(
        partial(accounts.provide, email=contact.email or "", name=contact.name),
        answer=lambda provided: onboard(appointment, admission=admission, by=by, provided=provided),
        undo=intake.let_go,
    )


@transaction.atomic
def onboard(
    appointment: Appointment, *, admission: Admission, by: Actor, provided: Provided | None = None
) -> Appointment:
    """Link the patient, record what they agreed to, make the forms: all of it or nothing. Locks the appointment's row.

    Without a `patient` the contact's e-mail decides: nobody's login makes a new person, with a login by the account
    that was `provided`, and somebody's login is that somebody.
    Raises InvalidTransition (409) unless it is `booked`, PatientExists (409) if that somebody is a patient here,
    ConsentRequired (409), Invalid (422) for a patient removed meanwhile or an account without an e-mail address, and
    AlreadyTaken (409) or Unavailable (503) where no account can be made.
    """
    appointment = moves.lock(appointment)
    ONBOARD_OPERATION.check(appointment.status, AppointmentStatus.UPCOMING)
    contact = contact_of(appointment, admission)
    patient = admission.patient or _taken_in(contact, admission, by=by, provided=provided)
    appointment.patient = patient
    appointment.contact_name, appointment.contact_email = contact.name, contact.email
    appointment.contact_phone = contact.phone
    appointment.contact_phone_hash = keyed_hash(contact.phone, purpose="phone") if contact.phone else None
    appointment.room_status = RoomStatus.PENDING if appointment.mode == Mode.VIDEO else None
    moves.move(appointment, AppointmentStatus.UPCOMING, by=by)
    appointment.save()
    patients.check_not_removed(patient)
    _record_consents(appointment, patient, admission, by=by)
    rooms.look(appointment)
    paperwork.kept().make_missing(appointment, by=by)
    facts.record(moves.updated(appointment))
    return appointment


def contact_of(appointment: Appointment, admission: Admission) -> Contact:
    """Return the contact of the booking, with what the clinic knows better."""
    booked = {
        "name": appointment.contact_name or "",
        "email": appointment.contact_email,
        "phone": appointment.contact_phone,
    }
    return Contact(**{**booked, **admission.contact})  # type: ignore[arg-type]


def _is_asked_of_provider(contact: Contact, admission: Admission) -> bool:
    wants_login = admission.patient is None and admission.create_account and contact.email is not None
    return wants_login and accounts.is_asked_of_provider(contact.email or "")


def _taken_in(contact: Contact, admission: Admission, *, by: Actor, provided: Provided | None) -> Patient:
    if admission.create_account and not contact.email:
        raise Invalid({"contact.email": ["required, for an account is to be made"]})
    try:
        with named_within("contact"):
            return intake.take_in(contact, by=by, create_account=admission.create_account, provided=provided)
    except AlreadyPatient as known:
        raise PatientExists(known.details["patient_id"]) from known


# -- consents ----------------------------------------------------------------------------------------------------------


def _check_newcomer(appointment: Appointment, admission: Admission) -> None:
    """Raise ConsentRequired (409) for what somebody whom no clinic knows cannot have agreed to."""
    agreed = {each["type"] for each in (*appointment.booking_consents, *admission.consents)}
    missing = [kind for kind in _organization().setting("required_consents") if kind not in agreed]
    if missing:
        raise ConsentRequired(details={"missing": missing})


def _record_consents(appointment: Appointment, patient: Patient, admission: Admission, *, by: Actor) -> None:
    """Record what was agreed to at the booking and to the staff; raise ConsentRequired (409) if that is too little."""
    for given in appointment.booking_consents:
        _take_over(given, patient, by=by)
    for index, agreement in enumerate(admission.consents):
        with named_within(f"consents[{index}]"):
            consents.grant(patient=patient, by=by, **agreement)
    missing = missing_types(patient, _organization())
    if missing:
        raise ConsentRequired(details={"missing": missing})


def _take_over(given: Mapping[str, str], patient: Patient, *, by: Actor) -> None:
    """Record a consent as of the booking, unless the patient has said something newer about it since."""
    moment = datetime.fromisoformat(given["granted_at"])
    newer = Q(granted_at__gte=moment) | Q(withdrawn_at__gte=moment)
    if not ConsentRecord.objects.filter(newer, patient=patient, type=given["type"]).exists():
        consents.grant(
            patient=patient,
            type=given["type"],
            method=ConsentMethod.ELECTRONIC,
            policy_version=given["policy_version"],
            granted_at=moment,
            is_present=False,
            by=by,
        )


def _organization() -> Organization:
    return Organization.objects.get(pk=active_organization_id())
