"""Details of an appointment: what staff change, what patients add, and what is told of it. scheduling.md 3.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox_of
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.forms.models import CustomField
from apps.organizations.models import Fact, User
from apps.organizations.services import relay
from apps.profiles.models import Specialty
from apps.profiles.models.patients import CaregiverPermission, CaregiverRelation, PatientPersonManager
from apps.scheduling.models import Appointment
from apps.scheduling.services.ratings import OPEN_FOR
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.tenancy import acting_for
from tests.kernel_api.conformance import assert_documented
from tests.scheduling.world import ALWAYS, BUILDER, Answer, Api, Clinic, book, hold, next_weekday, z

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class World:
    """One clinic with everybody who has to do with an appointment."""

    def __init__(self) -> None:
        self.clinic = Clinic.make(weekly=ALWAYS, specialists=2)
        self.sara = self.clinic.specialists[0]
        self.admin, self.desk = self.clinic.member("admin"), self.clinic.member("customer_support")
        self.specialist = self.clinic.member("specialist", specialist=self.sara)
        self.other_specialist = self.clinic.member("specialist", specialist=self.clinic.specialists[1])
        self.signed_in = self.clinic.member("patient")
        user = User.objects.filter(email__startswith="patient-", current_organization=self.clinic.organization).get()
        self.patient = self.clinic.patient("Ana Pop", user=user)
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)

    def make(self, start: datetime | None = None, **more: Any) -> int:
        answer = self.admin.post("/v1/appointments", self.body_of(start or self.now + 48 * HOUR, **more))
        assert answer.status == 201, answer.content
        return int(answer.data["id"])

    def body_of(self, start: datetime, **more: Any) -> dict[str, Any]:
        """The body of an appointment of an hour."""
        names = {"patient_id": self.patient.pk, "specialist_id": self.sara.pk}
        return {**names, "started_at": z(start), "ended_at": z(start + HOUR), **more}

    def booked(self) -> int:
        """A booking of somebody who is no patient yet."""
        template = self.clinic.template(60, mode="video")
        assert book(Api(), hold(Api(), template, z(next_weekday(2))).data).status == 201
        with self.scope():
            return int(Appointment.objects.latest("pk").pk)

    def done(self) -> int:
        key = self.make(self.now)
        for status in ("inprogress", "done"):
            assert self.admin.put(f"/v1/appointments/{key}/status", {"status": status}).status == 200
        return key

    def caregiver(self, permissions: str) -> Api:
        api = self.clinic.member("patient")
        user = User.objects.filter(current_organization=self.clinic.organization).latest("pk")
        with self.scope():
            PatientPersonManager.objects.create(
                patient=self.patient,
                user=user,
                relation=CaregiverRelation.SPOUSE,
                permissions=permissions,
                valid_from=self.now.date() - timedelta(days=7),
                created_by=user,
            )
        return api

    def scope(self) -> Any:
        return acting_for(self.clinic.organization.pk, actor=BUILDER)

    def row(self, key: int) -> Appointment:
        with self.scope():
            return Appointment.objects.get(pk=key)

    def facts(self, name: str = "appointment.updated") -> int:
        with self.scope():
            return Fact.objects.filter(name=name).count()


@pytest.fixture
def world() -> World:
    return World()


def put(api: Api, key: int, **body: Any) -> Answer:
    return api.put(f"/v1/appointments/{key}", body)


class TestStaff:
    def test_change_every_detail_and_announce_it_once(self, world: World) -> None:
        key = world.make()
        with world.scope():
            specialty = Specialty.objects.create(title="Knee", slug="knee")

        answer = put(
            world.desk,
            key,
            title="Second look",
            notes="Bring the scan",
            specialty_id=specialty.pk,
            location="Room 3",
            patient_service_plan_id=None,
        )

        assert answer.status == 200, answer.content
        told = {name: answer.data[name] for name in ("title", "notes", "specialty_id", "location", "status")}
        assert told == {
            "title": "Second look",
            "notes": "Bring the scan",
            "specialty_id": specialty.pk,
            "location": "Room 3",
            "status": "upcoming",
        }
        assert world.facts() == 1

    def test_leave_what_they_do_not_send_and_announce_nothing_that_is_as_before(self, world: World) -> None:
        key = world.make(notes="As it is", location="Room 1")

        answer = world.specialist.patch(f"/v1/appointments/{key}", {"location": "Room 1"})

        assert (answer.status, answer.data["notes"]) == (200, "As it is")
        assert world.facts() == 0

    def test_take_notes_and_location_away_but_not_the_title(self, world: World) -> None:
        key = world.make(notes="As it is", location="Room 1")

        assert put(world.admin, key, notes="  ", location=None).data["notes"] is None
        for title in (None, "  "):
            assert list(put(world.admin, key, title=title).error["details"]["fields"]) == ["title"]

    def test_are_the_assigned_specialist_the_desk_and_admins(self, world: World) -> None:
        key = world.make()

        assert [put(api, key, notes="x").status for api in (world.specialist, world.desk, world.admin)] == [200] * 3
        assert put(world.other_specialist, key, notes="x").status == 404

    @pytest.mark.parametrize(
        "field", ["started_at", "ended_at", "specialist_id", "status", "patient_id", "price", "source"]
    )
    def test_change_time_people_and_status_elsewhere(self, world: World, field: str) -> None:
        answer = put(world.admin, world.make(), **{field: "x"})

        assert (answer.status, answer.error["details"]["fields"][field][0]) == (422, "unknown field")

    @pytest.mark.parametrize("field", ["patient_notes", "rating"])
    def test_do_not_speak_for_the_patient(self, world: World, field: str) -> None:
        key = world.make()
        assert [put(api, key, **{field: None}).status for api in (world.admin, world.desk, world.specialist)] == [
            403
        ] * 3

    def test_name_rows_that_are_there(self, world: World) -> None:
        answer = put(world.admin, world.make(), specialty_id=2**60, patient_service_plan_id=1)

        assert answer.error["details"]["fields"] == {
            "specialty_id": ["not found"],
            "patient_service_plan_id": ["not found"],
        }

    def test_change_nothing_but_notes_of_what_is_over(self, world: World) -> None:
        done, cancelled = world.done(), world.make()
        world.admin.put(f"/v1/appointments/{cancelled}/cancel", {"reason": "No heating"})
        for key in (done, cancelled):
            assert put(world.admin, key, notes="Late remark").data["notes"] == "Late remark"
            for body in ({"title": "x"}, {"notes": "x", "location": None}, {"contact": {"name": "x"}}):
                answer = put(world.admin, key, **body)
                assert (answer.status, answer.code) == (409, "appointment_closed")
            assert world.row(key).notes == "Late remark"

    def test_are_told_when_somebody_was_faster(self, world: World) -> None:
        key = world.make()
        read = world.admin.get(f"/v1/appointments/{key}")
        put(world.desk, key, notes="Mine")

        late = world.admin.put(f"/v1/appointments/{key}", {"notes": "Also mine"}, If_Match=read.headers["ETag"])

        assert (late.status, late.code, world.row(key).notes) == (412, "precondition_failed", "Mine")


class TestContact:
    def test_changes_in_part_while_nobody_was_taken_in(self, world: World) -> None:
        key = world.booked()

        answer = put(world.desk, key, contact={"phone": "+40 722 000 333"})

        assert answer.data["contact"] == {
            "name": "Maria Ionescu",
            "email": "maria@example.org",
            "phone": "+40722000333",
        }
        assert bytes(world.row(key).contact_phone_hash or b"") == keyed_hash("+40722000333", purpose="phone")
        assert list(put(world.desk, key, contact={"name": None}).error["details"]["fields"]) == ["contact.name"]
        assert put(world.desk, key, contact={}).status == 200

    def test_is_settled_afterwards(self, world: World) -> None:
        answer = put(world.desk, world.make(), contact={"name": "Somebody"})

        assert (answer.status, answer.code) == (409, "conflict")
        assert answer.error["details"] == {"field": "contact", "status": "upcoming"}


class TestMode:
    def test_brings_a_room_and_takes_it_away(self, world: World) -> None:
        key = world.make()

        room = put(world.admin, key, mode="video").data["videocall"]
        assert room == {
            "status": "pending",
            "room_name": f"restartix-{world.clinic.organization.pk}-{key}",
            "room_url": None,
        }
        assert put(world.admin, key, mode="in_person").data["videocall"] is None

    def test_brings_none_while_nobody_was_taken_in(self, world: World) -> None:
        key = world.booked()

        assert put(world.admin, key, mode="in_person").status == 200
        assert put(world.admin, key, mode="video").data["videocall"] is None


class TestPatients:
    def test_add_notes_until_the_start(self, world: World) -> None:
        key, begun = world.make(), world.make(world.now - HOUR / 2)

        assert put(world.signed_in, key, patient_notes="My knee clicks").data["patient_notes"] == "My knee clicks"
        assert put(world.signed_in, key, patient_notes=None).data["patient_notes"] is None
        late = put(world.signed_in, begun, patient_notes="Too late")
        assert (late.status, late.code) == (409, "too_late")
        assert late.error["details"] == {"not_after": z(world.now - HOUR / 2)}
        assert world.facts() == 2

    def test_add_none_to_what_was_called_off(self, world: World) -> None:
        key = world.make()
        world.admin.put(f"/v1/appointments/{key}/cancel", {"reason": "No heating"})

        assert put(world.signed_in, key, patient_notes="x").code == "appointment_closed"

    @pytest.mark.parametrize("field", ["title", "notes", "specialty_id", "mode", "location", "contact"])
    def test_change_nothing_else(self, world: World, field: str) -> None:
        assert put(world.signed_in, world.make(), **{field: None, "patient_notes": "x"}).status == 403

    def test_may_be_helped_by_who_manages_and_not_by_who_looks(self, world: World) -> None:
        key = world.make()

        assert put(world.caregiver(CaregiverPermission.MANAGE), key, patient_notes="For her").status == 200
        assert put(world.caregiver(CaregiverPermission.VIEW), key, patient_notes="For her").status == 403
        assert put(world.clinic.member("patient"), key, patient_notes="For her").status == 404

    def test_do_not_see_what_is_for_staff(self, world: World) -> None:
        answer = put(world.signed_in, world.make(notes="Secret"), patient_notes="x")

        assert {"notes", "contact", "source", "status_history"} & set(answer.data) == set()


class TestRating:
    def test_is_given_once_it_took_place_and_given_anew(self, world: World) -> None:
        key = world.done()

        first = put(world.signed_in, key, rating={"stars": 4, "comment": " Kind "}).data["rating"]
        assert (first["stars"], first["comment"]) == (4, "Kind")
        assert put(world.signed_in, key, rating={"stars": 5}).data["rating"]["comment"] is None
        assert world.facts() == 4

    def test_waits_for_the_end(self, world: World) -> None:
        answer = put(world.signed_in, world.make(), rating={"stars": 4})

        assert (answer.status, answer.code) == (409, "not_done")

    def test_is_closed_seven_days_after_the_session(self, world: World) -> None:
        key = world.done()
        for since, status in ((OPEN_FOR - HOUR, 200), (OPEN_FOR + HOUR, 409)):
            with world.scope():
                Appointment.objects.filter(pk=key).update(session_ended_at=world.now - since)
            answer = put(world.signed_in, key, rating={"stars": 4})
            assert answer.status == status
        assert answer.code == "too_late"
        assert answer.error["details"] == {"not_after": z(world.now - HOUR)}

    @pytest.mark.parametrize(
        "rating",
        [
            None,
            {},
            {"stars": 0},
            {"stars": 6},
            {"stars": "5"},
            {"stars": 4, "comment": "x" * 1001},
            {"stars": 1, "x": 1},
        ],
    )
    def test_has_one_to_five_stars(self, world: World, rating: Any) -> None:
        assert put(world.signed_in, world.done(), rating=rating).status == 422

    def test_that_is_low_is_told_to_the_admins_once(self, world: World) -> None:
        key = world.done()
        relay.run()
        outbox_of.outbox = []

        for stars in (3, 2, 1, 5, 1):
            assert put(world.signed_in, key, rating={"stars": stars, "comment": "Cold hands"}).status == 200
            relay.run()

        (letter,) = outbox_of.outbox
        assert letter.to[0].startswith("admin-")
        assert f"/admin/scheduling/appointment/{key}/change/" in letter.body
        assert "Ana Pop" not in letter.body
        assert "Cold hands" not in letter.body

    def test_that_is_low_is_told_to_nobody_where_the_clinic_wants_it_so(self, world: World) -> None:
        world.clinic.organization.settings = {"low_rating_threshold": 0}
        world.clinic.organization.save()

        put(world.signed_in, world.done(), rating={"stars": 1})

        assert world.facts("internal.appointment.rated_low") == 0


class TestCustomFields:
    def test_are_embedded_for_a_whole_list_by_one_statement(self, world: World) -> None:
        with world.scope():
            for place, (key, is_private) in enumerate((("visit_reason", False), ("suspicion", True))):
                about = {"label": key, "field_type": "text", "is_private": is_private, "sort_order": place}
                CustomField.objects.create(entity_type="appointment", key=key, **about)
        keys = [world.make(world.now + number * HOUR) for number in (24, 26, 28)]

        def seen(api: Api) -> list[list[tuple[str, Any]]]:
            listed = api.get("/v1/appointments?include=custom_field_values").data
            return [[(each["key"], each["value"]) for each in row["custom_field_values"]] for row in listed]

        assert seen(world.admin) == [[("visit_reason", None), ("suspicion", None)]] * 3
        assert seen(world.specialist) == seen(world.admin)
        assert seen(world.signed_in) == [[("visit_reason", None)]] * 3
        with CaptureQueriesContext(connection) as queries:
            world.admin.get("/v1/appointments?include=custom_field_values")
        assert sum("forms_customfield" in query["sql"] for query in queries) == 1
        path = f"/v1/appointments/{keys[0]}?include=custom_field_values"
        assert_documented(Client().get(path, headers=world.admin.headers), "GET", path)
