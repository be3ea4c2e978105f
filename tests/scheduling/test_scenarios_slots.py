"""Acceptance scenarios 1 to 5 of scheduling.md: free times over every clock change, through the API."""

from __future__ import annotations

import pytest

from tests.scheduling.world import Api, Clinic, hold, starts

pytestmark = pytest.mark.django_db
NIGHT = [{"day": 5, "start": "22:00", "end": "06:00"}]


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def clinic(time_machine) -> Clinic:
    time_machine.move_to("2027-02-20T12:00:00Z")
    return Clinic.make()


def test_the_spring_night_skips_an_hour(api: Api, clinic: Clinic) -> None:
    clinic.hours(NIGHT)
    hour, half = clinic.template(60), clinic.template(30)

    answer = api.get(f"/v1/scheduling/timeslots?appointment_template_id={hour.pk}&from=2027-03-27&to=2027-03-28").data

    assert [slot["start"][11:] for slot in answer["slots"]] == [f"{h:02d}:00:00Z" for h in (20, 21, 22, 23, 0, 1, 2)]
    assert [slot["local_time"] for slot in answer["slots"]] == [
        "22:00", "23:00", "00:00", "01:00", "02:00", "04:00", "05:00",
    ]  # fmt: skip
    assert [slot["utc_offset"] for slot in answer["slots"]] == ["+02:00"] * 5 + ["+03:00"] * 2
    assert len(starts(api, half, "2027-03-27", "2027-03-28")) == 14
    assert len(starts(api, hour, "2027-03-27", "2027-03-28", timezone="UTC")) == 7
    assert len(starts(api, hour, "2027-03-28", "2027-03-28", timezone="UTC")) == 3
    assert len(starts(api, hour, "2027-03-28", "2027-03-28")) == 5


def test_the_autumn_night_repeats_an_hour(api: Api, clinic: Clinic) -> None:
    clinic.hours(NIGHT)
    hour, half = clinic.template(60), clinic.template(30)

    slots = api.get(f"/v1/scheduling/timeslots?appointment_template_id={hour.pk}&from=2027-10-30&to=2027-10-31").data[
        "slots"
    ]

    assert len(slots) == 9
    assert (slots[0]["start"], slots[-1]["start"]) == ("2027-10-30T19:00:00Z", "2027-10-31T03:00:00Z")
    assert [(slot["start"][11:16], slot["utc_offset"]) for slot in slots if slot["local_time"] == "03:00"] == [
        ("00:00", "+03:00"),
        ("01:00", "+02:00"),
    ]
    assert len(starts(api, half, "2027-10-30", "2027-10-31")) == 18
    assert len(starts(api, hour, "2027-03-20", "2027-03-21")) == 8
    assert len(starts(api, half, "2027-03-20", "2027-03-21")) == 16


@pytest.mark.parametrize(
    ("weekly", "spring", "autumn", "plain"),
    [
        ({"day": 6, "start": "03:15", "end": "03:45"}, [], ["00:15", "01:15"], 1),
        ({"day": 6, "start": "02:30", "end": "03:30"}, ["00:30"], ["23:30", "00:00", "01:00"], 2),
    ],
)
def test_the_edges_of_a_clock_change(api: Api, clinic: Clinic, weekly, spring, autumn, plain) -> None:
    clinic.hours([weekly])
    half = clinic.template(30)

    assert [start[11:16] for start in starts(api, half, "2027-03-28", "2027-03-28")] == spring
    assert [start[11:16] for start in starts(api, half, "2027-10-31", "2027-10-31")] == autumn
    assert len(starts(api, half, "2027-03-21", "2027-03-21")) == plain


def test_morning_hours_keep_their_wall_clock_over_a_change(api: Api, clinic: Clinic) -> None:
    clinic.hours([{"day": 6, "start": "08:00", "end": "12:00"}])
    hour = clinic.template(60)

    firsts = {day: starts(api, hour, day, day) for day in ("2027-03-21", "2027-03-28", "2027-10-24", "2027-10-31")}

    assert {len(found) for found in firsts.values()} == {4}
    assert [found[0][11:16] for found in firsts.values()] == ["06:00", "05:00", "05:00", "06:00"]


