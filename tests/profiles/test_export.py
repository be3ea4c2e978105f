"""The patient's own export: contract/profiles.md 3 (extension 9), acceptance scenario 15."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection

from apps.profiles.services import caregivers
from apps.scheduling.services import appointments
from restartix.kernel import clock
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

KEYS = {
    "generated_at", "patient", "person", "consents", "managers", "impersonations", "profile_values", "appointments",
    "forms", "treatment_plans", "documents", "orders",
}  # fmt: skip


def path_of(person):
    return f"/v1/patients/{person.patient.pk}/export"


@pytest.fixture
def caregiver(cast):
    """Makes somebody who cares for Ana."""

    def care(permissions):
        user = make.user(f"Care {permissions}")
        with within(cast.sud):
            caregivers.appoint(
                cast.ana.patient, by=as_ion(cast), email=user.email, relation="child", permissions=permissions
            )
        return user

    return care


def as_ion(cast):
    from restartix.kernel.roles import Role
    from restartix.kernel.tenancy import Actor

    return Actor(kind="user", id=cast.ion.user.pk, role=Role.ADMIN, organization_id=cast.sud.pk)


def test_the_patient_takes_everything_along(cast, api):
    profiles.consent(cast.ana.patient, "privacy_policy")
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    with within(cast.sud):
        appointments.create(
            patient=cast.ana.patient, specialist=cast.sara.specialist, started_at=start,
            ended_at=start + timedelta(hours=1), title="Visit", by=SYSTEM, notes="only for the staff",
        )  # fmt: skip
    answer = api(cast.ana).get(path_of(cast.ana))
    document = answer.json

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert set(document) == KEYS
    assert document["patient"]["id"] == cast.ana.patient.pk
    assert "email" in document["person"]
    assert [each["type"] for each in document["consents"]] == ["privacy_policy"]
    assert [each["title"] for each in document["appointments"]] == ["Visit"]
    assert "only for the staff" not in answer.content.decode()
    assert document["forms"] == document["treatment_plans"] == document["documents"] == document["orders"] == []


def test_no_private_field_leaves_whoever_asks(cast, api):
    for who in (cast.ana, cast.ion):
        values = api(who).get(path_of(cast.ana)).json["profile_values"]
        assert all(not value["is_private"] for value in values)


def test_behind_the_closed_gate_an_admin_gets_three_keys_of_the_person(cast, api):
    document = api(cast.ion).get(path_of(cast.ana)).json

    assert set(document["person"]) == set(document["patient"]["person"]) == {"id", "user_id", "name"}

    profiles.consent(cast.ana.patient, "profile_sharing")
    assert "email" in api(cast.ion).get(path_of(cast.ana)).json["person"]


@pytest.mark.parametrize(
    ("who", "status"), [("sara", 403), ("mara", 403), ("nora", 404), ("petra", 404), ("root", 200)]
)
def test_who_may(cast, api, who, status):
    assert api(getattr(cast, who)).get(path_of(cast.ana)).status == status


@pytest.mark.parametrize(("permissions", "status"), [("view", 403), ("manage", 200)])
def test_of_the_caregivers_those_who_manage_may(cast, api, caregiver, permissions, status):
    assert api(caregiver(permissions), cast.sud).get(path_of(cast.ana)).status == status


def test_it_is_on_record_as_an_export(cast, api):
    api(cast.ion).get(path_of(cast.ana))
    with within(cast.sud), connection.cursor() as cursor:
        cursor.execute("SELECT actor_id, patient_id FROM organizations_auditentry WHERE action = 'EXPORT'")
        assert cursor.fetchall() == [(str(cast.ion.user.pk), cast.ana.patient.pk)]


def test_the_sixth_of_a_day_waits_whoever_asks(cast, api):
    answers = [api(who).get(path_of(cast.ana)).status for who in (cast.ana, cast.ion) * 3]

    assert answers == [200] * 5 + [429]
    assert api(cast.sara).get(path_of(cast.ana)).status == 403


def test_the_document_is_plain_json(cast, api):
    assert json.loads(api(cast.ana).get(path_of(cast.ana)).content)["generated_at"].endswith("Z")
