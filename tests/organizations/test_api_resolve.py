"""Which organization a host or a slug leads to: GET /v1/public/organizations/resolve."""

import pytest

from apps.organizations.models import Domain
from apps.organizations.services import organizations
from restartix.kernel import clock
from tests.make.organizations import SYSTEM, within

PATH = "/v1/public/organizations/resolve"
PUBLIC_KEYS = {
    "id", "name", "slug", "tagline", "location", "logo_url", "icon_url", "primary_color", "secondary_color", "timezone",
    "locale", "currency", "required_consents", "policies", "face",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _base_domain(settings):
    settings.PLATFORM_BASE_DOMAIN = "restartix.example"


def claim(organization, domain, *, status="verified", kind="portal"):
    with within(organization):
        return Domain.objects.create(domain=domain, kind=kind, status=status, record_value="x", verified_at=clock.now())


def test_shows_the_public_columns_and_nothing_else(cast, api):
    answer = api().get(f"{PATH}?slug=clinica-sud")

    assert set(answer.data) == PUBLIC_KEYS
    assert answer.data["id"] == cast.sud.pk
    assert answer.data["face"] is None
    assert answer.data["required_consents"] == ["privacy_policy", "telerehab_consent"]
    assert answer.data["policies"] == {}


def test_may_be_cached_for_a_minute_and_asked_again_by_its_etag(cast, api):
    answer = api().get(f"{PATH}?slug=clinica-sud")

    again = api().get(f"{PATH}?slug=clinica-sud", If_None_Match=answer.headers["ETag"])

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert (again.status, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("host", "face"),
    [("clinica-sud.clinic.restartix.example", "clinic"), ("CLINICA-SUD.Portal.Restartix.example.:9000", "portal")],
)
def test_hosts_of_the_platform_lead_to_the_clinic_and_its_face(cast, api, host, face):
    found = api().get(f"{PATH}?domain={host}").data

    assert (found["id"], found["face"]) == (cast.sud.pk, face)


def test_a_verified_domain_leads_to_its_clinic(cast, api):
    claim(cast.nord, "portal.nord.example")

    found = api().get(f"{PATH}?domain=Portal.NORD.example.:8443").data

    assert (found["id"], found["face"]) == (cast.nord.pk, "portal")


def test_whatever_is_not_served_is_one_and_the_same_404(cast, api):
    claim(cast.sud, "pending.example", status="pending")
    claim(cast.sud, "failed.example", status="failed")
    with within(cast.nord):
        organizations.suspend(cast.nord, by=SYSTEM_SUPERADMIN)
    claim(cast.nord, "suspended.example")

    answers = [
        api().get(f"{PATH}?{query}").error | {"request_id": ""}
        for query in (
            "slug=unknown",
            "slug=clinica-nord",
            "domain=unknown.example",
            "domain=pending.example",
            "domain=failed.example",
            "domain=suspended.example",
            "domain=clinica-nord.portal.restartix.example",
            "domain=[::1]:80",
        )
    ]

    assert answers[0]["code"] == "not_found"
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "query", ["", "?slug=", "?domain=", "?slug=a&domain=b", "?slug=clinica-sud&face=portal", "?slug=a&slug=b"]
)
def test_exactly_one_of_the_two_is_asked(cast, api, query):
    assert api().get(f"{PATH}{query}").status == 422


def test_a_header_that_names_another_clinic_finds_nothing(cast, api):
    assert api(None, cast.nord).get(f"{PATH}?slug=clinica-sud").status == 404
    assert api(None, cast.sud).get(f"{PATH}?slug=clinica-sud").status == 200


def test_a_token_that_is_sent_must_be_valid(cast, api):
    assert api().get(f"{PATH}?slug=clinica-sud", Authorization="Bearer nonsense").status == 401


SYSTEM_SUPERADMIN = SYSTEM.__class__(kind="system", id="tests", name="tests", is_superadmin=True)
