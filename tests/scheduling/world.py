"""A clinic with specialists and templates, and a way to talk to the API, in process or over the wire."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

from django.test import Client

from apps.organizations.models import Membership, Organization, User
from apps.profiles.models import Patient, PatientPerson, Specialist
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.services import templates
from restartix.kernel.tenancy import Actor, acting_for
from restartix.kernel.tokens import issue_development_token

BUILDER = Actor.system("test")
OFFICE = [{"day": day, "start": "09:00", "end": "17:00"} for day in range(5)]
ALWAYS = [{"day": day, "start": "00:00", "end": "00:00"} for day in range(7)]
CONTACT = {"name": "Maria Ionescu", "email": "maria@example.org", "phone": "+40721000111"}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def code(self) -> str:
        return self.json["error"]["code"]

    @property
    def error(self) -> Any:
        return self.json["error"]


@dataclass
class Api:
    """Calls the API; `port` None means in this process."""

    headers: dict[str, str] = field(default_factory=dict)
    port: int | None = None

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.port is None:
            answer = Client().generic(
                method,
                path,
                b"" if body is None else json.dumps(body).encode(),
                content_type="application/json",
                headers=sent,
            )
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            return Answer(answer.status_code, dict(answer.headers), content)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"Content-Type": "application/json", **sent})
        answer = connection.getresponse()
        result = Answer(answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return result

    def get(self, path: str, **headers: str) -> Answer:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self("DELETE", path, **headers)


@dataclass
class Clinic:
    """An organization with the people that scheduling needs."""

    organization: Organization
    specialists: list[Specialist]

    @classmethod
    def make(cls, *, specialists: int = 1, weekly: list[dict[str, Any]] = OFFICE, **fields: Any) -> Clinic:
        name = f"clinic-{uuid.uuid4().hex[:8]}"
        organization = Organization.objects.create(name=fields.pop("name", name), slug=name, **fields)
        with acting_for(organization.pk, actor=BUILDER):
            people = [
                Specialist.objects.create(
                    name=f"Sara {number}",
                    slug=f"sara-{number}",
                    scheduling_timezone="Europe/Bucharest",
                    scheduling_active=True,
                    weekly=weekly,
                )
                for number in range(specialists)
            ]
        return cls(organization, people)

    def template(self, minutes: int = 60, **fields: Any) -> AppointmentTemplate:
        """A public template that everybody here offers, in order."""
        given = {"min_notice_minutes": 0, "horizon_days": 365, "is_public": True, "name": f"T{minutes}", **fields}
        with acting_for(self.organization.pk, actor=BUILDER):
            made = templates.create(by=BUILDER, duration_minutes=minutes, **given)
            offers = [{"specialist_id": each.pk, "priority": place + 1} for place, each in enumerate(self.specialists)]
            templates.attach_specialists(made, offers, by=BUILDER)
        return made

    def hours(self, weekly: list[dict[str, Any]] | None = None, overrides: list[dict[str, Any]] | None = None) -> None:
        """Set the first specialist's hours."""
        sara = self.specialists[0]
        if weekly is not None:
            sara.weekly = weekly
        sara.overrides = overrides or []
        with acting_for(self.organization.pk, actor=BUILDER):
            sara.save()

    def member(self, role: str, *, port: int | None = None, specialist: Specialist | None = None) -> Api:
        """A signed-in person with a role here."""
        key = uuid.uuid4().hex[:8]
        user = User.objects.create(
            email=f"{role}-{key}@example.org",
            name=f"{role} {key}",
            clerk_user_id=f"user_{key}",
            current_organization=self.organization,
            password="!",
        )
        with acting_for(self.organization.pk, actor=BUILDER):
            Membership.objects.create(user=user, role=role)
            if specialist is not None:
                specialist.user = user
                specialist.save()
        token = issue_development_token(user.clerk_user_id, hours=24 * 21)  # tests travel weeks ahead
        return Api({"Authorization": f"Bearer {token}"}, port)

    def patient(self, name: str = "Maria Ionescu", user: User | None = None) -> Patient:
        with acting_for(self.organization.pk, actor=BUILDER):
            person = PatientPerson.objects.create(name=name, registered_by=self.organization, user=user)
            return Patient.objects.create(person=person)


def starts(api: Api, template: AppointmentTemplate, first: str, last: str, **query: str) -> list[str]:
    """The starts of the slots between two dates."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    answer = api.get(f"/v1/scheduling/timeslots?appointment_template_id={template.pk}&from={first}&to={last}{more}")
    assert answer.status == 200, answer.content
    return [slot["start"] for slot in answer.data["slots"]]


def hold(api: Api, template: AppointmentTemplate, start: str, **more: Any) -> Answer:
    headers = more.pop("headers", {})
    return api.post("/v1/scheduling/holds", {"appointment_template_id": template.pk, "start": start, **more}, **headers)


def book(api: Api, held: Mapping[str, Any], **more: Any) -> Answer:
    body = {"hold_id": held["hold_id"], "contact": CONTACT, "consents": [{"type": "privacy_policy"}], **more}
    return api.post("/v1/scheduling/book", body, X_Hold_Token=held["hold_token"])


def next_weekday(weekday: int, hour: int = 8) -> datetime:
    """A UTC hour on the next such day, at least two days ahead."""
    day = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=2)
    while day.weekday() != weekday:
        day += timedelta(days=1)
    return day


def z(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
