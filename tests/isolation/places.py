"""Every place of an operation in which an id of a clinic's row stands, and the model that it names.

Read from the path, the declared filters and the declared body; no operation says anything for the tests' sake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.test import RequestFactory
from rest_framework import serializers

from apps.organizations.models import Organization, User
from apps.profiles.models import PatientPerson
from restartix.kernel.api import fields
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.filters import By, Ids, Uids
from restartix.kernel.api.operations import Operation
from restartix.kernel.roles import PLATFORM
from restartix.kernel.tenancy import Actor, TenantModel
from tests.isolation.test_routes import Route
from tests.make.organizations import within

PARAMETER = re.compile(r"<([a-z]+):([a-z_]+)>")
ID_KINDS = ("id", "uid", "uuid")

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


def model_of(route: Route, cast: Any) -> type[models.Model]:
    """Return the model of the resource's rows; one whose rows hang on the path's first row is told by its name."""
    view = route.resource()
    view.actor = Actor(kind="user", id=cast.ion.user.pk, organization_id=cast.sud.pk, role="admin")
    view.action, view.kwargs, view.request = route.action, {}, RequestFactory().get("/")
    view.person = type("Somebody", (), {"id": cast.ion.user.pk, "is_superadmin": False})()
    try:
        with within(cast.sud):
            return view.rows().model
    except (AttributeError, KeyError):
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
    for kind, name in PARAMETER.findall(route.path):
        if kind not in ID_KINDS:
            continue
        if name == route.resource.organization_kwarg and route.resource.context is Context.PATH:
            yield Place("path", name, Organization)
        elif name == route.resource.lookup:
            yield Place("path", name, model_of(route, cast))
        elif name in ("id", "uid"):
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
        for name, model in _in_body(operation.query(), ""):
            yield name.removesuffix(".0"), model  # several stand in one parameter, separated by commas


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
