"""The waiting list on the booking page: asked for without script, seen and left by one's own link."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.scheduling.models import AppointmentTemplate, WaitlistEntry
from restartix.kernel.tenancy import acting_for
from tests.scheduling.browsing import FILLED, Browser, hidden, rows
from tests.scheduling.world import BUILDER, Clinic, next_weekday

pytestmark = pytest.mark.django_db
TODAY = datetime.now(ZoneInfo("Europe/Bucharest")).date()
DAYS = {"date_from": TODAY.isoformat(), "date_to": (TODAY + timedelta(days=10)).isoformat()}


@pytest.fixture
def clinic() -> Clinic:
    clinic = Clinic.make(specialists=2)
    clinic.template(slug="t60")
    return clinic


@pytest.fixture
def browser(clinic: Clinic) -> Browser:
    return Browser(clinic, **{"accept-language": "en"})


def joined(browser: Browser, **more: str) -> Any:
    form = hidden(browser.get("t60/wait/"), "wait")
    return browser.follow(browser.post("t60/wait/", **{**form, **FILLED, **DAYS, **more}))


def own_page(answer: Any) -> tuple[str, str]:
    """The address of one's own entry below the clinic's, and its token."""
    path = re.search(r'action="[^"]*?/(waiting/[0-9a-f-]+/)', answer.text)
    return path[1], re.search(r'name="token" value="([^"]+)"', answer.text)[1]  # type: ignore[index]


def test_a_page_of_free_times_leads_to_the_list_quietly(browser: Browser) -> None:
    page = browser.get("t60/times/")

    assert f'<a href="{browser.home}t60/wait/">Tell me when a time becomes free' in page.text


def test_a_page_without_free_times_leads_to_it_at_once(clinic: Clinic, browser: Browser) -> None:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        for person in clinic.specialists:
            person.weekly = []
            person.save()

    page = browser.get("t60/times/")

    assert "No free times at the moment" in page.text
    assert f'<a class="button" href="{browser.home}t60/wait/">' in page.text


def test_whoever_fills_in_the_form_is_on_the_list(clinic: Clinic, browser: Browser) -> None:
    page = joined(browser)

    (entry,) = rows(clinic, WaitlistEntry)
    assert "You are on the waiting list" in page.text
    assert "Maria@example.org" in page.text
    assert (entry.contact_name, entry.contact_phone, entry.locale) == ("Maria Ionescu", "+40721000111", "en")
    assert (entry.date_from.isoformat(), entry.date_to.isoformat()) == (DAYS["date_from"], DAYS["date_to"])
    assert entry.specialist is None
    assert [each["type"] for each in entry.consents] == ["privacy_policy"]


def test_the_specialist_who_was_chosen_goes_along(clinic: Clinic, browser: Browser) -> None:
    sara = clinic.specialists[0]
    page = browser.get("t60/wait/", **{"with": str(sara.pk)})

    browser.post("t60/wait/", **{**hidden(page, "wait"), **FILLED, **DAYS})

    (entry,) = rows(clinic, WaitlistEntry)
    assert entry.specialist_id == sara.pk


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"email": ""}, "Enter your e-mail address: we write there"),
        ({"date_from": "2020-01-01"}, "Choose a day that is not over yet"),
        ({"date_to": (TODAY + timedelta(days=93)).isoformat()}, "Choose at most 92 days"),
        ({"date_from": (TODAY + timedelta(days=2)).isoformat(), "date_to": TODAY.isoformat()}, "comes before"),
        ({"date_to": "soon"}, "Enter a day in the right form"),
        ({"phone": "12"}, "Enter a phone number"),
        ({"agree_privacy_policy": ""}, "Tick the box"),
    ],
)
def test_mistakes_are_explained_and_nothing_typed_is_lost(
    clinic: Clinic, browser: Browser, wrong: dict[str, str], told: str
) -> None:
    sent = {**FILLED, **DAYS, **wrong}

    page = browser.post("t60/wait/", **{name: value for name, value in sent.items() if value})

    assert page.status_code == 422
    assert told in page.text
    assert 'value="Maria Ionescu"' in page.text
    assert rows(clinic, WaitlistEntry) == []


def test_ones_own_page_takes_one_off_and_puts_one_back(clinic: Clinic, browser: Browser) -> None:
    path, token = own_page(joined(browser))

    left = browser.follow(browser.post(path, token=token, leave="1"))
    assert "You are no longer on the waiting list" in left.text
    back = browser.follow(browser.post(path, token=token, again="1"))

    assert "You are on the waiting list" in back.text
    assert [each.status for each in rows(clinic, WaitlistEntry)] == ["removed", "waiting"]


def test_ones_own_page_is_nobody_elses(browser: Browser) -> None:
    path, token = own_page(joined(browser))

    assert browser.get(path).status_code == 404
    assert browser.get(path, token="wrong").status_code == 404
    assert browser.post(path, leave="1").status_code == 404
    assert browser.get(path, token=token).status_code == 200


def test_whoever_was_told_sees_of_what_and_may_go_on_waiting(clinic: Clinic, browser: Browser) -> None:
    path, token = own_page(joined(browser))
    start = next_weekday(1)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        WaitlistEntry.objects.update(
            status="notified", notified_at=start, notified_start=start, notified_specialist=clinic.specialists[0]
        )

    page = browser.get(path, token=token)

    assert "We have told you of a free time" in page.text
    assert f"{start.astimezone(ZoneInfo('Europe/Bucharest')):%H:%M}" in page.text
    assert f"t60/times/?day={start:%Y-%m-%d}" in page.text
    assert "You are on the waiting list" in browser.follow(browser.post(path, token=token, again="1")).text


def test_days_that_are_over_are_asked_for_anew(clinic: Clinic, browser: Browser) -> None:
    path, token = own_page(joined(browser))
    with acting_for(clinic.organization.pk, actor=BUILDER):
        WaitlistEntry.objects.update(status="expired", date_from="2026-01-01", date_to="2026-01-02")

    page = browser.get(path, token=token)
    assert "are over" in page.text
    assert 'name="again"' not in page.text
    assert browser.post(path, token=token, again="1")["Location"].endswith("/t60/wait/")


def test_a_service_that_is_gone_is_no_error(clinic: Clinic, browser: Browser) -> None:
    path, token = own_page(joined(browser))
    with acting_for(clinic.organization.pk, actor=BUILDER):
        AppointmentTemplate.objects.update(is_public=False)

    assert browser.get("t60/wait/").status_code == 404
    assert browser.post(path, token=token, again="1").status_code == 303


def test_ten_an_hour_are_enough_and_the_form_says_so(browser: Browser) -> None:
    sent = {**FILLED, **DAYS}
    answers = [browser.post("t60/wait/", **sent) for _ in range(11)]

    assert [each.status_code for each in answers] == [303] * 10 + [429]
    assert "Too many requests" in answers[-1].text
    assert int(answers[-1]["Retry-After"]) > 0
