"""Which page opens for which role."""

from __future__ import annotations

import pytest

STAFF = {"specialist", "customer_support", "admin", "superadmin"}
DESK = STAFF - {"specialist"}
ADMINS = {"admin", "superadmin"}

PAGES = {
    "/admin/": STAFF,
    "/admin/today/": STAFF,
    "/admin/today/board/": STAFF,
    "/admin/today/print/": STAFF,
    "/admin/my-day/": STAFF - {"customer_support"},
    "/admin/hours/": STAFF,
    "/admin/free/": STAFF,
    "/admin/free/patients/": STAFF,
    "/admin/why/": STAFF,
    "/admin/scheduling/appointment/": STAFF,
    "/admin/scheduling/appointmenttemplate/": STAFF,
    "/admin/scheduling/appointmenttemplate/add/": ADMINS,
    "/admin/scheduling/hold/": DESK,
    "/admin/scheduling/holdevent/": DESK,
    "/admin/scheduling/claim/": DESK,
    "/admin/scheduling/calendarfeed/": ADMINS,
    "/admin/find/": STAFF,
    "/admin/profiles/patient/": STAFF,
    "/admin/profiles/patient/add/": ADMINS,
    "/admin/profiles/consentrecord/": STAFF,
    "/admin/profiles/consentrecord/add/": STAFF,
    "/admin/profiles/patientpersonmanager/": STAFF,
    "/admin/profiles/patientpersonmanager/add/": DESK,
    "/admin/profiles/specialist/": STAFF,
    "/admin/profiles/specialist/add/": ADMINS,
    "/admin/profiles/specialty/": STAFF,
    "/admin/profiles/specialty/add/": ADMINS,
    "/admin/organizations/organization/": DESK,
    "/admin/organizations/organization/add/": {"superadmin"},
    "/admin/organizations/membership/": DESK,
    "/admin/organizations/membership/add/": ADMINS,
    "/admin/organizations/user/": {"superadmin"},
    "/admin/organizations/user/add/": set(),
    "/admin/organizations/webhooksubscription/": ADMINS,
    "/admin/organizations/webhooksubscription/add/": ADMINS,
    "/admin/organizations/webhookdelivery/": ADMINS,
    "/admin/organizations/webhookdelivery/add/": set(),
    "/admin/scheduling/appointment/add/": STAFF,
    "/admin/scheduling/hold/add/": set(),
}


@pytest.fixture
def people(cast):
    return {"specialist": cast.sara, "customer_support": cast.mara, "admin": cast.ion, "superadmin": cast.root}


@pytest.mark.parametrize("role", sorted(STAFF))
def test_a_page_opens_for_the_roles_that_its_table_names(role, people, cast, office):
    person = office(people[role], cast.sud)

    opened = {path for path in PAGES if person.get(path).status == 200}

    assert opened == {path for path, roles in PAGES.items() if role in roles}


def test_who_may_only_read_a_clinics_card_sees_it_without_its_rules(cast, office):
    page = office(cast.mara).get(f"/admin/organizations/organization/{cast.sud.pk}/change/")

    assert page.status == 200
    assert "Clinica Sud" in page.text
    assert "Rules of the clinic" not in page.text


def test_the_navigation_links_to_nothing_that_does_not_open(people, cast, office):
    import re

    for person in people.values():
        browser = office(person, cast.sud)
        links = re.findall(r'class="side-link[^"]*" href="([^"]+)"', browser.get("/admin/").html)
        assert links
        assert {link: browser.get(link).status for link in links} == dict.fromkeys(links, 200)


def test_a_page_of_an_app_lists_what_the_person_may_open(cast, office):
    assert "Holds" in office(cast.mara).get("/admin/scheduling/").text
    assert "Holds" not in office(cast.sara).get("/admin/scheduling/").text
    assert office(cast.sara).get("/admin/documents/").status == 404
