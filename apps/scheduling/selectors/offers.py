"""Offers: an appointment template together with the specialists who offer it and their hours, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from apps.organizations.models import Organization
from apps.organizations.models.organizations import DEFAULT_SETTINGS
from apps.profiles.models import Specialist
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock
from apps.scheduling.domain.zones import TIMES
from apps.scheduling.models import AppointmentTemplate
from restartix.kernel.columns import Columns
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import active_organization_id

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


# Twenty specialists share one template and one clinic, and every visitor asks: the SQL is written once, and the first
# row alone brings template and clinic.
_SPECIALIST, _TEMPLATE, _ORGANIZATION = (
    Columns(Specialist, "s"),
    Columns(AppointmentTemplate, "t"),
    Columns(Organization, "c"),
)
_OFFERS = f"""
SELECT o.priority, o.is_active, {_SPECIALIST.sql}, {_TEMPLATE.sql}, {_ORGANIZATION.sql}
  FROM (SELECT *, row_number() OVER (ORDER BY priority, specialist_id) AS place FROM scheduling_templatespecialist
         WHERE template_id = %s AND organization_id = %s) o
  JOIN profiles_specialist s ON s.id = o.specialist_id
  LEFT JOIN scheduling_appointmenttemplate t ON t.id = o.template_id AND o.place = 1
  LEFT JOIN organizations_organization c ON c.id = o.organization_id AND o.place = 1
 ORDER BY o.place
"""  # noqa: S608 (names from the models)


def offering(template_id: int, *, now: datetime, public_only: bool) -> Offering:
    """Return the template and who offers it; one statement, or two for a template that nobody offers.

    Raises NotFound (404) if the template is unknown, deleted or inactive, or, with `public_only`, not public.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS, [template_id, active_organization_id()])
        rows = cursor.fetchall()
    template = _template(rows[0]) if rows else _lonely(template_id)
    if template.deleted_at is not None or not template.is_active or (public_only and not template.is_public):
        raise NotFound
    organization = template.organization
    suspends = bool(
        organization.settings.get("suspend_on_expired_license", DEFAULT_SETTINGS["suspend_on_expired_license"])
    )
    today = local_date(now, organization.timezone)
    providers = (Provider(_SPECIALIST.instance(row, 2), priority=row[0]) for row in rows if row[1])
    bookable = (
        provider
        for provider in providers
        if provider.specialist.is_bookable(today, suspend_on_expired_license=suspends)
    )
    return Offering(template, organization.timezone, suspends, tuple(bookable))


def _template(row: Sequence[Any]) -> AppointmentTemplate:
    template = _TEMPLATE.instance(row, 2 + len(_SPECIALIST))
    template.organization = _ORGANIZATION.instance(row, 2 + len(_SPECIALIST) + len(_TEMPLATE))
    return template


def _lonely(template_id: int) -> AppointmentTemplate:
    template = AppointmentTemplate.objects.select_related("organization").filter(pk=template_id).first()
    if template is None:
        raise NotFound
    return template


def local_date(moment: datetime, timezone: str) -> date:
    """Return the date that a wall calendar in `timezone` shows at `moment`."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def _block(block: dict[str, Any]) -> WeeklyBlock:
    return WeeklyBlock(block["day"], _MINUTES[block["start"]], _MINUTES[block["end"]])


#: Wall time → minute of the day.
_MINUTES = {text: minute for minute, text in enumerate(TIMES)}


def _override(override: dict[str, Any]) -> Override:
    start, end = (int(datetime.fromisoformat(override[key]).timestamp()) for key in ("start", "end"))
    return Override(start, end, override["availability"], override.get("appointment_template_id"))
