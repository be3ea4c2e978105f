"""The hostile corpus against every operation of the document: never a 500, never HTML, always the one error body.

A sample runs by default; `HOSTILE=all` in the environment sends everything.

"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from apps.organizations.models import Membership, Organization
from restartix.kernel.api.docs import document
from restartix.kernel.tenancy import Actor, across_organizations
from restartix.kernel.tokens import issue_development_token
from restartix.variables import Rate
from tests.kernel_api.conftest import Api
from tests.kernel_api.corpus import BODIES, HEADERS, TEXTS, VALUES

MUCH = Rate.parse("1000000/m")
SAMPLE = None if os.environ.get("HOSTILE") == "all" else 1200


@pytest.fixture(autouse=True)
def _own_index(settings):
    settings.ROOT_URLCONF = "restartix.urls"
    settings.RATE_LIMIT_USER = settings.RATE_LIMIT_PUBLIC = MUCH
    document.cache_clear()
    parsed = json.loads(document()[0])
    names = {
        name
        for path in parsed["paths"].values()
        for operation in path.values()
        for name in operation.get("x-limits", {})
    }
    settings.BOOKING_LIMITS = dict.fromkeys(names, MUCH)


@pytest.fixture
def admin(committed_db):
    """An admin of a demo clinic, who gets far."""
    call_command("seed_demo", "--with-debug-off", "--json", stdout=StringIO(), stderr=StringIO())
    with across_organizations(reason="test", actor=Actor.system("tests")):
        clinic = Organization.objects.order_by("pk").first()
        user = Membership.objects.filter(organization=clinic, role="admin").select_related("user").first().user
        user.clerk_user_id = "user_admin"
        user.save()
    return Api(issue_development_token("user_admin"), x_organization_id=str(clinic.pk)), clinic


class Corpus:
    """Every request that the document gives rise to."""

    def __init__(self, api: Api, clinic: Organization) -> None:
        self.api, self.clinic = api, clinic
        self.parsed = json.loads(document()[0])
        self.known: dict[str, str] = {}

    def requests(self) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
        for template, path in sorted(self.parsed["paths"].items()):
            for method, operation in path.items():
                yield from self.of(method.upper(), template, operation)

    def of(
        self, method: str, template: str, operation: dict[str, Any]
    ) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
        path = self.filled(template)
        for text in TEXTS:
            if "{" in template:
                prefix, _, rest = template.partition("{")
                yield (
                    method,
                    prefix + text.replace("?", "%3F") + rest.partition("}")[2].replace("{", "").replace("}", ""),
                    None,
                    {},
                )
            for parameter in operation["parameters"]:
                if parameter.get("in") == "query":
                    yield method, f"{path}?{parameter['name']}={text}", None, {}
        if method == "DELETE":
            return
        for name, values in HEADERS.items():
            for value in values:
                yield method, path, b"{}" if method != "GET" else None, {name: value}
        if method != "GET":
            yield from ((method, path, body, {}) for body in BODIES)
            yield from self.bodies(method, path, operation)

    def bodies(
        self, method: str, path: str, operation: dict[str, Any]
    ) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return
        example = {name: json.dumps(value) for name, value in content["example"].items()}
        for name in [*example, "unknown"]:
            for value in VALUES:
                fields = {**example, name: value}
                yield (
                    method,
                    path,
                    ("{" + ", ".join(f'"{key}": {each}' for key, each in fields.items()) + "}").encode(),
                    {},
                )

    def filled(self, template: str) -> str:
        """Return the path with ids of rows that are there, as far as a list tells some."""
        path = ""
        for part in template.strip("/").split("/"):
            path += "/" + (self.row(path, part) if part.startswith("{") else part)
        return path

    def row(self, collection: str, part: str) -> str:
        if collection == "/v1/organizations":
            return str(self.clinic.pk)
        if collection not in self.known:
            answer = self.api.get(f"{collection}?limit=1") if "/public/" not in collection else None
            rows = answer.json().get("data") if answer is not None and answer.status_code == 200 else None
            self.known[collection] = (
                str(rows[0]["id"])
                if isinstance(rows, list) and rows and "id" in rows[0]
                else "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21"
            )
        return self.known[collection]


def test_nothing_of_it_brings_the_server_down(admin, caplog):
    api, clinic = admin
    corpus = Corpus(api, clinic)
    requests = list(corpus.requests())
    if SAMPLE is not None:
        requests = random.Random(1966).sample(requests, SAMPLE)
    seen: dict[int, int] = {}
    for method, path, raw, headers in requests:
        answer = api.send(method, path, raw=raw, **headers)  # checks the envelope
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (method, path[:200], (raw or b"")[:300], headers, answer.content[:500])
    ours = [
        record.message for record in caplog.records if record.name == "restartix.api" and record.levelname == "ERROR"
    ]
    assert not ours, "a value went further than validation"
    assert {200, 400, 401, 404, 406, 415, 422} <= set(seen), seen
    print(len(requests), dict(sorted(seen.items())))
