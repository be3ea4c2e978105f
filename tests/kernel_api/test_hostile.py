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

MUCH = Rate.parse("1000000/m")
SAMPLE = None if os.environ.get("HOSTILE") == "all" else 1200

#: Values as JSON texts, because half of them are none that a Python value could stand for.
VALUES = [
    'null', 'true', 'false', '0', '-0', '1', '-1', '1.0', '1.5', '1e2', '1e400', '-1e400', '1e-400', '2147483648', '4294967296',
    '9223372036854775807', '9223372036854775808', '-9223372036854775809', '1' * 23, '1' * 400, '9' * 5000, '[]', '{}', '[[]]', '[null]', '[1, 1]',
    '""', '" "', r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udfff\ud800"', r'"\u202e"', r'"\ufeff"', r'"\ufffe"', r'"e\u0301"', '"' + r'\u0301' * 2000 + '"',
    '"0"', '"1_0"', '"٣"', '"0x10"', '"NaN"', '"sNaN"', '"1e999999"', '"0.' + '1' * 30 + '"', '"-1.00"', '"' + 'x' * 300 + '"', '"' + 'x' * 100_000 + '"',
    '"%"', '"_"', r'"\\"', '"\' OR 1=1 --"', '"{{7*7}}"', '"${7*7}"', '"../../etc/passwd"', r'"a\r\nSet-Cookie: x=1"', '"=cmd|\'/C calc\'!A0"', '"<script>alert(1)</script>"',
    '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"10000-01-01T00:00:00Z"', '"2026-12-01T00:00:00+15:59"',
    '"2026-12-01T00:00:00+16:00"', '"2026-12-01T00:00:00+23:59"', '"2026-12-01T00:00:00+24:00"', '"2026-12-01T23:59:60Z"', '"2026-02-29"', '"2026-03-29T03:30:00"',
    '"now"', '"infinity"', '"24:00"', '"{6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21}"', '"urn:uuid:6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21"',
    '"6C1B2A3E-6F2E-4C59-8A39-0B7F5D1C9E21"', '{"id": 1}', '{"\\u0000": 1}', '{"$ref": "#"}', '[' * 63 + ']' * 63, '{"a":' * 63 + '1' + '}' * 63,
]  # fmt: skip
BODIES = [
    b"", b"null", b"[]", b'"x"', b"1", b"{", b"{}{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"[]," * 100_000 + b"[]]",
    b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"__proto__": {}}', b'{"' + b"k" * 10_000 + b'": 1}',
    b'{"\\ud800": {"\\ud800": "\\ud800"}}', b" " * 1_048_577, b'{"id": 5, "organization_id": 8, "is_superadmin": true}',
]  # fmt: skip
TEXTS = [
    "", "0", "-1", "1_0", "%D9%A3", "0x10", "1e2", "1.0", "9223372036854775808", "9" * 400, "%00", "%ED%A0%80", "%FF", "%C0%AF", "null", "true", "[]", "{}", "a,b", ",", "1,",
    "%25", "_", "%5C", "'%20OR%201=1--", "..%2F..", "%0d%0aX:1", "?", "x" * 300, "x" * 20_000, "2026-12-01T00:00:00%2B16:00", "2026-12-01T00:00:00+02:00", "9999-12-31T23:59:59-16:00",
    "2026-02-30", "infinity", "{6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21}", "id%3B", "%F0%9F%98%80", "%E2%80%AE", "-id,id", "organization__members__user__password",
]  # fmt: skip
HEADERS = {
    "x_organization_id": ["", "abc", "-1", "0", "7,8", "9" * 30, "\x00", "é", "1.0", "[1]"],
    "idempotency_key": ["", "x" * 256, "\x00", "é", "a b", "a,b"],
    "if_match": ["", "*", "x", '"', "W/\"x\"", ", ,", "x" * 9000, "é"],
    "if_none_match": ["", "*", "é", "\x00", ",,"],
    "accept": ["", "x", "*", "text/html;q=0", "application/json;q=nan", ";" * 100, "é", "*/*;q=1e400", "application/json;q=-1"],
    "authorization": ["", "Bearer", "Bearer x.y.z", "Basic x", "Bearer é", "Bearer " + "x" * 9000, "\x00"],
    "content_type": ["", "x", "application/json; charset=rot13", "application/json; charset=", "multipart/form-data", "multipart/form-data; boundary=", "application/json;;;", "é"],
    "content_encoding": ["gzip", "", "\x00", "identity, gzip"],
    "x_request_id": ["", "\x00", "é", "x" * 9000],
    "x_forwarded_for": ["", "x", "1.2.3.4" * 1000, "::ffff:1.2.3.4", "[::1]:80", "é"],
    "user_agent": ["", "\x00", "é" * 5000, "\ud800"],
    "x_hold_token": ["", "\x00", "é", "x" * 9000, "\ud800"],
    "host": ["", "x y", "a.example:x", "é", "\x00"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_index(settings):
    settings.ROOT_URLCONF = "restartix.urls"
    settings.RATE_LIMIT_USER = settings.RATE_LIMIT_PUBLIC = MUCH
    document.cache_clear()
    parsed = json.loads(document()[0])
    names = {name for path in parsed["paths"].values() for operation in path.values() for name in operation.get("x-limits", {})}
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

    def of(self, method: str, template: str, operation: dict[str, Any]) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
        path = self.filled(template)
        for text in TEXTS:
            if "{" in template:
                prefix, _, rest = template.partition("{")
                yield method, prefix + text.replace("?", "%3F") + rest.partition("}")[2].replace("{", "").replace("}", ""), None, {}
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

    def bodies(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return
        example = {name: json.dumps(value) for name, value in content["example"].items()}
        for name in [*example, "unknown"]:
            for value in VALUES:
                fields = {**example, name: value}
                yield method, path, ("{" + ", ".join(f'"{key}": {each}' for key, each in fields.items()) + "}").encode(), {}

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
            self.known[collection] = str(rows[0]["id"]) if isinstance(rows, list) and rows and "id" in rows[0] else "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21"
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
    ours = [record.message for record in caplog.records if record.name == "restartix.api" and record.levelname == "ERROR"]
    assert not ours, "a value went further than validation"
    assert {200, 400, 401, 404, 406, 415, 422} <= set(seen), seen
    print(len(requests), dict(sorted(seen.items())))
