"""What every page carries: who may frame it, its language, its limits, its small files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.organizations.models import Domain, Organization
from restartix.kernel.tenancy import acting_for
from tests.scheduling.browsing import FILLED, Browser, hidden, times
from tests.scheduling.world import BUILDER, Clinic, hold, next_weekday, z
from tests.scheduling.world import Api as Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", specialists=2, phone="+40312345678", email="salut@example.org")


class TestEveryAnswer:
    def pages(self, clinic: Clinic) -> list[Any]:
        browser = Browser(clinic)
        kept = browser.post("t60/hold/", start=z(next_weekday(2)))
        booked = browser.post("t60/details/", **hidden(kept, "details"), **FILLED)
        return [
            browser.get(),
            browser.get("t60/"),
            browser.get("t60/times/"),
            kept,
            browser.follow(booked),
            browser.get("no/"),
        ]

    def test_may_be_framed_by_verified_domains_only(self, clinic: Clinic) -> None:
        clinic.template()
        clinic.template(30)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            for name, status in (("mobil.ro", "verified"), ("pending.ro", "pending")):
                Domain.objects.create(
                    domain=name,
                    kind="clinic",
                    status=status,
                    record_value="x",
                    verified_at=datetime.now(UTC) if status == "verified" else None,
                )

        for page in self.pages(clinic):
            if page.status_code == 404:
                continue  # a 404 shows Django's own page while DEBUG is on, so the middleware leaves it alone
            policy = dict(part.split(" ", 1) for part in page["Content-Security-Policy"].split("; "))
            assert policy["frame-ancestors"] == "'self' mobil.ro"
            assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
            assert "X-Frame-Options" not in page

    def test_is_kept_nowhere_and_tells_no_other_site_its_address(self, clinic: Clinic) -> None:
        clinic.template()

        for page in self.pages(clinic):
            assert page["Cache-Control"] == "no-store"
            assert page["Referrer-Policy"] == "no-referrer"
            assert page["Content-Language"] == "ro"

    def test_asks_nothing_of_another_host(self, clinic: Clinic) -> None:
        clinic.template()

        for page in self.pages(clinic):
            assert not re.findall(r'(?:src|<link[^>]+href)="(?:https?:)?//', page.text)
            assert "style=" not in page.text
            assert not re.search(r"\son\w+=", page.text)


class TestTheLanguage:
    @pytest.mark.parametrize(
        ("locale", "header", "query", "language"),
        [
            ("ro", "", {}, "ro"),
            ("ro-MD", "", {}, "ro"),
            ("de", "", {}, "en"),
            ("ro", "fr;q=0.9, en-GB;q=0.8", {}, "en"),
            ("en", "ro-RO,ro;q=0.9,en;q=0.8", {}, "ro"),
            ("ro", "ro", {"lang": "en"}, "en"),
            ("ro", "ro", {"lang": "xx"}, "ro"),
        ],
    )
    def test_is_the_one_chosen_then_the_browsers_then_the_clinics(
        self, locale: str, header: str, query: dict[str, str], language: str
    ) -> None:
        clinic = Clinic.make(locale=locale)

        page = Browser(clinic, **{"accept-language": header}).get(**query)

        assert f'<html lang="{language}">' in page.text
        assert page["Content-Language"] == language

    def test_that_was_chosen_goes_along(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)

        page = browser.get("t60/times/", lang="en")
        kept = browser.post("t60/hold/", start=times(page)[0], lang=hidden(page, "times")["lang"])

        assert all("lang=en" in url for url in re.findall(r'class="swap" href="([^"]+)"', page.text))
        assert "Your details" in kept.text
        assert hidden(kept, "details")["lang"] == "en"

    def test_leads_to_the_same_page_in_the_other(self, clinic: Clinic) -> None:
        clinic.template()

        page = Browser(clinic).get("t60/times/", day="2027-01-04")

        assert re.search(r'href="[^"]*day=2027-01-04&lang=en" lang="en" hreflang="en"', page.text)


class TestTheLimits:
    def test_are_those_of_the_api_and_counted_together(self, clinic: Clinic, settings: Any) -> None:
        settings.BOOKING_LIMITS = {**settings.BOOKING_LIMITS, "hold": settings.BOOKING_LIMITS["hold"]._replace(limit=2)}
        template, browser = clinic.template(), Browser(clinic)
        assert hold(Wire(), template, z(next_weekday(2))).status == 201
        browser.keep(next_weekday(2))

        answer = browser.post("t60/hold/", start=z(next_weekday(2)))

        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        assert "O clipă" in answer.text
        assert hold(Wire(), template, z(next_weekday(3))).code == "rate_limited"

    def test_count_each_look_at_the_times(self, clinic: Clinic) -> None:
        clinic.template()
        browser = Browser(clinic)

        statuses = [browser.get("t60/times/").status_code for _ in range(31)]

        assert statuses == [200] * 30 + [429]

    def test_of_booking_leave_the_form_as_it_was(self, clinic: Clinic, settings: Any) -> None:
        settings.BOOKING_LIMITS = {**settings.BOOKING_LIMITS, "book": settings.BOOKING_LIMITS["book"]._replace(limit=1)}
        clinic.template()
        browser = Browser(clinic)
        first, second = browser.keep(next_weekday(2)), browser.keep(next_weekday(2, 9))
        assert browser.post("t60/details/", **first, **FILLED).status_code == 303

        answer = browser.post("t60/details/", **second, **FILLED)

        assert answer.status_code == 429
        assert 'value="Maria Ionescu"' in answer.text
        assert int(answer["Retry-After"]) > 60

    def test_do_not_count_a_form_that_is_not_filled_in(self, clinic: Clinic, settings: Any) -> None:
        settings.BOOKING_LIMITS = {**settings.BOOKING_LIMITS, "book": settings.BOOKING_LIMITS["book"]._replace(limit=1)}
        clinic.template()
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))
        for _ in range(3):
            assert browser.post("t60/details/", **form).status_code == 422

        assert browser.post("t60/details/", **form, **FILLED).status_code == 303


class TestTheSmallFiles:
    def test_stay_within_their_budgets(self) -> None:
        from restartix.environment import ROOT

        sizes = {path.name: path.stat().st_size for path in (ROOT / "static" / "booking").iterdir()}

        assert sizes["booking.js"] <= 10_000
        assert sizes["booking.css"] + 300 <= 12_000
        assert sizes["embed.js"] <= 2_000

    def test_put_the_page_into_a_clinics_own_site(self, clinic: Clinic) -> None:
        answer = Client().get(f"/book/{clinic.organization.slug}/embed.js")

        assert answer["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer["Cache-Control"] == "public, max-age=3600"
        assert b"event.origin !== address.origin" in answer.content
        assert Client().get("/book/nowhere/embed.js").status_code == 404

    def test_colour_the_page_as_the_clinic_does(self, clinic: Clinic) -> None:
        Organization.objects.filter(pk=clinic.organization.pk).update(primary_color="#C2410C")

        assert "/book/theme/C2410C.css" in Browser(clinic).get().text
        sheet = Client().get("/book/theme/C2410C.css")
        assert "--accent:#C2410C" in sheet.content.decode()
        assert not sheet.cookies
