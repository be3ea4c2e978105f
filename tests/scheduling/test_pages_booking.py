"""The steps of the booking page as a browser without script sees them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.organizations.models import Organization
from apps.scheduling.models import Appointment, AppointmentTemplate, Claim, Hold
from restartix.kernel import dates
from restartix.kernel.tenancy import acting_for
from tests.scheduling.browsing import CONTACT, FILLED, Browser, hidden, lapse, rows, times
from tests.scheduling.world import BUILDER, Clinic, hold, next_weekday, z
from tests.scheduling.world import Api as Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", specialists=2, phone="+40312345678", email="salut@example.org")


class TestTheServices:
    def test_are_listed_with_what_they_cost_and_who_gives_them(self, clinic: Clinic) -> None:
        clinic.template(50, name="Prima consultație", price="180.50", mode="in_person", location="Cabinetul 3")
        clinic.template(30, name="Control", price="0", mode="video")

        page = Browser(clinic).get()

        assert "Prima consultație" in page.text
        assert "180,50 lei" in page.text
        assert "La clinică, Cabinetul 3" in page.text
        assert "Gratuit" in page.text
        assert "Sara 0, Sara 1" in page.text

    def test_leave_out_what_is_not_public(self, clinic: Clinic) -> None:
        for name, fields in (("Deschis", {}), ("Ascuns", {"is_public": False}), ("Alt deschis", {})):
            clinic.template(30, name=name, **fields)

        assert "Ascuns" not in Browser(clinic).get().text
        assert Browser(clinic).get("ascuns/times/").status_code == 404

    def test_lead_on_where_there_is_no_choice(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)

        answer = browser.get(lang="en")

        assert answer["Location"] == f"{browser.home}t60/?lang=en"

    def test_say_so_where_there_are_none(self, clinic: Clinic) -> None:
        assert "nu se poate programa nimic" in Browser(clinic).get().text

    @pytest.mark.parametrize(
        "change", [{"status": "suspended"}, {"deleted_at": datetime.now(UTC)}, {"slug": "elsewhere"}]
    )
    def test_of_a_clinic_that_is_not_served_are_not_found(self, clinic: Clinic, change: dict[str, Any]) -> None:
        clinic.template()
        Organization.objects.filter(pk=clinic.organization.pk).update(**change)

        answer = Browser(clinic).get()

        assert answer.status_code == 404
        assert "Clinica Mobil" not in answer.text


class TestTheSpecialists:
    def test_are_listed_with_their_next_free_time(self, clinic: Clinic) -> None:
        clinic.template()

        page = Browser(clinic).get("t60/")

        assert "Oricine este liber primul" in page.text
        assert page.text.count("prima oră liberă:") == 3

    def test_are_no_question_where_there_is_one(self) -> None:
        alone = Clinic.make()
        alone.template()

        assert Browser(alone).get("t60/")["Location"].endswith("/t60/times/")

    def test_who_do_not_give_the_service_are_not_found(self, clinic: Clinic) -> None:
        clinic.template()

        assert Browser(clinic).get("t60/times/", **{"with": "999999"}).status_code == 404


class TestTheTimes:
    def test_are_the_next_ten_at_first(self, clinic: Clinic) -> None:
        clinic.template()

        assert len(times(Browser(clinic).get("t60/times/"))) == 10

    def test_of_a_day_are_told_by_its_parts(self, clinic: Clinic) -> None:
        clinic.template()
        day = next_weekday(2)

        page = Browser(clinic).get("t60/times/", day=day.date().isoformat())

        assert len(times(page)) == 8
        assert "Dimineața" in page.text
        assert "După-amiaza" in page.text
        assert "Seara" not in page.text

    def test_are_counted_in_the_calendar(self, clinic: Clinic) -> None:
        clinic.template()
        day = next_weekday(2)

        page = Browser(clinic).get("t60/times/", month=f"{day:%Y-%m}")

        cell = re.search(rf'data-day="{day:%Y-%m-%d}".*?</a>', page.text)
        assert cell is not None
        assert (
            re.sub(r"<[^>]+>", "", cell[0].partition(">")[2])
            == f"miercuri, {dates.long_day(day.date(), 'ro')[10:]}: 8 ore libere"
        )

    @pytest.mark.parametrize(
        "query", [{"day": "yesterday"}, {"day": "2026-02-31"}, {"month": "9999-99"}, {"month": "1990-01"}]
    )
    def test_bear_any_address(self, clinic: Clinic, query: dict[str, str]) -> None:
        clinic.template()

        assert Browser(clinic).get("t60/times/", **query).status_code == 200

    def test_that_nobody_has_are_said_to_be_none(self) -> None:
        idle = Clinic.make(weekly=[])
        idle.template()

        page = Browser(idle).get("t60/times/")

        assert "Momentan nu sunt ore libere" in page.text
        assert not times(page)


class TestKeepingATime:
    def test_asks_for_the_details_and_tells_the_token_in_the_form_only(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)

        answer = browser.post("t60/hold/", start=z(next_weekday(2)))
        form = hidden(answer, "details")

        assert len(form["token"]) == 43
        assert rows(clinic, Hold)[0].hold_id.hex == form["hold"].replace("-", "")
        assert not [url for url in re.findall(r'(?:href|action)="([^"]*)"', answer.text) if form["token"] in url]
        assert "păstrată pentru dumneavoastră până la" in answer.text

    def test_of_one_specialist_keeps_that_one(self, clinic: Clinic) -> None:
        clinic.template()
        wanted = clinic.specialists[1]

        Browser(clinic).keep(next_weekday(2), **{"with": str(wanted.pk)})

        assert rows(clinic, Hold)[0].specialist_id == wanted.pk

    def test_gives_back_the_one_before(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        first = browser.keep(next_weekday(2))

        browser.keep(next_weekday(2, 9), hold=first["hold"], token=first["token"])

        assert [each.status for each in rows(clinic, Hold)] == ["released", "live"]

    def test_is_over_when_another_is_chosen(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))

        answer = browser.post("t60/release/", hold=form["hold"], token=form["token"])

        assert answer["Location"].endswith("/t60/times/")
        assert not rows(clinic, Claim)

    def test_needs_the_token_to_be_given_back(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))

        browser.post("t60/release/", hold=form["hold"], token="x" * 43)

        assert rows(clinic, Hold)[0].status == "live"

    def test_longer_keeps_what_was_typed(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))

        answer = browser.post("t60/details/", **form, **CONTACT, keep="1")

        assert answer.status_code == 200
        assert 'value="0721 000 111"' in answer.text
        assert "Mai lipsește ceva" not in answer.text

    def test_that_is_gone_shows_the_nearest_and_loses_nothing(self, clinic: Clinic) -> None:
        template, start = clinic.template(), next_weekday(2, 9)
        for _ in clinic.specialists:
            assert hold(Wire(), template, z(start)).status == 201

        answer = Browser(clinic).post("t60/hold/", start=z(start), **CONTACT)

        assert answer.status_code == 409
        assert "tocmai a fost luată" in answer.text
        assert {z(start - timedelta(hours=1)), z(start + timedelta(hours=1))} < set(times(answer))
        assert z(start) not in times(answer)
        assert hidden(answer, "times")["name"] == "Maria Ionescu"

    def test_that_never_was_one_shows_the_nearest(self, clinic: Clinic) -> None:
        clinic.template()

        answer = Browser(clinic).post("t60/hold/", start=z(next_weekday(2) + timedelta(minutes=7)))

        assert answer.status_code == 409
        assert len(times(answer)) == 6

    def test_that_is_long_past_shows_the_next_ones(self, clinic: Clinic) -> None:
        clinic.template()

        assert len(times(Browser(clinic).post("t60/hold/", start="2020-01-06T09:00:00Z"))) == 10

    @pytest.mark.parametrize("start", ["", "soon", "2026-12-07T09:00:00"])
    def test_without_a_time_goes_back_to_the_times(self, clinic: Clinic, start: str) -> None:
        clinic.template()

        assert Browser(clinic).post("t60/hold/", start=start)["Location"].endswith("/t60/times/")

    def test_too_often_is_explained(self, clinic: Clinic) -> None:
        clinic.template()
        browser, client = Browser(clinic), "0d9f6a52-5b0e-4d4e-8b8a-7a8c2b1f0c33"
        for hour in (7, 8, 9):
            browser.keep(next_weekday(2, hour), client=client)

        answer = browser.post("t60/hold/", start=z(next_weekday(2, 10)), client=client)

        assert answer.status_code == 409
        assert "Păstrați deja 3 ore" in answer.text


class TestBooking:
    def book(self, clinic: Clinic, browser: Browser | None = None, **more: str) -> Any:
        browser = browser or Browser(clinic)
        form = browser.keep(next_weekday(2))
        return browser.post("t60/details/", **{**form, **FILLED, **more})

    def test_makes_the_appointment_and_shows_it(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)

        answer = self.book(clinic, browser, notes="Genunchiul stâng", zone="Europe/Berlin", lang="en")

        (made,) = rows(clinic, Appointment)
        assert (made.status, made.source) == ("booked", "public")
        assert (made.contact_name, made.contact_email) == ("Maria Ionescu", "Maria@example.org")
        assert made.contact_phone == "+40721000111"
        assert (made.patient_notes, made.timezone, made.locale) == ("Genunchiul stâng", "Europe/Berlin", "en")
        assert [consent["type"] for consent in made.booking_consents] == ["privacy_policy"]
        page = browser.follow(answer)
        assert "Your appointment is booked" in page.text
        assert "Maria@example.org" in page.text

    def test_twice_with_the_same_details_is_one_appointment(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))

        answers = [browser.post("t60/details/", **form, **FILLED) for _ in range(2)]

        assert answers[0]["Location"] == answers[1]["Location"]
        assert len(rows(clinic, Appointment)) == 1

    def test_with_other_details_afterwards_is_refused(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))
        browser.post("t60/details/", **form, **FILLED)

        answer = browser.post("t60/details/", **form, **{**FILLED, "name": "Ana Pop"})

        assert answer.status_code == 409
        assert "deja făcută" in answer.text

    def test_without_details_says_what_is_missing_with_links_to_it(self, clinic: Clinic) -> None:
        clinic.template()

        answer = self.book(clinic, name="", email="maria", phone="12", agree_privacy_policy="")

        assert answer.status_code == 422
        for name in ("name", "email", "phone"):
            assert re.search(rf'<a href="#{name}">[^<]+</a>', answer.text)
            assert re.search(
                rf'id="{name}"[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]*{name}-error', answer.text
            )
        assert "+40 712 034 567" in answer.text
        assert not rows(clinic, Appointment)

    def test_needs_the_privacy_policy_where_the_clinic_requires_it(self, clinic: Clinic) -> None:
        clinic.template()

        answer = self.book(clinic, agree_privacy_policy="")

        assert answer.status_code == 422
        assert 'href="#agree_privacy_policy"' in answer.text

    def test_asks_for_no_consent_where_none_is_required(self) -> None:
        easy = Clinic.make(settings={"required_consents": []})
        easy.template()
        browser = Browser(easy)
        form = browser.keep(next_weekday(2))

        answer = browser.post("t60/details/", **form, **CONTACT)

        assert answer.status_code == 303
        assert rows(easy, Appointment)[0].booking_consents == []

    def test_shows_where_the_policies_are_read(self) -> None:
        policies = {"privacy_policy": {"version": "2026-01", "url": "https://example.org/policy"}}
        clinic = Clinic.make(settings={"policies": policies})
        clinic.template()
        browser = Browser(clinic)

        assert 'href="https://example.org/policy"' in browser.post("t60/hold/", start=z(next_weekday(2))).text

    def test_succeeds_although_the_clinic_took_the_service_off_the_page_meanwhile(self, clinic: Clinic) -> None:
        template, browser = clinic.template(), Browser(clinic)
        form = browser.keep(next_weekday(2))
        with acting_for(clinic.organization.pk, actor=BUILDER):
            AppointmentTemplate.objects.filter(pk=template.pk).update(is_public=False)

        assert browser.post("t60/details/", **form).status_code == 422
        assert browser.post("t60/details/", **form, **FILLED).status_code == 303

    def test_after_the_hold_lapsed_succeeds_while_the_time_is_free(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))
        lapse(clinic)

        assert browser.post("t60/details/", **form, **FILLED).status_code == 303
        assert len(rows(clinic, Appointment)) == 1

    def test_after_the_hold_lapsed_and_somebody_else_came_keeps_what_was_typed(self) -> None:
        alone = Clinic.make()
        template, start, browser = alone.template(), next_weekday(2), Browser(alone)
        form = browser.keep(start)
        lapse(alone)
        assert hold(Wire(), template, z(start)).status == 201

        answer = browser.post("t60/details/", **form, **FILLED)

        assert answer.status_code == 409
        assert "nu s-au pierdut" in answer.text
        assert hidden(answer, "times")["agree_privacy_policy"] == "on"

    @pytest.mark.parametrize("change", [{"token": "x" * 43}, {"token": ""}, {"hold": "no"}])
    def test_without_the_token_goes_back_to_the_times(self, clinic: Clinic, change: dict[str, str]) -> None:
        clinic.template()
        browser = Browser(clinic)
        form = {**browser.keep(next_weekday(2)), **change}

        assert browser.post("t60/details/", **form, **FILLED)["Location"].endswith("/t60/times/")
        assert not rows(clinic, Appointment)

    @pytest.mark.parametrize("name", ["a\x00b", "a" * 201])
    def test_of_unprintable_or_endless_text_is_refused(self, clinic: Clinic, name: str) -> None:
        clinic.template()

        assert self.book(clinic, name=name).status_code == 422
