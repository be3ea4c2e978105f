"""Bookings: a hold becomes an appointment. Source: contract/scheduling.md 2.3, 3.4 (book)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from uuid import UUID

import orjson
from django.db import transaction

from apps.organizations.models import Organization
from apps.profiles.models import Patient
from apps.profiles.models.consents import ConsentMethod
from apps.profiles.selectors.consents import missing_types
from apps.profiles.services import consents, patients
from apps.scheduling.errors import ConsentRequired, HoldAlreadyBooked, HoldExpired, SlotUnavailable
from apps.scheduling.lifecycles import AppointmentStatus, HoldStatus
from apps.scheduling.models import Appointment, Claim, Hold
from apps.scheduling.models.appointments import RoomStatus, Source
from apps.scheduling.models.holds import HoldEventType
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import holds, moves, paperwork, rooms
from apps.scheduling.services.announcements import HoldChanged, announce
from restartix.kernel import clock
from restartix.kernel.crypto import keyed_hash, token_digest
from restartix.kernel.errors import Invalid, NotFound, named_within
from restartix.kernel.tenancy import Actor

#: Repeating a booking with the same body answers the same for this long.
REPEATABLE_HOURS = 24


@dataclass(frozen=True, slots=True)
class Contact:
    """How the clinic reaches whoever booked; the phone in the form of contract/forms.md 0.3."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """A consent given with the booking; it becomes a consent record when the patient is taken in."""

    type: str
    policy_version: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a booking says; two requests are the same when all of it is."""

    contact: Contact | None = None
    notes: str | None = None
    timezone: str | None = None
    locale: str | None = None
    consents: Sequence[Agreement] = field(default=())
    patient_id: int | None = None

    def digest(self) -> bytes:
        """Return the SHA-256 that tells a repeat from another booking, keyed, for a contact is in it."""
        return keyed_hash(hashlib.sha256(orjson.dumps(asdict(self))).hexdigest(), purpose="booking")


@dataclass(frozen=True, slots=True)
class Booked:
    """The appointment, and whether this very request had made it before."""

    appointment: Appointment
    is_repeat: bool


@transaction.atomic
def book(*, hold_id: UUID, token: str | None, request: Request, by: Actor, patient: Patient | None = None) -> Booked:
    """Turn the hold into an appointment; its claim passes over and is never given up in between.

    Anonymous and staff callers leave a contact (`booked`): no user, person or patient is made or matched. For a
    signed-in patient, or one cared for, `patient` is linked (`upcoming`), what they agree to is recorded, and the
    template's forms are made. Locks the hold.
    Raises NotFound (404) for a hold that the token does not open, HoldExpired (410), HoldAlreadyBooked (409) if another
    request has booked it, SlotUnavailable (409) if specialist, template or organization is gone, Invalid (422) without
    the privacy policy, ConsentRequired (409) for a patient whose consents are missing.
    """
    held = _locked(hold_id, token)
    organization = held.organization
    _check_request(organization, request, patient)
    if held.status == HoldStatus.BOOKED:
        return _repeat(held, request)
    _check_alive(held)
    if patient is not None:
        _agree(organization, request, patient, by=by)
    appointment = _made(held, organization, request, patient)
    if patient is not None:
        paperwork.kept().make_missing(appointment, by=by)
    moves.begin(appointment, by=by)
    if patient is not None:
        rooms.look(appointment)
    return Booked(appointment, is_repeat=False)


def _locked(hold_id: UUID, token: str | None) -> Hold:
    held = (
        Hold.objects.select_for_update(of=("self",))
        .select_related("template", "specialist", "organization")
        .extra(select={"is_lapsed": "scheduling_hold.expires_at <= clock_timestamp()"})  # the database's clock judges
        .filter(hold_id=hold_id, token_digest=token_digest(token or ""))
        .first()
    )
    if held is None:
        raise NotFound
    return held


