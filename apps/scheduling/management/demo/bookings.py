"""Bookings that strangers made on a demo clinic's page, as every visitor does; they wait to be taken in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from apps.organizations.models import Organization
from apps.scheduling.management.demo.plan import PATIENTS_DOMAIN, people
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.booking import timeslots
from apps.scheduling.selectors.offers import Offering, offering
from apps.scheduling.services import bookings, holds
from apps.scheduling.services.bookings import Agreement, Contact
from restartix.kernel import clock, slugs
from restartix.kernel.tenancy import Actor

SOURCE = holds.HoldSource(ip="127.0.0.1")


def book_some(organization: Organization, templates: Sequence[AppointmentTemplate], *, count: int = 3) -> int:
    """Book one visit of each of the first `count` public services, and return how many could be booked."""
    dice = random.Random(f"{organization.slug}/bookings")
    public = [template for template in templates if template.is_public]
    return sum(_book(organization, template, dice) for template in public[:count])


def _book(organization: Organization, template: AppointmentTemplate, dice: random.Random) -> bool:
    now = clock.now()
    offered = offering(template.pk, now=now, public_only=True)
    start = _free_start(offered, organization.today(now), dice, now)
    contact = stranger(dice)
    if start is None:
        return False
    held, token = holds.hold(offering=offered, start=start, specialist_id=None, source=SOURCE, now=now)
    request = bookings.Request(contact=contact, consents=(Agreement("privacy_policy"),), locale="ro")
    bookings.book(hold_id=held.hold_id, token=token, request=request, by=Actor.anonymous())
    return True


def _free_start(offered: Offering, today: date, dice: random.Random, now: datetime) -> datetime | None:
    """Return a free time from tomorrow to a week from now."""
    found = timeslots(
        offered,
        first=today + timedelta(days=1),
        last=today + timedelta(days=7),
        timezone=offered.timezone,
        specialist_id=None,
        now=now,
    )
    return datetime.fromtimestamp(dice.choice(found.slots)[0], UTC) if found.slots else None


def stranger(dice: random.Random) -> Contact:
    """Return somebody whom the clinic does not know."""
    name = f"{dice.choice(people()['female'])} {dice.choice(people()['last'])}"
    email = f"{slugs.slugify(name, fallback='contact').replace('-', '.')}@{PATIENTS_DOMAIN}"
    return Contact(name=name, email=email, phone=f"+407{dice.randint(20, 79)}{dice.randrange(1_000_000):06d}")
