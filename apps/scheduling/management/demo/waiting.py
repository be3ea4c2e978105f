"""Strangers who wait for a free time of a demo clinic, as the booking page puts them on the list."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from apps.organizations.models import Organization
from apps.scheduling.management.demo.bookings import stranger
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.offers import offering
from apps.scheduling.services import waiting
from apps.scheduling.services.bookings import Agreement
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor


def put_some(organization: Organization, templates: Sequence[AppointmentTemplate], *, count: int = 4) -> int:
    """Put so many people on the list of the public services in turn; every other one waits for a certain specialist."""
    dice = random.Random(f"{organization.slug}/waiting")
    public = [template for template in templates if template.is_public]
    for number in range(count if public else 0):
        _put(organization, public[number % len(public)], dice, is_choosy=number % 2 == 1)
    return count if public else 0


def _put(organization: Organization, template: AppointmentTemplate, dice: random.Random, *, is_choosy: bool) -> None:
    now = clock.now()
    offered = offering(template.pk, now=now, public_only=True)
    first = organization.today(now) + timedelta(days=dice.randint(0, 3))
    wish = waiting.Wish(
        contact=stranger(dice),
        date_from=first,
        date_to=first + timedelta(days=dice.choice((7, 14, 30))),
        specialist_id=offered.providers[0].specialist.pk if is_choosy and offered.providers else None,
        locale="ro",
        consents=(Agreement("privacy_policy"),),
    )
    waiting.join(offered, wish, by=Actor.anonymous())
