"""A request that is right in every place, its rows having to do with each other, and any id put into one of them."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction
from rest_framework import serializers

from apps.organizations.models import Organization
from apps.profiles.models import Patient, Specialist
from apps.scheduling.models import Appointment, AppointmentTemplate
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.operations import Operation
from restartix.kernel.api.schema.examples import example_of
from restartix.kernel.tenancy import TenantModel
from tests.client import Answer, Api
from tests.isolation.places import ID_KINDS, LATER, NOBODYS, PARAMETER, Place, model_of, places_of
from tests.isolation.test_routes import Route
from tests.make.anything import any_row
from tests.make.organizations import within

ABSENT = 8_765_432_109_876
ABSENT_UID = "00000000-0000-4000-8000-00000000dead"


class Worlds:
    """The caller's clinic and the other one, each with a row of whatever is asked for."""

    def __init__(self, cast: Any) -> None:
        self.cast, self._rows = cast, {}

    def row(self, model: type[models.Model], *, own: bool) -> Any:
        clinic = self.cast.sud if own else self.cast.nord
        key = (model, own)
        if key not in self._rows:
            self._rows[key] = self._of_the_cast(model, own=own) or any_row(model, clinic)
        return self._rows[key]

    def _of_the_cast(self, model: type[models.Model], *, own: bool) -> Any:
        cast = self.cast
        known = {
            "Organization": (cast.nord, cast.sud),
            "Specialist": (cast.sorin.specialist, cast.sara.specialist),
            "Patient": (cast.petra.patient, cast.ana.patient),
            "PatientPerson": (cast.petra.patient.person, cast.ana.patient.person),
        }
        return known[model.__name__][own] if model.__name__ in known else None


@dataclass
class Request:
    """One request that can be sent again with another id in one of its places."""

    route: Route
    operation: Operation
    ids: dict[str, Any]
    body: Any
    query: dict[str, Any]

    def send(self, api: Api, place: Place, value: Any) -> Answer:
        ids, body, query, headers = dict(self.ids), json.loads(json.dumps(self.body)), dict(self.query), {}
        if place.where == "path":
            ids[place.name] = value
        elif place.where == "query":
            query[place.name] = value
        elif place.where == "header":
            headers = {"X_Organization_ID": str(value)}
        else:
            either = getattr(self.operation.body, "either", ())
            if place.name in either:
                for other in {*either} - {place.name}:
                    body.pop(other, None)
            _put(body, place.name.split("."), value)
        path = PARAMETER.sub(lambda found: str(ids[found[2]]), self.route.path)
        if query:
            path += "?" + "&".join(f"{name}={each}" for name, each in query.items())
        has_body = self.route.method not in ("GET", "DELETE")
        _forget_limits()
        with transaction.atomic():
            answer = api(self.route.method, path, *([body] if has_body else []), **headers)
            transaction.set_rollback(True)
        return answer


def _forget_limits() -> None:
    """Start every request with fresh limits: what is asked here is not whether 429 is answered."""
    counters = redis.Redis.from_url(settings.REDIS_URL)
    if keys := counters.keys("rl:*"):
        counters.delete(*keys)


def _put(body: Any, path: list[str], value: Any) -> None:
    steps = [int(part) if part.isdigit() else part for part in path]
    for part, following in itertools.pairwise(steps):
        if isinstance(body, dict) and body.get(part) in (None, [], {}):
            body[part] = [None] if isinstance(following, int) else {}
        if isinstance(body, list) and body[part] is None:
            body[part] = {}
        body = body[part]
    body[steps[-1]] = value


#: What an operation's query has to hold besides ids.
NEEDED = {"explain": {"start": "2027-03-01T09:00:00Z"}}


def assembled(route: Route, worlds: Worlds) -> tuple[Request, list[Place]]:
    """Return a request that is right in every place, and its places."""
    view = route.resource()
    view.action = route.action
    operation = view.operation_for(route.action)
    places = places_of(route, worlds.cast)
    ids: dict[str, Any] = {}
    for place in reversed([place for place in places if place.where == "path"]):  # children know their parents
        row = worlds.row(place.model, own=True)
        ids[place.name] = ids.get(place.name) or id_in(row, place)
        for other in places:
            parent = next((field for field in row._meta.concrete_fields if field.related_model is other.model), None)
            if other.where == "path" and other is not place and parent is not None:
                with within(worlds.cast.sud):
                    ids[other.name] = id_in(getattr(row, parent.name), other)
    for kind, name in PARAMETER.findall(route.path):
        ids.setdefault(name, ABSENT_UID if kind in ("uid", "uuid") else ABSENT)
        if kind not in ID_KINDS:
            ids[name] = getattr(worlds.row(model_of(route, worlds.cast), own=True), name)
    body: Any = {}
    if operation.body is not None and JSON in operation.consumes:
        body = operation.request_example or example_of(operation.body)
        body = _without_ids(json.loads(json.dumps(body, default=str)), operation.body())
        for place in places:
            if place.where == "body" and _stands(body, place.name.split(".")):
                _put(body, place.name.split("."), worlds.row(place.model, own=True).pk)
    _let_rows_belong_together(route, worlds, places)
    query = _of_its_day(worlds, places) if route.path == "/v1/calendar" else dict(NEEDED.get(route.action, {}))
    return Request(route, operation, ids, body, query), places


