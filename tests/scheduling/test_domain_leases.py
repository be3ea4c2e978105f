"""The life of a hold: the table of contract/scheduling.md 2.2 and the arithmetic of scenario 7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scheduling.domain import leases
from apps.scheduling.domain.leases import LeaseTerms

CREATED = datetime(2026, 12, 1, 10, tzinfo=UTC)
TERMS = LeaseTerms()


def after(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


def end(renewed: float | None, *, streamed: bool) -> float:
    renewed_at = None if renewed is None else after(renewed)
    return (leases.expires_at(CREATED, renewed_at, stream_opened=streamed, terms=TERMS) - CREATED).total_seconds()


def test_a_new_hold_lasts_five_minutes_and_never_more_than_fifteen():
    assert end(None, streamed=False) == 300
    assert leases.max_expires_at(CREATED, TERMS) == after(900)


def test_the_first_stream_brings_the_end_forward():
    assert end(10, streamed=True) == 40


@pytest.mark.parametrize("closed", [100, 101, 105, 109.9])
def test_a_hold_whose_stream_closes_ends_between_twenty_and_thirty_seconds_later(closed):
    renewals = [10 + TERMS.renew * beat for beat in range(100)]
    last_renewal = max(renewal for renewal in renewals if renewal <= closed)

    assert closed + 20 <= end(last_renewal, streamed=True) <= closed + 30


@pytest.mark.parametrize(("renewed", "ends"), [(60, 300), (270, 300), (290, 320), (880, 900), (899, 900)])
def test_a_renewal_without_a_stream_never_shortens(renewed, ends):
    assert end(renewed, streamed=False) == ends


def test_a_stream_after_renewals_counts_from_its_own_opening():
    assert end(290, streamed=False) == 320
    assert end(300, streamed=True) == 330


def test_a_stream_held_open_ends_at_the_cap():
    assert end(880, streamed=True) == 900
    assert end(890, streamed=True) == 900


def test_a_hold_keeps_its_slot_until_its_end_and_not_at_it():
    ends_at = leases.expires_at(CREATED, None, stream_opened=False, terms=TERMS)

    assert leases.is_live(ends_at, after(299))
    assert leases.is_live(ends_at, after(299.999))
    assert not leases.is_live(ends_at, after(300))
    assert not leases.is_live(ends_at, after(301))


def test_the_page_is_warned_a_minute_before_the_cap():
    assert leases.warns_at(CREATED, TERMS) == after(840)
    assert leases.warns_at(CREATED, LeaseTerms(ttl=3, lease=2, renew=1, cap=9)) == CREATED


@given(earlier=st.floats(0, 900), later=st.floats(0, 900), streamed=st.booleans())
def test_a_later_renewal_never_ends_a_hold_sooner_and_the_cap_always_holds(earlier, later, streamed):
    earlier, later = sorted((earlier, later))

    assert end(earlier, streamed=streamed) <= end(later, streamed=streamed) <= 900
