"""A patient's consents over the API: given once, replaced, withdrawn, never changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from apps.organizations.models import Fact, Organization
from apps.profiles.models import ConsentRecord
from restartix.kernel import clock
from tests.make import organizations as make
from tests.make import profiles
from tests.profiles.test_api_patients import caregiver, one

KEYS = {
    "id", "patient_id", "type", "status", "policy_version", "is_current", "method", "form_id", "granted_at",
    "granted_by", "ip_address", "user_agent", "withdrawn_at", "withdrawn_by", "withdrawal_note",
}  # fmt: skip


def path(cast):
    return f"{one(cast.ana)}/consents"


class TestGiving:
    def test_by_the_patient_is_electronic(self, cast, api):
        given = api(cast.ana).post(path(cast), {"type": "analytics"}, User_Agent="Browser/1")

        assert given.status == 201
        assert set(given.data) == KEYS
        assert given.data["method"] == "electronic"
        assert given.data["status"] == "active"
        assert given.data["policy_version"] == "1"
        assert given.data["is_current"] is True
        assert given.data["granted_by"] == {
            "id": cast.ana.user.pk,
            "name": "Ana Pop",
            "email": "ana.pop@example.org",
        }
        assert given.data["ip_address"] == "127.0.0.1"
        assert given.data["user_agent"] == "Browser/1"
        assert given.data["form_id"] is given.data["withdrawn_at"] is given.data["withdrawn_by"] is None

    def test_by_staff_is_on_paper_or_in_words(self, cast, api):
        for staff, kind in ((cast.ion, "analytics"), (cast.sara, "marketing"), (cast.mara, "profile_sharing")):
            given = api(staff).post(path(cast), {"type": kind, "method": "verbal"})
            assert (given.status, given.data["method"]) == (201, "verbal")
        assert api(cast.mara).post(path(cast), {"type": "hipaa_notice"}).fields == {"method": ["required"]}
        assert "method" in api(cast.mara).post(path(cast), {"type": "hipaa_notice", "method": "electronic"}).fields
        yesterday = (clock.now() - timedelta(days=1)).isoformat()
        dated = api(cast.mara).post(path(cast), {"type": "hipaa_notice", "method": "paper", "granted_at": yesterday})
        assert dated.data["granted_at"][:10] == yesterday[:10]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "type"),
            ({"type": "everything"}, "type"),
            ({"type": "analytics", "method": "paper"}, "method"),
            ({"type": "analytics", "method": "form"}, "method"),
            ({"type": "analytics", "policy_version": "x" * 33}, "policy_version"),
            ({"type": "analytics", "granted_at": "2026-01-01T00:00:00Z"}, "granted_at"),
            ({"type": "analytics", "form_id": 3}, "form_id"),
            ({"type": "analytics", "status": "withdrawn"}, "status"),
        ],
    )
    def test_by_the_patient_takes_nothing_else(self, cast, api, body, field):
        assert field in api(cast.ana).post(path(cast), body).fields

    def test_in_the_future_is_refused(self, cast, api):
        body = {"type": "analytics", "method": "paper", "granted_at": "2150-01-01T00:00:00Z"}

        assert list(api(cast.mara).post(path(cast), body).fields) == ["granted_at"]

    def test_again_changes_nothing_and_another_version_replaces(self, cast, api):
        ana = api(cast.ana)
        first = ana.post(path(cast), {"type": "analytics"}).data
        again = ana.post(path(cast), {"type": "analytics"})
        assert (again.status, again.data) == (200, first)
        Organization.objects.filter(pk=cast.sud.pk).update(
            settings={"policies": {"analytics": {"version": "2", "url": "https://clinic.example/2"}}}
        )

        assert ana.get(path(cast)).data[0]["is_current"] is False
        newer = ana.post(path(cast), {"type": "analytics"})

        assert (newer.status, newer.data["policy_version"], newer.data["is_current"]) == (201, "2", True)
        older = ana.get(f"{path(cast)}?status=withdrawn").data
        assert [(each["id"], each["withdrawal_note"]) for each in older] == [(first["id"], "replaced")]

    def test_who_may(self, cast, api):
        viewer = caregiver(cast, cast.ana.patient)
        manager = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")

        assert api(viewer).post(path(cast), {"type": "analytics"}).status == 403
        given = api(manager).post(path(cast), {"type": "analytics"})
        assert (given.status, given.data["method"]) == (201, "electronic")
        assert api(cast.nora).post(path(cast), {"type": "analytics", "method": "paper"}).status == 404
        assert api(cast.root).post(path(cast), {"type": "analytics", "method": "paper"}).code == "organization_required"
        assert api().post(path(cast), {"type": "analytics"}).status == 401

    def test_opens_the_gate_and_announces_it(self, cast, api):
        api(cast.ana).post(path(cast), {"type": "profile_sharing"})
        api(cast.ana).post(path(cast), {"type": "marketing"})

        with make.within(cast.sud):
            assert Fact.objects.filter(name="patient.updated").count() == 1


class TestLevels:
    def test_rise_and_fall_with_the_consents(self, cast, api):
        """Scenario 7."""
        ana = api(cast.ana)

        def level():
            return ana.get(one(cast.ana)).data["telemetry_level"]

        assert level() == 0
        ana.post(path(cast), {"type": "privacy_policy"})
        assert level() == 1
        ana.post(path(cast), {"type": "analytics"})
        assert level() == 2
        movement = ana.post(path(cast), {"type": "movement_data"}).data
        assert level() == 3
        ana.post(f"{path(cast)}/{movement['id']}/withdraw")
        assert level() == 2


class TestWithdrawing:
    def test_by_the_patient_needs_no_reason(self, cast, api):
        given = api(cast.ana).post(path(cast), {"type": "analytics"}).data

        ended = api(cast.ana).post(f"{path(cast)}/{given['id']}/withdraw", {"note": "enough"})

        assert (ended.status, ended.data["status"], ended.data["withdrawal_note"]) == (200, "withdrawn", "enough")
        assert ended.data["withdrawn_by"]["id"] == cast.ana.user.pk
        again = api(cast.ana).post(f"{path(cast)}/{given['id']}/withdraw")
        assert (again.status, again.code) == (409, "invalid_transition")
        assert again.details == {"from": "withdrawn", "to": "withdrawn", "allowed": []}

    def test_by_staff_says_why_it_ends_what_was_given_electronically(self, cast, api):
        given = api(cast.ana).post(path(cast), {"type": "analytics"}).data
        paper = profiles.consent(cast.ana.patient, "marketing")

        refused = api(cast.sara).post(f"{path(cast)}/{given['id']}/withdraw")
        assert list(refused.fields) == ["note"]
        assert "note" in api(cast.sara).post(f"{path(cast)}/{given['id']}/withdraw", {"note": "  "}).fields
        assert "note" in api(cast.sara).post(f"{path(cast)}/{given['id']}/withdraw", {"note": "x" * 501}).fields
        assert api(cast.sara).post(f"{path(cast)}/{given['id']}/withdraw", {"note": "by telephone"}).status == 200
        assert api(cast.mara).post(f"{path(cast)}/{paper.pk}/withdraw").status == 200

    def test_who_may(self, cast, api):
        record = profiles.consent(cast.ana.patient, "analytics")
        other = profiles.patient(cast.sud, "Maria")
        viewer = caregiver(cast, cast.ana.patient)
        manager = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")

        assert api(viewer).post(f"{path(cast)}/{record.pk}/withdraw").status == 403
        assert api(cast.mara).post(f"{one(other)}/consents/{record.pk}/withdraw").status == 404
        assert api(cast.nora).post(f"{path(cast)}/{record.pk}/withdraw").status == 404
        assert api(cast.mara).post(f"{path(cast)}/{10**12}/withdraw").status == 404
        assert api(manager).post(f"{path(cast)}/{record.pk}/withdraw").status == 200


class TestTheList:
    def test_filters_and_order(self, cast, api):
        for kind in ("analytics", "marketing", "profile_sharing"):
            api(cast.ana).post(path(cast), {"type": kind})
        ids = api(cast.ana).get(path(cast)).ids

        assert ids == sorted(ids, reverse=True)
        assert api(cast.mara).get(f"{path(cast)}?sort=granted_at").ids == sorted(ids)
        assert len(api(cast.mara).get(f"{path(cast)}?type=analytics,marketing").data) == 2
        assert api(cast.mara).get(f"{path(cast)}?status=withdrawn").data == []
        assert api(cast.mara).get(f"{path(cast)}?sort=type").status == 422
        assert api(cast.mara).get(f"{path(cast)}?method=paper").status == 422
        assert api(cast.nora).get(path(cast)).status == 404

    def test_tells_the_address_to_admins_and_the_patient(self, cast, api):
        api(cast.ana).post(path(cast), {"type": "analytics"})

        for caller in (cast.ana, cast.ion, caregiver(cast, cast.ana.patient)):
            assert set(api(caller).get(path(cast)).data[0]) == KEYS
        for caller in (cast.sara, cast.mara):
            assert set(api(caller).get(path(cast)).data[0]) == KEYS - {"ip_address", "user_agent"}


class TestTheDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE profiles_consentrecord SET granted_at = now() WHERE id = %s",
            "UPDATE profiles_consentrecord SET type = 'marketing' WHERE id = %s",
            "DELETE FROM profiles_consentrecord WHERE id = %s",
        ],
    )
    def test_refuses_to_change_or_forget(self, cast, statement):
        record = profiles.consent(cast.ana.patient, "analytics")

        with make.within(cast.sud):
            with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [record.pk])
            assert ConsentRecord.objects.get(pk=record.pk).type == "analytics"
