"""Who may do what with an appointment, and what its bodies may name: scheduling.md 1.2 and 3.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.organizations.models import User
from apps.profiles.models.patients import CaregiverPermission, CaregiverRelation, PatientPersonManager
from apps.scheduling.services import templates
from restartix.kernel.tenancy import acting_for
from tests.scheduling.world import ALWAYS, BUILDER, Answer, Api, Clinic, starts, z

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class World:
    """One clinic, its admin, its desk, its specialist and a patient who signs in."""

    def __init__(self) -> None:
        self.clinic = Clinic.make(weekly=ALWAYS)
        self.sara = self.clinic.specialists[0]
        self.admin, self.desk = self.clinic.member("admin"), self.clinic.member("customer_support")
        self.specialist = self.clinic.member("specialist", specialist=self.sara)
        self.signed_in = self.clinic.member("patient")
        user = User.objects.filter(email__startswith="patient-", current_organization=self.clinic.organization).get()
        self.patient = self.clinic.patient("Ana Pop", user=user)
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)

    def make(self, start: datetime, **more: Any) -> int:
        """An appointment of one minute."""
        answer = self.admin.post("/v1/appointments", self.body(start, **more))
        assert answer.status == 201, answer.content
        return int(answer.data["id"])

    def body(self, start: datetime, **more: Any) -> dict[str, Any]:
        names = {"patient_id": self.patient.pk, "specialist_id": self.sara.pk}
        return {**names, "started_at": z(start), "ended_at": z(start + MINUTE), **more}


@pytest.fixture
def world() -> World:
    return World()


def set_status(api: Api, key: int, status: str, **more: Any) -> Answer:
    return api.put(f"/v1/appointments/{key}/status", {"status": status, **more})


class TestStatus:
    def test_a_session_that_began_is_the_specialists_and_admins_to_end(self, world: World) -> None:
        key = world.make(world.now - MINUTE)
        assert set_status(world.desk, key, "inprogress").status == 403
        assert set_status(world.signed_in, key, "inprogress").status == 403
        assert set_status(world.specialist, key, "inprogress").status == 200

        for status in ("done", "noshow"):
            assert set_status(world.desk, key, status).status == 403
            assert set_status(world.signed_in, key, status).status == 403
        assert set_status(world.admin, key, "noshow").data["status"] == "noshow"

    def test_the_desk_notes_who_did_not_come(self, world: World) -> None:
        assert set_status(world.desk, world.make(world.now - MINUTE), "noshow").status == 200

    def test_what_a_role_never_does_is_refused_in_every_state(self, world: World) -> None:
        key = world.make(world.now + timedelta(days=2))

        assert set_status(world.signed_in, key, "done").status == 403
        assert set_status(world.desk, key, "done").status == 403
        for api in (world.signed_in, world.admin):
            answer = set_status(api, key, "cancelled")
            assert (answer.status, answer.code) == (409, "invalid_transition")
            assert answer.error["details"]["allowed"] == ["confirmed", "inprogress", "noshow"]


class TestBodies:
    def test_name_every_row_that_is_not_there(self, world: World) -> None:
        body = world.body(world.now, patient_id=2**60, specialist_id=2**60, specialty_id=1, patient_service_plan_id=1)

        answer = world.admin.post("/v1/appointments", body)

        assert answer.status == 422
        assert answer.error["details"]["fields"] == {
            name: ["not found"] for name in ("patient_id", "specialist_id", "specialty_id", "patient_service_plan_id")
        }

    def test_of_another_specialist_are_refused_before_the_rest_of_the_body(self, world: World) -> None:
        template, own = world.clinic.template(60), world.make(world.now + 90 * MINUTE)
        other = world.sara.pk + 1
        named = {"specialist_id": other, "appointment_template_id": template.pk, "started_at": "never"}

        for address in ("/v1/appointments", "/v1/appointments/from-template"):
            assert world.specialist.post(address, named).status == 403
            assert world.admin.post(address, named).status == 422
        assert world.specialist.put(f"/v1/appointments/{own}/reschedule", {"specialist_id": other}).status == 403
        assert world.signed_in.put(f"/v1/appointments/{own}/reschedule", {"ended_at": z(world.now)}).status == 403
        assert set_status(world.admin, own, "confirmed").status == 200
        assert world.specialist.put(f"/v1/appointments/{own}/reschedule", {"specialist_id": "x"}).status == 422

    def test_of_a_template_name_its_active_specialists_and_no_plan_yet(self, world: World) -> None:
        template = world.clinic.template(60)
        with acting_for(world.clinic.organization.pk, actor=BUILDER):
            templates.attach_specialists(
                template, [{"specialist_id": world.sara.pk, "priority": 1, "is_active": False}], by=BUILDER
            )
        body = {key: value for key, value in world.body(world.now).items() if key != "ended_at"}

        answer = world.admin.post(
            "/v1/appointments/from-template",
            {**body, "appointment_template_id": template.pk, "patient_service_plan_id": 1},
        )

        assert sorted(answer.error["details"]["fields"]) == ["patient_service_plan_id", "specialist_id"]


class TestRescheduling:
    def test_to_the_present_time_changes_nothing_even_off_the_grid(self, world: World) -> None:
        template = world.clinic.template(60)
        start = world.now.replace(minute=10) + timedelta(days=3)
        key = world.make(start, appointment_template_id=template.pk, ended_at=z(start + timedelta(minutes=60)))

        answer = world.signed_in.put(f"/v1/appointments/{key}/reschedule", {"started_at": z(start)})

        assert (answer.status, answer.data["reschedule_count"]) == (200, 0)
        off = world.signed_in.put(f"/v1/appointments/{key}/reschedule", {"started_at": z(start + MINUTE)})
        assert list(off.error["details"]["fields"]) == ["started_at"]

    def test_by_the_patient_needs_a_template_that_is_still_offered(self, world: World) -> None:
        template = world.clinic.template(60)
        day = (world.now + timedelta(days=4)).date().isoformat()
        first, second = starts(Api(), template, day, day)[:2]
        body = {"patient_id": world.patient.pk, "specialist_id": world.sara.pk, "started_at": first}
        made = world.admin.post("/v1/appointments/from-template", {**body, "appointment_template_id": template.pk})
        world.admin.put(f"/v1/appointment-templates/{template.pk}", {"is_active": False})

        answer = world.signed_in.put(f"/v1/appointments/{made.data['id']}/reschedule", {"started_at": second})

        assert (answer.status, answer.code) == (409, "not_reschedulable")


class TestIncludes:
    def test_name_the_patients_user_and_who_moved_the_appointment(self, world: World) -> None:
        key = world.make(world.now + 60 * MINUTE)
        seen = world.admin.get(f"/v1/appointments/{key}?include=user,status_history").data
        assert seen["user"] == {
            "id": world.patient.person.user.pk,
            "name": world.patient.person.user.name,
            "email": world.patient.person.user.email,
        }
        first = seen["status_history"][0]
        assert (first["from"], set(first["by"])) == (None, {"id", "name", "email"})
        assert world.admin.get("/v1/appointments?include=user,status_history").data[0] == seen
        own = world.signed_in.get(f"/v1/appointments/{key}?include=user").data
        assert own["user"]["email"] == world.patient.person.user.email

    def test_tell_a_caregiver_no_email_of_the_patients_user(self, world: World) -> None:
        key = world.make(world.now + 60 * MINUTE)
        caregiver = world.clinic.member("patient")
        mine = User.objects.filter(current_organization=world.clinic.organization).latest("pk")
        with acting_for(world.clinic.organization.pk, actor=BUILDER):
            PatientPersonManager.objects.create(
                patient=world.patient,
                user=mine,
                relation=CaregiverRelation.SPOUSE,
                permissions=CaregiverPermission.VIEW,
                valid_from=world.now.date() - timedelta(days=7),
                created_by=mine,
            )
        seen = caregiver.get(f"/v1/appointments/{key}?include=user")
        assert seen.status == 200, seen.content
        assert set(seen.data["user"]) == {"id", "name"}
