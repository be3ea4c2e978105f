"""Makes a demo clinic with its people, hours and services, through the services that make every clinic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from apps.organizations.models import Organization
from apps.organizations.services import organizations
from apps.profiles.models import Specialist, SpecialistSpecialty, Specialty
from apps.scheduling.management.demo import accounts, patients
from apps.scheduling.management.demo.plan import (
    ClinicPlan,
    SpecialistPlan,
    override_documents,
    weekly_document,
)
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.services import templates
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, Trace, acting_for

#: Columns of the organization that the plan names as they are.
_COLUMNS = (
    "tagline", "email", "phone", "website", "location", "address", "primary_color", "secondary_color", "timezone",
)  # fmt: skip


def make(plan: ClinicPlan, *, by: Actor, password: str) -> Organization:
    """Make the clinic with everything that lasts, and return it; `password` is hashed already.

    Raises AlreadyTaken (409) if an organization has or had the slug. The caller opens the transaction.
    """
    columns: dict[str, Any] = {name: plan[name] for name in _COLUMNS}  # type: ignore[literal-required]
    organization = organizations.create(by=by, name=plan["name"], slug=plan["slug"], **columns)
    with acting_for(organization.pk, actor=by, trace=Trace(source="command")):
        admin, *_ = [accounts.member(person, person["role"], by=by, password=password) for person in plan["staff"]]
        specialties = {each["slug"]: Specialty.objects.create(**each) for each in plan["specialties"]}
        specialists = {
            each["slug"]: _specialist(each, organization, specialties, by=by, password=password)
            for each in plan["specialists"]
        }
        _offer(plan, specialties, specialists, by=by)
        patients.register_all(plan, organization, admin=admin, by=by, password=password)
    return organization


def _specialist(
    plan: SpecialistPlan, organization: Organization, specialties: dict[str, Specialty], *, by: Actor, password: str
) -> Specialist:
    today = organization.today(clock.now())
    overrides = override_documents(plan.get("overrides", []), today=today, timezone=organization.timezone)
    specialist = Specialist.objects.create(
        user=accounts.member(plan, "specialist", by=by, password=password),
        name=plan["name"],
        title=plan["title"],
        slug=plan["slug"],
        description=plan.get("description"),
        scheduling_timezone=organization.timezone,
        scheduling_active=True,
        weekly=weekly_document(plan["weekly"]),
        overrides=[{"id": _override_id(), **each} for each in overrides],
    )
    if license_plan := plan.get("license"):
        specialist.license_number = license_plan["number"]
        specialist.license_issuing_body = license_plan["issuing_body"]
        specialist.license_issued_on = today - timedelta(days=900)
        specialist.license_expires_on = today + timedelta(days=license_plan["valid_for_days"])
        specialist.save()
    for slug in plan["specialties"]:
        SpecialistSpecialty.objects.create(specialist=specialist, specialty=specialties[slug])
    return specialist


def _override_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('profiles_override_id')")
        return int(cursor.fetchone()[0])


def _offer(
    plan: ClinicPlan, specialties: dict[str, Specialty], specialists: dict[str, Specialist], *, by: Actor
) -> list[AppointmentTemplate]:
    """Write the services and who gives them."""
    made = []
    for each in plan["templates"]:
        fields: dict[str, Any] = {
            name: value for name, value in each.items() if name not in ("specialty", "specialists", "is_public")
        }
        location = plan["location"] if each["mode"] == "in_person" else None
        template = templates.create(
            by=by,
            **fields,
            specialty=specialties[each["specialty"]],
            location=location,
            is_public=each.get("is_public", True),
        )
        offers = [
            {"specialist_id": specialists[slug].pk, "priority": place}
            for place, slug in enumerate(each["specialists"], start=1)
        ]
        templates.attach_specialists(template, offers, by=by)
        made.append(template)
    return made
