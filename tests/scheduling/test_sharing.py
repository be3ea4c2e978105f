"""What twenty boards ask for at once is rendered once; what changed is rendered anew."""

from __future__ import annotations

import threading
import time

import pytest

from apps.profiles.models import PatientPerson
from apps.scheduling.admin import sharing
from apps.scheduling.admin.sharing import Shared
from apps.scheduling.models import Appointment, AppointmentTemplate, Hold
from apps.scheduling.selectors.stamps import stamp_of
from tests.admin.office import appointment, hold, moment, template
from tests.make.cast import Cast
from tests.make.organizations import within
from tests.races.crowd import at_once


class TestARendering:
    def test_is_made_once_for_twenty_who_ask_at_once(self) -> None:
        kept, made = Shared(), []

        def render() -> str:
            made.append(threading.get_ident())
            time.sleep(0.05)
            return "board"

        answers = at_once([lambda: kept.html("key", render)] * 20)

        assert answers == ["board"] * 20
        assert len(made) == 1

    def test_is_made_anew_for_another_key_and_after_two_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = Shared()
        texts = iter("abc")
        assert kept.html("key", lambda: next(texts)) == "a"
        assert kept.html("other", lambda: next(texts)) == "b"
        monkeypatch.setattr(sharing, "LIFE_SECONDS", 0.0)

        assert kept.html("key", lambda: next(texts)) == "c"

    def test_that_fails_is_tried_again_by_the_next(self) -> None:
        kept = Shared()
        with pytest.raises(ZeroDivisionError):
            kept.html("key", lambda: str(1 / 0))

        assert kept._working == {}
        assert kept.html("key", lambda: "board") == "board"


class TestTheStamp:
    @pytest.fixture
    def day(self, cast: Cast) -> tuple[int, int]:
        start = int(moment(0).timestamp())
        return start, start + 86_400

    def test_changes_with_everything_that_a_board_shows(self, cast: Cast, day: tuple[int, int]) -> None:
        offered = template(cast.sud, cast.sara.specialist)
        visit = appointment(cast.sud, cast.sara.specialist, offered, moment(8), "Dan Petrescu")
        seen = [self.stamp(cast, day)]

        hold(cast.sud, offered, moment(11))
        seen.append(self.stamp(cast, day))
        with within(cast.sud):
            Appointment.objects.filter(pk=visit.pk).update(arrived_at=moment(7))
        seen.append(self.stamp(cast, day))
        with within(cast.sud):
            Appointment.objects.filter(pk=visit.pk).update(title="Renamed without a service")
        seen.append(self.stamp(cast, day))
        with within(cast.sud):
            PatientPerson.objects.filter(patients=visit.patient).update(name="Dan Popescu")
        seen.append(self.stamp(cast, day))
        with within(cast.sud):
            AppointmentTemplate.objects.filter(pk=offered.pk).update(color="#112233")
        seen.append(self.stamp(cast, day))

        assert len(set(seen)) == len(seen)

    def test_stays_while_only_the_end_of_a_hold_moves_or_another_day_changes(
        self, cast: Cast, day: tuple[int, int]
    ) -> None:
        offered = template(cast.sud, cast.sara.specialist)
        held, _token = hold(cast.sud, offered, moment(11))
        before = self.stamp(cast, day)

        with within(cast.sud):
            Hold.objects.filter(pk=held.pk).update(renewed_at=moment(1))
        appointment(cast.sud, cast.sara.specialist, offered, moment(8, days=9), "Dan Petrescu")

        assert self.stamp(cast, day) == before

    def test_knows_of_a_visit_that_began_the_day_before(self, cast: Cast, day: tuple[int, int]) -> None:
        offered = template(cast.sud, cast.sara.specialist)
        visit = appointment(cast.sud, cast.sara.specialist, offered, moment(23, 30, days=0), "Dan Petrescu")
        before = self.stamp(cast, day)

        with within(cast.sud):
            Appointment.objects.filter(pk=visit.pk).update(title="Renamed without a service")

        assert self.stamp(cast, day) != before

    def test_knows_nothing_of_another_clinic(self, cast: Cast, day: tuple[int, int]) -> None:
        before = self.stamp(cast, day)

        appointment(cast.nord, cast.sorin.specialist, template(cast.nord, cast.sorin.specialist), moment(8), "Dan Lup")

        assert self.stamp(cast, day) == before

    @staticmethod
    def stamp(cast: Cast, day: tuple[int, int]) -> tuple[int, int]:
        with within(cast.sud):
            return stamp_of(*day)
