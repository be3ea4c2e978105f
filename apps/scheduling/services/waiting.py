"""The waiting list: who is told, once, when a time that they could take becomes free. Source: contract/scheduling.md 4.

Nothing is reserved: the letter has a link to the free times. The token that takes somebody off the list is derived
from the server's secret and the entry's uid, because the letter has to know it as well (docs/adr/0020-waiting-list.md).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from apps.organizations.models import Organization
from apps.organizations.services import facts
from apps.scheduling.facts import WaitingNotified
from apps.scheduling.lifecycles import WAITLIST, WaitlistStatus
from apps.scheduling.models import AppointmentTemplate, WaitlistEntry
from apps.scheduling.selectors.booking import is_slot
from apps.scheduling.selectors.offers import Offering, local_date, offering
from apps.scheduling.services.bookings import Agreement, Contact, kept_consents, missing_privacy_policy
from restartix.kernel import clock
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.errors import Invalid, NotFound
from restartix.kernel.tenancy import Actor, Trace, acting_for
from restartix.kernel.transactions import joins_transaction

ACTOR = Actor.system("expire_waitlist")
#: Days from the first to the last that somebody waits for.
LONGEST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Wish:
    """Who waits, and for which days, both included; without a specialist whoever of the template is free will do."""

    contact: Contact
    date_from: date
    date_to: date
    specialist_id: int | None = None
    #: Whose days they are; the organization's when None.
    timezone: str | None = None
    #: The language of the letter; the organization's when None.
    locale: str | None = None
    consents: Sequence[Agreement] = ()


@transaction.atomic
def join(offered: Offering, wish: Wish, *, by: Actor) -> WaitlistEntry:
    """Put somebody on the waiting list of the template; the same e-mail's earlier entry for it is replaced in silence.

    Locks the template, so that one of two entries of one person stays, and none outlives a deletion of the template.
    Raises Invalid (422) for days that are over or too far apart, a specialist who cannot be booked for it, or without
    the privacy policy; NotFound (404) if the template has been deleted meanwhile.
    """
    organization = offered.template.organization
    zone = wish.timezone or organization.timezone
    _check(offered, wish, organization, today=local_date(clock.now(), zone))
    locked = AppointmentTemplate.objects.select_for_update(no_key=True)
    if not locked.filter(pk=offered.template.pk, deleted_at=None).exists():
        raise NotFound
    earlier = WaitlistEntry.objects.filter(appointment_template=offered.template)
    _end(earlier.alias(address=Lower("contact_email")).filter(address=Lower(Value(wish.contact.email))))
    return WaitlistEntry.objects.create(
        appointment_template=offered.template,
        specialist_id=wish.specialist_id,
        contact_name=wish.contact.name,
        contact_email=wish.contact.email,
        contact_phone=wish.contact.phone,
        date_from=wish.date_from,
        date_to=wish.date_to,
        timezone=zone,
        locale=wish.locale or organization.locale,
        consents=kept_consents(organization, wish.consents),
    )


def _check(offered: Offering, wish: Wish, organization: Organization, *, today: date) -> None:
    problems = missing_privacy_policy(organization, wish.consents)
    if wish.date_from < today:
        problems["date_from"] = ["has to be today or later"]
    if wish.date_to < wish.date_from:
        problems["date_to"] = ["has to be date_from or later"]
    elif (wish.date_to - wish.date_from).days > LONGEST_DAYS:
        problems["date_to"] = [f"at most {LONGEST_DAYS} days after date_from"]
    if wish.specialist_id is not None and offered.provider(wish.specialist_id) is None:
        problems["specialist_id"] = ["not found"]
    if problems:
        raise Invalid(problems)


def token_of(uid: UUID) -> str:
    """Return the 43 characters that open the entry with this uid."""
    return base64.urlsafe_b64encode(keyed_hash(str(uid), purpose="waitlist-token")).rstrip(b"=").decode()


def find(*, uid: UUID, token: str | None) -> WaitlistEntry:
    """Return the entry that `token` opens, ended ones too.

    Raises NotFound (404) if it is unknown, or the token missing or wrong.
    """
    fits = hmac.compare_digest(token_of(uid).encode(), (token or "").encode("utf-8", "replace"))
    rows = WaitlistEntry.objects.select_related("appointment_template", "specialist", "organization")
    entry = rows.filter(uid=uid).first() if fits else None
    if entry is None:
        raise NotFound
    return entry


@transaction.atomic
def leave(*, uid: UUID, token: str | None) -> None:
    """Take oneself off the list; nothing happens to an entry that has ended. Raises NotFound (404) as `find` does."""
    _end(WaitlistEntry.objects.filter(pk=find(uid=uid, token=token).pk))


@transaction.atomic
def join_again(entry: WaitlistEntry, *, by: Actor) -> WaitlistEntry:
    """Put whoever was told of a time, or has left, on the list anew, for what is left of the same days.

    Raises Invalid (422) as `join` does, and NotFound (404) if it can no longer be booked or the person was erased.
    """
    if entry.contact_email is None or entry.contact_phone is None:
        raise NotFound
    offered = offering(entry.appointment_template_id, now=clock.now(), public_only=True)
    wish = Wish(
        contact=Contact(entry.contact_name, entry.contact_email, str(entry.contact_phone)),
        date_from=max(entry.date_from, local_date(clock.now(), entry.timezone)),
        date_to=entry.date_to,
        specialist_id=entry.specialist_id,
        timezone=entry.timezone,
        locale=entry.locale,
        consents=tuple(Agreement(each["type"], each["policy_version"]) for each in entry.consents),
    )
    return join(offered, wish, by=by)


@transaction.atomic
def remove(entry: WaitlistEntry, *, by: Actor) -> WaitlistEntry:
    """Take somebody off the list. Locks the entry. Raises InvalidTransition (409) if it has ended."""
    entry = WaitlistEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    WAITLIST.check(entry.status, WaitlistStatus.REMOVED)
    entry.status = WaitlistStatus.REMOVED
    entry.save(update_fields=["status"])
    return entry


@joins_transaction
def remove_all(rows: QuerySet[WaitlistEntry]) -> int:
    """Take the waiting ones among `rows` off the list, and return how many there were."""
    return _end(rows)


def _end(rows: QuerySet[WaitlistEntry], status: WaitlistStatus = WaitlistStatus.REMOVED) -> int:
    return rows.filter(status=WaitlistStatus.WAITING).update(status=status)


@transaction.atomic
def offer(*, template_id: int, specialist_id: int, start: datetime) -> WaitlistEntry | None:
    """Note whom of the waiting list a time that was given back is told to: the oldest entry that it fits, or nobody.

    Nobody where the start is no slot of contract/scheduling.md 2.1 for the public: taken again, too near, off the
    grid. Locks the entry, passing over one that another freed time is just being told to.
    """
    try:
        offered = offering(template_id, now=clock.now(), public_only=True)
    except NotFound:
        return None
    if not is_slot(offered, start=start, specialist_id=specialist_id, now=clock.now()):
        return None
    entry = _oldest(template_id, specialist_id, start)
    if entry is not None:
        entry.status, entry.notified_at = WaitlistStatus.NOTIFIED, clock.now()
        entry.notified_start, entry.notified_specialist_id = start, specialist_id
        entry.save(update_fields=["status", "notified_at", "notified_start", "notified_specialist"])
        facts.record(WaitingNotified(entry.pk))
    return entry


def _oldest(template_id: int, specialist_id: int, start: datetime) -> WaitlistEntry | None:
    """Return the oldest waiting entry that the start fits, by the days of each entry's own zone, and lock it alone."""
    day, step = local_date(start, "UTC"), timedelta(days=1)
    near = waiting_for(template_id, specialist_id).filter(date_from__lte=day + step, date_to__gte=day - step)
    free = WaitlistEntry.objects.select_for_update(of=("self",), skip_locked=True)
    for entry in near.order_by("created_at", "pk").iterator(chunk_size=100):
        if entry.date_from <= local_date(start, entry.timezone) <= entry.date_to:
            locked = free.filter(pk=entry.pk, status=WaitlistStatus.WAITING).first()
            if locked is not None:
                return locked
    return None


def waiting_for(template_id: int, specialist_id: int) -> QuerySet[WaitlistEntry]:
    """Return who waits for this template, with this specialist or with anybody."""
    rows = WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING, appointment_template_id=template_id)
    return rows.filter(Q(specialist=None) | Q(specialist_id=specialist_id))


def expire() -> int:
    """End the entries of every clinic whose last day is over on their own calendar; return how many there were."""
    return sum(_expired(organization.pk) for organization in Organization.objects.alive().order_by("pk"))


def _expired(organization_id: int) -> int:
    now = clock.now()
    tomorrow = local_date(now, "UTC") + timedelta(days=1)  # nowhere on earth is it later than that
    with acting_for(organization_id, actor=ACTOR, trace=Trace(source="task")):
        near = WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING, date_to__lt=tomorrow)
        over = [entry.pk for entry in near if entry.date_to < local_date(now, entry.timezone)]
        return _end(WaitlistEntry.objects.filter(pk__in=over), WaitlistStatus.EXPIRED)
