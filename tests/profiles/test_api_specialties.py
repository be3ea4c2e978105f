"""Specialties over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.profiles.services import specialties
from restartix.kernel import clock
from tests.make import profiles

PATH = "/v1/specialties"


def one(specialty):
    return f"{PATH}/{specialty.pk}"


def test_are_made_by_admins_and_read_by_members(cast, api):
    made = api(cast.ion).post(PATH, {"title": "Kinetoterapie", "slug": "kinetoterapie"})

    assert made.status == 201
    assert made.headers["Location"] == f"{PATH}/{made.data['id']}"
    assert set(made.data) == {
        "id", "organization_id", "title", "slug", "specialists_count", "created_at", "updated_at",
    }  # fmt: skip
    assert made.data["specialists_count"] == 0
    assert api(cast.ana).get(f"{PATH}/{made.data['id']}").data == made.data
    assert api(cast.ana).get(PATH).data == [made.data]
    assert api(cast.nora).get(PATH).data == []
    assert api(cast.nora).get(f"{PATH}/{made.data['id']}").status == 404
    assert api(cast.mara).post(PATH, {"title": "x", "slug": "xx"}).status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x"}, "slug"),
        ({"slug": "xx"}, "title"),
        ({"title": "x", "slug": "x"}, "slug"),
        ({"title": " ", "slug": "xx"}, "title"),
        ({"title": "a" * 121, "slug": "xx"}, "title"),
    ],
)
def test_need_a_title_and_a_slug(cast, api, body, field):
    assert list(api(cast.ion).post(PATH, body).fields) == [field]


def test_keep_their_slugs_apart_within_a_clinic(cast, api):
    knee, back = profiles.specialty(cast.sud), profiles.specialty(cast.sud, "Spate", "spate")
    profiles.specialty(cast.nord)

    taken = api(cast.ion).put(one(back), {"slug": "kinetoterapie"})

    assert (taken.status, taken.details) == (409, {"field": "slug", "error": "already taken"})
    assert api(cast.ion).post(PATH, {"title": "x", "slug": "spate"}).status == 409
    assert api(cast.ion).put(one(knee), {"title": "Genunchi"}).data["title"] == "Genunchi"


def test_are_searched_and_sorted_by_title(cast, api):
    profiles.specialty(cast.sud, "Umăr", "umar")
    profiles.specialty(cast.sud, "Spate", "spate")
    titles = lambda query: [each["title"] for each in api(cast.ana).get(f"{PATH}{query}").data]  # noqa: E731

    assert titles("") == ["Spate", "Umăr"]
    assert titles("?sort=-title") == ["Umăr", "Spate"]
    assert titles("?search=UMAR") == ["Umăr"]
    assert titles("?slug=spate") == ["Spate"]


def test_are_deleted_once_nobody_practises_them(cast, api):
    ion, knee = api(cast.ion), profiles.specialty(cast.sud)
    ion.put(f"/v1/specialists/{cast.sara.specialist.pk}", {"specialty_ids": [knee.pk]})

    assert ion.get(one(knee)).data["specialists_count"] == 1
    refused = ion.delete(one(knee))
    assert (refused.status, refused.code, refused.details["specialists"]) == (409, "conflict", 1)

    ion.delete(f"/v1/specialists/{cast.sara.specialist.pk}")
    assert ion.get(one(knee)).data["specialists_count"] == 0
    assert ion.delete(one(knee)).status == 204
    assert ion.get(one(knee)).status == 404
    assert ion.post(f"/v1/specialists/{cast.sara.specialist.pk}/restore").data["specialties"] == []


def test_are_taken_off_past_appointments_and_deleted_templates(cast, api):
    ion, knee = api(cast.ion), profiles.specialty(cast.sud)
    template = ion.post(
        "/v1/appointment-templates", {"name": "Genunchi", "duration_minutes": 50, "specialty_id": knee.pk}
    ).data
    past = ion.post(
        "/v1/appointments",
        {
            "patient_id": cast.ana.patient.pk,
            "specialist_id": cast.sara.specialist.pk,
            "specialty_id": knee.pk,
            "started_at": (clock.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:00Z"),
            "ended_at": (clock.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:00Z"),
        },
    ).data

    refused = ion.delete(one(knee))
    ion.delete(f"/v1/appointment-templates/{template['id']}")

    assert refused.details == {"specialists": 0, "appointment_templates": 1}
    assert ion.delete(one(knee)).status == 204
    assert ion.get(f"/v1/appointments/{past['id']}").data["specialty_id"] is None


def test_wait_for_every_app_that_names_them(cast, api, monkeypatch):
    knee = profiles.specialty(cast.sud)
    counts = {"specialists": lambda row: 0, "appointment_templates": lambda row: 2}
    monkeypatch.setattr(specialties.removal, "_counts", counts)

    assert api(cast.ion).delete(one(knee)).details == {"specialists": 0, "appointment_templates": 2}
