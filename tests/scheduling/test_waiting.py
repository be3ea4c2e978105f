"""The waiting list: joining and leaving it, and who is told of which time, once."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as outbox_of
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command

from apps.organizations.models import AuditEntry, Fact
from apps.organizations.services import relay
from apps.profiles.services import erasure, specialists
from apps.scheduling.models import Appointment, AppointmentTemplate, WaitlistEntry
from apps.scheduling.services import appointments, templates, waiting
from restartix.kernel.facts import reactions_to
from restartix.kernel.tenancy import Trace, across_organizations, acting_for
from tests.scheduling.world import ALWAYS, BUILDER, CONTACT, Api, Clinic, book, hold, next_weekday, z

pytestmark = pytest.mark.django_db
ANYBODY = Api()
TODAY = datetime.now(ZoneInfo("Europe/Bucharest")).date()
CONSENTS = [{"type": "privacy_policy"}]


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", email="salut@example.org")


@pytest.fixture
def letters() -> list[EmailMultiAlternatives]:
    outbox_of.outbox = []
    return outbox_of.outbox


def wish(template: AppointmentTemplate, **more: Any) -> dict[str, Any]:
    days = {"date_from": TODAY.isoformat(), "date_to": (TODAY + timedelta(days=30)).isoformat()}
    return {"appointment_template_id": template.pk, "contact": CONTACT, "consents": CONSENTS, **days, **more}


def join(template: AppointmentTemplate, **more: Any) -> dict[str, Any]:
    answer = ANYBODY.post("/v1/scheduling/waitlist", wish(template, **more))
    assert answer.status == 201, answer.content
    return answer.data


def waiter(name: str) -> dict[str, str]:
    return {**CONTACT, "name": name, "email": f"{name.lower()}@example.org"}


def booked(clinic: Clinic, template: AppointmentTemplate, start: datetime, **more: Any) -> Appointment:
    held = hold(ANYBODY, template, z(start), **more)
    assert held.status == 201, held.content
    uid = book(ANYBODY, held.data).data["uid"]
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return Appointment.objects.get(uid=uid)


def cancel(clinic: Clinic, appointment: Appointment) -> None:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        appointments.cancel(appointment, by=BUILDER, reason="ill")


def entries(clinic: Clinic) -> dict[str, str]:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return dict(WaitlistEntry.objects.order_by("pk").values_list("contact_name", "status"))


class TestJoining:
    def test_gives_the_entry_and_a_token(self, clinic: Clinic) -> None:
        template = clinic.template()

        made = join(template)

        assert made["status"] == "waiting"
        assert made["appointment_template_id"] == template.pk
        assert made["specialist_id"] is None
        assert made["timezone"] == "Europe/Bucharest"
        assert made["contact"] == CONTACT
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made["waitlist_token"])
        assert "id" not in made

    def test_keeps_consents_and_hides_the_phone_number(self, clinic: Clinic) -> None:
        made = join(clinic.template())

        with acting_for(clinic.organization.pk, actor=BUILDER):
            entry = WaitlistEntry.objects.get(uid=made["uid"])
            trail = AuditEntry.objects.filter(entity_type="waitlist_entry").values_list("changes", flat=True)
            assert entry.contact_phone == CONTACT["phone"]
            assert entry.consents[0]["type"] == "privacy_policy"
            assert CONTACT["email"] not in str(list(trail))

    def test_replaces_the_same_address_in_silence(self, clinic: Clinic) -> None:
        template, other = clinic.template(), clinic.template(30, slug="t30")
        join(template, contact=waiter("Ana"))
        join(other, contact=waiter("Ana"))

        again = ANYBODY.post(
            "/v1/scheduling/waitlist", wish(template, contact={**waiter("Ana"), "email": "ANA@example.org"})
        )

        assert again.status == 201
        with acting_for(clinic.organization.pk, actor=BUILDER):
            rows = list(WaitlistEntry.objects.order_by("pk").values_list("appointment_template_id", "status"))
        assert rows == [(template.pk, "removed"), (other.pk, "waiting"), (template.pk, "waiting")]

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"date_from": "2020-01-01"}, "date_from"),
            ({"date_to": "2020-01-01"}, "date_to"),
            ({"date_to": (TODAY + timedelta(days=94)).isoformat()}, "date_to"),
            ({"consents": []}, "consents"),
            ({"consents": None}, "consents"),
            ({"specialist_id": 987654321}, "specialist_id"),
            ({"timezone": "Mars/Base"}, "timezone"),
            ({"contact": {"name": "Ana"}}, "contact.email"),
            ({"contact": None}, "contact"),
            ({"date_from": "tomorrow"}, "date_from"),
            ({"locale": "ro"}, "locale"),
        ],
    )
    def test_explains_what_is_wrong(self, clinic: Clinic, more: dict[str, Any], field: str) -> None:
        answer = ANYBODY.post("/v1/scheduling/waitlist", wish(clinic.template(), **more))

        assert answer.status == 422
        assert field in answer.error["details"]["fields"]

    def test_takes_ninety_two_days(self, clinic: Clinic) -> None:
        last = (TODAY + timedelta(days=92)).isoformat()

        assert join(clinic.template(), date_from=TODAY.isoformat(), date_to=last)["date_to"] == last

    def test_refuses_what_cannot_be_booked_here(self, clinic: Clinic) -> None:
        hidden, other = clinic.template(is_public=False), Clinic.make()
        public = clinic.template(30, slug="t30")
        staff = clinic.member("admin")

        assert ANYBODY.post("/v1/scheduling/waitlist", wish(hidden)).status == 404
        assert (
            ANYBODY.post("/v1/scheduling/waitlist", {**wish(hidden), "appointment_template_id": 987654321}).status
            == 404
        )
        elsewhere = str(other.organization.pk)
        assert ANYBODY.post("/v1/scheduling/waitlist", wish(public), X_Organization_ID=elsewhere).status == 404
        assert staff.post("/v1/scheduling/waitlist", wish(hidden)).status == 201

    def test_counts_apart_from_bookings(self, clinic: Clinic, settings: Any) -> None:
        template = clinic.template()

        answers = [ANYBODY.post("/v1/scheduling/waitlist", wish(template)) for _ in range(11)]

        assert [each.status for each in answers] == [201] * 10 + [429]
        assert booked(clinic, template, next_weekday(1)).status == "booked"


class TestLeaving:
    def test_needs_the_token(self, clinic: Clinic) -> None:
        template = clinic.template()
        made, other = join(template, contact=waiter("Ana")), join(template, contact=waiter("Ion"))
        path = f"/v1/scheduling/waitlist/{made['uid']}"
        unknown = ANYBODY.delete("/v1/scheduling/waitlist/6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21")

        for answer in (
            ANYBODY.delete(path),
            ANYBODY.delete(f"{path}?token=wrong"),
            ANYBODY.delete(f"{path}?token={other['waitlist_token']}"),
        ):
            assert answer.status == unknown.status == 404
            assert {**answer.error, "request_id": ""} == {**unknown.error, "request_id": ""}
        assert entries(clinic) == {"Ana": "waiting", "Ion": "waiting"}

        assert ANYBODY.delete(f"{path}?token={made['waitlist_token']}").status == 204
        assert ANYBODY.delete(path, X_Waitlist_Token=made["waitlist_token"]).status == 204
        assert entries(clinic) == {"Ana": "removed", "Ion": "waiting"}

    def test_a_template_that_is_deleted_takes_everybody_off(self, clinic: Clinic) -> None:
        template, other = clinic.template(), clinic.template(30, slug="t30")
        join(template, contact=waiter("Ana"))
        join(other, contact=waiter("Ion"))

        with acting_for(clinic.organization.pk, actor=BUILDER):
            templates.remove(template, by=BUILDER)

        assert entries(clinic) == {"Ana": "removed", "Ion": "waiting"}
        assert ANYBODY.post("/v1/scheduling/waitlist", wish(template)).status == 404

    def test_a_specialist_who_leaves_takes_along_who_waits_for_them_alone(self, clinic: Clinic) -> None:
        template, (sara,) = clinic.template(), clinic.specialists
        join(template, contact=waiter("Ana"), specialist_id=sara.pk)
        join(template, contact=waiter("Ion"))

        with acting_for(clinic.organization.pk, actor=BUILDER):
            specialists.delete(sara, by=BUILDER)

        assert entries(clinic) == {"Ana": "removed", "Ion": "waiting"}

    def test_ends_with_the_last_day_on_the_calendar_of_who_waits(self, clinic: Clinic, time_machine: Any) -> None:
        template, today = clinic.template(), datetime.now(UTC).date()
        until = {
            "date_from": (today + timedelta(days=1)).isoformat(),
            "date_to": (today + timedelta(days=2)).isoformat(),
        }
        join(template, contact=waiter("East"), timezone="Pacific/Kiritimati", **until)  # UTC+14
        join(template, contact=waiter("Here"), **until)
        join(template, contact=waiter("West"), timezone="Pacific/Pago_Pago", **until)  # UTC-11
        after = today + timedelta(days=2)

        time_machine.move_to(f"{after}T09:30:00Z")
        assert waiting.expire() == 0
        time_machine.move_to(f"{after}T10:30:00Z")
        assert waiting.expire() == 1
        assert entries(clinic) == {"East": "expired", "Here": "waiting", "West": "waiting"}
        time_machine.move_to(f"{after + timedelta(days=1)}T10:30:00Z")
        assert waiting.expire() == 1
        time_machine.move_to(f"{after + timedelta(days=1)}T11:30:00Z")
        assert waiting.expire() == 1


class TestATimeThatComesBack:
    def test_is_told_to_the_oldest_alone_in_one_letter(self, clinic: Clinic, letters: list[Any]) -> None:
        template, start = clinic.template(50, gap_minutes=10, slug="t50", name="Consultație"), next_weekday(1)
        appointment = booked(clinic, template, start)
        relay.run()
        join(template, contact=waiter("Ana"))
        join(template, contact=waiter("Ion"))
        letters.clear()

        cancel(clinic, appointment)
        relay.run()
        relay.run()

        told = [letter for letter in letters if "example.org" in letter.to[0] and letter.to != [CONTACT["email"]]]
        assert [letter.to for letter in told] == [["ana@example.org"]]
        assert entries(clinic) == {"Ana": "notified", "Ion": "waiting"}
        text = told[0].body
        assert "Sara 0" in text
        assert f"/t50/times/?day={start:%Y-%m-%d}&lang=ro" in text
        assert "/waiting/" in text
        with acting_for(clinic.organization.pk, actor=BUILDER):
            entry = WaitlistEntry.objects.get(contact_name="Ana")
            assert (entry.notified_start, entry.notified_specialist_id) == (start, clinic.specialists[0].pk)
            assert entry.notified_at is not None

    def test_is_not_reserved(self, clinic: Clinic) -> None:
        template, start = clinic.template(), next_weekday(1)
        appointment = booked(clinic, template, start)
        join(template)

        cancel(clinic, appointment)
        relay.run()

        assert hold(ANYBODY, template, z(start)).status == 201

    def test_comes_by_a_move_and_by_a_deletion_as_well(self, clinic: Clinic) -> None:
        template, start = clinic.template(), next_weekday(1)
        moved, deleted = booked(clinic, template, start), booked(clinic, template, start + timedelta(hours=1))
        for name in ("Ana", "Ion", "Mara"):
            join(template, contact=waiter(name))

        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.reschedule(moved, started_at=start + timedelta(hours=3), by=BUILDER)
            appointments.remove(deleted, by=BUILDER)
        relay.run()

        assert entries(clinic) == {"Ana": "notified", "Ion": "notified", "Mara": "waiting"}

    def test_is_nobodys_if_it_is_no_slot_again(self, clinic: Clinic) -> None:
        template, start = clinic.template(), next_weekday(1)
        overlapping, retaken, off_the_grid = (
            booked(clinic, template, start + timedelta(hours=hours)) for hours in (0, 2, 4)
        )
        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.reschedule(off_the_grid, started_at=start + timedelta(hours=4, minutes=10), by=BUILDER)
        relay.run()
        join(template)

        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.reschedule(overlapping, started_at=start + timedelta(minutes=30), by=BUILDER)
            appointments.cancel(off_the_grid, by=BUILDER, reason="ill")
            appointments.cancel(retaken, by=BUILDER, reason="ill")
        assert hold(ANYBODY, template, z(start + timedelta(hours=2))).status == 201
        relay.run()

        assert set(entries(clinic).values()) == {"waiting"}

    def test_fits_template_specialist_and_days(self, clinic: Clinic) -> None:
        clinic = Clinic.make(specialists=2)
        template, other, start = clinic.template(), clinic.template(30, slug="t30"), next_weekday(1)
        sara, tudor = clinic.specialists
        day = start.date()
        appointment = booked(clinic, template, start, specialist_id=sara.pk)
        join(other, contact=waiter("OtherService"))
        join(template, contact=waiter("OtherPerson"), specialist_id=tudor.pk)
        join(template, contact=waiter("DayBefore"), date_to=(day - timedelta(days=1)).isoformat())
        join(template, contact=waiter("DayAfter"), date_from=(day + timedelta(days=1)).isoformat())
        join(
            template, contact=waiter("Fits"), specialist_id=sara.pk, date_from=day.isoformat(), date_to=day.isoformat()
        )
        join(template, contact=waiter("Younger"))

        cancel(clinic, appointment)
        relay.run()

        assert [name for name, status in entries(clinic).items() if status == "notified"] == ["Fits"]

    def test_has_its_day_on_the_calendar_of_who_waits(self, clinic: Clinic) -> None:
        clinic = Clinic.make(weekly=ALWAYS)
        template, start = clinic.template(), next_weekday(1, hour=20)  # 22:00 or 23:00 in Bucharest, Tuesday
        appointment = booked(clinic, template, start)
        day = start.date()
        tomorrow = (day + timedelta(days=1)).isoformat()
        join(template, contact=waiter("Here"), date_from=tomorrow, date_to=tomorrow)
        join(template, contact=waiter("Tokyo"), timezone="Asia/Tokyo", date_from=tomorrow, date_to=tomorrow)

        cancel(clinic, appointment)
        relay.run()

        assert entries(clinic) == {"Here": "waiting", "Tokyo": "notified"}

    def test_says_both_clocks_to_who_waits_elsewhere(self, clinic: Clinic, letters: list[Any]) -> None:
        template, start = clinic.template(mode="video"), next_weekday(1)
        appointment = booked(clinic, template, start)
        relay.run()
        letters.clear()
        tomorrow = (TODAY + timedelta(days=1)).isoformat()
        join(template, contact=waiter("Tokyo"), timezone="Asia/Tokyo", date_from=tomorrow)

        cancel(clinic, appointment)
        relay.run()

        (letter,) = (each for each in letters if each.to == ["tokyo@example.org"])
        assert "Tokyo" in letter.body
        assert f"{start.astimezone(ZoneInfo('Europe/Bucharest')):%H:%M}" in letter.body

    def test_a_mail_server_that_is_down_delays_the_letter_only(
        self, clinic: Clinic, letters: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        template, start = clinic.template(), next_weekday(1)
        appointment = booked(clinic, template, start)
        relay.run()
        join(template, contact=waiter("Ana"))
        letters.clear()
        cancel(clinic, appointment)

        def down(self: Any, *args: Any, **kwargs: Any) -> int:
            raise OSError

        with monkeypatch.context() as patched:
            patched.setattr(EmailMultiAlternatives, "send", down)
            relay.run()
        assert entries(clinic) == {"Ana": "notified"}

        with acting_for(clinic.organization.pk, actor=BUILDER):
            for fact in Fact.objects.filter(relayed_at=None):
                for reaction in reactions_to(fact.name):
                    reaction(fact)
                    reaction(fact)
        assert [each.to for each in letters if each.to == ["ana@example.org"]] == [["ana@example.org"]]

    def test_of_a_visit_that_ends_early_is_nobodys(self, clinic: Clinic, time_machine: Any) -> None:
        template, start = clinic.template(), next_weekday(1)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointment = appointments.create(
                patient=clinic.patient(),
                specialist=clinic.specialists[0],
                started_at=start,
                template=template,
                by=BUILDER,
            )
        join(template)
        time_machine.move_to((start - timedelta(minutes=50)).isoformat())
        admin = clinic.member("admin")
        for status in ("inprogress", "done"):
            assert admin.put(f"/v1/appointments/{appointment.pk}/status", {"status": status}).status == 200
        relay.run()

        assert set(entries(clinic).values()) == {"waiting"}


class TestTheList:
    def test_is_the_desks_and_the_specialists_own(self, clinic: Clinic) -> None:
        clinic = Clinic.make(specialists=2)
        template, (sara, tudor) = clinic.template(), clinic.specialists
        join(template, contact=waiter("ForSara"), specialist_id=sara.pk)
        join(template, contact=waiter("ForTudor"), specialist_id=tudor.pk)
        join(template, contact=waiter("ForAnybody"))

        def seen(api: Api, query: str = "") -> list[str]:
            answer = api.get(f"/v1/waitlist-entries{query}")
            assert answer.status == 200, answer.content
            return [each["contact"]["name"] for each in answer.data]

        everybody = ["ForSara", "ForTudor", "ForAnybody"]
        admin, desk = clinic.member("admin"), clinic.member("customer_support")
        assert seen(admin) == seen(desk) == everybody
        assert seen(clinic.member("specialist", specialist=sara)) == ["ForSara", "ForAnybody"]
        assert seen(admin, "?sort=-created_at") == everybody[::-1]
        assert seen(admin, f"?specialist_id={tudor.pk}&status=waiting,expired") == ["ForTudor"]
        assert seen(admin, f"?appointment_template_id={template.pk}&status=notified") == []
        assert clinic.member("patient").get("/v1/waitlist-entries").status == 403
        assert ANYBODY.get("/v1/waitlist-entries").status == 401
        assert admin.get("/v1/waitlist-entries?name=x").status == 422

    def test_tells_of_what_was_told(self, clinic: Clinic) -> None:
        template, start = clinic.template(), next_weekday(1)
        appointment = booked(clinic, template, start)
        join(template, contact=waiter("Ana"))
        cancel(clinic, appointment)
        relay.run()

        (entry,) = clinic.member("admin").get("/v1/waitlist-entries?status=notified").data

        assert entry["notified_start"] == z(start)
        assert entry["notified_specialist_id"] == clinic.specialists[0].pk
        assert entry["organization_id"] == clinic.organization.pk


class TestErasure:
    def test_takes_the_person_off_and_forgets_the_contact(self, clinic: Clinic) -> None:
        template, other = clinic.template(), Clinic.make()
        elsewhere = other.template()
        patient = clinic.patient("Ana Erased")
        with acting_for(clinic.organization.pk, actor=BUILDER):
            patient.person.email = "Ana@example.org"
            patient.person.save()
        for each in (template, elsewhere):
            join(each, contact=waiter("Ana"))
        join(template, contact=waiter("Ion"))

        protocol = erasure.erase_by_email("ana@example.org", by=BUILDER, reason="asked", trace=Trace())

        assert protocol.removed["entries of waiting lists"] == 2
        with across_organizations(reason="test", actor=BUILDER):
            rows = list(WaitlistEntry.objects.order_by("pk").values_list("contact_name", "contact_email", "status"))
            phones = [each.contact_phone for each in WaitlistEntry.objects.order_by("pk")]
        assert rows[2] == ("Ion", "ion@example.org", "waiting")
        assert rows[:2] == [(protocol.pseudonym, None, "removed")] * 2
        assert phones == [None, None, CONTACT["phone"]]


def test_what_a_person_takes_along_holds_their_entries(clinic: Clinic, tmp_path: Path) -> None:
    template, patient = clinic.template(), clinic.patient("Ana")
    with acting_for(clinic.organization.pk, actor=BUILDER):
        patient.person.email = "Ana@example.org"
        patient.person.save()
    made = join(template, contact=waiter("Ana"))
    join(template, contact=waiter("Ion"))

    call_command("export_person", "--email", "ana@example.org", "--out", str(tmp_path / "ana.json"), "--json")

    (document,) = json.loads((tmp_path / "ana.json").read_text())["organizations"]
    (entry,) = document["export"]["waitlist_entries"]
    assert (entry["uid"], entry["contact"]["email"]) == (made["uid"], "ana@example.org")
