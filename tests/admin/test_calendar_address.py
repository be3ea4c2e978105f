"""A specialist's calendar address: made by themself, shown once, revoked by them or an admin."""

from __future__ import annotations

import re

import pytest

from apps.scheduling.models import CalendarFeed
from tests.make.organizations import within

ADDRESS = re.compile(r"https?://[^<\s]+/v1/calendar-feeds/[\w-]{43}\.ics")


@pytest.fixture
def path(cast):
    return f"/admin/specialists/{cast.sara.specialist.pk}/calendar/"


def shown(page) -> str | None:
    found = ADDRESS.search(page.html)
    return found[0] if found else None


def test_is_shown_to_its_specialist_once_and_works(path, cast, office, api):
    sara = office(cast.sara)
    assert "no calendar reads these appointments" in sara.get(path).text

    page = sara.post(path, {"_issue": "1"})

    address = shown(page)
    assert address is not None
    assert 'data-copy="code-address"' in page.html
    assert shown(sara.get(path)) is None
    read = address.partition("/v1/")[2]
    assert api().get(f"/v1/{read}").status == 200
    assert "A calendar last read it on" in sara.get(path).text


def test_a_new_one_kills_the_old_one(path, cast, office, api):
    sara = office(cast.sara)
    first, second = (shown(sara.post(path, {"_issue": "1"})) for _time in range(2))

    answers = [api().get(f"/v1/{address.partition('/v1/')[2]}").status for address in (first, second)]

    assert answers == [404, 200]


def test_an_admin_revokes_it_and_never_sees_or_makes_one(path, cast, office):
    office(cast.sara).post(path, {"_issue": "1"})
    ion = office(cast.ion)

    assert shown(ion.get(path)) is None
    assert ion.post(path, {"_issue": "1"}).status == 403
    assert ion.post(path, {"_revoke": "1"}).messages == [
        "success: The address is revoked: calendars that read it get nothing any more."
    ]
    assert ion.post(path, {"_revoke": "1"}).messages == ["info: There was no address any more."]
    with within(cast.sud):
        assert not CalendarFeed.objects.exists()


def test_it_is_nobody_elses_business(path, cast, office):
    assert office(cast.mara).get(path).status == 403
    assert office(cast.sorin).get(path).status == 404
    assert office(cast.sara).get(f"/admin/specialists/{cast.tudor.specialist.pk}/calendar/").status == 403


def test_the_way_to_it_is_on_the_specialists_page_for_whoever_may_go_there(path, cast, office):
    own = f"/admin/profiles/specialist/{cast.sara.specialist.pk}/change/"
    colleague = f"/admin/profiles/specialist/{cast.tudor.specialist.pk}/change/"

    assert path in office(cast.sara).get(own).html
    assert path in office(cast.ion).get(own).html
    assert path not in office(cast.mara).get(own).html
    assert "/calendar/" not in office(cast.sara).get(colleague).html


def test_a_secret_of_another_page_is_not_shown_here(path, cast, office):
    """What waits to be shown once is kept by what it is, not by its number alone."""
    ion = office(cast.ion)
    ion.client.post(
        "/admin/organizations/webhooksubscription/add/",
        {"url": "https://hooks.example.org/x", "events": ["appointment.created"], "description": ""},
    )

    assert "whsec" not in ion.get(path).html
