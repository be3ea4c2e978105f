"""Forms that come with an appointment, as scheduling asks for them: scheduling.md 3.1, 3.3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.scheduling.papers import Binder, keeping
from tests.scheduling.test_details import World
from tests.scheduling.world import Api, next_weekday, z

pytestmark = pytest.mark.django_db

INTAKE, PAIN, UNKNOWN = 101, 102, 999


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def binder() -> Iterator[Binder]:
    with keeping({INTAKE: "Intake", PAIN: "Pain diary"}) as binder:
        yield binder


def attach(api: Api, template_id: int, *forms: dict[str, object]):
    return api.post(f"/v1/appointment-templates/{template_id}/attach-forms", {"forms": list(forms)})


class TestOfTemplates:
    def test_are_attached_in_order_and_come_off_again(self, world: World, binder: Binder) -> None:
        template = world.clinic.template(60)

        answer = attach(
            world.admin, template.pk, {"form_template_id": PAIN}, {"form_template_id": INTAKE, "sort_order": 5}
        )

        assert answer.status == 200, answer.content
        forms = answer.data["forms"]
        assert [form["form_template_id"] for form in forms] == [INTAKE, PAIN]
        assert forms[1] == {
            "form_template_id": PAIN,
            "name": "Pain diary",
            "type": "questionnaire",
            "sort_order": 10,
            "required": True,
        }
        path = f"/v1/appointment-templates/{template.pk}/forms/{PAIN}"
        assert [world.admin.delete(path).status for _ in range(2)] == [204, 404]

    def test_are_attached_all_or_none(self, world: World, binder: Binder) -> None:
        template = world.clinic.template(60)
        attach(world.admin, template.pk, {"form_template_id": INTAKE})

        again = attach(world.admin, template.pk, {"form_template_id": PAIN}, {"form_template_id": INTAKE})
        assert (again.status, again.error["details"]) == (409, {"form_template_ids": [INTAKE]})
        unknown = attach(world.admin, template.pk, {"form_template_id": PAIN}, {"form_template_id": UNKNOWN})
        assert unknown.error["details"]["fields"] == {"forms[1].form_template_id": ["not found"]}
        twice = attach(world.admin, template.pk, {"form_template_id": PAIN}, {"form_template_id": PAIN})
        assert twice.error["details"]["fields"] == {"forms[1].form_template_id": ["listed twice"]}
        seen = world.admin.get(f"/v1/appointment-templates/{template.pk}").data["forms"]
        assert [form["form_template_id"] for form in seen] == [INTAKE]

    def test_are_asked_for_once_a_list(self, world: World, binder: Binder) -> None:
        for minutes in (30, 45, 60):
            world.clinic.template(minutes)

        assert len(world.admin.get("/v1/appointment-templates").data) == 3
        assert binder.asked["of_templates"] == 1

    def test_are_none_where_nobody_keeps_any(self, world: World) -> None:
        template = world.clinic.template(60)

        answer = attach(world.admin, template.pk, {"form_template_id": INTAKE})
        assert answer.error["details"]["fields"] == {"forms[0].form_template_id": ["not found"]}
        assert world.admin.delete(f"/v1/appointment-templates/{template.pk}/forms/{INTAKE}").status == 404
        assert world.admin.get(f"/v1/appointment-templates/{template.pk}").data["forms"] == []


class TestOfAppointments:
    def from_template(self, world: World, template_id: int, *, hours: int = 0):
        body = {
            "appointment_template_id": template_id,
            "patient_id": world.patient.pk,
            "specialist_id": world.sara.pk,
            "started_at": z(next_weekday(2) + timedelta(hours=hours)),
        }
        answer = world.desk.post("/v1/appointments/from-template", body)
        assert answer.status == 201, answer.content
        return answer.data

    def test_come_along_with_the_template(self, world: World, binder: Binder) -> None:
        template = world.clinic.template(60)
        attach(world.admin, template.pk, {"form_template_id": INTAKE}, {"form_template_id": PAIN})

        made = self.from_template(world, template.pk)

        assert [(form["title"], form["status"]) for form in made["forms"]] == [
            ("Intake", "pending"),
            ("Pain diary", "pending"),
        ]

    def test_do_not_come_along_with_a_free_appointment(self, world: World, binder: Binder) -> None:
        template = world.clinic.template(60)
        attach(world.admin, template.pk, {"form_template_id": INTAKE})

        key = world.make(appointment_template_id=template.pk)

        assert world.admin.get(f"/v1/appointments/{key}?include=forms").data["forms"] == []

    def test_are_read_at_once_for_a_whole_list(self, world: World, binder: Binder) -> None:
        template = world.clinic.template(60)
        attach(world.admin, template.pk, {"form_template_id": INTAKE})
        for hours in range(3):
            self.from_template(world, template.pk, hours=hours)
        binder.asked["of"] = 0

        with CaptureQueriesContext(connection) as queries:
            listed = world.admin.get("/v1/appointments?include=forms").data

        assert [len(each["forms"]) for each in listed] == [1, 1, 1]
        assert binder.asked["of"] == 1
        assert len(queries) < 15

    def test_that_are_missing_are_made(self, world: World, binder: Binder) -> None:
        key = world.make()
        path = f"/v1/appointments/{key}/attach-forms"

        first = world.specialist.post(path, {"form_template_ids": [INTAKE]})
        assert first.status == 200, first.content
        assert [form["title"] for form in first.data["created"]] == ["Intake"]
        second = world.desk.post(path, {"form_template_ids": [PAIN, INTAKE]})
        assert [form["title"] for form in second.data["created"]] == ["Pain diary"]
        assert second.data["existing"] == [first.data["created"][0]["id"]]

    def test_are_attached_by_staff_who_see_the_appointment(self, world: World, binder: Binder) -> None:
        path, body = f"/v1/appointments/{world.make()}/attach-forms", {"form_template_ids": [INTAKE]}

        assert world.signed_in.post(path, body).status == 403
        assert world.other_specialist.post(path, body).status == 404
        assert world.admin.post(path, body).status == 200

    def test_are_refused_by_number_kind_and_state_in_this_order(self, world: World, binder: Binder) -> None:
        booked, off = world.booked(), world.make()
        world.admin.put(f"/v1/appointments/{off}/cancel", {"reason": "No heating"})

        def answer(key: int, *ids: int):
            return world.admin.post(f"/v1/appointments/{key}/attach-forms", {"form_template_ids": list(ids)})

        for ids in ((), tuple(range(1, 22)), (INTAKE, INTAKE)):
            assert answer(off, *ids).status == 422
        unknown = answer(booked, INTAKE, UNKNOWN)
        assert unknown.error["details"]["fields"] == {"form_template_ids[1]": ["not found"]}
        assert (answer(booked, INTAKE).status, answer(booked, INTAKE).code) == (409, "appointment_not_onboarded")
        refused = answer(off, INTAKE)
        assert (refused.status, refused.code, refused.error["details"]["allowed"]) == (409, "invalid_transition", [])

    def test_are_none_where_nobody_keeps_any(self, world: World) -> None:
        answer = world.admin.post(f"/v1/appointments/{world.make()}/attach-forms", {"form_template_ids": [INTAKE]})

        assert answer.error["details"]["fields"] == {"form_template_ids[0]": ["not found"]}
