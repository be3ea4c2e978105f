"""The waiting list in the back office."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.scheduling.models import AppointmentTemplate, WaitlistEntry
from tests.admin.office import template, waits
from tests.make.organizations import within

LIST = "/admin/scheduling/waitlistentry/"


@pytest.fixture
def offered(cast) -> AppointmentTemplate:
    return template(cast.sud, cast.sara.specialist)


def test_shows_who_waits_for_what_and_how_to_reach_them(cast, office, offered) -> None:
    entry = waits(cast.sud, offered, "Ioana Radu")

    page = office(cast.mara).get(LIST)
    detail = office(cast.mara).get(f"{LIST}{entry.pk}/change/")

    for shown in (page, detail):
        assert shown.status == 200
        for text in ("Ioana Radu", "ioana@example.org", "+40721000222", offered.name):
            assert text in shown.text


def test_the_desk_takes_somebody_off(cast, office, offered) -> None:
    entry = waits(cast.sud, offered)
    desk = office(cast.mara)

    asked = desk.get(f"{LIST}moves/remove/?ids={entry.pk}")
    done = desk.post(f"{LIST}moves/remove/?ids={entry.pk}", {})
    again = desk.post(f"{LIST}moves/remove/?ids={entry.pk}", {})

    assert "Ioana Radu" in asked.text
    assert done.messages[0].startswith("success")
    assert again.messages[0].startswith("error")
    with within(cast.sud):
        assert WaitlistEntry.objects.get().status == "removed"


def test_a_specialist_sees_their_own_and_takes_nobody_off(cast, office, offered) -> None:
    entry = waits(cast.sud, offered, "Ioana Radu")
    with within(cast.sud):
        WaitlistEntry.objects.filter(pk=entry.pk).update(specialist=cast.sara.specialist)

    assert "Ioana Radu" in office(cast.sara).get(LIST).text
    assert office(cast.sara).get(f"{LIST}moves/remove/?ids={entry.pk}").status == 404


def test_can_be_narrowed_by_status_and_template(cast, office, offered) -> None:
    waits(cast.sud, offered, "Ioana Radu")
    desk = office(cast.mara)

    assert "Ioana Radu" in desk.get(f"{LIST}?status__exact=waiting&appointment_template={offered.pk}").text
    assert "Ioana Radu" not in desk.get(f"{LIST}?status__exact=removed").text


def test_costs_the_same_for_many_as_for_few(cast, office, offered) -> None:
    counts, desk = [], office(cast.mara)
    for first, last in ((0, 2), (2, 12)):
        for number in range(first, last):
            waits(cast.sud, offered, f"P{number} Pop")
        desk.get(LIST)
        with CaptureQueriesContext(connection) as statements:
            desk.get(LIST)
        counts.append(len(statements))

    assert counts[0] == counts[1]
