"""The URL index beside the contract's table of operations: nothing missing of what is built, nothing routed unknown."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from restartix.kernel.api.docs import document

TABLE = Path(__file__).parents[2] / "docs" / "contract" / "endpoints.tsv"

#: The features of the table that are built, as far as LATER does not say otherwise.
FEATURES = {
    "Authentication & Users",
    "Organizations",
    "Appointments",
    "Appointment Templates",
    "Calendar Views",
    "Scheduling",
    "Patients",
    "Specialists",
    "Specialties",
    "Custom Fields",
    "Webhooks",
}
#: Operations of these features that are not built yet.
LATER: set[tuple[str, str]] = set()
#: Extensions of the contract that are built.
EXTENSIONS = {
    ("PATCH", "/v1/scheduling/holds/{}"),
    ("GET", "/v1/scheduling/timeslots/stream"),
    ("POST", "/v1/scheduling/waitlist"),
    ("DELETE", "/v1/scheduling/waitlist/{}"),
    ("GET", "/v1/waitlist-entries"),
    ("GET", "/v1/public/appointment-templates"),
    ("GET", "/v1/public/appointments/{}"),
    ("GET", "/v1/public/appointments/{}/ics"),
    ("PUT", "/v1/public/appointments/{}/cancel"),
    ("GET", "/v1/appointments/{}/ics"),
    ("GET", "/v1/appointments/{}/patient-candidates"),
    ("POST", "/v1/appointments/{}/videocall/join"),
    ("GET", "/v1/appointment-templates/{}/explain"),
    ("GET", "/v1/specialists/{}/calendar-feed"),
    ("POST", "/v1/specialists/{}/calendar-feed"),
    ("DELETE", "/v1/specialists/{}/calendar-feed"),
    ("GET", "/v1/calendar-feeds/{}.ics"),
    ("GET", "/v1/patients/{}/impersonations"),
    ("POST", "/v1/patients/{}/impersonations/{}/end"),
    ("GET", "/v1/patients/{}/export"),
    ("POST", "/v1/specialists/{}/restore"),
    ("GET", "/v1/patients/{}/consents"),
    ("POST", "/v1/patients/{}/consents"),
    ("POST", "/v1/patients/{}/consents/{}/withdraw"),
    ("GET", "/v1/patients/{}/managers"),
    ("POST", "/v1/patients/{}/managers"),
    ("DELETE", "/v1/patients/{}/managers/{}"),
    ("GET", "/v1/organizations/{}/members"),
    ("PATCH", "/v1/organizations/{}/members/{}"),
    ("POST", "/v1/organizations/{}/logo"),
    ("DELETE", "/v1/organizations/{}/logo"),
    ("POST", "/v1/organizations/{}/icon"),
    ("DELETE", "/v1/organizations/{}/icon"),
    ("GET", "/v1/public/images/{}"),
    ("GET", "/v1/webhook-subscriptions/{}"),
    ("POST", "/v1/webhook-subscriptions/{}/rotate-secret"),
    ("POST", "/v1/webhook-subscriptions/{}/events/{}/resend"),
    ("POST", "/v1/specialists/{}/avatar"),
    ("DELETE", "/v1/specialists/{}/avatar"),
    ("POST", "/v1/specialists/{}/signature"),
    ("DELETE", "/v1/specialists/{}/signature"),
    ("GET", "/v1/files/{}"),
    ("GET", "/v1/users"),
    ("POST", "/v1/users"),
    ("GET", "/v1/users/{}"),
    ("PATCH", "/v1/users/{}"),
    ("GET", "/v1/custom-fields/{}/versions"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/docs"),
}
#: Extensions that the contract names together with another path ("the same for the icon").
WRITTEN_SHORTER = {"/v1/specialists/{}/signature", "/v1/organizations/{}/icon"}


def _routed() -> set[tuple[str, str]]:
    """Every method and path below /v1, path values as `{}`; PUT and PATCH of one operation count once."""
    found: set[tuple[str, str]] = set()

    def walk(patterns: list, prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern) and path.startswith(("v1/", "webhooks/")):
                actions = getattr(pattern.callback, "actions", None) or {"get": "read"}
                for method in set(actions) - {"head"}:  # DRF adds it when a route is first called
                    found.add((method.upper(), "/" + re.sub(r"<[^>]+>", "{}", path)))

    walk(get_resolver().url_patterns, "")
    return found


def _promised(*, built_only: bool = False) -> set[tuple[str, str]]:
    with TABLE.open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    return {
        (row["method"], re.sub(r"\{[^}]+\}", "{}", row["path"].partition("?")[0]))
        for row in rows
        if row["feature"] in FEATURES or not built_only
    }


def test_every_promised_operation_that_is_built_is_routed() -> None:
    assert _promised(built_only=True) - LATER - _routed() == set()


def test_every_routed_operation_is_in_the_contract() -> None:
    known = _promised() | EXTENSIONS
    twins = {({"PUT": "PATCH", "PATCH": "PUT"}.get(method, method), path) for method, path in known}

    assert _routed() - known - twins == set()


def test_the_list_of_what_is_not_built_yet_is_true() -> None:
    assert LATER & _routed() == set()
    assert _promised() >= LATER


def test_what_goes_beyond_the_contract_is_marked_so_and_nothing_else() -> None:
    written = "".join(page.read_text() for page in sorted(TABLE.parent.glob("*.md")))
    known = re.sub(r"\{[^}]+\}", "{}", written)
    paths = json.loads(document()[0])["paths"]
    marked = {path for path, methods in paths.items() for each in methods.values() if each.get("x-extension")}

    beyond = {path for _method, path in EXTENSIONS if path not in known} - WRITTEN_SHORTER
    assert {re.sub(r"\{[^}]+\}", "{}", path) for path in marked} == beyond
