"""Every list of the back office: narrowed by one form, as fast with thirty rows as with three, and never a crash."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.models import ApiKey, IdentityEvent, Organization, Service, User
from apps.profiles.models import Patient
from apps.scheduling.models import Appointment, CalendarFeed, Claim
from tests.make import profiles
from tests.make.anything import any_row
from tests.make.organizations import within

site: Any = admin.site
LISTS = [pytest.param(page, id=page.opts.label_lower) for page in site._registry.values()]
#: Rows of no clinic: as many for everybody who may see them, so their lists are read in tests of their own.
PLATFORMS = {User, Organization, IdentityEvent}
#: What every kind of filter may be asked instead of one of its choices.
HOSTILE = ["\x00", "-1", "9" * 30, "2026-13-40", "a" * 300 + "🦴", "1,2"]


def _keys(clinic: Any) -> Iterator[Any]:
    for service in Service.values:
        with within(clinic):
            yield ApiKey.objects.create(service=service, api_key="secret")


#: Rows that their columns alone do not make.
MADE: dict[Any, Callable[[Any], Iterator[Any]]] = {
    Patient: lambda clinic: (profiles.patient(clinic, f"Patient {number}") for number in itertools.count()),
    Claim: lambda clinic: (any_row(Appointment, clinic) for _number in itertools.count()),
    ApiKey: _keys,
}


def _address(page: Any) -> str:
    return f"/admin/{page.opts.app_label}/{page.opts.model_name}/"


def _rows(page: Any, clinic: Any) -> Iterator[Any]:
    """Row after row of the page's model, in a clinic."""
    yield from MADE.get(page.model, lambda _: (any_row(page.model, clinic) for _number in itertools.count()))(clinic)


@pytest.mark.parametrize("page", [page for page in LISTS if page.values[0].model not in PLATFORMS])
def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_three(page, cast, office):
    root, rows = office(cast.root, cast.sud), _rows(page, cast.sud)

    made = len(list(itertools.islice(rows, 3)))
    few = _queries(root, _address(page))
    made += len(list(itertools.islice(rows, 21)))  # a page shows 25
    many = _queries(root, _address(page))

    assert made > 7
    assert many == few