def _repeat(held: Hold, request: Request) -> Booked:
    # not joined to the locked row: after waiting for the lock PostgreSQL reads that row anew, but not what it joins
    booked = Appointment.objects.select_related("specialist", "appointment_template", "organization")
    appointment = booked.filter(pk=held.appointment_id).first()
    recent = held.finished_at is not None and clock.now() - held.finished_at < timedelta(hours=REPEATABLE_HOURS)
    if appointment is None or not recent or bytes(appointment.booking_digest or b"") != request.digest():
        raise HoldAlreadyBooked
    return Booked(appointment, is_repeat=True)


def _check_alive(held: Hold) -> None:
    """Refuse a hold that is over; a deletion is told before the end that it brought."""
    if held.specialist.deleted_at or held.template.deleted_at or held.organization.deleted_at:
        raise SlotUnavailable
    if held.status != HoldStatus.LIVE or held.is_lapsed:  # type: ignore[attr-defined]
        raise HoldExpired


def _check_request(organization: Organization, request: Request, patient: Patient | None) -> None:
    if patient is not None:
        return
    problems: dict[str, list[str]] = {}
    if request.contact is None:
        problems["contact"] = ["required"]
    problems |= missing_privacy_policy(organization, request.consents)
    if problems:
        raise Invalid(problems)


def missing_privacy_policy(organization: Organization, agreements: Sequence[Agreement]) -> dict[str, list[str]]:
    """Return what is wrong, as Invalid takes it, where the clinic requires the privacy policy and it is not agreed."""
    given = {agreement.type for agreement in agreements}
    if "privacy_policy" in organization.setting("required_consents") and "privacy_policy" not in given:
        return {"consents": ["privacy_policy is required"]}
    return {}


def _agree(organization: Organization, request: Request, patient: Patient, *, by: Actor) -> None:
    """Record what the patient agrees to with the booking; what the clinic requires has to be active then."""
    for index, agreement in enumerate(request.consents):
        with named_within(f"consents[{index}]"):
            consents.grant(
                patient=patient,
                type=agreement.type,
                method=ConsentMethod.ELECTRONIC,
                policy_version=agreement.policy_version,
                by=by,
            )
    missing = missing_types(patient, organization)
    if missing:
        raise ConsentRequired(details={"missing": missing})


def _made(held: Hold, organization: Organization, request: Request, patient: Patient | None) -> Appointment:
    """Insert the appointment and hand the claim over."""
    template, contact = held.template, request.contact
    appointment = Appointment.objects.create(
        organization=organization,
        status=AppointmentStatus.UPCOMING if patient else AppointmentStatus.BOOKED,
        started_at=held.started_at,
        ended_at=held.ended_at,
        specialist=held.specialist,
        patient=patient,
        **template.terms(),
        contact_name=contact.name if contact else None,
        contact_email=contact.email if contact else None,
        contact_phone=contact.phone if contact else None,
        contact_phone_hash=keyed_hash(contact.phone, purpose="phone") if contact else None,
        source=Source.PATIENT if patient else Source.PUBLIC,
        patient_notes=request.notes,
        timezone=request.timezone or organization.timezone,
        locale=request.locale or organization.locale,
        booking_consents=[] if patient else kept_consents(organization, request.consents),
        booking_digest=request.digest(),
        room_status=RoomStatus.PENDING if patient and template.mode == Mode.VIDEO else None,
    )
    if patient is not None:
        patients.check_not_removed(patient)
    Claim.objects.filter(hold=held).update(hold=None, appointment=appointment)
    held.status, held.finished_at, held.appointment = HoldStatus.BOOKED, clock.now(), appointment
    held.save(update_fields=["status", "finished_at", "appointment"])
    holds.note(held, HoldEventType.BOOKED)
    announce(HoldChanged(held.hold_id))
    return appointment


def kept_consents(organization: Organization, agreements: Sequence[Agreement]) -> list[dict[str, str]]:
    """Return the consents as they are kept until the patient is taken in."""
    policies = organization.setting("policies")
    moment = clock.now().isoformat()
    return [
        {
            "type": agreement.type,
            "policy_version": agreement.policy_version or policies.get(agreement.type, {}).get("version", "1"),
            "granted_at": moment,
        }
        for agreement in agreements
    ]
