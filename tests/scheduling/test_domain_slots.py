"""The acceptance scenarios of slots, with the numbers of contract/scheduling.md section 6."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.scheduling.domain import slots, zones
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock

BUCHAREST = "Europe/Bucharest"
EARLY = datetime.fromisoformat("2026-12-01T00:00:00Z").timestamp()
MONDAY, SATURDAY, SUNDAY = 0, 5, 6
WORKDAYS = range(5)
T60, T30 = 60, 30


def at(text: str) -> int:
    """`2027-05-03T09:00Z`, or a wall time of Bucharest without the Z, as epoch seconds."""
    instant = datetime.fromisoformat(text)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(BUCHAREST))).timestamp())


def hours(day: int, text: str) -> WeeklyBlock:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return WeeklyBlock(day, start, end)


def specialist(*weekly: WeeklyBlock, **fields) -> Calendar:
    return Calendar(**{"specialist_id": 5, "timezone": BUCHAREST, "weekly": weekly, **fields})


def template(
    minutes: int, *, gap: int = 0, step: int | None = None, notice: int = 0, horizon: int = 365, id_: int = 1
) -> Offer:
    step = minutes + gap if step is None else step
    return Offer(id_, minutes * 60, gap * 60, step * 60, notice * 60, horizon * 86_400)


def starts(
    calendar: Calendar,
    minutes: int | Offer,
    first: str,
    last: str | None = None,
    *,
    zone: str = BUCHAREST,
    now: float = EARLY,
):
    offer = template(minutes) if isinstance(minutes, int) else minutes
    low, high = zones.span(zone, date.fromisoformat(first), date.fromisoformat(last or first))
    return slots.open_starts(calendar, offer, window_start=low, window_end=high, now=now)


def utc(instants: list[int]) -> list[str]:
    return [f"{day[8:]} {time}" for day, time, _ in zones.stamps("UTC", instants)]


def local(instants: list[int]) -> list[str]:
    return [time for _, time, _ in zones.stamps(BUCHAREST, instants)]


class TestScenario1SpringNight:
    night = specialist(hours(SATURDAY, "22:00-06:00"))

    def test_a_night_shift_over_the_skipped_hour_has_seven_slots_of_an_hour(self):
        found = starts(self.night, T60, "2027-03-27", "2027-03-28")

        assert utc(found) == ["27 20:00", "27 21:00", "27 22:00", "27 23:00", "28 00:00", "28 01:00", "28 02:00"]
        assert local(found) == ["22:00", "23:00", "00:00", "01:00", "02:00", "04:00", "05:00"]

    def test_the_offset_shown_changes_with_the_clock(self):
        shown = list(zones.stamps(BUCHAREST, starts(self.night, T60, "2027-03-27", "2027-03-28")))

        assert [offset for _, _, offset in shown] == ["+02:00"] * 5 + ["+03:00"] * 2
        assert [day for day, _, _ in shown] == ["2027-03-27"] * 2 + ["2027-03-28"] * 5

    def test_half_hours_are_fourteen(self):
        assert len(starts(self.night, T30, "2027-03-27", "2027-03-28")) == 14

    def test_the_window_is_cut_in_the_zone_of_the_visitor(self):
        assert len(starts(self.night, T60, "2027-03-27", "2027-03-28", zone="UTC")) == 7
        assert len(starts(self.night, T60, "2027-03-28", zone="UTC")) == 3
        assert len(starts(self.night, T60, "2027-03-28")) == 5


class TestScenario2AutumnNight:
    night = specialist(hours(SATURDAY, "22:00-06:00"))

    def test_a_night_shift_over_the_repeated_hour_has_nine_slots(self):
        found = starts(self.night, T60, "2027-10-30", "2027-10-31")

        assert found == list(range(at("2027-10-30T19:00Z"), at("2027-10-31T03:00Z") + 1, 3600))
        assert len(found) == 9

    def test_the_repeated_hour_is_offered_twice_with_both_offsets(self):
        shown = list(zones.stamps(BUCHAREST, starts(self.night, T60, "2027-10-30", "2027-10-31")))

        assert [(time, offset) for _, time, offset in shown if time == "03:00"] == [
            ("03:00", "+03:00"),
            ("03:00", "+02:00"),
        ]

    def test_half_hours_are_eighteen(self):
        assert len(starts(self.night, T30, "2027-10-30", "2027-10-31")) == 18

    def test_an_ordinary_weekend_has_eight_and_sixteen(self):
        assert len(starts(self.night, T60, "2027-03-20", "2027-03-21")) == 8
        assert len(starts(self.night, T30, "2027-03-20", "2027-03-21")) == 16


class TestScenario3ClockChangeEdges:
    def test_hours_inside_the_skipped_hour_vanish_and_inside_the_repeated_one_come_twice(self):
        calendar = specialist(hours(SUNDAY, "03:15-03:45"))

        assert starts(calendar, T30, "2027-03-28") == []
        assert starts(calendar, T30, "2027-10-31") == [at("2027-10-31T00:15Z"), at("2027-10-31T01:15Z")]
        assert len(starts(calendar, T30, "2027-03-21")) == 1
        assert len(starts(calendar, T30, "2027-11-07")) == 1

    def test_hours_that_reach_into_the_change_keep_their_wall_clock_meaning(self):
        calendar = specialist(hours(SUNDAY, "02:30-03:30"))

        assert starts(calendar, T30, "2027-03-28") == [at("2027-03-28T00:30Z")]
        assert starts(calendar, T30, "2027-10-31") == [
            at("2027-10-30T23:30Z"),
            at("2027-10-31T00:00Z"),
            at("2027-10-31T01:00Z"),
        ]
        assert len(starts(calendar, T30, "2027-03-21")) == 2
        assert len(starts(calendar, T30, "2027-11-07")) == 2

    @pytest.mark.parametrize(
        ("day", "first"),
        [("2027-03-21", "06:00"), ("2027-03-28", "05:00"), ("2027-10-24", "05:00"), ("2027-10-31", "06:00")],
    )
    def test_a_morning_is_four_hours_long_on_every_sunday(self, day, first):
        found = starts(specialist(hours(SUNDAY, "08:00-12:00")), T60, day)

        assert len(found) == 4
        assert found[0] == at(f"{day}T{first}Z")


class TestScenario4Counting:
    office = tuple(hours(day, "09:00-17:00") for day in WORKDAYS)

    def test_march_has_twenty_three_working_days_of_eight_slots(self):
        assert len(starts(specialist(*self.office), T60, "2027-03-01", "2027-03-31")) == 184

    def test_a_gap_is_part_of_the_step(self):
        offer = template(50, gap=10)
        held = (at("2027-03-01T10:00"), at("2027-03-01T11:00"))

        assert len(starts(specialist(*self.office), offer, "2027-03-01")) == 8
        assert len(starts(specialist(*self.office, busy=[held]), offer, "2027-03-01")) == 7
        assert len(starts(specialist(*self.office), T30, "2027-03-01")) == 16
        assert len(starts(specialist(*self.office, busy=[held]), T30, "2027-03-01")) == 14

    def test_a_step_shorter_than_the_slot_offers_overlapping_starts(self):
        offer = template(45, gap=15, step=30)
        held = (at("2027-03-01T10:00"), at("2027-03-01T11:00"))

        free = local(starts(specialist(*self.office), offer, "2027-03-01"))
        left = local(starts(specialist(*self.office, busy=[held]), offer, "2027-03-01"))

        assert (len(free), free[0], free[-1]) == (15, "09:00", "16:00")
        assert sorted(set(free) - set(left)) == ["09:30", "10:00", "10:30"]
        assert len(left) == 12


class TestScenario5Overrides:
    office = TestScenario4Counting.office

    def with_overrides(self, *overrides: Override, weekly: tuple[WeeklyBlock, ...] = office) -> Calendar:
        return specialist(*weekly, overrides=overrides)

    def test_a_true_override_is_the_whole_of_its_day(self):
        calendar = self.with_overrides(Override(at("2027-05-03T09:00Z"), at("2027-05-03T12:00Z"), True))

        assert local(starts(calendar, T60, "2027-05-03")) == ["12:00", "13:00", "14:00"]
        assert len(starts(calendar, T60, "2027-05-10")) == 8

    def test_a_false_override_alone_empties_its_day(self):
        calendar = self.with_overrides(Override(at("2027-05-03T09:00Z"), at("2027-05-03T10:00Z"), False))

        assert starts(calendar, T60, "2027-05-03") == []

    def test_a_false_override_of_two_and_a_half_days_empties_three(self):
        calendar = self.with_overrides(Override(at("2027-03-01T00:00"), at("2027-03-03T12:00"), False))

        assert [len(starts(calendar, T60, f"2027-03-0{day}")) for day in (1, 2, 3, 4)] == [0, 0, 0, 8]

    def test_an_override_that_ends_at_midnight_leaves_the_next_day_alone(self):
        calendar = self.with_overrides(Override(at("2027-03-01T00:00"), at("2027-03-03T00:00"), False))

        assert [len(starts(calendar, T60, f"2027-03-0{day}")) for day in (1, 2, 3)] == [0, 0, 8]
        assert len(starts(calendar, T60, "2027-03-01", "2027-03-03")) == 8

    def test_an_override_takes_the_second_half_of_a_night_shift(self):
        sunday = Override(at("2027-03-07T10:00"), at("2027-03-07T12:00"), True)
        calendar = self.with_overrides(sunday, weekly=(hours(SATURDAY, "22:00-06:00"),))

        assert local(starts(calendar, T60, "2027-03-06", "2027-03-07")) == ["22:00", "23:00", "10:00", "11:00"]

    def test_an_override_of_one_template_leaves_the_others_as_they_were(self):
        calendar = self.with_overrides(Override(at("2027-05-03T09:00Z"), at("2027-05-03T12:00Z"), True, template_id=60))

        assert len(starts(calendar, template(60, id_=60), "2027-05-03")) == 3
        assert len(starts(calendar, template(30, id_=30), "2027-05-03")) == 16

    def test_two_true_overrides_around_noon_make_a_lunch_break(self):
        morning = Override(at("2027-05-03T09:00"), at("2027-05-03T12:00"), True)
        afternoon = Override(at("2027-05-03T14:00"), at("2027-05-03T17:00"), True)

        found = starts(self.with_overrides(afternoon, morning), T60, "2027-05-03")

        assert local(found) == ["09:00", "10:00", "11:00", "14:00", "15:00", "16:00"]

    def test_a_false_override_cuts_a_true_one_and_the_grid_begins_anew_behind_it(self):
        whole = Override(at("2027-05-03T09:00"), at("2027-05-03T17:00"), True)
        break_ = Override(at("2027-05-03T10:30"), at("2027-05-03T10:45"), False)

        found = starts(self.with_overrides(whole, break_), T60, "2027-05-03")

        assert local(found) == ["09:00", "10:45", "11:45", "12:45", "13:45", "14:45", "15:45"]


class TestGrid:
    def test_blocks_that_touch_are_one_interval_with_one_grid(self):
        calendar = specialist(hours(MONDAY, "09:00-10:30"), hours(MONDAY, "10:30-12:00"))

        assert local(starts(calendar, T60, "2027-05-03")) == ["09:00", "10:00", "11:00"]

    def test_the_grid_begins_anew_at_midnight_and_a_slot_may_run_over_it(self):
        calendar = specialist(hours(MONDAY, "21:30-02:00"))

        assert local(starts(calendar, T60, "2027-05-03", "2027-05-04")) == ["21:30", "22:30", "23:30", "00:00", "01:00"]

    def test_a_slot_over_midnight_is_found_when_only_its_first_day_is_asked_for(self):
        calendar = specialist(hours(MONDAY, "21:30-02:00"))

        assert local(starts(calendar, T60, "2027-05-03")) == ["21:30", "22:30", "23:30"]

    def test_a_slot_may_not_run_over_midnight_when_the_next_day_is_closed(self):
        closed = Override(at("2027-05-04T12:00"), at("2027-05-04T13:00"), False)
        calendar = specialist(hours(MONDAY, "21:30-02:00"), overrides=(closed,))

        assert local(starts(calendar, T60, "2027-05-03", "2027-05-04")) == ["21:30", "22:30"]

    def test_bookings_and_windows_do_not_shift_the_grid(self):
        calendar = specialist(hours(MONDAY, "09:00-13:00"), busy=[(at("2027-05-03T09:20"), at("2027-05-03T09:25"))])
        window = {"window_start": at("2027-05-03T10:10"), "window_end": at("2027-05-03T12:00")}

        assert local(starts(calendar, T60, "2027-05-03")) == ["10:00", "11:00", "12:00"]
        assert local(slots.open_starts(calendar, template(60), **window, now=EARLY)) == ["11:00"]

    def test_round_the_clock_hours_have_slots_over_every_midnight(self):
        calendar = specialist(*(hours(day, "00:00-00:00") for day in range(7)))

        assert len(starts(calendar, T60, "2027-05-03", "2027-05-09")) == 7 * 24
        assert len(starts(calendar, 7 * 60, "2027-05-03", "2027-05-03")) == 4

    def test_a_start_between_two_busy_periods_is_free_when_it_just_fits(self):
        busy = [(at("2027-05-03T09:00"), at("2027-05-03T10:00")), (at("2027-05-03T11:00"), at("2027-05-03T12:00"))]
        calendar = specialist(hours(MONDAY, "09:00-13:00"), busy=busy)

        assert local(starts(calendar, T60, "2027-05-03")) == ["10:00", "12:00"]
        assert local(starts(calendar, template(60, gap=5, step=60), "2027-05-03")) == ["12:00"]

    def test_a_busy_period_inside_another_does_not_end_it_early(self):
        busy = [(at("2027-05-03T09:00"), at("2027-05-03T11:00")), (at("2027-05-03T09:10"), at("2027-05-03T09:20"))]
        calendar = specialist(hours(MONDAY, "09:00-13:00"), busy=busy)

        assert local(starts(calendar, T60, "2027-05-03")) == ["11:00", "12:00"]

    def test_a_clock_put_back_over_midnight_repeats_the_hours_of_the_day_before(self):
        # Newfoundland until 2011: 00:01 on Sunday became 23:01 on Saturday.
        weekly = (hours(SATURDAY, "23:00-00:00"), hours(SUNDAY, "08:00-09:00"))
        calendar = Calendar(5, "America/St_Johns", weekly)
        sunday = zones.local_day("America/St_Johns", date(2010, 11, 7).toordinal())

        shown = slots.available_intervals(calendar, None, date(2010, 11, 6), date(2010, 11, 7))

        assert [end - start for start, end in shown[0][1]] == [3_600]
        assert [(start - sunday.start, end - start) for start, end in shown[1][1]] == [
            (60, 59 * 60),
            (9 * 3_600, 3_600),
        ]


class TestOpen:
    office = TestScenario4Counting.office

    def test_a_start_exactly_the_notice_away_is_open_and_a_moment_later_no_longer(self):
        offer, eight = template(60, notice=120), float(at("2027-05-03T08:00"))

        assert local(starts(specialist(*self.office), offer, "2027-05-03", now=eight))[0] == "10:00"
        assert local(starts(specialist(*self.office), offer, "2027-05-03", now=eight + 0.5))[0] == "11:00"

    def test_the_horizon_is_counted_in_whole_days_of_elapsed_time_and_excludes_its_end(self):
        offer, now = template(60, horizon=7), float(at("2027-04-26T12:00"))

        assert local(starts(specialist(*self.office), offer, "2027-05-03", now=now)) == ["09:00", "10:00", "11:00"]
        assert local(starts(specialist(*self.office), offer, "2027-05-03", now=now + 0.5))[-1] == "12:00"

    def test_the_last_day_of_a_licence_still_counts_in_the_zone_of_the_specialist(self):
        calendar = specialist(*self.office, bookable_until=date(2027, 5, 4))

        assert len(starts(calendar, T60, "2027-05-03", "2027-05-07")) == 16

    @pytest.mark.parametrize(("until", "count"), [(date(1, 1, 1), 0), (date(1990, 1, 1), 0), (date.max, 40)])
    def test_a_licence_may_end_long_ago_or_practically_never(self, until, count):
        calendar = specialist(*self.office, bookable_until=until)

        assert len(starts(calendar, T60, "2027-05-03", "2027-05-07")) == count

    def test_the_past_and_the_far_future_have_no_slots(self):
        assert starts(specialist(*self.office), T60, "2026-11-02", "2026-11-30") == []
        assert starts(specialist(*self.office), T60, "9999-12-01", "9999-12-31") == []
        assert starts(specialist(*self.office), T60, "0001-01-01", "0001-01-31") == []


class TestCandidates:
    calendar = specialist(hours(MONDAY, "09:00-12:00"), busy=[(at("2027-05-03T09:00"), at("2027-05-03T12:00"))])

    def test_a_taken_start_is_still_a_candidate(self):
        assert slots.is_candidate(self.calendar, template(60), at("2027-05-03T10:00"), EARLY)
        assert starts(self.calendar, T60, "2027-05-03") == []

    @pytest.mark.parametrize("time", ["08:00", "09:30", "10:01", "11:30", "12:00"])
    def test_a_start_off_the_grid_or_outside_the_hours_is_none(self, time):
        assert not slots.is_candidate(self.calendar, template(60), at(f"2027-05-03T{time}"), EARLY)

    def test_a_start_inside_the_notice_is_none(self):
        now = at("2027-05-03T09:30")

        assert slots.is_candidate(self.calendar, template(60, notice=30), at("2027-05-03T10:00"), now)
        assert not slots.is_candidate(self.calendar, template(60, notice=31), at("2027-05-03T10:00"), now)

    def test_candidates_of_a_window_ignore_what_is_busy(self):
        low, high = zones.span(BUCHAREST, date(2027, 5, 3), date(2027, 5, 3))

        found = slots.candidate_starts(self.calendar, template(60), window_start=low, window_end=high, now=EARLY)

        assert local(found) == ["09:00", "10:00", "11:00"]


class TestMerge:
    def test_a_slot_names_its_specialists_by_priority_and_then_id(self):
        monday = hours(MONDAY, "09:00-11:00")
        calendars = [
            specialist(monday, specialist_id=7, priority=1),
            specialist(monday, specialist_id=3, priority=2),
            specialist(monday, specialist_id=9, priority=1, busy=[(at("2027-05-03T10:30"), at("2027-05-03T10:40"))]),
        ]
        low, high = zones.span(BUCHAREST, date(2027, 5, 3), date(2027, 5, 3))

        found = slots.merge(calendars, template(60), window_start=low, window_end=high, now=EARLY)

        assert found == [(at("2027-05-03T09:00"), (7, 9, 3)), (at("2027-05-03T10:00"), (7, 3))]

    def test_nobody_bookable_is_no_slots(self):
        assert slots.merge([], template(60), window_start=0, window_end=86_400, now=0) == []


class TestAvailableIntervals:
    def test_it_shows_each_local_day_with_its_hours(self):
        calendar = specialist(hours(SATURDAY, "22:00-06:00"))

        shown = slots.available_intervals(calendar, None, date(2027, 3, 27), date(2027, 3, 29))

        assert shown == [
            (date(2027, 3, 27), [(at("2027-03-27T20:00Z"), at("2027-03-27T22:00Z"))]),
            (date(2027, 3, 28), [(at("2027-03-27T22:00Z"), at("2027-03-28T03:00Z"))]),
            (date(2027, 3, 29), []),
        ]

    def test_overrides_of_a_template_show_only_for_that_template(self):
        override = Override(at("2027-05-03T12:00"), at("2027-05-03T13:00"), True, template_id=12)
        calendar = specialist(hours(MONDAY, "09:00-11:00"), overrides=(override,))
        monday = date(2027, 5, 3)

        assert slots.available_intervals(calendar, 12, monday, monday)[0][1] == [(override.start, override.end)]
        assert slots.available_intervals(calendar, None, monday, monday)[0][1] == [
            (at("2027-05-03T09:00"), at("2027-05-03T11:00"))
        ]

    def test_an_override_of_a_whole_year_is_cut_into_days(self):
        start = at("2027-01-01T00:00")
        calendar = specialist(overrides=(Override(start, start + 366 * 86_400, True),))

        shown = slots.available_intervals(calendar, None, date(2027, 3, 27), date(2027, 3, 29))

        assert [(end - begin) // 3600 for _, [(begin, end)] in shown] == [24, 23, 24]
