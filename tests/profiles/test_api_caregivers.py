"""A patient's caregivers over the API: appointed for some days, told about, ended at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from apps.organizations.models import AuditEntry, Membership
from apps.organizations.services import relay
from apps.profiles.models import PatientPersonManager
from restartix.kernel import clock
from tests.make import organizations as make
from tests.make import profiles
from tests.profiles.test_api_patients import caregiver, one, visit

KEYS = {
    "id", "patient_id", "user", "relation", "permissions", "valid_from", "valid_to", "created_by", "created_at",
}  # fmt: skip


def path(cast):
    return f"{one(cast.ana)}/managers"


def today(cast, days=0):
    return (cast.sud.today(clock.now()) + timedelta(days=days)).isoformat()


def body(**fields):
    return {"email": "radu.pop@example.org", "relation": "child", "permissions": "view", **fields}


@pytest.fixture
def radu():
    return make.user("Radu Pop")


class TestAppointing:
    def test_gives_a_seat_and_the_right_to_look(self, cast, api, radu):
        made = api(cast.ana).post(path(cast), body())

        assert made.status == 201
        assert set(made.data) == KEYS
        assert made.data["user"] == {"id": radu.pk, "name": "Radu Pop"}
        assert made.data["valid_from"] == today(cast)
        assert made.data["valid_to"] is None
        assert made.data["created_by"]["id"] == cast.ana.user.pk
        with make.within(cast.sud):
            assert Membership.objects.get(user=radu).role == "patient"
        assert api(radu).get(one(cast.ana)).status == 200
        me = api(radu).get("/v1/me").data
        assert me["patient_id"] is None
        assert me["managed_patients"] == [{"patient_id": cast.ana.patient.pk, "name": "Ana Pop", "permissions": "view"}]

    def test_keeps_the_seat_of_staff(self, cast, api):
        made = api(cast.ion).post(path(cast), body(email="mara.stan@example.org"))

        assert made.status == 201
        assert api(cast.mara).get("/v1/me").data["role"] == "customer_support"

    @pytest.mark.parametrize("who", ["ion", "mara", "ana"])
    def test_is_done_by_the_patient_the_desk_and_admins(self, cast, api, radu, who):
        assert api(getattr(cast, who)).post(path(cast), body()).status == 201

    def test_is_done_by_nobody_else(self, cast, api, radu):
        manager = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")

        assert api(cast.sara).post(path(cast), body()).status == 403
        assert api(manager).post(path(cast), body()).status == 403
        assert api(cast.nora).post(path(cast), body()).status == 404
        assert api().post(path(cast), body()).status == 401

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"user_id": 1}, "user_id"),
            ({"email": "nobody@example.org"}, "email"),
            ({"email": "ana.pop@example.org"}, "email"),
            ({"email": "x"}, "email"),
            ({"relation": "friend"}, "relation"),
            ({"permissions": "all"}, "permissions"),
            ({"permissions": None}, "permissions"),
            ({"valid_from": "tomorrow"}, "valid_from"),
            ({"valid_from": "2027-02-02", "valid_to": "2027-02-01"}, "valid_to"),
            ({"valid_to": "2020-01-01"}, "valid_to"),
            ({"created_by": 5}, "created_by"),
        ],
    )
    def test_refuses_what_makes_no_link(self, cast, api, radu, change, field):
        assert field in api(cast.ana).post(path(cast), body(**change)).fields

    def test_needs_a_user_named_once(self, cast, api, radu):
        bare = {"relation": "child", "permissions": "view"}

        assert "user_id" in api(cast.ion).post(path(cast), bare).fields
        assert api(cast.ion).post(path(cast), {**bare, "user_id": 10**12}).fields == {"user_id": ["not found"]}
        assert api(cast.ion).post(path(cast), {**bare, "user_id": cast.ana.user.pk}).status == 422
        assert api(cast.ion).post(path(cast), {**bare, "user_id": radu.pk}).status == 201

    def test_tells_patients_nobodys_name_by_a_number(self, cast, api, radu):
        bare = {"relation": "child", "permissions": "view"}

        assert api(cast.ana).post(path(cast), {**bare, "user_id": radu.pk}).fields == {"user_id": ["not found"]}
        make.member(cast.sud, radu, "patient")
        assert api(cast.ana).post(path(cast), {**bare, "user_id": radu.pk}).status == 201

    def test_of_one_user_does_not_overlap(self, cast, api, radu):
        post = api(cast.ana).post
        assert post(path(cast), body(valid_from=today(cast), valid_to=today(cast, 10))).status == 201

        for first, last in ((0, 0), (10, 20), (5, None), (-5, 0)):
            days = {"valid_from": today(cast, first), "valid_to": last if last is None else today(cast, last)}
            refused = post(path(cast), body(**days))
            assert (refused.status, refused.code) == (409, "conflict")
        assert post(path(cast), body(valid_from=today(cast, 11))).status == 201

    def test_writes_to_the_patient_once(self, cast, api, radu):
        api(cast.mara).post(path(cast), body(permissions="manage"))
        relay.run()
        relay.run()

        (letter,) = [each for each in mail.outbox if "Radu Pop" in each.subject]
        assert letter.to == ["ana.pop@example.org"]
        assert "Radu Pop" in letter.body

    def test_writes_to_nobody_without_an_address(self, cast, api, radu):
        maria = profiles.patient(cast.sud, "Maria")
        api(cast.mara).post(f"{one(maria)}/managers", body())
        relay.run()

        assert mail.outbox == []


class TestEnding:
    def test_counts_at_once_and_keeps_the_row(self, cast, api, radu):
        made = api(cast.ana).post(path(cast), body()).data
        link = f"{path(cast)}/{made['id']}"

        assert api(radu).get(one(cast.ana)).status == 200
        assert api(cast.ana).delete(link).status == 204
        assert api(radu).get(one(cast.ana)).status == 404
        assert api(cast.ana).delete(link).status == 204
        assert api(cast.ana).get(f"{path(cast)}?active=true").data == []
        assert api(cast.ana).get(f"{path(cast)}?active=false").ids == [made["id"]]
        assert api(cast.ana).get(path(cast)).data[0]["valid_to"] == today(cast)
        assert api(cast.ana).post(path(cast), body()).status == 201

    def test_of_one_that_has_not_begun(self, cast, api, radu):
        made = api(cast.ana).post(path(cast), body(valid_from=today(cast, 5))).data

        assert api(cast.ana).delete(f"{path(cast)}/{made['id']}").status == 204
        assert api(cast.ana).post(path(cast), body(valid_from=today(cast, 5))).status == 201

    def test_is_done_by_the_patient_the_caregiver_the_desk_and_admins(self, cast, api):
        for number, who in enumerate((cast.ana, cast.mara, cast.ion)):
            user = caregiver(cast, cast.ana.patient, f"Care {number}")
            assert api(who).delete(self._link(cast, user)).status == 204
        leaving = caregiver(cast, cast.ana.patient, "Care 9")
        assert api(leaving).delete(self._link(cast, leaving)).status == 204

    def test_is_done_by_nobody_else(self, cast, api):
        user, other = caregiver(cast, cast.ana.patient), caregiver(cast, cast.ana.patient, "Dan Pop", "manage")
        link = self._link(cast, user)

        assert api(other).delete(link).status == 403
        assert api(cast.sara).delete(link).status == 403
        assert api(cast.nora).delete(link).status == 404
        assert api(cast.petra).delete(link).status == 404

    @staticmethod
    def _link(cast, user):
        with make.within(cast.sud):
            return f"{path(cast)}/{PatientPersonManager.objects.get(user=user).pk}"


class TestTheList:
    def test_shows_who_cares_and_who_did(self, cast, api):
        now = caregiver(cast, cast.ana.patient)
        before = caregiver(cast, cast.ana.patient, "Dan Pop", valid_to=cast.sud.today(clock.now()) - timedelta(days=1))

        def users(query=""):
            return [each["user"]["id"] for each in api(cast.mara).get(path(cast) + query).data]

        assert users() == [now.pk, before.pk]
        assert users("?active=true") == [now.pk]
        assert users("?active=false") == [before.pk]
        assert api(cast.mara).get(f"{path(cast)}?active=maybe").status == 422
        assert api(now).get(path(cast)).status == 200
        assert api(cast.mara).get(path(cast)).data[0]["user"]["email"] == "radu.pop@example.org"


def test_a_link_gives_nothing_at_another_clinic(cast, api):
    radu = caregiver(cast, cast.ana.patient)
    there = profiles.patient(cast.nord, "Somebody")
    make.member(cast.nord, radu, "patient")

    assert api(radu, cast.nord).get(one(there)).status == 404
    assert api(radu, cast.nord).get(one(cast.ana)).status == 404
    assert api(radu, cast.nord).get("/v1/me").data["managed_patients"] == []


def test_the_trail_names_who_appointed(cast, api):
    make.user("Radu Pop")
    api(cast.ana).post(path(cast), body())

    with make.within(cast.sud):
        row = AuditEntry.objects.get(entity_type="patient_person_manager", action="CREATE")
    assert (row.actor_id, row.patient_id, row.on_behalf_of) == (str(cast.ana.user.pk), cast.ana.patient.pk, None)


def test_the_trail_names_the_patient_whose_appointment_a_caregiver_moves(cast, api):
    dan = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")
    booked = visit(cast.ana.patient, cast.sara.specialist)

    assert api(dan).get(f"/v1/appointments/{booked.pk}").status == 200
    assert api(dan).put(f"/v1/appointments/{booked.pk}/cancel", {"reason": "x"}).status == 200

    with make.within(cast.sud):
        rows = AuditEntry.objects.filter(entity_type="appointment", actor_id=str(dan.pk)).order_by("id")
        assert [(row.action, row.on_behalf_of) for row in rows] == [
            ("READ", cast.ana.patient.pk),
            ("UPDATE", cast.ana.patient.pk),
        ]


def test_patients_who_look_at_their_own_appointments_leave_no_trail(cast, api):
    visit(cast.ana.patient, cast.sara.specialist)
    for caller in (cast.ana, cast.mara):
        assert len(api(caller).get(f"/v1/appointments?patient_id={cast.ana.patient.pk}").data) == 1

    with make.within(cast.sud):
        readers = AuditEntry.objects.filter(action="READ").values_list("actor_id", flat=True)
        assert list(readers) == [str(cast.mara.user.pk)]
