"""Makes a demo clinic with its people, hours and services, through the services that make every clinic."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from apps.organizations.models import Organization
from apps.organizations.services import organizations
from apps.profiles.models import Specialist, Specialty
from apps.profiles.services import availability, specialists, specialties
from apps.scheduling.management.demo import accounts, patients
from apps.scheduling.management.demo.plan import (
    ClinicPlan,
    LicensePlan,
    SpecialistPlan,
    override_documents,
    weekly_document,
)
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
        fields = {each["slug"]: specialties.create(by=by, **each) for each in plan["specialties"]}
        people = {
            each["slug"]: _specialist(each, organization, fields, by=by, password=password)
            for each in plan["specialists"]
        }
        _offer(plan, fields, people, by=by)
        patients.register_all(plan, organization, admin=admin, by=by, password=password)
    return organization


def _specialist(
    plan: SpecialistPlan, organization: Organization, specialties: dict[str, Specialty], *, by: Actor, password: str
) -> Specialist:
    today = organization.today(clock.now())
    made = specialists.create(
        by=by,
        user_id=accounts.member(plan, "specialist", by=by, password=password).pk,
        name=plan["name"],
        title=plan["title"],
        slug=plan["slug"],
        description=plan.get("description"),
        license=_license(plan.get("license"), today),
        specialty_ids=[specialties[slug].pk for slug in plan["specialties"]],
    )
    return availability.replace(
        made,
        by=by,
        timezone=organization.timezone,
        active=True,
        weekly=weekly_document(plan["weekly"]),
        overrides=override_documents(plan.get("overrides", []), today=today, timezone=organization.timezone),
    )


def _license(plan: LicensePlan | None, today: date) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "number": plan["number"],
        "issuing_body": plan["issuing_body"],
        "issued_on": today - timedelta(days=900),
        "expires_on": today + timedelta(days=plan["valid_for_days"]),
    }


def _offer(
    plan: ClinicPlan, specialties: dict[str, Specialty], specialists: dict[str, Specialist], *, by: Actor
) -> None:
    """Write the services and who gives them."""
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
