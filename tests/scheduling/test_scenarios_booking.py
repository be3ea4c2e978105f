"""Acceptance scenarios 8, 9, 13, 15 and 16 of scheduling.md: holds, booking, moving, tenancy and feeds."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

import icalendar
import pytest
from django.db import connection

from apps.organizations.models import User
from apps.profiles.models import PatientPerson
from apps.scheduling.models import Appointment, Claim, Hold
from restartix.kernel.tenancy import Actor, across_organizations, acting_for
from tests.scheduling.world import ALWAYS, CONTACT, Api, Clinic, book, hold, next_weekday, starts, z

pytestmark = pytest.mark.django_db
TESTER = Actor.system("test")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(settings={"required_consents": ["privacy_policy"]})


@pytest.fixture
def slot() -> str:
    return z(next_weekday(0))


def test_only_the_token_opens_a_hold(api: Api, clinic: Clinic, slot: str, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    template = clinic.template(60)
    held = hold(api, template, slot).data
    other = hold(api, template, z(next_weekday(0, 10))).data
    unknown = str(uuid.uuid4())

    for token in (None, "x", other["hold_token"], "é" * 43):
        for call in (
            lambda key, headers: api.delete(f"/v1/scheduling/holds/{key}", **headers),
            lambda key, headers: api.patch(f"/v1/scheduling/holds/{key}", {}, **headers),
            lambda key, headers: api.get(f"/v1/scheduling/holds/{key}/stream", **headers),
            lambda key, headers: api.post(
                "/v1/scheduling/book",
                {"hold_id": key, "contact": CONTACT, "consents": [{"type": "privacy_policy"}]},
                **headers,
            ),
        ):
            headers = {} if token is None else {"X_Hold_Token": token}
            refused, absent = call(held["hold_id"], headers), call(unknown, headers)
            assert refused.status == absent.status == 404
            assert {**refused.error, "request_id": ""} == {**absent.error, "request_id": ""}

    path = f"/v1/scheduling/holds/{held['hold_id']}?token={held['hold_token']}"
    assert api.patch(path).status == 200
    assert [api.delete(path).status, api.delete(path).status] == [204, 204]
    assert book(api, held).status == 410
    ended = api.get(f"/v1/scheduling/holds/{held['hold_id']}/stream?token={held['hold_token']}")
    assert ended.content.startswith(b"retry: 3000\n\nid: ")
    assert held["hold_token"] not in caplog.text
    assert not _stored_anywhere(held["hold_token"])


def _stored_anywhere(text: str) -> bool:
    with across_organizations(reason="search", actor=TESTER), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                return True
    return False


def test_booking_gives_one_appointment_and_says_the_same_again(api: Api, clinic: Clinic, slot: str) -> None:
    held = hold(api, clinic.template(50, gap_minutes=10, price="180.00"), slot).data

    first, again = book(api, held), book(api, held)

    assert (first.status, again.status) == (201, 200)
    assert first.data == again.data
    assert first.data["status"] == "booked"
    assert set(first.data) == {
        "uid", "status", "title", "started_at", "ended_at", "timezone", "mode", "location", "price", "currency",
        "specialist", "appointment_template", "organization", "cancel_until", "manage_token",
    }  # fmt: skip
    assert book(api, held, contact={**CONTACT, "phone": "+40721000112"}).code == "hold_already_booked"
    released = api.delete(f"/v1/scheduling/holds/{held['hold_id']}?token={held['hold_token']}")
    assert released.code == "hold_already_booked"
    with acting_for(clinic.organization.pk, actor=TESTER):
        assert (Appointment.objects.count(), Claim.objects.count()) == (1, 1)


def test_without_the_privacy_policy_nothing_is_booked(api: Api, clinic: Clinic, slot: str) -> None:
    held = hold(api, clinic.template(60), slot).data

    refused = book(api, held, consents=[])

    assert (refused.status, refused.error["details"]["fields"]) == (422, {"consents": ["privacy_policy is required"]})
    assert book(api, held).status == 201


def test_booking_makes_no_person_and_tells_nothing_of_a_known_address(api: Api, clinic: Clinic) -> None:
    User.objects.create(email="known@example.org", name="Known", password="!")
    template = clinic.template(60)
    counts = lambda: (User.objects.count(), PatientPerson.objects.count())  # noqa: E731
    with acting_for(clinic.organization.pk, actor=TESTER):
        before = counts()

    answers = [
        book(api, hold(api, template, z(next_weekday(0, hour))).data, contact={**CONTACT, "email": email}).data
        for hour, email in ((8, "known@example.org"), (10, "unknown@example.org"))
    ]

    with acting_for(clinic.organization.pk, actor=TESTER):
        assert counts() == before
    changing = {"uid", "manage_token", "started_at", "ended_at", "cancel_until"}
    known, unknown = ({key: value for key, value in data.items() if key not in changing} for data in answers)
    assert known == unknown


def test_a_hold_on_something_deleted_meanwhile_cannot_be_booked(api: Api, clinic: Clinic, slot: str) -> None:
    template = clinic.template(60)
    held = hold(api, template, slot).data
    admin = clinic.member("admin")

    assert admin.delete(f"/v1/appointment-templates/{template.pk}").status == 204

    refused = book(api, held)
    assert (refused.status, refused.code) == (409, "slot_unavailable")


def test_priority_decides_who_is_held_and_the_fourth_finds_nobody(api: Api, slot: str) -> None:
    clinic = Clinic.make(specialists=3)
    template = clinic.template(60)

    answers = [hold(api, template, slot) for _ in range(4)]

    assert [answer.status for answer in answers] == [201, 201, 201, 409]
    assert [answer.data["specialist_id"] for answer in answers[:3]] == [each.pk for each in clinic.specialists]
    assert answers[3].code == "slot_unavailable"


def test_moving_an_appointment(api: Api, clinic: Clinic) -> None:
    admin, patient = clinic.member("admin"), clinic.patient()
    sara, start = clinic.specialists[0], next_weekday(0)
    one = {"patient_id": patient.pk, "specialist_id": sara.pk, "ended_at": None}
    make = lambda begins: admin.post(  # noqa: E731
        "/v1/appointments", {**one, "started_at": z(begins), "ended_at": z(begins + timedelta(hours=1))}
    )
    first, second = make(start).data, make(start + timedelta(hours=3)).data
    assert admin.put(f"/v1/appointments/{first['id']}/status", {"status": "confirmed"}).data["confirmed_at"]

    moved = admin.put(f"/v1/appointments/{first['id']}/reschedule", {"started_at": z(start + timedelta(hours=1))})
    assert (moved.data["status"], moved.data["reschedule_count"], moved.data["confirmed_at"]) == ("upcoming", 1, None)
    assert b"SEQUENCE:1\r\n" in admin.get(f"/v1/appointments/{first['id']}/ics").content

    taken = admin.put(f"/v1/appointments/{first['id']}/reschedule", {"started_at": second["started_at"]})
    assert (taken.code, taken.error["details"]) == ("slot_unavailable", {"conflict": "appointment"})
    assert admin.get(f"/v1/appointments/{first['id']}").data["started_at"] == z(start + timedelta(hours=1))

    nudged = {"started_at": z(start + timedelta(minutes=90))}
    assert admin.put(f"/v1/appointments/{first['id']}/reschedule", nudged).status == 200
    assert admin.put(f"/v1/appointments/{first['id']}/reschedule", nudged).data["reschedule_count"] == 2


def test_a_patient_moves_along_the_grid_only(clinic: Clinic) -> None:
    user = User.objects.create(email="p@example.org", name="P", clerk_user_id="user_p", password="!")
    patient = clinic.patient(user=user)
    template = clinic.template(60, cancel_cutoff_hours=0)
    start = next_weekday(0)
    made = clinic.member("admin").post(
        "/v1/appointments/from-template",
        {
            "appointment_template_id": template.pk,
            "patient_id": patient.pk,
            "specialist_id": clinic.specialists[0].pk,
            "started_at": z(start),
        },
    )
    mine = _signed_in(clinic, user)
    path = f"/v1/appointments/{made.data['id']}/reschedule"

    assert mine.put(path, {"started_at": z(start + timedelta(minutes=10))}).status == 422
    assert mine.put(path, {"started_at": z(start), "ended_at": z(start + timedelta(hours=2))}).status == 403
    assert mine.put(path, {"started_at": z(start + timedelta(hours=1))}).status == 200


def _signed_in(clinic: Clinic, user: User) -> Api:
    from apps.organizations.models import Membership
    from restartix.kernel.tokens import issue_development_token

    with acting_for(clinic.organization.pk, actor=TESTER):
        Membership.objects.create(user=user, role="patient")
    user.current_organization = clinic.organization
    user.save()
    return Api({"Authorization": f"Bearer {issue_development_token(user.clerk_user_id)}"})


def test_the_other_clinic_finds_nothing(api: Api, clinic: Clinic, slot: str) -> None:
    template, patient = clinic.template(60), clinic.patient()
    made = clinic.member("admin").post(
        "/v1/appointments",
        {
            "patient_id": patient.pk,
            "specialist_id": clinic.specialists[0].pk,
            "started_at": slot,
            "appointment_template_id": template.pk,
        },
    )
    assert made.status == 201, made.content
    north = Clinic.make()
    stranger, there = north.member("admin"), {"X_Organization_ID": str(north.organization.pk)}
    key = made.data["id"]

    for method, path, body in (
        ("GET", f"/v1/appointments/{key}", None),
        ("DELETE", f"/v1/appointments/{key}", None),
        ("GET", f"/v1/appointments/{key}/ics", None),
        ("PUT", f"/v1/appointments/{key}/status", {"status": "confirmed"}),
        ("PUT", f"/v1/appointments/{key}/reschedule", {"started_at": slot}),
        ("PUT", f"/v1/appointments/{key}/cancel", {"reason": "x"}),
        ("GET", f"/v1/appointment-templates/{template.pk}", None),
        ("PUT", f"/v1/appointment-templates/{template.pk}", {"name": "x"}),
        ("DELETE", f"/v1/appointment-templates/{template.pk}", None),
        ("POST", f"/v1/appointment-templates/{template.pk}/attach-specialists", {"specialists": []}),
    ):
        assert stranger(method, path, body).status == 404, path
    foreign = stranger.post(
        "/v1/appointments",
        {"patient_id": patient.pk, "specialist_id": north.specialists[0].pk, "started_at": slot, "ended_at": slot},
    )
    assert foreign.error["details"]["fields"] == {"patient_id": ["not found"]}
    assert api.get(f"/v1/scheduling/timeslots?appointment_template_id={template.pk}", **there).status == 404
    assert stranger.get("/v1/appointments").data == []


def test_bad_input_is_refused_by_field(api: Api, clinic: Clinic) -> None:
    template = clinic.template(60)
    naive = hold(api, template, "2026-12-07T09:00:00")
    assert (naive.status, naive.error["details"]["field"]) == (422, "start")
    assert api.get(f"/v1/scheduling/timeslots?appointment_template_id={template.pk}&timezone=Mars/Base").status == 422
    odd = clinic.member("admin").post(
        "/v1/appointments",
        {"patient_id": 1, "specialist_id": 1, "started_at": "2026-12-07T09:00:30Z", "ended_at": "2026-12-07T10:00:00Z"},
    )
    assert "started_at" in odd.error["details"]["fields"]
    assert hold(api, template, z(next_weekday(0)).replace("T08:00:00Z", "T10:00:00+02:00")).data["start"] == z(
        next_weekday(0)
    )
    assert hold(api, template, z(next_weekday(0, 8).replace(minute=10))).error["details"]["fields"] == {
        "start": ["not a bookable time"]
    }


def test_nobody_holds_more_than_three_times_in_one_browser(api: Api, clinic: Clinic) -> None:
    clinic.hours(ALWAYS)
    template, client = clinic.template(60), str(uuid.uuid4())
    answers = [hold(api, template, z(next_weekday(0, hour)), client_id=client) for hour in range(4)]

    assert [answer.status for answer in answers] == [201, 201, 201, 409]
    assert (answers[3].code, answers[3].error["details"]) == ("hold_quota_exceeded", {"limit": 3, "live": 3})


def test_the_twenty_first_hold_of_a_minute_has_to_wait(api: Api, clinic: Clinic) -> None:
    template = clinic.template(60)
    answers = [hold(api, template, "2026-12-07T09:00:00") for _ in range(21)]

    assert {answer.status for answer in answers[:20]} == {422}
    assert answers[20].status == 429
    assert int(answers[20].headers["Retry-After"]) > 0


def test_a_feed_holds_initials_and_dies_with_its_address(clinic: Clinic) -> None:
    sara = clinic.specialists[0]
    specialist, patient = clinic.member("specialist", specialist=sara), clinic.patient("Maria Ionescu")
    start = next_weekday(0)
    made = clinic.member("admin").post(
        "/v1/appointments",
        {
            "title": "A; B, C\nand more",
            "patient_id": patient.pk,
            "specialist_id": sara.pk,
            "started_at": z(start),
            "ended_at": z(start + timedelta(hours=1)),
            "notes": "secret note",
        },
    )
    first = specialist.post(f"/v1/specialists/{sara.pk}/calendar-feed")
    assert first.status == 201
    path = first.data["url"].partition("/v1/")[2]

    feed = Api().get(f"/v1/{path}")

    assert feed.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in feed.content.split(b"\r\n"))
    (event,) = icalendar.Calendar.from_ical(feed.content).walk("VEVENT")
    assert event["SUMMARY"] == "A; B, C\nand more (M.I.)"
    for hidden in (b"Ionescu", b"secret"):
        assert hidden not in feed.content
    assert Api().get(f"/v1/{path}", If_None_Match=feed.headers["ETag"]).status == 304
    specialist.put(f"/v1/appointments/{made.data['id']}/status", {"status": "confirmed"})
    assert Api().get(f"/v1/{path}", If_None_Match=feed.headers["ETag"]).status == 200
    second = specialist.post(f"/v1/specialists/{sara.pk}/calendar-feed")
    assert second.status == 200
    assert Api().get(f"/v1/{path}").status == 404
    assert specialist.get(f"/v1/specialists/{sara.pk}/calendar-feed").data.keys() == {"created_at", "last_used_at"}
    assert specialist.delete(f"/v1/specialists/{sara.pk}/calendar-feed").status == 204


def test_the_manage_link_shows_and_cancels(api: Api, clinic: Clinic, slot: str) -> None:
    booked = book(api, hold(api, clinic.template(60, cancel_cutoff_hours=0), slot).data).data
    path = f"/v1/public/appointments/{booked['uid']}"
    key = {"X_Manage_Token": booked["manage_token"]}

    assert api.get(path, **key).data == {name: value for name, value in booked.items() if name != "manage_token"}
    assert [api.get(path).status, api.get(path, X_Manage_Token="x").status] == [404, 404]
    assert api.get(f"{path}/ics", **key).headers["Content-Disposition"].endswith(f'appointment-{booked["uid"]}.ics"')
    assert api.put(f"{path}/cancel", {}, **key).data["status"] == "cancelled"
    assert api.put(f"{path}/cancel", {}, **key).code == "invalid_transition"
    template_id = booked["appointment_template"]["appointment_template_id"]
    times = api.get(f"/v1/scheduling/timeslots?appointment_template_id={template_id}&from={slot[:10]}").data["slots"]
    assert slot in [each["start"] for each in times]


def test_a_lapsed_hold_blocks_nobody_and_is_never_revived(api: Api, clinic: Clinic, slot: str) -> None:
    template = clinic.template(60)
    held = hold(api, template, slot).data
    with acting_for(clinic.organization.pk, actor=TESTER):
        Hold.objects.update(expires_at=connection_now())

    path = f"/v1/scheduling/holds/{held['hold_id']}?token={held['hold_token']}"
    assert api.patch(path).code == "hold_expired"
    assert book(api, held).code == "hold_expired"
    assert slot in starts(api, template, slot[:10], slot[:10])
    assert hold(api, template, slot).status == 201


def connection_now():
    from datetime import UTC, datetime

    return datetime.now(UTC)
