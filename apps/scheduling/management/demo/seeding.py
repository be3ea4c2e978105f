"""Loads the demo clinics where they are missing, brings their week up to date, and tells what they offer."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import make_password

from apps.organizations.models import Fact, Organization, User
from apps.profiles.models import Patient, Specialist
from apps.scheduling.management.demo import accounts, bookings, clinics, visits, waiting
from apps.scheduling.management.demo.plan import ClinicPlan, plan
from apps.scheduling.management.demo.visits import Clinic
from apps.scheduling.models import AppointmentTemplate, TemplateSpecialist
from restartix.environment import env
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, Trace, acting_for, outside_organizations

ACTOR = Actor.system("seed_demo")

Progress = Callable[[Iterable[ClinicPlan]], Iterable[ClinicPlan]]


def seed(progress: Progress = iter) -> dict[str, Any]:
    """Make what is missing, a transaction a clinic, and return the logins, the booking pages and the clinics.

    A clinic that is there is only brought up to date with the day; one that was deleted stays so.
    """
    password = ""
    for each in progress(plan()["clinics"]):
        known = Organization.objects.filter(slug=each["slug"]).first()
        if known is None:
            password = password or make_password(plan()["password"])
            _make(each, password)
        elif known.deleted_at is None:
            _bring_up_to_date(each, known)
    return offer(_alive())


def outlook(*, is_reset: bool) -> dict[str, str]:
    """Return what `seed` would do with each demo clinic now, by slug; with `is_reset`, once all of them are removed."""
    known = {} if is_reset else dict(Organization.objects.values_list("slug", "deleted_at"))
    return {each["slug"]: _fate(each["slug"], known) for each in plan()["clinics"]}


def _fate(slug: str, known: dict[str, Any]) -> str:
    if slug not in known:
        return "would be made"
    return "would be brought up to date" if known[slug] is None else "stays deleted"


def _make(each: ClinicPlan, password: str) -> None:
    with outside_organizations(actor=ACTOR, trace=Trace(source="command")):
        accounts.user_for(plan()["superadmin"], by=ACTOR, password=password, is_superadmin=True)
        organization = clinics.make(each, by=ACTOR, password=password)
        with _quietly(organization):
            clinic = _read(each, organization)
            visits.fill(clinic, by=ACTOR)
            bookings.book_some(organization, clinic.templates)
            waiting.put_some(organization, clinic.templates)


def _bring_up_to_date(each: ClinicPlan, organization: Organization) -> None:
    with _quietly(organization):
        visits.fill(_read(each, organization), by=ACTOR)


@contextmanager
def _quietly(organization: Organization) -> Iterator[None]:
    """Act for the clinic, and mark what is announced as told: no mail about visits that nobody booked."""
    trace = Trace(source="command", request_id=f"seed_demo-{uuid.uuid4().hex}")
    with acting_for(organization.pk, actor=ACTOR, trace=trace):
        yield
        Fact.objects.filter(request_id=trace.request_id, relayed_at=None).update(relayed_at=clock.now())


def _read(each: ClinicPlan, organization: Organization) -> Clinic:
    """Return what the clinic's visits are made of: what is still there of it."""
    offers = defaultdict[int, list[int]](list)
    for specialist_id, template_id in TemplateSpecialist.objects.values_list("specialist_id", "template_id"):
        offers[specialist_id].append(template_id)
    slugs = [specialist["slug"] for specialist in each["specialists"]]
    return Clinic(
        organization,
        admin=User.objects.get(email=each["staff"][0]["email"], deleted_at=None),
        patients=list(Patient.objects.alive().filter(consumer_id__startswith="P-").order_by("consumer_id")),
        specialists=list(Specialist.objects.alive().filter(slug__in=slugs).order_by("slug")),
        templates=list(AppointmentTemplate.objects.alive().filter(is_active=True).order_by("id")),
        offers=offers,
    )


def _alive() -> list[Organization]:
    slugs = [each["slug"] for each in plan()["clinics"]]
    return sorted(Organization.objects.alive().filter(slug__in=slugs), key=lambda one: slugs.index(one.slug))


def offer(organizations: list[Organization]) -> dict[str, Any]:
    """Return who may sign in with what, and where the clinics can be booked."""
    return {
        "logins": list(accounts.logins(organizations, by=ACTOR)),
        "booking_pages": [_booking_page(each) for each in organizations],
        "clinics": [
            {
                "id": each.pk,
                "slug": each.slug,
                "name": each.name,
                "location": each.location,
                "booking_url": f"{env.public_url}{_booking_page(each)}",
            }
            for each in organizations
        ],
    }


def _booking_page(organization: Organization) -> str:
    """Return the path only: the same data serve on any port."""
    return f"/book/{organization.slug}/"
