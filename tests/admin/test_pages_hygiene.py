"""What every page keeps: no inline style or script, nothing from elsewhere; both languages."""

from __future__ import annotations

import re

import pytest

from tests.admin.office import appointment, hold, template

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)
OUTSIDE = re.compile(r'(?:src|href|action)="(?:https?:)?//')


@pytest.fixture
def paths(cast, monday):
    """Every kind of page."""
    offered = template(cast.sud, cast.sara.specialist)
    hold(cast.sud, offered, monday)
    visit = appointment(cast.sud, cast.sara.specialist, offered, monday.replace(hour=10))
    return [
        f"/admin/?date={monday.date()}",
        f"/admin/today/print/?date={monday.date()}&notes=1",
        "/admin/my-day/",
        f"/admin/specialists/{cast.sara.specialist.pk}/calendar/",
        "/admin/hours/",
        f"/admin/hours/{cast.sara.specialist.pk}/",
        "/admin/scheduling/",
        "/admin/scheduling/appointment/",
        f"/admin/scheduling/appointment/{visit.pk}/change/",
        f"/admin/scheduling/appointment/{visit.pk}/history/",
        f"/admin/scheduling/appointment/moves/cancel/?ids={visit.pk}",
        f"/admin/scheduling/appointmenttemplate/{offered.pk}/change/",
        f"/admin/scheduling/appointmenttemplate/{offered.pk}/delete/",
        f"/admin/patients/{visit.patient_id}/",
        f"/admin/profiles/patient/{visit.patient_id}/change/",
        f"/admin/profiles/consentrecord/add/?patient={visit.patient_id}",
        "/admin/profiles/specialist/?q=nobody",
        "/admin/forms/customfield/",
        f"/admin/patients/{cast.ana.patient.pk}/fields/",
        "/admin/organizations/membership/",
        "/admin/password_change/",
        "/admin/nowhere/",
    ]


@pytest.mark.parametrize("language", ["ro", "en"])
def test_no_page_has_inline_code_or_reaches_outside(paths, cast, office, language):
    ion = office(cast.ion, language=language)

    for path in paths:
        page = ion.get(path)
        assert INLINE.findall(page.html) == [], path
        assert OUTSIDE.findall(page.html) == [], path
        assert f'<html lang="{language}">' in page.html
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy


def test_pages_keep_out_of_caches(cast, office):
    assert "no-store" in office(cast.ion).get("/admin/scheduling/hold/").headers["Cache-Control"]


def test_the_language_is_chosen_by_a_button(cast, office):
    ion = office(cast.ion)

    page = ion.post("/admin/language/", {"language": "ro", "next": "/admin/hours/"})

    assert "Program de lucru" in page.text
    assert ion.post("/admin/language/", {"language": "xx", "next": "//evil.example"}).status == 200


def test_names_of_models_fields_and_choices_are_romanian(cast, office, paths):
    ion = office(cast.ion, language="ro")

    text = ion.get("/admin/scheduling/appointment/").text

    assert "Programări" in text
    assert "Urmează" in text
    assert "Pauza de după (minute)" in ion.get("/admin/scheduling/appointmenttemplate/add/").text


class TestWhenSomethingGoesWrong:
    def test_a_form_without_its_token_is_told_so_in_words(self, cast):
        from django.test import Client

        client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})

        answer = client.post("/admin/login/", {"username": "a@b.example", "password": "x"})

        assert answer.status_code == 403
        assert "Go back, load the page again" in answer.content.decode()

    def test_the_pages_of_last_resort_need_nothing_to_be_shown(self):
        from django.template.loader import render_to_string

        for template_name in ("404.html", "500.html", "403_csrf.html"):
            html = render_to_string(template_name)
            assert "<h1>" in html
            assert INLINE.findall(html) == []


def test_every_file_that_templates_name_is_there():
    from django.contrib.staticfiles import finders

    from restartix.environment import ROOT

    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""{% static ["']([^"']+)["'] %}""", path.read_text())
    }

    assert {name for name in named if finders.find(name) is None} == set()
    assert "restartix/tokens.css" in named