def test_counting_a_month_and_what_a_hold_takes_away(api: Api, clinic: Clinic) -> None:
    hour = clinic.template(60)
    assert len(starts(api, hour, "2027-03-01", "2027-03-31")) == 184
    too_long = api.get(f"/v1/scheduling/timeslots?appointment_template_id={hour.pk}&from=2027-03-01&to=2027-04-01")
    assert (too_long.status, too_long.error["details"]["field"]) == (422, "to")

    consultation = clinic.template(50, gap_minutes=10)
    assert len(starts(api, consultation, "2027-03-01", "2027-03-01")) == 8
    assert hold(api, consultation, "2027-03-01T08:00:00Z").status == 201
    assert len(starts(api, consultation, "2027-03-01", "2027-03-01")) == 7
    assert len(starts(api, clinic.template(30), "2027-03-01", "2027-03-01")) == 14


def test_a_step_shorter_than_the_duration(api: Api, clinic: Clinic) -> None:
    template = clinic.template(45, gap_minutes=15, slot_step_minutes=30)
    found = starts(api, template, "2027-03-01", "2027-03-01")
    assert (len(found), found[0][11:16], found[-1][11:16]) == (15, "07:00", "14:00")

    assert hold(api, template, "2027-03-01T08:00:00Z").status == 201

    left = starts(api, template, "2027-03-01", "2027-03-01")
    assert {start[11:16] for start in set(found) - set(left)} == {"07:30", "08:00", "08:30"}


def test_overrides_replace_the_days_that_they_touch(api: Api, clinic: Clinic) -> None:
    hour, half = clinic.template(60), clinic.template(30)
    day = {"start": "2027-05-03T09:00:00Z", "end": "2027-05-03T12:00:00Z", "availability": True}

    clinic.hours(overrides=[{**day, "id": 1}])
    assert [start[11:16] for start in starts(api, hour, "2027-05-03", "2027-05-03")] == ["09:00", "10:00", "11:00"]
    assert len(starts(api, hour, "2027-05-10", "2027-05-10")) == 8

    clinic.hours(overrides=[{**day, "id": 1, "end": "2027-05-03T10:00:00Z", "availability": False}])
    assert starts(api, hour, "2027-05-03", "2027-05-03") == []

    clinic.hours(overrides=[{**day, "id": 1, "appointment_template_id": hour.pk}])
    assert len(starts(api, hour, "2027-05-03", "2027-05-03")) == 3
    assert len(starts(api, half, "2027-05-03", "2027-05-03")) == 16


def test_a_holiday_over_several_days(api: Api, clinic: Clinic) -> None:
    hour = clinic.template(60)
    holiday = {"id": 1, "start": "2027-02-28T22:00:00Z", "end": "2027-03-03T10:00:00Z", "availability": False}

    clinic.hours(overrides=[holiday])
    assert starts(api, hour, "2027-03-01", "2027-03-03") == []
    assert len(starts(api, hour, "2027-03-04", "2027-03-04")) == 8

    clinic.hours(overrides=[{**holiday, "end": "2027-03-02T22:00:00Z"}])
    assert len(starts(api, hour, "2027-03-03", "2027-03-03")) == 8


def test_a_night_shift_into_an_overridden_day(api: Api, clinic: Clinic) -> None:
    sunday = {"id": 1, "start": "2027-05-09T07:00:00Z", "end": "2027-05-09T09:00:00Z", "availability": True}
    clinic.hours(NIGHT, [sunday])
    hour = clinic.template(60)

    answer = api.get(f"/v1/scheduling/timeslots?appointment_template_id={hour.pk}&from=2027-05-08&to=2027-05-09")

    assert [slot["local_time"] for slot in answer.data["slots"]] == ["22:00", "23:00", "10:00", "11:00"]


def test_a_page_of_times_costs_the_same_number_of_statements_for_any_team(
    api: Api, django_assert_max_num_queries, time_machine
) -> None:
    time_machine.move_to("2027-02-20T12:00:00Z")
    for size in (1, 20):
        template = Clinic.make(specialists=size).template(30)
        with django_assert_max_num_queries(10):
            assert len(starts(api, template, "2027-03-01", "2027-03-31")) > 300
