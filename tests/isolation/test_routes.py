"""The fourth line of tenancy, read from the URL index: another clinic's row does not exist, for any role, anywhere.

A new resource joins by being routed; one whose rows nobody can make here fails until `FOREIGN` says how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from apps.forms.models import CustomField
from apps.forms.services import custom_fields
from apps.organizations.models import Membership, Organization, User
from apps.profiles.models import Patient, Specialist, SpecialistSpecialty, Specialty
from apps.scheduling.models import Appointment, AppointmentTemplate, WaitlistEntry
from apps.scheduling.services import appointments, templates
from restartix.kernel import clock
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.resources import Resource
from restartix.kernel.roles import Access
from restartix.kernel.tenancy import Actor, acting_for
from tests.make import profiles

pytestmark = pytest.mark.django_db
CANARY = "ZZCANARY"
BUILDER = Actor.system("test")


@dataclass(frozen=True)
class Route:
    """One operation of the index that is not public."""

    method: str
    path: str
    resource: type[Resource]
    action: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _routes() -> Iterator[Route]:
    def walk(patterns: list, prefix: str) -> Iterator[Route]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern) and isinstance(getattr(pattern.callback, "cls", None), type):
                resource = pattern.callback.cls
                for method, action in (getattr(pattern.callback, "actions", None) or {}).items():
                    if issubclass(resource, Resource) and not isinstance(resource.may[action], Access):
                        yield Route(method.upper(), "/" + path, resource, action)

    yield from walk(get_resolver().url_patterns, "")


ROUTES = list(_routes())
WITH_ROW = [route for route in ROUTES if "<id:id>" in route.path]
LISTS = [route for route in ROUTES if route.action == "list" and "<" not in route.path]


def _template(clinic: Organization, cast: Any) -> AppointmentTemplate:
    return templates.create(by=BUILDER, name=CANARY, duration_minutes=30)


def _appointment(clinic: Organization, cast: Any) -> Appointment:
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    return appointments.create(
        patient=cast.petra.patient,
        specialist=cast.sorin.specialist,
        started_at=start,
        ended_at=start + timedelta(hours=1),
        title=CANARY,
        by=BUILDER,
    )


def _waiting(clinic: Organization, template: AppointmentTemplate, name: str) -> WaitlistEntry:
    today = clinic.today(clock.now())
    return WaitlistEntry.objects.create(
        appointment_template=template,
        contact_name=name,
        contact_email=f"{name.lower()}@example.org",
        date_from=today,
        date_to=today,
        timezone=clinic.timezone,
        locale=clinic.locale,
    )


def _custom_field() -> CustomField:
    return custom_fields.create(by=BUILDER, entity_type="patient", key="zz", label=CANARY, field_type="text")


#: How the other clinic comes by a row of each model, which bears the canary where it has text.
FOREIGN: dict[type, Callable[[Organization, Any], Any]] = {
    CustomField: lambda clinic, cast: _custom_field(),
    Appointment: _appointment,
    AppointmentTemplate: _template,
    Patient: lambda clinic, cast: cast.petra.patient,
    Specialist: lambda clinic, cast: cast.sorin.specialist,
    Specialty: lambda clinic, cast: Specialty.objects.create(title=CANARY, slug="zzcanary"),
    Organization: lambda clinic, cast: clinic,
    Membership: lambda clinic, cast: Membership.objects.filter(user=cast.nora.user).get(),
    User: lambda clinic, cast: cast.nora.user,
}


def _model(route: Route, cast: Any) -> type:
    """The model whose row the path's `id` names."""
    if route.resource.context is Context.PATH or route.path.startswith("/v1/organizations/<id:id>"):
        return Organization
    if route.path.startswith("/v1/patients/<id:id>"):
        return Patient
    if route.path.startswith("/v1/custom-fields/<id:id>"):
        return CustomField
    view = route.resource()
    view.actor = Actor(kind="user", id=cast.ion.user.pk, organization_id=cast.sud.pk)
    view.action = route.action
    return view.rows().model


def _roles(cast: Any) -> dict[str, Any]:
    return {"admin": cast.ion, "specialist": cast.sara, "customer_support": cast.mara, "patient": cast.ana}


@pytest.mark.parametrize("route", WITH_ROW, ids=str)
def test_another_clinics_row_is_not_found_by_any_role(route: Route, cast, api) -> None:
    with acting_for(cast.nord.pk, actor=BUILDER):
        theirs = FOREIGN[_model(route, cast)](cast.nord, cast)
    path = route.path.replace("<id:id>", str(theirs.pk))
    absent = route.path.replace("<id:id>", "987654321")
    path, absent = (re.sub(r"<id:[a-z_]+>", "1", each) for each in (path, absent))

    for role, person in _roles(cast).items():
        sent = () if route.method in ("GET", "DELETE") else ({},)
        foreign, missing = (
            api(person, cast.sud)(route.method, path, *sent),
            api(person, cast.sud)(route.method, absent, *sent),
        )
        assert (role, foreign.status) == (role, 404)
        assert {**foreign.error, "request_id": ""} == {**missing.error, "request_id": ""}


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_no_list_shows_anything_of_another_clinic(route: Route, cast, api) -> None:
    with acting_for(cast.nord.pk, actor=BUILDER):
        for make in (_appointment, FOREIGN[Specialty]):
            make(cast.nord, cast)
        _waiting(cast.nord, _template(cast.nord, cast), CANARY)
        Specialist.objects.update(name=CANARY, title=CANARY)

    for person in _roles(cast).values():
        answer = api(person, cast.sud).get(route.path)
        assert answer.status in (200, 403), answer.content
        assert CANARY.encode() not in answer.content


def _grow(clinic: Organization, cast: Any, *, first: int, last: int) -> None:
    """Add rows numbered `first` to `last` - 1 of everything that has a list."""
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    with acting_for(clinic.pk, actor=BUILDER):
        for number in range(first, last):
            template = templates.create(by=BUILDER, name=f"T{number}", duration_minutes=30)
            person = profiles.specialist(clinic, f"S{number}")
            field = Specialty.objects.create(title=f"F{number}", slug=f"field-{number}")
            SpecialistSpecialty.objects.create(specialist=person, specialty=field)
            templates.attach_specialists(template, [{"specialist_id": person.pk, "priority": 1}], by=BUILDER)
            _waiting(clinic, template, f"W{number}")
            appointments.create(
                patient=profiles.patient(clinic, f"P{number}"),
                specialist=person,
                started_at=start,
                template=template,
                by=BUILDER,
            )


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_list_costs_the_same_number_of_statements_for_many_rows_as_for_few(route: Route, cast, api) -> None:
    counts = []
    for first, last in ((0, 2), (2, 9)):
        _grow(cast.sud, cast, first=first, last=last)
        api(cast.ion, cast.sud).get(route.path)
        with CaptureQueriesContext(connection) as statements:
            assert api(cast.ion, cast.sud).get(f"{route.path}?limit=100").status in (200, 403)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_a_superadmin_without_context_reads_across(cast, api) -> None:
    with acting_for(cast.nord.pk, actor=BUILDER):
        theirs = _appointment(cast.nord, cast)

    assert api(cast.root).get(f"/v1/appointments/{theirs.pk}").status == 200
    assert api(cast.root, cast.sud).get(f"/v1/appointments/{theirs.pk}").status == 404
