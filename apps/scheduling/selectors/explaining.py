"""Why a time is not offered: per specialist every rule of contract/scheduling.md 2.1 that stands in the way.

A specialist without a reason can be booked at that time, and only then: tests hold this against the slots themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from apps.organizations.models import Organization
from apps.profiles.models import Specialist
from apps.profiles.models.specialists import LicenseStatus
from apps.scheduling.domain.explaining import Code, Obstacle, obstacles
from apps.scheduling.models import AppointmentTemplate, Claim, TemplateSpecialist
from apps.scheduling.selectors.offers import Provider, local_date, offer_of
from restartix.kernel.errors import Invalid
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stands in the way; `details` are ready to be written as JSON, instants in UTC."""

    code: Code
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """One specialist, and why the time is not offered with them; no reason: it is."""

    specialist: Specialist
    reasons: Sequence[Reason]

    @property
    def is_offered(self) -> bool:
        """Whether the specialist can be booked at that time."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everybody's standing towards one start, by priority, then id."""

    template: AppointmentTemplate
    start: datetime
    end: datetime
    standings: Sequence[Standing]

    @property
    def is_offered(self) -> bool:
        """Whether anybody of them can be booked at that time."""
        return any(each.is_offered for each in self.standings)


@dataclass(frozen=True, slots=True)
class _Question:
    template: AppointmentTemplate
    organization: Organization
    start: int
    now: datetime

    @property
    def suspends(self) -> bool:
        return bool(self.organization.setting("suspend_on_expired_license"))


def explain(
    template: AppointmentTemplate, *, start: datetime, now: datetime, actor: Actor, specialist_id: int | None = None
) -> Explanation:
    """Return why the template cannot be booked at `start`, with everybody attached to it or with one specialist.

    Three statements, or four for somebody who is not attached. An appointment that stands in the way is named by its
    id only to those who may see it. Raises Invalid (422) if there is no specialist `specialist_id`.
    """
    asked = _Question(template, template.organization, int(start.timestamp()), now)
    end = start + timedelta(minutes=template.duration_minutes)
    offers = _offers(template, specialist_id)
    claims = _claims([person.pk for person, _offer in offers], start, end + timedelta(minutes=template.gap_minutes))
    standings = [
        Standing(person, [*_reasons(asked, person, offer), *_taken(claims[person.pk], person, actor)])
        for person, offer in offers
    ]
    return Explanation(template, start, end, standings)


def _offers(
    template: AppointmentTemplate, specialist_id: int | None
) -> list[tuple[Specialist, TemplateSpecialist | None]]:
    rows = TemplateSpecialist.objects.filter(template=template).select_related("specialist")
    if specialist_id is not None:
        rows = rows.filter(specialist=specialist_id)
    found = [(row.specialist, row) for row in rows.order_by("priority", "specialist_id")]
    if found or specialist_id is None:
        return list(found)
    person = Specialist.objects.alive().filter(pk=specialist_id).first()
    if person is None:
        raise Invalid({"specialist_id": ["not found"]})
    return [(person, None)]


def _claims(specialist_ids: Sequence[int], start: datetime, until: datetime) -> defaultdict[int, list[Claim]]:
    """Return the live claims that touch [start, until), by specialist; a hold is live by the database's clock."""
    rows = Claim.objects.filter(specialist__in=specialist_ids, starts_at__lt=until, ends_at__gt=start)
    rows = rows.filter(Q(hold=None) | Q(hold__expires_at__gt=Now())).select_related("hold", "appointment")
    found: defaultdict[int, list[Claim]] = defaultdict(list)
    for row in rows.order_by("starts_at"):
        found[row.specialist_id].append(row)
    return found


def _reasons(asked: _Question, person: Specialist, offer: TemplateSpecialist | None) -> Iterator[Reason]:
    if offer is None:
        yield Reason(Code.NOT_ATTACHED, {})
    if asked.template.deleted_at is not None or not asked.template.is_active:
        yield Reason(Code.INACTIVE, {"of": "template"})
    if offer is not None and not offer.is_active:
        yield Reason(Code.INACTIVE, {"of": "specialist"})
    if person.deleted_at is not None or not person.scheduling_active or not person.scheduling_timezone:
        yield Reason(Code.NOT_BOOKABLE, {})
    if not person.scheduling_timezone:
        return
    calendar = Provider(person, 0).calendar([], license_bounds=asked.suspends)
    found = obstacles(calendar, offer_of(asked.template), asked.start, asked.now.timestamp())
    if asked.suspends and _has_expired(person, asked) and not any(each.code == Code.LICENCE for each in found):
        found.append(Obstacle(Code.LICENCE, day=person.license_expires_on))
    yield from (Reason(each.code, _told(each, person)) for each in found)


def _has_expired(person: Specialist, asked: _Question) -> bool:
    """Tell whether the licence is over on the organization's date, whatever date is asked for."""
    today = local_date(asked.now, asked.organization.timezone)
    return person.license_status(today) == LicenseStatus.EXPIRED


def _told(found: Obstacle, person: Specialist) -> dict[str, Any]:
    """Return what is known of an obstacle: only what its rule speaks of."""
    match found.code:
        case Code.OUTSIDE_HOURS | Code.OVERRIDE:
            assert found.day is not None
            told: dict[str, Any] = {
                "date": found.day.isoformat(),
                "timezone": person.scheduling_timezone,
                "hours": [{"start": _z(start), "end": _z(end)} for start, end in found.hours],
            }
            if found.code == Code.OVERRIDE:
                told["overrides"] = [_override(person, each.start, each.end) for each in found.overrides]
            return told
        case Code.OFF_GRID:
            return {"before": _z(found.before), "after": _z(found.after)}
        case Code.MIN_NOTICE:
            return {"not_before": _z(found.bound)}
        case Code.HORIZON:
            return {"before": _z(found.bound)}
        case _:
            return {"expires_on": found.day.isoformat() if found.day else None}


def _override(person: Specialist, start: int, end: int) -> dict[str, Any]:
    """Return the exception as the specialist's document has it."""
    spans = (
        (int(datetime.fromisoformat(each[key]).timestamp()) for key in ("start", "end")) for each in person.overrides
    )
    each = next(each for each, span in zip(person.overrides, spans, strict=True) if tuple(span) == (start, end))
    return {
        "id": each.get("id"),
        "start": _z(start),
        "end": _z(end),
        "availability": each["availability"],
        "note": each.get("note"),
    }


def _taken(claims: Sequence[Claim], person: Specialist, actor: Actor) -> Iterator[Reason]:
    sees_all = actor.effective_role != Role.SPECIALIST or (
        person.user_id is not None and person.user_id == actor.user_id
    )
    for claim in claims:
        told: dict[str, Any] = {"start": _z_of(claim.starts_at), "end": _z_of(claim.ends_at)}
        if claim.hold is not None:
            yield Reason(Code.HOLD, {**told, "expires_at": _z_of(claim.hold.expires_at)})
        else:
            named = {"appointment_id": claim.appointment_id} if sees_all else {"appointment_id": None}
            yield Reason(Code.BOOKING, {**named, **told})


def _z(second: int | None) -> str | None:
    return None if second is None else _z_of(datetime.fromtimestamp(second, UTC))


def _z_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
