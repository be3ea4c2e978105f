"""The calendar: scheduling.md 3.2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.scheduling.models import Appointment
from tests.kernel_api.conformance import assert_documented
from tests.scheduling.test_details import World
from tests.scheduling.world import Answer, Api, Clinic, z

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
STATUSES = ["booked", "upcoming", "confirmed", "inprogress", "done", "cancelled", "noshow"]


@pytest.fixture
def world() -> World:
    return World()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calendar(api: Api, **query: Any) -> Answer:
    return api.get("/v1/calendar?" + "&".join(f"{name}={value}" for name, value in query.items()))


def day_of(answer: Answer, date: str) -> Any:
    return next(day for day in answer.data["days"] if day["date"] == date)


class TestMonth:
    def test_lists_every_day_with_its_numbers(self, world: World) -> None:
        first = world.make(at("2027-03-10T07:00:00"))
        world.make(at("2027-03-10T10:00:00"))
        off = world.make(at("2027-03-10T05:00:00"))
        world.admin.put(f"/v1/appointments/{off}/cancel", {"reason": "No heating"})
        world.admin.put(f"/v1/appointments/{first}/status", {"status": "confirmed"})

        answer = calendar(world.admin, date="2027-03-28")

        assert answer.status == 200, answer.content
        data = answer.data
        assert (data["view"], data["timezone"]) == ("month", "Europe/Bucharest")
        assert data["range"] == {"start": "2027-03-01", "end": "2027-03-31"}
        assert [day["date"] for day in data["days"]] == [f"2027-03-{number:02d}" for number in range(1, 32)]
        busy = day_of(answer, "2027-03-10")
        assert busy == {
            "date": "2027-03-10",
            "total": 2,
            "by_status": {**dict.fromkeys(STATUSES, 0), "upcoming": 1, "confirmed": 1, "cancelled": 1},
            "first_start": "2027-03-10T07:00:00Z",
            "last_end": "2027-03-10T11:00:00Z",
        }
        assert list(busy["by_status"]) == STATUSES
        empty = {"total": 0, "by_status": dict.fromkeys(STATUSES, 0), "first_start": None, "last_end": None}
        assert day_of(answer, "2027-03-11") == {"date": "2027-03-11", **empty}

    def test_puts_an_appointment_on_the_local_day_of_its_start(self, world: World) -> None:
        world.make(at("2027-03-27T21:30:00"))  # 23:30 in Bucharest, the clock goes forward in the night after
        world.make(at("2027-03-28T20:30:00"))  # 23:30 in Bucharest
        world.make(at("2027-03-28T21:30:00"))  # 00:30 on the 29th

        def totals(**query: str) -> dict[str, int]:
            days = calendar(world.admin, date="2027-03-01", **query).data["days"]
            return {day["date"][-2:]: day["total"] for day in days if day["total"]}

        assert totals() == {"27": 1, "28": 1, "29": 1}
        assert totals(timezone="UTC") == {"27": 1, "28": 2}
        assert totals(timezone="Asia/Tokyo") == {"28": 1, "29": 2}

    def test_is_this_month_unless_said_otherwise(self, world: World) -> None:
        today = calendar(world.admin).data["range"]

        assert today["start"][:7] == datetime.now(UTC).astimezone().strftime("%Y-%m")
        assert today["start"].endswith("-01")

    def test_takes_one_statement_for_however_much(self, world: World) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert calendar(world.admin, date="2027-03-01").status == 200
            return len(queries)

        few = statements()
        for hours in range(10):
            world.make(at("2027-03-10T07:00:00") + hours * HOUR)

        assert statements() == few


class TestWeek:
    def test_lists_monday_to_sunday_with_the_appointments(self, world: World) -> None:
        template = world.clinic.template(60, color="#3B82F6")
        late, early = (
            world.make(at("2027-03-24T10:00:00")),
            world.make(at("2027-03-24T08:00:00"), appointment_template_id=template.pk, title="First look"),
        )

        answer = calendar(world.admin, view="week", date="2027-03-28")

        assert answer.data["range"] == {"start": "2027-03-22", "end": "2027-03-28"}
        assert [day["date"] for day in answer.data["days"]] == [f"2027-03-{number}" for number in range(22, 29)]
        entries = day_of(answer, "2027-03-24")["appointments"]
        assert [entry["id"] for entry in entries] == [early, late]
        with world.scope():
            row = Appointment.objects.get(pk=early)
        assert entries[0] == {
            "id": early,
            "uid": str(row.uid),
            "title": "First look",
            "status": "upcoming",
            "started_at": "2027-03-24T08:00:00Z",
            "ended_at": "2027-03-24T09:00:00Z",
            "mode": "video",
            "specialist": {"id": world.sara.pk, "name": world.sara.name},
            "patient": {"id": world.patient.pk, "name": "Ana Pop"},
            "contact_name": None,
            "template": {"id": template.pk, "name": "T60", "color": "#3B82F6"},
        }
        assert entries[1]["template"] is None
        assert day_of(answer, "2027-03-25") == {"date": "2027-03-25", "appointments": []}

    def test_names_the_contact_to_staff(self, world: World) -> None:
        key = world.booked()
        start = world.row(key).started_at

        entries = day_of(calendar(world.desk, view="week", date=start.date()), start.date().isoformat())["appointments"]

        assert [(each["patient"], each["contact_name"]) for each in entries] == [(None, "Maria Ionescu")]


class TestWhoSeesWhat:
    def test_everybody_sees_their_own(self, world: World) -> None:
        start = at("2027-03-24T08:00:00")
        mine = world.make(start)
        others = world.make(
            start + 2 * HOUR, specialist_id=world.clinic.specialists[1].pk, patient_id=world.clinic.patient().pk
        )

        def seen(api: Api) -> list[int]:
            days = calendar(api, view="week", date="2027-03-24").data["days"]
            return [entry["id"] for day in days for entry in day["appointments"]]

        assert seen(world.admin) == seen(world.desk) == [mine, others]
        assert seen(world.specialist) == seen(world.signed_in) == [mine]
        assert seen(world.other_specialist) == [others]
        entry = day_of(calendar(world.signed_in, view="week", date="2027-03-24"), "2027-03-24")["appointments"][0]
        assert "contact_name" not in entry
        assert day_of(calendar(world.signed_in, date="2027-03-24"), "2027-03-24")["total"] == 1

    def test_another_clinic_sees_nothing(self, world: World) -> None:
        world.make(at("2027-03-24T08:00:00"))
        elsewhere = Clinic.make().member("admin")

        for more in ({}, {"specialist_id": world.sara.pk}, {"patient_id": world.patient.pk}):
            answer = calendar(elsewhere, view="week", date="2027-03-24", **more)
            assert [day["appointments"] for day in answer.data["days"]] == [[]] * 7


class TestQuery:
    def test_narrows_by_whom_what_and_status(self, world: World) -> None:
        template = world.clinic.template(60)
        start = at("2027-03-24T08:00:00")
        world.make(start)
        world.make(start + HOUR, appointment_template_id=template.pk)
        other = world.make(start, specialist_id=world.clinic.specialists[1].pk, patient_id=world.clinic.patient().pk)
        world.admin.put(f"/v1/appointments/{other}/cancel", {"reason": "No heating"})

        def counted(**query: Any) -> tuple[int, int]:
            day = day_of(calendar(world.admin, date="2027-03-24", **query), "2027-03-24")
            return day["total"], day["by_status"]["cancelled"]

        assert counted() == (2, 1)
        assert counted(specialist_id=world.sara.pk) == (2, 0)
        assert counted(specialist_id=f"{world.sara.pk},{world.clinic.specialists[1].pk}") == (2, 1)
        assert counted(patient_id=world.patient.pk) == (2, 0)
        assert counted(appointment_template_id=template.pk) == (1, 0)
        assert counted(status="cancelled") == (0, 1)
        assert counted(status="cancelled,upcoming") == (2, 1)
        assert counted(specialist_id=2**60) == (0, 0)

    @pytest.mark.parametrize(
        "query",
        [
            "view=day", "date=2027-02-30", "date=soon", "date=2500-01-01", "timezone=Mars/Base", "status=finished",
            "specialist_id=x", "specialist_id=0", "patient_id=99999999999999999999", "page=1", "specialist_id=",
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, world: World, query: str) -> None:
        answer = world.admin.get(f"/v1/calendar?{query}")

        assert answer.status == 422, answer.content
        assert list(answer.error["details"]["fields"]) == [query.partition("=")[0]]

    @pytest.mark.parametrize("view", ["month", "week"])
    def test_answers_as_the_document_says(self, world: World, view: str) -> None:
        start = at("2027-03-24T08:00:00")
        world.make(start, appointment_template_id=world.clinic.template(60).pk)
        for api in (world.admin, world.signed_in):
            path = f"/v1/calendar?view={view}&date=2027-03-24"
            assert_documented(Client().get(path, headers=api.headers), "GET", path)

    @pytest.mark.parametrize("view", ["month", "week"])
    @pytest.mark.parametrize("date", ["1900-01-01", "1969-12-31", "2011-12-30", "2027-10-31", "2200-12-31"])
    def test_knows_every_day_of_every_zone(self, world: World, view: str, date: str) -> None:
        for timezone in ("Europe/Bucharest", "Pacific/Apia", "America/Havana", "Asia/Kathmandu", "Africa/Cairo"):
            answer = calendar(world.admin, view=view, date=date, timezone=timezone)
            assert answer.status == 200, answer.content
            assert date in [day["date"] for day in answer.data["days"]]

    def test_carries_an_etag(self, world: World) -> None:
        first = calendar(world.admin, date="2027-03-24")
        tag = first.headers["ETag"]

        assert world.admin.get("/v1/calendar?date=2027-03-24", If_None_Match=tag).status == 304
        world.make(at("2027-03-24T08:00:00"))
        assert world.admin.get("/v1/calendar?date=2027-03-24", If_None_Match=tag).status == 200
        assert z(at("2027-03-24T08:00:00")) in calendar(world.admin, date="2027-03-24").content.decode()
