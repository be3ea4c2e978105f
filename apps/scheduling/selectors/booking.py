"""What the public may book: services, who gives them, and the free times. Source: contract/scheduling.md 2.1, 3.4."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from apps.organizations.models import Organization
from apps.profiles.models import Specialist
from apps.scheduling.domain import slots
from apps.scheduling.domain.zones import span
from apps.scheduling.models import AppointmentTemplate, TemplateSpecialist
from apps.scheduling.selectors.busy import busy_periods
from apps.scheduling.selectors.offers import Offering, Provider, local_date
from restartix.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Timeslots:
    """The free times of a template in a window, with those who can take each, by priority, then id."""

    offering: Offering
    timezone: str
    first: date
    last: date
    slots: list[tuple[int, tuple[int, ...]]]
    providers: tuple[Provider, ...]


def timeslots(
    offering: Offering,
    *,
    first: date,
    last: date,
    timezone: str,
    specialist_id: int | None,
    now: datetime,
    except_appointment: int | None = None,
) -> Timeslots:
    """Return the slots whose start lies in [local midnight of `first`, local midnight after `last`) of `timezone`.

    One statement, whatever the number of specialists and days. Raises NotFound (404) if `specialist_id` is not attached
    and bookable.
    """
    providers = chosen(offering, specialist_id)
    if specialist_id is not None and not providers:
        raise NotFound
    start, end = span(timezone, first, last)
    offer = offering.offer
    busy = busy_periods(
        [provider.specialist.pk for provider in providers],
        start=start,
        end=end + offer.duration + offer.gap,
        except_appointment=except_appointment,
    )
    calendars = [
        provider.calendar(busy[provider.specialist.pk], license_bounds=offering.suspends_on_expired_license)
        for provider in providers
    ]
    free = slots.merge(calendars, offer, window_start=start, window_end=end, now=now.timestamp())
    return Timeslots(offering, timezone, first, last, free, providers)


def is_slot(offering: Offering, *, start: datetime, specialist_id: int, now: datetime) -> bool:
    """Tell whether `start` is a free time of this specialist: a slot of contract/scheduling.md 2.1."""
    if chosen(offering, specialist_id) == ():
        return False
    day = local_date(start, "UTC")
    found = timeslots(offering, first=day, last=day, timezone="UTC", specialist_id=specialist_id, now=now)
    return start.timestamp() in {second for second, _ids in found.slots}


def chosen(offering: Offering, specialist_id: int | None) -> tuple[Provider, ...]:
    """Return the providers asked for: one, or all of them."""
    if specialist_id is None:
        return offering.providers
    provider = offering.provider(specialist_id)
    return (provider,) if provider else ()


def offered_templates(organization: Organization, *, now: datetime) -> QuerySet[AppointmentTemplate]:
    """Return the public, active templates that at least one bookable specialist offers, by name.

    Two statements when read; `providers_of` then tells who offers each.
    """
    bookable = Specialist.objects.bookable(
        today=local_date(now, organization.timezone),
        suspend_on_expired_license=bool(organization.setting("suspend_on_expired_license")),
    )
    offers = TemplateSpecialist.objects.filter(is_active=True, specialist__in=bookable)
    people = offers.select_related("specialist").order_by("priority", "specialist_id")
    rows: QuerySet[AppointmentTemplate] = (
        AppointmentTemplate.objects.offered()
        .filter(Exists(offers.filter(template=OuterRef("pk"))))
        .select_related("specialty")
        .prefetch_related(Prefetch("offers", queryset=people, to_attr="open_offers"))
        .order_by("name", "id")
    )
    return rows


def providers_of(template: AppointmentTemplate) -> list[Specialist]:
    """Return the bookable specialists of a template from `offered_templates`, by priority, then id."""
    return [offer.specialist for offer in template.open_offers]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class BookableTemplate:
    """A service that the public may book now, with those who give it."""

    template: AppointmentTemplate
    specialists: tuple[Specialist, ...]


def bookable_templates(organization: Organization, *, now: datetime) -> list[BookableTemplate]:
    """Return all of `offered_templates` with their specialists; two statements."""
    return [BookableTemplate(each, tuple(providers_of(each))) for each in offered_templates(organization, now=now)]
