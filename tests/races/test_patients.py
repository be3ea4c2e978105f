"""One patient, many requests at once, on real servers: scenarios 4 and 7 of profiles.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.profiles.models import ConsentRecord, Patient, PatientPersonManager
from apps.scheduling.models import Appointment
from restartix.kernel import clock
from restartix.kernel.tokens import issue_development_token
from tests.make import organizations as make
from tests.make import profiles
from tests.races.crowd import at_once
from tests.scheduling.world import Api

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]


def signed_in(user, port: int) -> Api:
    """Requests of a user over the wire."""
    return Api({"Authorization": f"Bearer {issue_development_token(user.clerk_user_id)}"}, port)


def test_twenty_equal_consents_at_once_are_one(web_servers, cast) -> None:
    servers = web_servers(2)
    path = f"/v1/patients/{cast.ana.patient.pk}"
    callers = [signed_in(cast.ana.user, server.port) for server in servers]

    answers = at_once(
        lambda number=number: callers[number % 2].post(f"{path}/consents", {"type": "analytics"})
        for number in range(20)
    )

    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.data["id"] for answer in answers}) == 1
    with make.within(cast.sud):
        assert ConsentRecord.objects.filter(patient=cast.ana.patient).count() == 1
    assert callers[0].get(path).data["telemetry_level"] == 2


def test_a_person_and_a_reference_become_one_patient_whoever_is_first(web_servers, cast) -> None:
    servers = web_servers(2)
    admins = [signed_in(cast.ion.user, server.port) for server in servers]
    make.member(cast.sud, cast.petra.user, "patient")

    linked = at_once(
        lambda number=number: admins[number % 2].post(
            "/v1/patients", {"patient_person_id": cast.petra.patient.person_id}
        )
        for number in range(10)
    )
    named = at_once(
        lambda number=number: admins[number % 2].post(
            "/v1/patients", {"person": {"name": f"Maria {number}"}, "consumer_id": "C-1"}
        )
        for number in range(10)
    )

    assert sorted(answer.status for answer in linked) == [201] + [409] * 9
    made = next(answer.data["id"] for answer in linked if answer.status == 201)
    assert {answer.error["details"]["patient_id"] for answer in linked if answer.status == 409} == {made}
    assert sorted(answer.status for answer in named) == [201] + [409] * 9
    with make.within(cast.sud):
        assert Patient.objects.filter(consumer_id="C-1").count() == 1


def test_the_same_caregiver_at_once_is_appointed_once(web_servers, cast) -> None:
    servers = web_servers(2)
    callers = [signed_in(cast.ana.user, server.port) for server in servers]
    make.user("Radu Pop")
    body = {"email": "radu.pop@example.org", "relation": "child", "permissions": "view"}

    answers = at_once(
        lambda number=number: callers[number % 2].post(f"/v1/patients/{cast.ana.patient.pk}/managers", body)
        for number in range(10)
    )

    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    with make.within(cast.sud):
        assert PatientPersonManager.objects.count() == 1


def test_nobody_is_removed_with_an_appointment_ahead(web_servers, cast) -> None:
    servers = web_servers(2)
    admins = [signed_in(cast.ion.user, server.port) for server in servers]
    outcomes = set()
    for number in range(12):
        patient = profiles.patient(cast.sud, f"Patient {number}")
        start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3, hours=number)
        body = {
            "patient_id": patient.pk,
            "specialist_id": cast.sara.specialist.pk,
            "started_at": start.isoformat(),
            "ended_at": (start + timedelta(minutes=30)).isoformat(),
        }
        made, removed = at_once(
            [
                lambda body=body: admins[0].post("/v1/appointments", body),
                lambda patient=patient: admins[1].delete(f"/v1/patients/{patient.pk}"),
            ]
        )
        outcomes.add((made.status, removed.status))

    assert outcomes <= {(201, 409), (422, 204)}
    with make.within(cast.sud):
        assert not Appointment.objects.filter(patient__deleted_at__isnull=False).exists()
