"""Another clinic's row does not exist: the answer to its id is, byte for byte, the answer to an id that never was.

Generated from the URL index, the declared bodies and filters, and the models: every id in path, query, body and header
of every operation, as every role. An operation joins by being routed. For each place the clinic's own id is tried too:
where it brings the same answer as an id that never was, the test proves nothing there, and says so.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.test import RequestFactory
from rest_framework import serializers

from apps.organizations.models import Organization, User
from apps.profiles.models import PatientPerson
from restartix.kernel.api import fields
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.filters import By, Ids, Uids
from restartix.kernel.api.operations import Operation
from restartix.kernel.api.schema.examples import example_of
from restartix.kernel.roles import PLATFORM
from restartix.kernel.tenancy import Actor, TenantModel
from tests.client import Answer, Api
from tests.isolation.test_routes import ROUTES, Route
from tests.make.anything import any_row
from tests.make.organizations import within

pytestmark = pytest.mark.django_db
ABSENT = 8_765_432_109_876
ABSENT_UID = "00000000-0000-4000-8000-00000000dead"
_PARAMETER = re.compile(r"<([a-z]+):([a-z_]+)>")
_IDS = ("id", "uid", "uuid")

#: Which model an id means where its name does not say it.
NAMED = {
    "patient_person_id": PatientPerson,
    "delivery_id": "WebhookDelivery",
    "consent_id": "ConsentRecord",
    "manager_id": "PatientPersonManager",
}
#: Ids of rows whose apps do not exist yet: nothing of theirs can be foreign.
LATER = {"patient_service_plan_id", "form_template_id", "form_template_ids", "segment_id"}
#: Ids of no clinic's rows, whose visibility other tests prove.
NOBODYS = {"user_id", "current_organization_id"}


@dataclass(frozen=True)
class Place:
    """One place of a request in which an id stands, and the model that it names."""

    where: str
    name: str
    model: type[models.Model]

    def __str__(self) -> str:
        return f"{self.where}:{self.name}"


def named(name: str) -> type[models.Model] | None:
    """Return the tenant model that an id called `name` means."""
    stem = re.sub(r"_(?:u?ids?)$", "", name)
    wanted = NAMED.get(name, NAMED.get(f"{stem}_id", stem.replace("_", "")))
    if isinstance(wanted, type):
        return wanted
    for model in apps.get_models():
        if model.__name__.lower() == wanted.lower() and (issubclass(model, TenantModel) or model is Organization):
            return model
    return None


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


def model_of(route: Route, cast: Any) -> type[models.Model]:
    """Return the model of the resource's rows; one whose rows hang on the path's first row is told by its name."""
    view = route.resource()
    view.actor = Actor(kind="user", id=cast.ion.user.pk, organization_id=cast.sud.pk, role="admin")
    view.action, view.kwargs, view.request = route.action, {}, RequestFactory().get("/")
    view.person = type("Somebody", (), {"id": cast.ion.user.pk, "is_superadmin": False})()
    try:
        with within(cast.sud):
            return view.rows().model
    except AttributeError:
        return named(route.resource.lookup) or _of_collection(route.path.removeprefix("/v1/").split("/")[0])


def places_of(route: Route, cast: Any) -> list[Place]:
    """Return every place of the operation that holds an id of a clinic's row."""
    view = route.resource()
    view.action = route.action
    operation = view.operation_for(route.action)
    found = list(_in_path(route, cast))
    if view.may[route.action] == PLATFORM:  # every clinic is a superadmin's own
        return [place for place in found if place.model is not User]
    found += [Place("query", name, model) for name, model in _in_query(route, operation)]
    if operation.body is not None and JSON in operation.consumes and route.method not in ("GET", "DELETE"):
        found += [Place("body", path, model) for path, model in _in_body(operation.body(), "")]
    if view.context_for(route.action) in (Context.REQUIRED, Context.OPTIONAL):
        found.append(Place("header", "X-Organization-ID", Organization))
    return [place for place in found if place.model is not User]  # of no clinic; other tests say who sees them


def _in_path(route: Route, cast: Any) -> Iterator[Place]:
    for kind, name in _PARAMETER.findall(route.path):
        if kind not in _IDS:
            continue
        if name == route.resource.organization_kwarg and route.resource.context is Context.PATH:
            yield Place("path", name, Organization)
        elif name == route.resource.lookup:
            yield Place("path", name, model_of(route, cast))
        elif name == "id":
            head = route.path.removeprefix("/v1/").split("/")[0]
            yield Place("path", name, _of_collection(head))
        else:
            yield from (Place("path", each, model) for each, model in _meant(name))


def _of_collection(head: str) -> type[models.Model]:
    stem = head.replace("-", "")
    stem = re.sub("ies$", "y", stem) if stem.endswith("ies") else stem.removesuffix("s")
    model = named(f"{stem}_id")
    assert model is not None, head
    return model