def _of_its_day(worlds: Worlds, places: list[Place]) -> dict[str, Any]:
    """Let the calendar be that of a day with an appointment that every filter lets through."""
    rows = {place.model: worlds.row(place.model, own=True) for place in places if place.where == "query"}
    names = {"patient": Patient, "specialist": Specialist, "template": AppointmentTemplate}
    row = any_row(Appointment, worlds.cast.sud, **{name: rows[model] for name, model in names.items()})
    return {"date": row.started_at.date().isoformat()}


def _let_rows_belong_together(route: Route, worlds: Worlds, places: list[Place]) -> None:
    """Let a list hold a row for every filter; let rows that one path or one body names have to do with each other."""
    with within(worlds.cast.sud):
        if route.action == "list" and any(place.where == "query" for place in places):
            row = worlds.row(model_of(route, worlds.cast), own=True)
            for place in places:
                if place.where == "query" and not isinstance(row, place.model):
                    link(row, worlds.row(place.model, own=True))
        for where in ("path", "body"):
            together = [place.model for place in places if place.where == where and place.model is not Organization]
            for one, other in itertools.combinations(dict.fromkeys(together), 2):
                if not any(field.related_model is one for field in other._meta.concrete_fields):
                    _between(worlds.row(one, own=True), worlds.row(other, own=True))


def _without_ids(body: Any, declared: serializers.Serializer) -> Any:
    """Leave out the example's ids of users and of parts of the document, which are nobody's, where none is needed."""
    if isinstance(body, dict):
        needed = {name for name, field in declared.fields.items() if field.required}
        for name in [name for name in body if name in {"id", *NOBODYS, *LATER} - needed]:
            del body[name]
        for name, value in body.items():
            inner = getattr(declared.fields.get(name), "child", declared.fields.get(name))
            for part in value if isinstance(value, list) else [value]:
                if isinstance(inner, serializers.Serializer):
                    _without_ids(part, inner)
    return body


def _stands(body: Any, path: list[str]) -> bool:
    for part in path:
        if isinstance(body, list):
            if len(body) <= int(part):
                return False
            body = body[int(part)]
        elif isinstance(body, dict) and body.get(part) is not None:
            body = body[part]
        else:
            return False
    return True


def link(row: Any, other: Any) -> None:
    """Let a row like `row` have to do with `other`: by a column of its own, by a row between them, or over one step."""
    links = [field for field in row._meta.concrete_fields if field.is_relation]
    columns = {field.related_model: field.name for field in reversed(links)}  # of several, the first one declared
    model = type(other)
    if model in columns:
        any_row(type(row), row.organization, **{columns[model]: other})
        return
    if _between(row, other):
        return
    for step, column in columns.items():
        ends = {field.related_model: field.name for field in step._meta.concrete_fields if field.is_relation}
        if issubclass(step, TenantModel) and model in ends:
            middle = any_row(step, row.organization, **{ends[model]: other})
            any_row(type(row), row.organization, **{column: middle})
            return
    _between(row, other, is_pair=False)


def _between(row: Any, other: Any, *, is_pair: bool = True) -> bool:
    """Make a row that names both, where there is such a table: one of pairs, or any."""
    for between in apps.get_models():
        ends = {field.related_model: field.name for field in between._meta.concrete_fields if field.is_relation}
        if not {type(row), type(other)} <= set(ends) or not issubclass(between, TenantModel):
            continue
        if is_pair and not _is_unique(between, ends[type(row)], ends[type(other)]):
            continue
        with suppress(IntegrityError), transaction.atomic():  # one that names either of them is not meant
            any_row(between, row.organization, **{ends[type(row)]: row, ends[type(other)]: other})
            return True
    return False


def _is_unique(model: type[models.Model], one: str, other: str) -> bool:
    unique = [constraint for constraint in model._meta.constraints if isinstance(constraint, models.UniqueConstraint)]
    return any(set(pair.fields) == {one, other} for pair in unique)


def id_in(row: Any, place: Place) -> Any:
    return row.uid if place.name == "uid" else row.pk
