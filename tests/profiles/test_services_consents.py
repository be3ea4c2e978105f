"""Consents: given, replaced, withdrawn, and what follows from them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import Error, connections

from apps.organizations.models import ConsentType, Fact
from apps.organizations.services import organizations
from apps.profiles.models import ConsentRecord
from apps.profiles.selectors.consents import missing_types, telemetry_level
from apps.profiles.services import consents
from restartix.kernel import clock
from restartix.kernel.errors import Invalid, InvalidTransition
from restartix.kernel.tenancy import Trace, acting_for
from tests.make import organizations as make


@pytest.fixture
def ana(cast):
    """Ana's file, in a scope of her clinic."""
    with make.within(cast.sud):
        yield cast.ana.patient


def grant(patient, kind="analytics", **more):
    return consents.grant(patient=patient, type=kind, method="paper", by=make.SYSTEM, **more)


def test_a_consent_is_given_once(ana):
    first, again = grant(ana), grant(ana)

    assert (first.is_new, again.is_new) == (True, False)
    assert first.record.pk == again.record.pk
    assert consents.active_types(ana) == {"analytics"}


def test_it_is_of_the_present_policy_unless_another_version_is_named(cast, ana):
    policy = {"version": "2026-05", "url": "https://x.example"}
    organizations.change(cast.sud, by=make.SYSTEM, settings={"policies": {"analytics": policy}})

    assert grant(ana).record.policy_version == "2026-05"
    assert grant(ana, "marketing").record.policy_version == "1"
    assert grant(ana, "video_recording", policy_version="7").record.policy_version == "7"


def test_another_version_replaces_the_one_before(ana):
    first = grant(ana, policy_version="1").record

    second = grant(ana, policy_version="2")

    first.refresh_from_db()
    assert second.is_new
    assert (first.status, first.withdrawal_note) == ("withdrawn", "replaced")
    assert ConsentRecord.objects.filter(patient=ana, status="active").get() == second.record


def test_it_does_not_lie_in_the_future(ana):
    with pytest.raises(Invalid):
        grant(ana, granted_at=clock.now() + timedelta(minutes=1))


def test_it_remembers_whence_it_was_given(cast):
    trace = Trace(source="api", ip="203.0.113.7", user_agent="Browser " + "x" * 600)
    with acting_for(cast.sud.pk, actor=make.SYSTEM, trace=trace):
        record = grant(cast.ana.patient).record

    assert record.ip_address == "203.0.113.7"
    assert len(record.user_agent) == 500


def test_withdrawal_acts_at_once_and_once(ana):
    record = grant(ana).record

    withdrawn = consents.withdraw(record, by=make.SYSTEM, note="asked by phone")

    assert consents.active_types(ana) == set()
    assert withdrawn.withdrawal_note == "asked by phone"
    with pytest.raises(InvalidTransition):
        consents.withdraw(record, by=make.SYSTEM)
    assert grant(ana).is_new


def test_moves_of_the_gate_are_announced_and_others_are_not(ana):
    grant(ana)
    assert not Fact.objects.filter(name="patient.updated").exists()

    shared = grant(ana, "profile_sharing").record
    grant(ana, "profile_sharing", policy_version="2")
    consents.withdraw(ConsentRecord.objects.get(patient=ana, type="profile_sharing", status="active"), by=make.SYSTEM)

    told = Fact.objects.filter(name="patient.updated").order_by("id")
    assert [fact.payload for fact in told] == [{"patient_id": ana.pk}] * 2
    assert shared.pk


@pytest.mark.parametrize(
    ("active", "level"),
    [
        (set(), 0),
        ({"marketing"}, 0),
        ({"privacy_policy"}, 1),
        ({"privacy_policy", "analytics"}, 2),
        ({"movement_data"}, 3),
        ({"movement_data", "analytics", "privacy_policy"}, 3),
    ],
)
def test_the_highest_consent_decides_what_may_be_measured(active, level):
    assert telemetry_level(active) == level


def test_what_the_clinic_requires_and_is_not_given_is_told_in_its_order(cast, ana):
    assert missing_types(ana, cast.sud) == ["privacy_policy", "telerehab_consent"]
    grant(ana, ConsentType.PRIVACY_POLICY)
    assert missing_types(ana, cast.sud) == ["telerehab_consent"]


def test_the_database_refuses_to_rewrite_or_remove_a_consent(cast):
    with make.within(cast.sud):
        record = grant(cast.ana.patient).record
    for change in (
        lambda: ConsentRecord.objects.filter(pk=record.pk).update(granted_at=clock.now()),
        lambda: ConsentRecord.objects.filter(pk=record.pk).delete(),
    ):
        with pytest.raises(Error), make.within(cast.sud):
            change()


def test_twenty_at_once_are_recorded_once(committed_db, cast):
    def give(_):
        try:
            with make.within(cast.sud):
                return grant(cast.ana.patient).is_new
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(give, range(20)))

    assert sorted(outcomes) == [False] * 19 + [True]
    with make.within(cast.sud):
        assert ConsentRecord.objects.filter(patient=cast.ana.patient).count() == 1
