"""Taking the same person in from several places at once, on real servers: scheduling.md 3.1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connections

from apps.organizations.models import Fact, User
from apps.profiles.models import Patient
from apps.scheduling.models import Appointment
from restartix.kernel import tokens
from restartix.kernel.errors import Conflict
from restartix.kernel.tokens import issue_development_token
from tests.admin.office import booking, template
from tests.client import Api as SignedIn
from tests.make.organizations import within
from tests.organizations.provider import SECRET_KEY, Provider
from tests.races.crowd import at_once
from tests.scheduling.papers import keeping
from tests.scheduling.world import Api, next_weekday

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]

TOLD = {"consents": [{"type": "telerehab_consent", "method": "paper"}]}


@pytest.fixture
def offered(cast):
    return template(cast.sud, cast.sara.specialist)


@pytest.fixture
def desks(cast, web_servers) -> list[Api]:
    """Mara at two servers."""
    token = issue_development_token(cast.mara.user.clerk_user_id)
    return [Api({"Authorization": f"Bearer {token}"}, server.port) for server in web_servers(2)]


def patients(cast) -> int:
    with within(cast.sud):
        return Patient.objects.count()


def test_one_booking_is_taken_in_once(cast, desks, offered) -> None:
    booked, before = booking(cast.sud, offered, next_weekday(0)), patients(cast)

    answers = at_once(
        lambda number=number: desks[number % 2].post(f"/v1/appointments/{booked.pk}/onboard", TOLD)
        for number in range(12)
    )

    assert Counter(answer.status for answer in answers) == {200: 1, 409: 11}
    assert {answer.code for answer in answers if answer.status == 409} == {"invalid_transition"}
    assert patients(cast) == before + 1
    with within(cast.sud):
        updated = Fact.objects.filter(name="appointment.updated", payload__appointment_id=booked.pk)
        assert updated.count() == 1


def test_two_bookings_of_somebody_new_make_one_patient(cast, desks, offered) -> None:
    before = patients(cast)
    booked = [booking(cast.sud, offered, next_weekday(0, hour)) for hour in (8, 9, 10, 11)]

    answers = at_once(
        lambda place=place: desks[place % 2].post(f"/v1/appointments/{booked[place].pk}/onboard", TOLD)
        for place in range(len(booked))
    )

    assert Counter(answer.status for answer in answers) == {200: 1, 409: 3}
    (made,) = (answer.data["patient_id"] for answer in answers if answer.status == 200)
    refused = [answer.error for answer in answers if answer.status == 409]
    assert [(each["code"], each["details"]) for each in refused] == [("patient_exists", {"patient_id": made})] * 3
    assert patients(cast) == before + 1
    assert User.objects.filter(email="maria@example.org").count() == 1


def test_a_booking_is_taken_in_or_cancelled(cast, desks, offered) -> None:
    outcomes = set()
    for hour in (8, 9, 10, 11, 12, 13):
        booked, before = booking(cast.sud, offered, next_weekday(0, hour)), patients(cast)
        path = f"/v1/appointments/{booked.pk}"
        said = {**TOLD, "contact": {"email": f"maria{hour}@example.org"}}
        taken, cancelled = at_once(
            [
                lambda path=path, said=said: desks[0].post(f"{path}/onboard", said),
                lambda path=path: desks[1].put(f"{path}/cancel", {"reason": "twice"}),
            ]
        )
        outcomes.add((taken.status, cancelled.status))
        with within(cast.sud):
            row = Appointment.objects.get(pk=booked.pk)
        assert row.status == "cancelled"  # also one who was taken in just before
        assert (row.patient_id is not None) == (taken.status == 200)
        assert patients(cast) == before + (taken.status == 200)

    assert outcomes <= {(200, 200), (409, 200)}


def test_nobody_who_is_being_removed_gets_a_booking(cast, desks, offered) -> None:
    admin = Api({"Authorization": f"Bearer {issue_development_token(cast.ion.user.clerk_user_id)}"}, desks[1].port)
    booked = booking(cast.sud, offered, next_weekday(0))

    taken, removed = at_once(
        [
            lambda: desks[0].post(f"/v1/appointments/{booked.pk}/onboard", {**TOLD, "patient_id": cast.ana.patient.pk}),
            lambda: admin.delete(f"/v1/patients/{cast.ana.patient.pk}"),
        ]
    )

    assert (taken.status, removed.status) in {(200, 409), (422, 204)}


class TestBesideTheProvidersEvents:
    """The provider tells of the account that it was asked for before it answers."""

    @pytest.fixture
    def clerk(self, settings) -> Iterator[Provider]:
        provider = Provider()
        settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
        settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
        settings.DEVELOPMENT_ISSUER, settings.CLERK_WEBHOOK_SECRET = False, [provider.secret]
        tokens.verifier.cache_clear()
        yield provider
        tokens.verifier.cache_clear()
        provider.close()

    @pytest.fixture
    def mara(self, cast, clerk) -> SignedIn:
        def tell(told: Any) -> None:
            kind = "user.deleted" if told.get("deleted") else "user.created"
            clerk.tell(kind, told)
            connections.close_all()

        clerk.meanwhile = tell
        return SignedIn(clerk.token(cast.mara.user.clerk_user_id))

    def test_the_user_whom_the_event_made_is_the_patients(self, cast, clerk, mara, offered) -> None:
        booked = booking(cast.sud, offered, next_weekday(0))

        answer = mara.post(f"/v1/appointments/{booked.pk}/onboard", TOLD)

        assert answer.status == 200, answer.content
        assert answer.data["patient"]["user_id"] == User.objects.get(clerk_user_id=clerk.accounts[0]["id"]).pk

    def test_nothing_that_can_sign_in_is_left_of_an_attempt_that_failed(self, cast, clerk, mara, offered) -> None:
        booked = booking(cast.sud, offered, next_weekday(0))

        with keeping({101: "Intake"}) as binder:
            binder.make_missing = Mock(side_effect=Conflict("No paper."))
            answer = mara.post(f"/v1/appointments/{booked.pk}/onboard", TOLD)

        assert (answer.status, clerk.accounts) == (409, [])
        assert not User.objects.filter(email="maria@example.org", deleted_at=None).exists()
        assert mara.post(f"/v1/appointments/{booked.pk}/onboard", TOLD).status == 200
