"""Every list of the platform: the quick way answers in the same bytes as the ordinary way, over the demo clinics."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import URLPattern, get_resolver

from apps.organizations.models import Membership, Organization
from restartix.kernel.api import lists
from restartix.kernel.api.docs import document
from restartix.kernel.api.fast.lists import statements
from restartix.kernel.api.sorting import columns_of
from restartix.kernel.tenancy import Actor, across_organizations
from restartix.kernel.tokens import issue_development_token
from tests.kernel_api.conformance import _document, assert_documented
from tests.kernel_api.conftest import Api

ROLES = ("admin", "customer_support", "specialist", "patient")


def routes(patterns, prefix="/") -> Iterator[tuple[str, type]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from routes(pattern.url_patterns, path)
        elif getattr(pattern.callback, "actions", {}).get("get") == "list":
            yield path, pattern.callback.cls


@pytest.fixture(autouse=True)
def _own_index(settings):
    settings.ROOT_URLCONF = "restartix.urls"
    statements._kept.clear()
    document.cache_clear()
    _document.cache_clear()


@pytest.fixture
def people(committed_db):
    """One person of each role in a demo clinic, with the clinic; made from the demo data."""
    call_command("seed_demo", "--with-debug-off", "--json", stdout=StringIO(), stderr=StringIO())
    with across_organizations(reason="test", actor=Actor.system("tests")):
        clinic = Organization.objects.order_by("pk").first()
        found = {}
        for role in ROLES:
            membership = (
                Membership.objects.filter(organization=clinic, role=role, user__deleted_at=None)
                .select_related("user")
                .first()
            )
            if membership is not None:
                user = membership.user
                user.clerk_user_id = user.clerk_user_id or f"user_of_{role}"
                user.save()
                found[role] = Api(issue_development_token(user.clerk_user_id), x_organization_id=str(clinic.pk))
    return clinic, found


def test_is_the_same_both_ways(people, monkeypatch):
    clinic, found = people
    taken = {True: set(), False: set()}
    real = lists.fast_page

    def watched(view, wanted):
        page = real(view, wanted)
        taken[page is not None].add(type(view).__name__)
        return page

    for path, view in routes(get_resolver().url_patterns):
        address = path.replace("<id:id>", str(clinic.pk)) if view.context == "path" else path
        if "<" in address:
            continue
        queries = ["", "?limit=3&page=2", *(f"?limit=100&sort=-{name}" for name in columns_of(view.sortable))]
        queries += [f"?include={name}" for name in view.includes]
        for role, api in found.items():
            for query in queries:
                monkeypatch.setattr(lists, "fast_page", watched)
                quick = api.get(address + query)
                monkeypatch.setattr(lists, "fast_page", lambda view, wanted: None)
                ordinary = api.get(address + query)
                assert quick.status_code in {200, 403}, (role, address + query, quick.content)
                assert_documented(quick, "GET", address + query)
                if quick.status_code == 200:
                    assert json.loads(quick.content) == json.loads(ordinary.content), (role, address + query)
                    assert quick.content == ordinary.content, (role, address + query)
    assert "Appointments" in taken[True]
    print("quick:", sorted(taken[True]), "ordinary:", sorted(taken[False]))
