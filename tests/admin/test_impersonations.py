"""Acting as a patient in the back office: the reason, the token that is shown once, the banner, the stop button."""

from __future__ import annotations

import re

import pytest

from apps.profiles.models import Impersonation
from tests.client import Api
from tests.make.organizations import within

REASON = "The form does not open"


def begin_url(person):
    return f"/admin/patients/{person.patient.pk}/impersonate/"


@pytest.fixture
def ion(cast, office):
    """An admin of the clinic at work."""
    return office(cast.ion)


@pytest.fixture
def shown(cast, ion):
    """The page with the token."""
    return ion.post(begin_url(cast.ana), {"reason": REASON})


def stored(organization):
    with within(organization):
        return Impersonation.objects.get()


def token_on(page):
    return re.search(r'<pre id="code-secret"[^>]*><code>([^<]+)</code>', page.html)[1]


def test_it_begins_on_the_patients_sheet(cast, ion):
    assert begin_url(cast.ana) in ion.get(f"/admin/patients/{cast.ana.patient.pk}/").html


def test_the_token_that_is_shown_opens_the_patients_account(cast, shown):
    me = Api(token_on(shown)).get("/v1/me").data

    assert me["patient_id"] == cast.ana.patient.pk
    assert me["impersonation"]["actor"]["id"] == cast.ion.user.pk


def test_the_token_is_shown_once(cast, ion, shown):
    again = ion.get(f"/admin/impersonations/{stored(cast.sud).pk}/token/")

    assert again.status == 404
    assert token_on(shown) not in again.html


def test_a_short_reason_is_asked_again(cast, ion):
    page = ion.post(begin_url(cast.ana), {"reason": "short"})

    assert "field-error" in page.html
    with within(cast.sud):
        assert not Impersonation.objects.exists()


def test_the_fourth_is_told_how_long_to_wait(cast, ion):
    for _ in range(3):
        ion.post(begin_url(cast.ana), {"reason": REASON})

    assert "Try again in" in ion.post(begin_url(cast.ana), {"reason": REASON}).text


@pytest.mark.parametrize("path", ["/admin/", "/admin/profiles/specialist/", "/admin/profiles/impersonation/"])
def test_every_page_says_that_it_goes_on_and_stops_it(cast, ion, shown, path):
    page = ion.get(path)
    stop = f"/admin/impersonations/{stored(cast.sud).pk}/stop/"

    assert "You can act as Ana Pop now." in page.text
    assert "59 min left" in page.text
    ion.post(stop, {"next": path})
    assert "You can act as" not in ion.get(path).text
    assert stored(cast.sud).ended_reason == "ended"
    assert Api(token_on(shown)).get("/v1/me").status == 401


def test_colleagues_see_no_banner_but_the_list(cast, office, shown):
    page = office(cast.vera, cast.sud).get("/admin/profiles/impersonation/")

    assert "You can act as" not in page.text
    assert REASON in page.text
    assert "goes on" in page.text


@pytest.mark.parametrize("who", ["sara", "mara"])
def test_the_desk_and_specialists_have_none_of_it(cast, office, shown, who):
    theirs = office(getattr(cast, who))

    assert theirs.get("/admin/profiles/impersonation/").status == 403
    assert theirs.get(begin_url(cast.ana)).status == 403
    assert theirs.post(f"/admin/impersonations/{stored(cast.sud).pk}/stop/").status == 403
    assert begin_url(cast.ana) not in theirs.get(f"/admin/patients/{cast.ana.patient.pk}/").html


def test_another_clinics_is_not_there(cast, office, shown):
    nora = office(cast.nora)

    assert nora.get(begin_url(cast.ana)).status == 404
    assert nora.post(f"/admin/impersonations/{stored(cast.sud).pk}/stop/").status == 404
    assert REASON not in nora.get("/admin/profiles/impersonation/").text


def test_a_superadmin_sees_and_stops_those_of_every_clinic(cast, office, shown):
    root = office(cast.root)
    root.post("/admin/workplace/", {"workplace": "all"})
    page = root.get("/admin/impersonations/active/")

    assert "Ion Admin as Ana Pop Clinica Sud" in page.text
    root.post(f"/admin/impersonations/{stored(cast.sud).pk}/stop/", {"next": "/admin/impersonations/active/"})
    assert stored(cast.sud).ended_reason == "ended"
    assert "Nobody acts as a patient now." in root.get("/admin/impersonations/active/").text


def test_nothing_of_one_is_edited(cast, ion, shown):
    page = ion.get(f"/admin/profiles/impersonation/{stored(cast.sud).pk}/change/")

    assert page.status == 200
    assert 'name="reason"' not in page.html
