"""Why a time is not offered: over HTTP, beside the slots, and in words in the back office."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from apps.profiles.models import Specialist
from apps.scheduling.selectors.explaining import explain
from apps.scheduling.services import appointments, templates
from restartix.kernel import clock
from restartix.kernel.tenancy import acting_for
from tests.scheduling.world import ALWAYS, BUILDER, Api, Clinic, hold, next_weekday, starts, z

pytestmark = pytest.mark.django_db


def explained(api: Api, template, start: datetime, **query):
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return api.get(f"/v1/appointment-templates/{template.pk}/explain?start={z(start)}{more}")


def codes(answer) -> list[list[str]]:
    return [[reason["code"] for reason in each["reasons"]] for each in answer.data["specialists"]]


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(specialists=2)


@pytest.fixture
def desk(clinic) -> Api:
    return clinic.member("customer_support")


def visit(clinic: Clinic, template, specialist, start: datetime):
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return appointments.create(
            patient=clinic.patient(), specialist=specialist, started_at=start, template=template, by=BUILDER
        )


class TestTheReasons:
    def test_of_a_free_time_are_none(self, clinic, desk):
        answer = explained(desk, clinic.template(), next_weekday(0))

        assert answer.status == 200
        assert answer.data["is_offered"] is True
        assert codes(answer) == [[], []]
        assert answer.data["end"] == z(next_weekday(0) + timedelta(hours=1))

    def test_of_a_booking_name_it_and_its_period(self, clinic, desk):
        template, start = clinic.template(gap_minutes=15, slot_step_minutes=60), next_weekday(0)
        made = visit(clinic, template, clinic.specialists[0], start)

        answer = explained(desk, template, start)

        assert codes(answer) == [["booking"], []]
        assert answer.data["is_offered"] is True
        assert answer.data["specialists"][0]["reasons"][0]["details"] == {
            "appointment_id": made.pk,
            "start": z(start),
            "end": z(start + timedelta(minutes=75)),
        }

    def test_count_the_pause_after_as_well(self, clinic, desk):
        template, start = clinic.template(gap_minutes=60, slot_step_minutes=60), next_weekday(0)
        visit(clinic, template, clinic.specialists[0], start + timedelta(hours=1))

        assert codes(explained(desk, template, start))[0] == ["booking"]

    def test_of_a_hold_say_until_when(self, clinic, desk):
        template, start = clinic.template(), next_weekday(0)
        held = hold(Api(), template, z(start)).data

        (reason,) = explained(desk, template, start).data["specialists"][0]["reasons"]

        assert (reason["code"], reason["details"]["expires_at"]) == ("hold", f"{held['expires_at'][:19]}Z")

    def test_of_hours_tell_the_day(self, clinic, desk):
        start = next_weekday(0, hour=20)

        (reason,) = explained(desk, clinic.template(), start).data["specialists"][0]["reasons"]

        assert reason["code"] == "outside_hours"
        assert reason["details"]["date"] == start.date().isoformat()
        assert len(reason["details"]["hours"]) == 1

    def test_of_an_exception_tell_which(self, clinic, desk):
        start = next_weekday(0)
        away = {
            "id": 7,
            "start": z(start),
            "end": z(start + timedelta(hours=2)),
            "availability": False,
            "note": "Leave",
        }
        clinic.hours(overrides=[away])

        (reason,) = explained(desk, clinic.template(), start).data["specialists"][0]["reasons"]

        assert reason["code"] == "override"
        assert reason["details"]["overrides"] == [away]

    def test_of_the_grid_tell_its_neighbours(self, clinic, desk):
        start = next_weekday(0)

        (reason,) = explained(desk, clinic.template(), start + timedelta(minutes=10)).data["specialists"][0]["reasons"]

        assert reason == {
            "code": "off_grid",
            "details": {"before": z(start), "after": z(start + timedelta(hours=1))},
        }

    def test_of_notice_and_horizon_are_told(self, clinic, desk):
        start = next_weekday(0)
        late, early = clinic.template(min_notice_minutes=43_200), clinic.template(30, horizon_days=1)

        assert codes(explained(desk, late, start))[0] == ["min_notice"]
        assert codes(explained(desk, early, start))[0] == ["horizon"]

    def test_of_people_are_told(self, clinic, desk):
        template, start = clinic.template(), next_weekday(0)
        away, other = clinic.specialists
        with acting_for(clinic.organization.pk, actor=BUILDER):
            Specialist.objects.filter(pk=away.pk).update(scheduling_active=False)
            templates.attach_specialists(
                template, [{"specialist_id": other.pk, "priority": 2, "is_active": False}], by=BUILDER
            )
            stranger = Specialist.objects.create(name="Dan", slug="dan", weekly=ALWAYS)

        assert codes(explained(desk, template, start)) == [["not_bookable"], ["inactive"]]
        assert codes(explained(desk, template, start, specialist_id=stranger.pk)) == [["not_attached", "not_bookable"]]

    def test_of_a_template_that_is_switched_off(self, clinic, desk):
        template = clinic.template(is_active=False)

        assert codes(explained(desk, template, next_weekday(0))) == [["inactive"], ["inactive"]]

    @pytest.mark.parametrize("day", [-1, 3000])
    def test_of_a_licence_that_is_over(self, clinic, desk, day):
        organization, person = clinic.organization, clinic.specialists[0]
        organization.settings = {"suspend_on_expired_license": True}
        organization.save()
        ends = (datetime.now(UTC) + timedelta(days=day)).date()
        with acting_for(organization.pk, actor=BUILDER):
            Specialist.objects.filter(pk=person.pk).update(license_expires_on=ends)

        found = codes(explained(desk, clinic.template(), next_weekday(0)))[0]

        assert found == (["licence"] if day < 0 else [])


class TestTheDoor:
    def test_is_for_staff(self, clinic):
        template, start = clinic.template(), next_weekday(0)

        assert explained(Api(), template, start).status == 401
        assert explained(clinic.member("patient"), template, start).status == 403
        assert explained(clinic.member("specialist"), template, start).status == 200

    def test_finds_nothing_of_another_clinic(self, clinic, desk):
        other = Clinic.make()
        assert explained(desk, other.template(), next_weekday(0)).status == 404

        answer = explained(desk, clinic.template(), next_weekday(0), specialist_id=other.specialists[0].pk)
        assert (answer.status, answer.error["details"]["fields"]) == (422, {"specialist_id": ["not found"]})

    def test_names_no_appointment_that_a_specialist_may_not_see(self, clinic):
        template, start = clinic.template(), next_weekday(0)
        first, second = clinic.specialists
        visit(clinic, template, first, start)
        mine = visit(clinic, template, second, start)
        api = clinic.member("specialist", specialist=second)

        told = [
            each["reasons"][0]["details"]["appointment_id"]
            for each in explained(api, template, start).data["specialists"]
        ]

        assert told == [None, mine.pk]

    @pytest.mark.parametrize("start", ["9999-12-31T23:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
    def test_answers_of_the_ends_of_time(self, clinic, desk, start):
        answer = desk.get(f"/v1/appointment-templates/{clinic.template().pk}/explain?start={start}")

        assert answer.status in (200, 422)

    @pytest.mark.parametrize(
        "query", ["", "?start=x", "?start=2027-03-01T09:00:00", "?start=2027-03-01T09:00:00Z&specialist_id=0"]
    )
    def test_refuses_what_is_no_question(self, clinic, desk, query):
        assert desk.get(f"/v1/appointment-templates/{clinic.template().pk}/explain{query}").status == 422

    def test_asks_the_database_as_often_for_ten_people_as_for_two(self, django_assert_max_num_queries):
        def statements(people: int) -> int:
            clinic = Clinic.make(specialists=people)
            desk, template = clinic.member("customer_support"), clinic.template()
            with django_assert_max_num_queries(60) as watched:
                assert len(explained(desk, template, next_weekday(0)).data["specialists"]) == people
            return len(watched)

        assert statements(10) == statements(2)


def test_nothing_stands_in_the_way_exactly_of_the_slots(clinic, desk):
    """Two days, every ten minutes, with visits, holds, exceptions and a gap: 288 starts of two specialists."""
    template = clinic.template(45, gap_minutes=15, slot_step_minutes=30)
    monday = next_weekday(0, hour=0)
    chance = random.Random(7)
    away = {"start": z(monday + timedelta(hours=9)), "end": z(monday + timedelta(hours=11)), "availability": False}
    clinic.hours(overrides=[away])
    for specialist in clinic.specialists:
        for hour in chance.sample(range(30, 40, 2), 3):
            visit(clinic, template, specialist, monday + timedelta(hours=hour, minutes=chance.choice([0, 20])))
    hold(Api(), template, starts(Api(), template, monday.date().isoformat(), monday.date().isoformat())[0])
    tuesday = monday + timedelta(days=1)
    found = {
        (slot["start"], specialist)
        for slot in desk.get(
            f"/v1/scheduling/timeslots?appointment_template_id={template.pk}&timezone=UTC"
            f"&from={monday.date()}&to={tuesday.date()}"
        ).data["slots"]
        for specialist in slot["specialist_ids"]
    }

    silent = set()
    for step in range(2 * 24 * 6):
        start = monday + timedelta(minutes=10 * step)
        for each in explained_directly(clinic, template, start):
            if each.is_offered:
                silent.add((z(start), each.specialist.pk))

    assert silent == found
    assert found


def explained_directly(clinic, template, start):
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return explain(template, start=start, now=clock.now(), actor=BUILDER).standings
