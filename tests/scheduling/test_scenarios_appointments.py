"""Acceptance scenarios 11, 12, 13, 15 and 16 of scheduling.md, as far as they are about appointments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from apps.organizations.models import Fact
from apps.scheduling.models import Appointment
from tests.scheduling.papers import keeping
from tests.scheduling.test_details import World
from tests.scheduling.world import Answer, Api, Clinic, book, hold, next_weekday, starts, z

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STATUSES = ["booked", "upcoming", "confirmed", "inprogress", "done", "cancelled", "noshow"]
#: What PUT .../status can reach. Source: contract/scheduling.md 1.2.
ALLOWED = {
    "booked": [],
    "upcoming": ["confirmed", "inprogress", "noshow"],
    "confirmed": ["inprogress", "noshow"],
    "inprogress": ["done", "noshow"],
    "done": [],
    "cancelled": [],
    "noshow": [],
}


@pytest.fixture
def world() -> World:
    return World()


def set_status(api: Api, key: int, status: str) -> Answer:
    return api.put(f"/v1/appointments/{key}/status", {"status": status})


def in_state(world: World, status: str, *, start: datetime) -> int:
    """An appointment that went the ordinary way to `status`."""
    if status == "booked":
        return world.booked()
    key = world.make(start)
    if status == "cancelled":
        assert world.admin.put(f"/v1/appointments/{key}/cancel", {"reason": "No heating"}).status == 200
    way = {"confirmed": ["confirmed"], "inprogress": ["inprogress"], "done": ["inprogress", "done"]}
    for step in way.get(status, ["noshow"] if status == "noshow" else []):
        assert set_status(world.admin, key, step).status == 200
    return key


class TestTheStateMatrix:
    """Scenario 11."""

    @pytest.mark.parametrize("status", STATUSES)
    def test_knows_every_pair(self, world: World, status: str, time_machine: Any) -> None:
        for to in STATUSES:
            # 'confirmed' is for what is to come, 'noshow' for what has begun
            start = world.now + (HOUR / 2 if status != "noshow" else -HOUR / 2)
            key = in_state(world, status, start=start)
            if to == "noshow" and status in ("upcoming", "confirmed"):
                time_machine.move_to(z(start + MINUTE))

            answer = set_status(world.admin, key, to)

            time_machine.stop()
            if to in ALLOWED[status]:
                assert (answer.status, answer.data["status"]) == (200, to), (status, to)
            else:
                assert (answer.status, answer.code) == (409, "invalid_transition"), (status, to)
                assert answer.error["details"] == {"from": status, "to": to, "allowed": ALLOWED[status]}
            world.admin.put(f"/v1/appointments/{key}/cancel", {"reason": "Make room"})
            if world.admin.get(f"/v1/appointments/{key}").data["status"] == "inprogress":
                set_status(world.admin, key, "done")

    def test_takes_no_other_word(self, world: World) -> None:
        assert set_status(world.admin, world.make(), "finished").status == 422

    @pytest.mark.parametrize(("minutes", "status"), [(61, 409), (59, 200)])
    def test_opens_a_session_an_hour_before(self, world: World, time_machine: Any, minutes: int, status: int) -> None:
        start = world.now + 2 * HOUR
        key = world.make(start)
        time_machine.move_to(z(start - minutes * MINUTE))

        answer = set_status(world.specialist, key, "inprogress")

        assert answer.status == status
        if status == 409:
            assert (answer.code, answer.error["details"]) == ("too_early", {"not_before": z(start - HOUR)})

    def test_looks_at_the_edge_before_the_clock(self, world: World) -> None:
        key = world.make(world.now + 24 * HOUR)

        assert set_status(world.admin, key, "done").code == "invalid_transition"
        early = set_status(world.admin, key, "noshow")
        assert (early.code, early.error["details"]) == ("too_early", {"not_before": z(world.now + 24 * HOUR)})
        late = set_status(world.signed_in, world.make(world.now - HOUR), "confirmed")
        assert (late.code, late.error["details"]) == ("too_late", {"not_after": z(world.now - HOUR)})

    def test_is_not_the_patients_to_finish_nor_another_specialists_to_see(self, world: World) -> None:
        key = in_state(world, "inprogress", start=world.now)

        assert set_status(world.signed_in, key, "done").status == 403
        assert set_status(world.other_specialist, key, "done").status == 404

    def test_leaves_a_line_of_history_for_every_move(self, world: World) -> None:
        key = in_state(world, "done", start=world.now)

        history = world.admin.get(f"/v1/appointments/{key}?include=status_history").data["status_history"]

        moves = [(line["from"], line["to"]) for line in history]
        assert moves == [(None, "upcoming"), ("upcoming", "inprogress"), ("inprogress", "done")]


def tomorrow(world: World) -> datetime:
    """A full hour, which is on the grid, a little more than a day ahead."""
    return world.now.replace(minute=0) + 26 * HOUR


class TestTheCutOff:
    """Scenario 12."""

    def made(self, world: World, start: datetime) -> tuple[Any, int]:
        template = world.clinic.template(60, cancel_cutoff_hours=24)
        body = {"patient_id": world.patient.pk, "specialist_id": world.sara.pk, "started_at": z(start)}
        made = world.desk.post("/v1/appointments/from-template", {**body, "appointment_template_id": template.pk})
        assert made.status == 201, made.content
        assert made.data["cancel_until"] == z(start - 24 * HOUR)
        return template, int(made.data["id"])

    def test_lets_the_patient_cancel_until_a_day_before(self, world: World, time_machine: Any) -> None:
        start = tomorrow(world)
        _, key = self.made(world, start)
        time_machine.move_to(z(start - 24 * HOUR - MINUTE))

        answer = world.signed_in.put(f"/v1/appointments/{key}/cancel", {})

        assert answer.status == 200, answer.content
        told = {name: answer.data["cancellation"][name] for name in ("actor", "reason_code", "reason", "late")}
        assert told == {"actor": "patient", "reason_code": "patient_request", "reason": None, "late": False}

    def test_leaves_the_rest_to_the_clinic_which_says_why(self, world: World, time_machine: Any) -> None:
        start = tomorrow(world)
        template, key = self.made(world, start)
        day = start.date().isoformat()
        anyone = Api()
        free = lambda: starts(anyone, template, day, day, specialist_id=str(world.sara.pk), timezone="UTC")  # noqa: E731
        assert z(start) not in free()
        time_machine.move_to(z(start - 24 * HOUR + MINUTE))
        path = f"/v1/appointments/{key}/cancel"

        refused = world.signed_in.put(path, {"reason": "A cold"})
        assert (refused.code, refused.error["details"]) == ("cutoff_passed", {"cutoff_at": z(start - 24 * HOUR)})
        assert world.admin.put(path, {}).error["details"]["fields"] == {"reason": ["required"]}

        answer = world.admin.put(path, {"reason": "The heating broke"})

        cancellation = answer.data["cancellation"]
        assert (cancellation["late"], cancellation["actor"], cancellation["reason_code"]) == (
            True,
            "clinic",
            "clinic_request",
        )
        with world.scope():
            payload = Fact.objects.get(name="appointment.cancelled").payload
        assert payload["reason"] == "clinic_request"
        assert "heating" not in str(payload)
        assert z(start) in free()
        again = world.admin.put(path, {"reason": "Twice"})
        assert again.error["details"] == {"from": "cancelled", "to": "cancelled", "allowed": []}

    def test_counts_for_moving_too(self, world: World, time_machine: Any) -> None:
        start = tomorrow(world)
        _, key = self.made(world, start)
        body = {"started_at": z(start + HOUR)}
        time_machine.move_to(z(start - 24 * HOUR + MINUTE))

        refused = world.signed_in.put(f"/v1/appointments/{key}/reschedule", body)
        assert (refused.code, refused.error["details"]) == ("cutoff_passed", {"cutoff_at": z(start - 24 * HOUR)})
        assert world.specialist.put(f"/v1/appointments/{key}/reschedule", body).status == 200


class TestMoving:
    """Scenario 13; two at once are in tests/races."""

    def test_asks_for_the_confirmation_again(self, world: World) -> None:
        key = in_state(world, "confirmed", start=world.now + 24 * HOUR)
        path = f"/v1/appointments/{key}"

        moved = world.admin.put(f"{path}/reschedule", {"started_at": z(world.now + 30 * HOUR), "reason": "A strike"})

        told = {name: moved.data[name] for name in ("status", "reschedule_count", "confirmed_at")}
        assert told == {"status": "upcoming", "reschedule_count": 1, "confirmed_at": None}
        event = icalendar.Calendar.from_ical(world.admin.get(f"{path}/ics").content).walk("VEVENT")[0]
        assert (event["SEQUENCE"], event["STATUS"]) == (1, "TENTATIVE")
        history = world.admin.get(f"{path}?include=status_history").data["status_history"]
        assert (history[-1]["from"], history[-1]["to"], history[-1]["reason"]) == ("confirmed", "upcoming", "A strike")

    def test_onto_anothers_time_changes_nothing(self, world: World) -> None:
        key, other = world.make(world.now + 24 * HOUR), world.make(world.now + 26 * HOUR)
        path = f"/v1/appointments/{key}/reschedule"
        before = world.admin.get(f"/v1/appointments/{other}").data["started_at"]

        refused = world.admin.put(path, {"started_at": before})

        assert (refused.code, refused.error["details"]) == ("slot_unavailable", {"conflict": "appointment"})
        again = world.body_of(world.now + 24 * HOUR)
        assert world.admin.post("/v1/appointments", again).code == "slot_unavailable"
        assert world.admin.put(path, {"started_at": z(world.now + 24 * HOUR + 30 * MINUTE)}).status == 200

    def test_is_for_what_has_not_begun(self, world: World) -> None:
        for status in ("inprogress", "done", "cancelled", "noshow"):
            start = world.now - HOUR / 2 if status == "noshow" else world.now
            key = in_state(world, status, start=start)
            answer = world.admin.put(f"/v1/appointments/{key}/reschedule", {"started_at": z(world.now + 24 * HOUR)})
            assert answer.error["details"] == {"from": status, "to": "upcoming", "allowed": []}
            if status == "inprogress":
                set_status(world.admin, key, "done")

    def test_by_a_patient_keeps_to_the_grid_and_to_what_is_free(self, world: World) -> None:
        template = world.clinic.template(60, cancel_cutoff_hours=0)
        start = next_weekday(2)
        body = {"patient_id": world.patient.pk, "specialist_id": world.sara.pk, "started_at": z(start)}
        made = world.desk.post("/v1/appointments/from-template", {**body, "appointment_template_id": template.pk})
        path = f"/v1/appointments/{made.data['id']}/reschedule"
        hold(Api(), template, z(start + HOUR), specialist_id=world.sara.pk)

        off = world.signed_in.put(path, {"started_at": z(start + 70 * MINUTE)})
        assert off.error["details"]["fields"] == {"started_at": ["not a bookable time"]}
        taken = world.signed_in.put(path, {"started_at": z(start + HOUR)})
        assert (taken.status, taken.code) == (409, "slot_unavailable")
        long = world.signed_in.put(path, {"started_at": z(start + 2 * HOUR), "ended_at": z(start + 3 * HOUR)})
        assert long.status == 403
        assert world.signed_in.put(path, {"started_at": z(start + 2 * HOUR)}).data["reschedule_count"] == 1
        plain = world.make(start + 5 * HOUR)
        refused = world.signed_in.put(f"/v1/appointments/{plain}/reschedule", {"started_at": z(start + 7 * HOUR)})
        assert refused.code == "not_reschedulable"

    def test_to_another_specialist_is_not_the_specialists_own_to_do(self, world: World) -> None:
        key, other = world.make(world.now + 24 * HOUR), world.clinic.specialists[1].pk
        body = {"started_at": z(world.now + 24 * HOUR), "specialist_id": other}

        assert world.specialist.put(f"/v1/appointments/{key}/reschedule", body).status == 403
        assert world.desk.put(f"/v1/appointments/{key}/reschedule", body).data["specialist_id"] == other


class TestTenancyAndInput:
    """Scenario 15."""

    def test_the_other_clinic_finds_no_appointment_under_any_operation(self, world: World) -> None:
        key, stranger = world.make(), Clinic.make().member("admin")
        start = z(world.now + 24 * HOUR)

        for method, path, body in (
            ("GET", "", None),
            ("PUT", "", {"notes": "x"}),
            ("PATCH", "", {"notes": "x"}),
            ("DELETE", "", None),
            ("GET", "/ics", None),
            ("PUT", "/status", {"status": "confirmed"}),
            ("PUT", "/reschedule", {"started_at": start}),
            ("PUT", "/cancel", {"reason": "x"}),
            ("POST", "/attach-forms", {"form_template_ids": [1]}),
        ):
            assert stranger(method, f"/v1/appointments/{key}{path}", body).status == 404, (method, path)

    def test_what_is_wrong_is_told_in_the_order_of_the_contract(self, world: World) -> None:
        key = in_state(world, "done", start=world.now)
        path, bad = f"/v1/appointments/{key}", {"title": "", "started_at": "x"}
        stale = {"If_Match": '"0123456789abcdef01234567"'}

        assert Api().put(path, bad, **stale).status == 401
        assert world.other_specialist.put(path, bad, **stale).status == 404
        assert world.signed_in.put(path, bad, **stale).status == 403
        assert world.admin.put(path, bad, **stale).status == 412
        assert world.admin.put(path, bad).status == 422
        assert world.admin.put(path, {"title": "x"}).status == 409

    def test_a_start_is_a_whole_minute_with_its_offset(self, world: World) -> None:
        start = next_weekday(3, 10)
        local = start.strftime("%Y-%m-%dT%H:%M:%S")
        body = world.body_of(start)
        for text in (local, f"{local[:-2]}30Z"):
            answer = world.admin.post("/v1/appointments", {**body, "started_at": text})
            assert list(answer.error["details"]["fields"]) == ["started_at"]
        shifted = (start + 3 * HOUR).strftime("%Y-%m-%dT%H:%M:%S+03:00")
        assert world.admin.post("/v1/appointments", {**body, "started_at": shifted}).data["started_at"] == z(start)

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
    def test_text_that_no_database_keeps_is_refused(self, world: World, text: str) -> None:
        key = world.make()

        for body in ({"title": text}, {"notes": text}, {"contact": {"name": text}}):
            assert world.admin.put(f"/v1/appointments/{key}", body).status == 422
        assert world.signed_in.put(f"/v1/appointments/{key}", {"patient_notes": text}).status == 422


class TestFiles:
    """Scenario 16, for one appointment."""

    def test_are_icalendar_without_anything_personal(self, world: World) -> None:
        title = "A; B, C\nand a title that is so long that it has to be folded over more than one line of the file"
        key = world.make(title=title, notes="Secret note", location="Room 3; left")
        answer = world.signed_in.get(f"/v1/appointments/{key}/ics")

        uid = world.row(key).uid
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert f'filename="appointment-{uid}.ics"' in answer.headers["Content-Disposition"]
        lines = answer.content.split(b"\r\n")
        assert all(len(line) <= 75 and b"\n" not in line for line in lines)
        assert b"SUMMARY:A\\; B\\, C\\nand a title" in answer.content
        (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
        assert (event["UID"], event["SUMMARY"], event["LOCATION"]) == (str(uid), title, "Room 3; left")
        assert event["DTSTART"].dt == world.now + 48 * HOUR
        for hidden in (b"Ana Pop", b"Secret", b"example.org"):
            assert hidden not in answer.content

    @pytest.mark.parametrize(
        ("status", "told", "sequence"),
        [
            ("booked", "TENTATIVE", 0),
            ("confirmed", "CONFIRMED", 0),
            ("done", "CONFIRMED", 0),
            ("cancelled", "CANCELLED", 1),
        ],
    )
    def test_say_how_sure_it_is(self, world: World, status: str, told: str, sequence: int) -> None:
        key = in_state(world, status, start=world.now + HOUR / 2)

        content = world.admin.get(f"/v1/appointments/{key}/ics").content

        (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
        assert (event["STATUS"], event["SEQUENCE"]) == (told, sequence)


#: Source: contract/scheduling.md 1.1, in its order.
FIELDS = [
    "id",
    "organization_id",
    "uid",
    "title",
    "status",
    "started_at",
    "ended_at",
    "specialist",
    "specialist_id",
    "patient",
    "patient_id",
    "specialty_id",
    "appointment_template_id",
    "contact",
    "source",
    "mode",
    "location",
    "notes",
    "patient_notes",
    "price",
    "currency",
    "patient_service_plan_id",
    "videocall",
    "confirmed_at",
    "session_started_at",
    "session_ended_at",
    "cancellation",
    "cancel_until",
    "reschedule_count",
    "rating",
    "created_at",
    "updated_at",
]
INCLUDES = ["appointment_template", "specialty", "user", "forms", "documents", "custom_field_values", "status_history"]
STAFF_ONLY = {"notes", "contact", "source", "status_history"}


class TestTheShape:
    """Section 1.1, field by field."""

    def test_has_every_field_and_no_other(self, world: World) -> None:
        key = world.make()
        path = f"/v1/appointments/{key}?include={','.join(INCLUDES)}"

        for_staff, for_patients = world.specialist.get(path).data, world.signed_in.get(path).data

        assert set(for_staff) == {*FIELDS, *INCLUDES}
        assert set(for_patients) == {*FIELDS, *INCLUDES} - STAFF_ONLY
        assert set(world.admin.get(f"/v1/appointments/{key}").data) == set(FIELDS)
        assert set(world.admin.get("/v1/appointments").data[0]) == set(FIELDS)

    def test_of_a_free_appointment(self, world: World) -> None:
        start = world.now + 48 * HOUR
        shown = world.admin.get(f"/v1/appointments/{world.make(start)}").data

        row = world.row(shown["id"])
        expected = {
            "organization_id": world.clinic.organization.pk,
            "uid": str(row.uid),
            "title": "Appointment",
            "status": "upcoming",
            "started_at": z(start),
            "ended_at": z(start + HOUR),
            "specialist": {"id": world.sara.pk, "name": world.sara.name, "title": None, "avatar_url": None},
            "specialist_id": world.sara.pk,
            "patient": {"id": world.patient.pk, "name": "Ana Pop", "user_id": world.patient.person.user_id},
            "patient_id": world.patient.pk,
            "contact": None,
            "source": "staff",
            "mode": "in_person",
            "price": None,
            "currency": "RON",
            "videocall": None,
            "cancel_until": z(start - 24 * HOUR),
            "reschedule_count": 0,
            "rating": None,
            "cancellation": None,
        }
        assert {name: shown[name] for name in expected} == expected
        nothing = [name for name in FIELDS if name not in expected and shown[name] is None]
        assert set(nothing) == {
            "specialty_id", "appointment_template_id", "location", "notes", "patient_notes", "patient_service_plan_id",
            "confirmed_at", "session_started_at", "session_ended_at",
        }  # fmt: skip

    def test_of_one_from_a_template(self, world: World) -> None:
        template = world.clinic.template(50, gap_minutes=10, price="180.00", cancel_cutoff_hours=48, mode="video")
        start = next_weekday(2)
        body = {"patient_id": world.patient.pk, "specialist_id": world.sara.pk, "started_at": z(start)}

        with keeping({7: "Intake"}):
            world.admin.post(
                f"/v1/appointment-templates/{template.pk}/attach-forms", {"forms": [{"form_template_id": 7}]}
            )
            made = world.desk.post("/v1/appointments/from-template", {**body, "appointment_template_id": template.pk})

        assert made.headers["Location"] == f"/v1/appointments/{made.data['id']}"
        expected = {
            "title": "T50",
            "source": "template",
            "ended_at": z(start + 50 * MINUTE),
            "price": "180.00",
            "currency": "RON",
            "mode": "video",
            "cancel_until": z(start - 48 * HOUR),
            "videocall": {
                "status": "pending",
                "room_name": f"restartix-{world.clinic.organization.pk}-{made.data['id']}",
                "room_url": None,
            },
        }
        assert {name: made.data[name] for name in expected} == expected
        assert [form["title"] for form in made.data["forms"]] == ["Intake"]
        included = world.admin.get(f"/v1/appointments/{made.data['id']}?include=appointment_template").data
        assert included["appointment_template"] == {"id": template.pk, "name": "T50", "color": "#3B82F6"}

    def test_of_a_booking(self, world: World) -> None:
        template = world.clinic.template(60, mode="video")
        made = book(Api(), hold(Api(), template, z(next_weekday(2))).data, notes="My knee")
        with world.scope():
            key = Appointment.objects.get(uid=made.data["uid"]).pk

        shown = world.desk.get(f"/v1/appointments/{key}").data

        expected = {
            "status": "booked",
            "source": "public",
            "patient": None,
            "patient_id": None,
            "contact": {"name": "Maria Ionescu", "email": "maria@example.org", "phone": "+40721000111"},
            "patient_notes": "My knee",
            "videocall": None,
        }
        assert {name: shown[name] for name in expected} == expected

    def test_of_one_that_is_over(self, world: World) -> None:
        key = in_state(world, "done", start=world.now)
        world.signed_in.put(f"/v1/appointments/{key}", {"rating": {"stars": 5, "comment": "Kind"}})

        shown = world.admin.get(f"/v1/appointments/{key}").data

        moments = [shown[name] for name in ("session_started_at", "session_ended_at")] + [shown["rating"]["rated_at"]]
        assert all(datetime.fromisoformat(moment).tzinfo == UTC for moment in moments)
        assert (shown["rating"]["stars"], shown["rating"]["comment"]) == (5, "Kind")
