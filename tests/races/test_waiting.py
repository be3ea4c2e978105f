"""The waiting list under concurrency: one entry a person, one letter a freed time, and nobody told twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from apps.organizations.models import Fact
from apps.organizations.services import relay
from apps.scheduling.models import AppointmentTemplate, WaitlistEntry
from apps.scheduling.selectors.offers import offering
from apps.scheduling.services import appointments, templates, waiting
from apps.scheduling.services.bookings import Agreement, Contact
from restartix.kernel import clock
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import acting_for
from tests.races.crowd import at_once
from tests.scheduling.world import BUILDER, Clinic, next_weekday

PEOPLE = 24


def join(clinic: Clinic, template: AppointmentTemplate, name: str) -> Any:
    today = datetime.now(ZoneInfo("Europe/Bucharest")).date()
    with acting_for(clinic.organization.pk, actor=BUILDER):
        wish = waiting.Wish(
            Contact(name, f"{name}@example.org", "+40721000111"),
            date_from=today,
            date_to=today + timedelta(days=60),
            consents=(Agreement("privacy_policy"),),
        )
        try:
            return waiting.join(offering(template.pk, now=clock.now(), public_only=True), wish, by=BUILDER)
        except NotFound:
            return None


def counts(clinic: Clinic) -> dict[str, int]:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        statuses = list(WaitlistEntry.objects.values_list("status", flat=True))
    return {status: statuses.count(status) for status in set(statuses)}


def test_times_that_are_freed_at_once_are_each_told_to_another_person(committed_db: None) -> None:
    clinic = Clinic.make(specialists=4)
    template, start = clinic.template(), next_weekday(1)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        patient = clinic.patient()
        made = [
            appointments.create(
                patient=patient,
                specialist=each,
                started_at=start + timedelta(hours=hour),
                template=template,
                by=BUILDER,
            )
            for each in clinic.specialists
            for hour in range(4)
        ]
    for number in range(PEOPLE):
        join(clinic, template, f"p{number:02}")

    def cancel(appointment: Any) -> None:
        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.cancel(appointment, by=BUILDER, reason="ill")

    at_once([partial(cancel, each) for each in made])
    at_once([partial(relay.run, batch=2)] * 6)
    relay.run()

    assert counts(clinic) == {"notified": len(made), "waiting": PEOPLE - len(made)}
    with acting_for(clinic.organization.pk, actor=BUILDER):
        told = list(WaitlistEntry.objects.filter(status="notified").order_by("contact_email"))
        letters = Fact.objects.filter(name="internal.waitlist.notified", relayed_at__isnull=False)
        assert [each.contact_name for each in told] == [f"p{number:02}" for number in range(len(made))]
        assert len({(each.notified_specialist_id, each.notified_start) for each in told}) == len(made)
        assert sorted(fact.payload["entry_id"] for fact in letters) == sorted(each.pk for each in told)


def test_one_person_who_joins_many_times_at_once_waits_once(committed_db: None) -> None:
    clinic = Clinic.make()
    template = clinic.template()

    at_once([partial(join, clinic, template, name) for name in ("ana", "ion") * 8])

    assert counts(clinic) == {"waiting": 2, "removed": 14}


def test_nobody_waits_for_a_template_that_is_deleted_meanwhile(committed_db: None) -> None:
    clinic = Clinic.make()
    for _ in range(4):
        template = clinic.template(slug=f"t{clock.now().timestamp():.0f}-{_}")

        def delete(template: AppointmentTemplate = template) -> None:
            with acting_for(clinic.organization.pk, actor=BUILDER):
                templates.remove(template, by=BUILDER)

        at_once([*(partial(join, clinic, template, f"p{number}") for number in range(8)), delete])

    assert "waiting" not in counts(clinic)
