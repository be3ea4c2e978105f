"""Free times looked for beyond one window, and laid out for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.pages.calendars import by_day, month_of, times_of
from apps.scheduling.selectors import openings
from apps.scheduling.selectors.offers import offering
from apps.scheduling.selectors.openings import Search
from restartix.kernel.tenancy import acting_for
from tests.scheduling.world import BUILDER, Clinic

ZONE = "Europe/Bucharest"
#: A Tuesday.
NOW = datetime(2027, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def clinic(db) -> Clinic:
    return Clinic.make(specialists=2)


def look(clinic: Clinic, template: AppointmentTemplate, **more: int) -> Search:
    return Search(offering(template.pk, now=NOW, public_only=True), ZONE, NOW, **more)


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


class TestTheNextFreeTimes:
    def test_are_as_many_as_asked_for(self, clinic: Clinic) -> None:
        template = clinic.template()
        with acting_for(clinic.organization.pk, actor=BUILDER):
            found = openings.upcoming(look(clinic, template), count=10)

        assert [start for start, _ in found][:2] == [seconds(2027, 3, 2, 7), seconds(2027, 3, 2, 8)]
        assert len(found) == 10

    def test_are_found_months_ahead(self, clinic: Clinic, django_assert_max_num_queries) -> None:
        template = clinic.template()
        clinic.specialists = clinic.specialists[:1]
        far = datetime(2027, 7, 5, 9, tzinfo=UTC)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            for person in offering(template.pk, now=NOW, public_only=True).providers:
                person.specialist.weekly = []
                person.specialist.overrides = [
                    {"start": far.isoformat(), "end": (far + timedelta(hours=2)).isoformat(), "availability": True}
                ]
                person.specialist.save()
            search = look(clinic, template)
            with django_assert_max_num_queries(13):
                found = openings.upcoming(search, count=10)

        assert [start for start, _ in found] == [int(far.timestamp()), int(far.timestamp()) + 3600]

    def test_end_at_the_horizon(self, clinic: Clinic) -> None:
        template = clinic.template(horizon_days=1)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            found = openings.upcoming(look(clinic, template), count=100)

        assert len(found) == 8

    def test_of_each_specialist(self, clinic: Clinic) -> None:
        template = clinic.template()
        clinic.hours([{"day": 3, "start": "10:00", "end": "12:00"}])
        with acting_for(clinic.organization.pk, actor=BUILDER):
            firsts = openings.first_of_each(look(clinic, template))

        first, second = clinic.specialists
        assert firsts == {first.pk: seconds(2027, 3, 4, 8), second.pk: seconds(2027, 3, 2, 7)}


class TestTheNearest:
    def test_lie_around_the_wish_in_the_order_of_the_clock(self, clinic: Clinic) -> None:
        template = clinic.template()
        wish = datetime(2027, 3, 3, 15, 0, tzinfo=UTC)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            found = openings.nearest(look(clinic, template), wish=wish, count=3)

        assert [start for start, _ in found] == [seconds(2027, 3, 3, hour) for hour in (12, 13, 14)]

    def test_are_never_past(self, clinic: Clinic) -> None:
        template = clinic.template()
        with acting_for(clinic.organization.pk, actor=BUILDER):
            found = openings.nearest(look(clinic, template), wish=NOW - timedelta(days=1), count=3)

        assert found[0][0] == seconds(2027, 3, 2, 7)


class TestTheMonth:
    def test_counts_the_free_times_of_each_day(self, clinic: Clinic) -> None:
        template = clinic.template()
        with acting_for(clinic.organization.pk, actor=BUILDER):
            found = openings.of_month(look(clinic, template), date(2027, 3, 20)).slots

        month = self.laid_out(found)
        counts = {cell.day.day: cell.count for week in month.weeks for cell in week if cell.day}
        assert counts[2] == counts[31] == 8
        assert counts[6] == counts[28] == 0
        assert month.total == 22 * 8
        assert [short for short, _ in month.weekdays] == ["lu", "ma", "mi", "jo", "vi", "sâ", "du"]

    def test_leaves_out_weeks_that_are_over_and_ways_to_nowhere(self) -> None:
        month = self.laid_out([], today=date(2027, 3, 16), last=date(2027, 3, 31))

        assert month.weeks[0][0].day == date(2027, 3, 15)
        assert (month.before, month.after) == ("", "")

    def test_leads_to_its_neighbours(self) -> None:
        month = self.laid_out([], today=date(2027, 2, 16), last=date(2027, 4, 1))

        assert (month.before, month.after) == ("2027-02-28", "2027-04-01")

    def laid_out(self, found, *, today=date(2027, 3, 2), last=date(2027, 12, 31)):
        return month_of(
            date(2027, 3, 20), found, timezone=ZONE, language="ro", today=today, last=last, chosen=None,
            day_url=date.isoformat, month_url=date.isoformat,
        )  # fmt: skip


class TestTheNightsOfTheClockChanges:
    def test_in_autumn_an_hour_comes_twice_and_says_which(self) -> None:
        night = [(seconds(2026, 10, 25, hour), (5,)) for hour in (0, 1, 2)]

        shown = times_of(night, timezone=ZONE, language="ro")

        assert [(time.text, time.note) for time in shown] == [("03:00", "UTC+3"), ("03:00", "UTC+2"), ("04:00", "")]
        assert shown[1].spoken_day == "duminică, 25 octombrie"

    def test_in_spring_an_hour_is_missing(self) -> None:
        night = [(seconds(2027, 3, 28, hour), (5, 6)) for hour in (0, 1)]

        shown = times_of(night, timezone=ZONE, language="en")

        assert [time.text for time in shown] == ["02:00", "04:00"]
        assert shown[0].specialist_ids == "5 6"
        assert [group.heading for group in by_day(shown, "en")] == ["Sunday, 28 March"]