def _in_query(route: Route, operation: Operation) -> Iterator[tuple[str, type[models.Model]]]:
    if route.action == "list":
        for name, declared in route.resource.filterset_class.declared.items():
            inner = declared.reading if isinstance(declared, By) else declared
            if isinstance(inner, Ids | Uids) and name not in NOBODYS:
                yield from _meant(name)
    if operation.query is not None:
        yield from _in_body(operation.query(), "")


def _in_body(body: serializers.Serializer, prefix: str) -> Iterator[tuple[str, type[models.Model]]]:
    for name, field in body.fields.items():
        if field.read_only:
            continue
        inner = field
        path = f"{prefix}{name}"
        while isinstance(inner, serializers.ListField | serializers.ListSerializer):
            inner, path = inner.child, f"{path}.0"
        if isinstance(inner, fields.Id) and name not in NOBODYS:
            yield from ((path, model) for _, model in _meant(name))
        elif isinstance(inner, serializers.Serializer):
            yield from _in_body(inner, f"{path}.")


def _meant(name: str) -> Iterator[tuple[str, type[models.Model]]]:
    if name in ("id", "patient_ids.id"):
        return
    model = named(name)
    assert model is not None or name in LATER, f"which model does {name} name? Say it in NAMED."
    if model is not None:
        yield name, model


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
        path = _PARAMETER.sub(lambda found: str(ids[found[2]]), self.route.path)
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


def assembled(route: Route, worlds: Worlds) -> tuple[Request, list[Place]]:
    """Return a request that is right in every place, and its places."""
    view = route.resource()
    view.action = route.action
    operation = view.operation_for(route.action)
    places = places_of(route, worlds.cast)
    ids: dict[str, Any] = {}
    for place in reversed([place for place in places if place.where == "path"]):  # children know their parents
        row = worlds.row(place.model, own=True)
        ids[place.name] = ids.get(place.name) or _id_in(row, place)
        for other in places:
            link = f"{other.model._meta.model_name}_id"
            if other.where == "path" and other is not place and hasattr(row, link):
                ids[other.name] = getattr(row, link)
    for kind, name in _PARAMETER.findall(route.path):
        ids.setdefault(name, ABSENT_UID if kind in ("uid", "uuid") else ABSENT)
        if kind not in _IDS:
            ids[name] = getattr(worlds.row(model_of(route, worlds.cast), own=True), name)
    body: Any = {}
    if operation.body is not None and JSON in operation.consumes:
        body = operation.request_example or example_of(operation.body)
        body = _without_ids(json.loads(json.dumps(body, default=str)), operation.body())
        for place in places:
            if place.where == "body" and _stands(body, place.name.split(".")):
                _put(body, place.name.split("."), worlds.row(place.model, own=True).pk)
    _let_rows_belong_together(route, worlds, places)
    return Request(route, operation, ids, body, {}), places


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
    columns = {field.related_model: field.name for field in row._meta.concrete_fields if field.is_relation}
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


def _id_in(row: Any, place: Place) -> Any:
    return row.uid if place.name == "uid" else row.pk


def callers(cast: Any, api: Any, place: Place) -> dict[str, Api]:
    """Return one caller of each role in the clinic; a superadmin narrowed to it, whom a foreign header just moves."""
    people = {"admin": cast.ion, "specialist": cast.sara, "customer_support": cast.mara, "patient": cast.ana}
    found = {role: api(person, cast.sud) for role, person in people.items()}
    if place.where != "header":
        found["superadmin"] = api(cast.root, cast.sud)
    return found


def told(answer: Answer) -> str:
    """Return the answer without what differs between any two requests: the request's id."""
    return f"{answer.status} " + re.sub(r'"request_id":\s*"[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_id_of_another_clinic_is_told_from_one_that_never_was(route: Route, cast, api) -> None:
    worlds = Worlds(cast)
    request, places = assembled(route, worlds)
    proven, unproven = set(), {}
    for place in places:
        foreign = _id_in(worlds.row(place.model, own=False), place)
        absent = ABSENT_UID if place.name == "uid" else ABSENT
        for role, caller in callers(cast, api, place).items():
            theirs = told(request.send(caller, place, foreign))
            nobodys = told(request.send(caller, place, absent))
            assert theirs == nobodys, (str(place), role)
            if place.where == "path":
                assert theirs[:3] in ("404", "403"), (str(place), role, theirs)
            own = request.ids[place.name] if place.where == "path" else _id_in(worlds.row(place.model, own=True), place)
            ours = told(request.send(caller, place, own))
            if ours != nobodys:
                proven.add(str(place))
            unproven[str(place)] = f"{role}: {ours[:300]}"
    missing = {place: answer for place, answer in unproven.items() if place not in proven}
    assert not missing, f"nobody's own id brings another answer at {missing}"
