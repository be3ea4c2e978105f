"""Alerts about licences that run out: the admins hear of each 60, 30, 7 and 0 days before, once.

Source: contract/profiles.md 3, Commands.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.models import Organization
from apps.organizations.services import letters
from apps.profiles.models import Specialist
from apps.profiles.models.specialists import ALERT_DAYS, EXPIRING_DAYS
from restartix.kernel import clock, dates
from restartix.kernel.languages import spoken
from restartix.kernel.tenancy import Actor, Trace, acting_for

logger = logging.getLogger(__name__)
ACTOR = Actor.system("license_alerts")


def alert() -> int:
    """Write to the admins of every active clinic about licences that are due an alert; returns how many alerts.

    By the clinic's date. A day that was missed (the server stood still) is made up for; of several alerts that have
    become due only the nearest is sent. One clinic's mail that fails is tried again at the next run.
    """
    sent = 0
    active = Organization.objects.alive().filter(status=OrganizationStatus.ACTIVE)
    for organization in active.order_by("pk"):
        today = organization.today(clock.now())
        for specialist_id in _running_out(organization, today):
            sent += _alerted(organization, specialist_id, today)
    return sent


def _running_out(organization: Organization, today: date) -> list[int]:
    with acting_for(organization.pk, actor=ACTOR, trace=Trace(source="task")):
        until = today + timedelta(days=EXPIRING_DAYS)
        soon = Specialist.objects.filter(deleted_at=None, license_expires_on__range=(today, until))
        return list(soon.order_by("license_expires_on", "pk").values_list("pk", flat=True))


def _alerted(organization: Organization, specialist_id: int, today: date) -> bool:
    """Send the alert that is due for one specialist, if one is, in a transaction with the note of it."""
    try:
        with acting_for(organization.pk, actor=ACTOR, trace=Trace(source="task")):
            specialist = Specialist.objects.select_for_update(of=("self",)).get(pk=specialist_id)
            days = due(specialist, today)
            if days is None:
                return False
            specialist.license_alerted_for, specialist.license_alerted_days = specialist.license_expires_on, days
            specialist.save(update_fields=["license_alerted_for", "license_alerted_days"])
            _write(organization, specialist, today, days)
    except Exception:
        logger.exception("the licence alert for specialist %s was not sent", specialist_id)
        return False
    return True


def due(specialist: Specialist, today: date) -> int | None:
    """Return which alert is due, by its days before the expiry; None if none is, or the admins had it."""
    expires = specialist.license_expires_on
    if expires is None or specialist.deleted_at is not None or not today <= expires <= today + timedelta(EXPIRING_DAYS):
        return None
    nearest = min(days for days in ALERT_DAYS if days >= (expires - today).days)
    known = specialist.license_alerted_days if specialist.license_alerted_for == expires else None
    return nearest if known is None or nearest < known else None


def _write(organization: Organization, specialist: Specialist, today: date, days: int) -> None:
    expires = specialist.license_expires_on
    assert expires is not None
    path = reverse("admin:profiles_specialist_change", args=[specialist.pk])

    def words() -> letters.Words:
        left = (expires - today).days
        day = dates.long_day(expires, spoken(organization.locale, otherwise="en"))
        when = ngettext("in %(days)d day", "in %(days)d days", left) % {"days": left} if left else gettext("today")
        values = {"name": specialist.name, "day": day, "when": when}
        told = gettext("The licence of %(name)s runs out %(when)s, on %(day)s.") % values
        subject = gettext("Licence of %(name)s runs out %(when)s") % values
        return letters.Words(
            subject=subject,
            paragraphs=(told, _consequence(organization)),
            action=(gettext("Open the specialist"), settings.PUBLIC_URL + path),
        )

    letters.send_to_admins(write=words, key=f"licence-{specialist.pk}-{expires}-{days}")


def _consequence(organization: Organization) -> str:
    if organization.setting("suspend_on_expired_license"):
        return gettext("From the day after, patients can no longer book with this specialist.")
    return gettext("Patients can still book with this specialist afterwards: your settings allow it.")
