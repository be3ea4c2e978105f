"""Weekly hours and overrides: contract/profiles.md 1.8 and scenario 8."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.profiles.domain import hours
from apps.profiles.domain.hours import InvalidHours, WeeklyBlock

START = datetime(2027, 5, 3, 9, tzinfo=UTC)


def block(day: int, span: str) -> dict[str, object]:
    start, end = span.split("-")
    return {"day": day, "start": start, "end": end}


def errors_of(*document: dict[str, object]) -> dict[str, list[str]]:
    with pytest.raises(InvalidHours) as refused:
        hours.validated_weekly(document)
    return refused.value.errors


class TestWeekly:
    def test_blocks_that_touch_are_accepted(self):
        found = hours.validated_weekly([block(0, "09:00-12:00"), block(0, "12:00-15:00")])

        assert found == (WeeklyBlock(0, 540, 720), WeeklyBlock(0, 720, 900))

    def test_a_block_that_overlaps_an_earlier_one_is_named(self):
        assert errors_of(block(0, "09:00-12:00"), block(0, "11:59-15:00")) == {"weekly[1]": ["overlaps weekly[0]"]}

    def test_sunday_night_runs_into_monday(self):
        assert errors_of(block(6, "22:00-02:00"), block(0, "01:00-03:00")) == {"weekly[1]": ["overlaps weekly[0]"]}
        assert errors_of(block(0, "01:00-03:00"), block(6, "22:00-02:00")) == {"weekly[1]": ["overlaps weekly[0]"]}

    def test_a_whole_sunday_touches_monday_morning(self):
        assert len(hours.validated_weekly([block(6, "00:00-00:00"), block(0, "00:00-08:00")])) == 2

    def test_a_whole_day_overlaps_anything_in_it(self):
        assert errors_of(block(3, "00:00-00:00"), block(3, "23:59-00:00")) == {"weekly[1]": ["overlaps weekly[0]"]}
        assert errors_of(block(3, "12:00-12:00"), block(4, "11:00-13:00")) == {"weekly[1]": ["overlaps weekly[0]"]}

    def test_a_week_may_be_full(self):
        assert len(hours.validated_weekly([block(day, "00:00-00:00") for day in range(7)])) == 7

    @pytest.mark.parametrize("time", ["24:00", "9:00", "09:60", "0900", "", "09:00:00", "٠٩:٠٠", "09:00\n", None, 900])
    def test_only_times_of_day_are_accepted(self, time):
        assert errors_of({"day": 0, "start": "08:00", "end": time}) == {
            "weekly[0].end": ["a time of day from 00:00 to 23:59, like 09:30"]
        }

    @pytest.mark.parametrize("day", [-1, 7, "0", None, True, 1.0])
    def test_only_days_of_the_week_are_accepted(self, day):
        assert errors_of({"day": day, "start": "08:00", "end": "09:00"}) == {
            "weekly[0].day": ["a day from 0 (Monday) to 6 (Sunday)"]
        }

    def test_every_problem_is_told_at_once(self):
        found = errors_of({"day": 9, "start": "x", "end": "y"}, block(0, "09:00-10:00"), block(0, "09:00-24:00"))

        assert sorted(found) == ["weekly[0].day", "weekly[0].end", "weekly[0].start", "weekly[2].end"]

    def test_at_most_fifty_blocks_are_accepted(self):
        assert errors_of(*[block(0, "09:00-10:00")] * 51) == {"weekly": ["at most 50 blocks"]}

    def test_blocks_come_back_sorted_as_they_were_written(self):
        sent = [block(5, "22:00-06:00"), block(0, "13:00-17:00"), block(0, "09:00-12:00")]

        assert hours.weekly_document(hours.validated_weekly(sent)) == [sent[2], sent[1], sent[0]]
        assert hours.weekly_of(sent) == hours.validated_weekly(sent)

    def test_the_message_of_the_refusal_names_path_and_problem(self):
        with pytest.raises(InvalidHours, match=r"^weekly\[1\]: overlaps weekly\[0\]$"):
            hours.validated_weekly([block(0, "09:00-12:00"), block(0, "11:59-15:00")])


BLOCKS = st.builds(WeeklyBlock, st.integers(0, 6), st.integers(0, 1_439), st.integers(0, 1_439))


def minutes_of(one: WeeklyBlock) -> set[int]:
    start, length = one.day * 1_440 + one.start_minute, one.end_minute - one.start_minute
    return {(start + passed) % 10_080 for passed in range(length if length > 0 else length + 1_440)}


@given(BLOCKS, BLOCKS)
def test_blocks_overlap_exactly_when_they_share_a_minute(one, other):
    assert one.overlaps(other) == other.overlaps(one) == bool(minutes_of(one) & minutes_of(other))
    assert one.minutes == len(minutes_of(one))


@given(st.integers(0, 1_439))
def test_a_time_is_read_as_it_is_written(minute):
    assert hours.minute_of(hours.wall_time(minute)) == minute


class TestOverrides:
    def refused(self, *spans: tuple[datetime, datetime]) -> dict[str, list[str]]:
        with pytest.raises(InvalidHours) as refused:
            hours.check_overrides(spans)
        return refused.value.errors

    def test_whole_minutes_of_at_most_a_leap_year_are_accepted(self):
        hours.check_overrides([(START, START + timedelta(minutes=1)), (START, START + timedelta(days=366))])

    def test_an_override_ends_after_it_starts(self):
        assert self.refused((START, START)) == {"overrides[0].end": ["must be later than start"]}

    def test_an_override_of_more_than_a_year_is_refused(self):
        too_long = (START, START + timedelta(days=366, minutes=1))

        assert self.refused((START, START + timedelta(hours=1)), too_long) == {
            "overrides[1].end": ["at most 366 days after start"]
        }

    def test_seconds_and_their_fractions_are_refused(self):
        odd = (START + timedelta(seconds=30), START + timedelta(hours=1, microseconds=1))

        assert self.refused(odd) == {
            "overrides[0].start": ["whole minutes only"],
            "overrides[0].end": ["whole minutes only"],
        }

    def test_at_most_a_thousand_overrides_are_accepted(self):
        span = (START, START + timedelta(hours=1))

        hours.check_overrides([span] * 1_000)
        assert self.refused(*[span] * 1_001) == {"overrides": ["at most 1000 overrides"]}