def _queries(who: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        page = who.get(path)
    assert page.status == 200
    return len(found)


@pytest.mark.parametrize("page", LISTS)
@pytest.mark.parametrize("wide", [False, True], ids=["in a clinic", "over all clinics"])
def test_every_filter_of_a_list_can_be_applied_with_every_other(page, wide, cast, office):
    root = office(cast.root, None if wide else cast.sud)
    shown = root.get(_address(page))
    controls = _controls(shown.html)

    for turn in range(max((len(options) for _name, options in controls), default=0)):
        chosen = [(name, options[turn % len(options)]) for name, options in controls if options]
        answer = root.client.get(f"{_address(page)}?{urlencode([('_apply', '1'), *chosen])}")
        assert answer.status_code == 302
        assert "_apply" not in answer.url
        assert "=&" not in answer.url + "&"
        narrowed = root.get(answer.url)
        assert narrowed.status == 200
        assert "does not know" not in narrowed.text, (answer.url, chosen)
        said = {name for name, value in chosen if value and name != "_pick"}
        assert said <= set(parse_qs(answer.url.partition("?")[2]))
        assert len(re.findall(r'<ul class="chips"', narrowed.html)) == bool([value for _name, value in chosen if value])


def _controls(html: str) -> list[tuple[str, list[str]]]:
    """The form's filters: name and offered values."""
    form = re.search(r'<form class="list-tools".*?</form>', html, re.DOTALL)
    if form is None:
        return []
    found = [
        (name, [unescape(value) for value in re.findall(r'<option value="(.*?)"', inner)])
        for name, inner in re.findall(r'<select name="(.*?)".*?>(.*?)</select>', form[0], re.DOTALL)
    ]
    boxes: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="checkbox" name="(.*?)" value="(.*?)"', form[0]):
        boxes.setdefault(name, []).append(unescape(value))
    days = re.findall(r'type="date" name="(.*?)"', form[0])
    return [*found, *boxes.items(), *((name, ["2026-11-02"]) for name in days)]


@pytest.mark.parametrize("page", LISTS)
def test_no_value_of_a_filter_breaks_a_list_or_passes_for_none(page, cast, office):
    root = office(cast.root, cast.sud)
    names = {name for name, _options in _controls(root.get(_address(page)).html)} - {"_pick"}

    for name in names:
        for value in HOSTILE:
            answer = root.get(_address(page), **{name: value})
            assert answer.status == 200, (name, value)
            assert "does not know" in answer.text or '<ul class="chips"' in answer.html, (name, value)


@pytest.mark.parametrize("page", LISTS)
def test_a_parameter_that_is_not_the_lists_own_is_refused_in_words(page, cast, office):
    root = office(cast.root, cast.sud)

    for query in ({"password__startswith": "p"}, {"organization__slug": "x"}, {"id__gt": 1}, {"nonsense": 1}):
        assert "does not know" in root.get(_address(page), **query).text
    for query in (
        {"o": "99.-99.x.²"},
        {"p": "9" * 5000},
        {"p": -1},
        {"all": ""},
        {"e": 1},
        {"_popup": 1},
        {"_to_field": "password"},
        {"_facets": 1},
        {"view": "\x00"},
        {"view": "9" * 40},
        {"q": "\x00"},
        {"q": "x" * 3000},
        {"q": "ș" * 150},
        {"q": " '\"\\%_ "},
        {"_apply": 1, "_pick": "%00=%00&a=b&&&="},
        {"_apply": 1, "q": "\x00"},
    ):
        assert root.get(_address(page), **query).status == 200, query


def test_a_filter_is_taken_back_by_its_chip_and_the_others_stay(cast, office):
    ion = office(cast.ion)
    path = "/admin/scheduling/appointment/"
    both = ion.get(f"{path}?status__exact=booked&status__exact=upcoming&mode__exact=video&q=pop")

    chips = re.search(r'<ul class="chips".*?</ul>', both.html, re.DOTALL)[0]
    ways_out = {text: unescape(href) for href, text in re.findall(r'<a href="(.*?)">.*?</span> (?!<)(.*?)<svg', chips)}

    assert len(ways_out) == 4
    without_search = parse_qs(ways_out["pop"][1:])
    assert without_search == {"status__exact": ["booked", "upcoming"], "mode__exact": ["video"]}


def test_days_are_counted_on_the_clinics_calendar(cast, office, time_machine):
    with within(cast.sud):
        Patient.objects.filter(pk=cast.ana.patient.pk).update(
            created_at=datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # the 24th in Bucharest
        )
    time_machine.move_to(datetime(2026, 11, 24, 10, 0, tzinfo=UTC), tick=True)
    ion = office(cast.ion)
    path, name = "/admin/profiles/patient/", cast.ana.patient.person.name

    assert name in ion.get(path, created_at__days="today").text
    assert name not in ion.get(path, created_at__days="yesterday").text
    assert name in ion.get(path, created_at__days="month").text
    assert name not in ion.get(path, created_at__days="previous").text
    assert name in ion.get(path, created_at__from="2026-11-24", created_at__until="2026-11-24").text
    assert name not in ion.get(path, created_at__until="2026-11-23").text


def test_names_stand_as_in_a_telephone_book(cast, office):
    expected = ["Azamfir Io", "Ăpostol Ia", "Émile Zo", "stan Dan", "Szabo Ana", "Ștefan Sz", "Țara Zoe", "Zoe Ilie"]
    for name in sorted(expected):
        person = profiles.specialist(cast.nord, name)
        with within(cast.nord):
            CalendarFeed.objects.create(specialist=person, token_digest=name.encode())
    nora = office(cast.nora)

    people = nora.get("/admin/profiles/specialist/").text
    feeds = nora.get("/admin/scheduling/calendarfeed/", o="-1").text

    assert sorted(expected, key=people.index) == expected
    assert sorted(expected, key=feeds.index) == expected[::-1]
