"""Offers: an appointment template together with the specialists who offer it and their hours, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.organizations.models.organizations import DEFAULT_SETTINGS
from apps.profiles.models import Specialist
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock
from apps.scheduling.models import AppointmentTemplate, TemplateSpecialist
from restartix.kernel.errors import NotFound

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Provider:
    """A specialist who can be booked for the template, with the document of hours."""

    specialist: Specialist
    priority: int

    def calendar(self, busy: list[tuple[int, int]], *, license_bounds: bool) -> Calendar:
        """Return the calendar that the slot arithmetic reads; `busy` are the live claims."""
        person = self.specialist
        return Calendar(
            specialist_id=person.pk,
            timezone=person.scheduling_timezone or "UTC",
            weekly=tuple(_block(block) for block in person.weekly),
            overrides=tuple(_override(override) for override in person.overrides),
            busy=busy,
            priority=self.priority,
            bookable_until=person.license_expires_on if license_bounds else None,
        )


@dataclass(frozen=True, slots=True)
class Offering:
    """A template, its organization's say in it, and its bookable specialists by priority, then id."""

    template: AppointmentTemplate
    timezone: str
    suspends_on_expired_license: bool
    providers: tuple[Provider, ...]

    @property
    def offer(self) -> Offer:
        """Return what the slot arithmetic reads of the template."""
        return offer_of(self.template)

    def provider(self, specialist_id: int) -> Provider | None:
        """Return the provider with that id, None if the specialist cannot be booked for this template."""
        return next((provider for provider in self.providers if provider.specialist.pk == specialist_id), None)


def offer_of(template: AppointmentTemplate) -> Offer:
    """Return the template's quantities in seconds."""
    return Offer(
        template_id=template.pk,
        duration=template.duration_minutes * MINUTE,
        gap=template.gap_minutes * MINUTE,
        step=template.slot_step_minutes * MINUTE,
        min_notice=template.min_notice_minutes * MINUTE,
        horizon=template.horizon_days * DAY,
    )


def offering(template_id: int, *, now: datetime, public_only: bool) -> Offering:
    """Return the template and who offers it; one statement, or two for a template that nobody offers.

    Raises NotFound (404) if the template is unknown, deleted or inactive, or, with `public_only`, not public.
    """
    offers = list(
        TemplateSpecialist.objects.filter(template_id=template_id)
        .select_related("template__organization", "specialist")
        .order_by("priority", "specialist_id")
    )
    template = offers[0].template if offers else _lonely(template_id)
    if template.deleted_at is not None or not template.is_active or (public_only and not template.is_public):
        raise NotFound
    organization = template.organization
    suspends = bool(
        organization.settings.get("suspend_on_expired_license", DEFAULT_SETTINGS["suspend_on_expired_license"])
    )
    today = local_date(now, organization.timezone)
    providers = tuple(
        Provider(offer.specialist, offer.priority)
        for offer in offers
        if offer.is_active and offer.specialist.is_bookable(today, suspend_on_expired_license=suspends)
    )
    return Offering(template, organization.timezone, suspends, providers)


def _lonely(template_id: int) -> AppointmentTemplate:
    template = AppointmentTemplate.objects.select_related("organization").filter(pk=template_id).first()
    if template is None:
        raise NotFound
    return template


def local_date(moment: datetime, timezone: str) -> date:
    """Return the date that a wall calendar in `timezone` shows at `moment`."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def _block(block: dict[str, Any]) -> WeeklyBlock:
    return WeeklyBlock(block["day"], _minute(block["start"]), _minute(block["end"]))


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _override(override: dict[str, Any]) -> Override:
    start, end = (int(datetime.fromisoformat(override[key]).timestamp()) for key in ("start", "end"))
    return Override(start, end, override["availability"], override.get("appointment_template_id"))
