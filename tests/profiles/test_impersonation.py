"""Impersonation over HTTP: contract/profiles.md 1.6, 2.1, extensions 7 and 8; acceptance scenarios 5 and 6."""

from __future__ import annotations

import time
from datetime import timedelta

import jwt
import pytest
from django.core import mail
from django.db import connection

from apps.organizations.services import memberships, relay, users
from apps.profiles.models import Impersonation
from apps.profiles.services import impersonations
from restartix.kernel import clock
from restartix.kernel.tokens import development_key, issue_development_token
from tests.client import Api
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

REASON = "The form does not open"


@pytest.fixture
def begun(cast, api):
    """Ion's hour as Ana: what the server answered."""
    return api(cast.ion).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": REASON}).data


@pytest.fixture
def as_ana(begun):
    return Api(begun["token"])


def stored(organization, **wanted):
    with within(organization):
        return Impersonation.objects.get(**wanted)


def rows_of_audit(organization, **wanted):
    """The audit rows of the clinic, newest first."""
    with within(organization), connection.cursor() as cursor:
        where = "".join(f" AND {column} = %s" for column in wanted)
        cursor.execute(
            "SELECT action, actor_id, actor_role, on_behalf_of, patient_id, method, path, status_code, changes, "
            f"entity_type FROM organizations_auditentry WHERE organization_id = %s{where} ORDER BY id DESC",
            [organization.pk, *wanted.values()],
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class TestBeginning:
    def test_it_answers_a_token_that_is_told_once(self, cast, begun):
        assert set(begun) == {"impersonation_id", "token", "token_type", "user_id", "patient", "expires_at"}
        assert begun["token_type"] == "Bearer"
        assert begun["user_id"] == cast.ana.user.pk
        assert begun["patient"] == {"id": cast.ana.patient.pk, "name": "Ana Pop"}

    def test_the_token_carries_both_people_and_an_issuer_of_its_own(self, cast, begun):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        header = jwt.get_unverified_header(begun["token"])

        assert header["alg"] == "RS256"
        assert set(claims) == {"iss", "sub", "act", "imp", "org", "role", "iat", "exp", "jti"}
        assert claims["sub"] == str(cast.ana.user.pk)
        assert claims["act"] == {"sub": str(cast.ion.user.pk)}
        assert (claims["imp"], claims["org"], claims["role"]) == (
            begun["impersonation_id"], cast.sud.pk, "patient",
        )  # fmt: skip
        assert claims["iss"].startswith("urn:restartix:")

    def test_it_lasts_exactly_an_hour(self, cast, begun):
        row = stored(cast.sud, pk=begun["impersonation_id"])

        assert row.expires_at - row.started_at == timedelta(seconds=3600)

    def test_the_token_lasts_as_long_as_the_impersonation(self, cast, begun):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        row = stored(cast.sud, pk=begun["impersonation_id"])

        assert (claims["iat"], claims["exp"]) == (row.started_at.timestamp(), row.expires_at.timestamp())

    @pytest.mark.parametrize("reason", ["123456789", "          abc", "x" * 501, "", None, 5])
    def test_a_reason_is_10_to_500_characters_after_trimming(self, cast, api, reason):
        answer = api(cast.ion).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": reason})

        assert set(answer.fields) == {"reason"}

    def test_a_reason_is_trimmed(self, cast, api):
        begun = api(cast.ion).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": f"  {REASON} "}).data

        assert stored(cast.sud, pk=begun["impersonation_id"]).reason == REASON

    def test_the_fourth_in_five_minutes_waits_whichever_the_patient(self, cast, api):
        others = [profiles.patient(cast.sud, f"P {n}", user=make.user(f"Pat {n}")) for n in range(4)]
        answers = [api(cast.ion).post(f"/v1/patients/{each.pk}/impersonate", {"reason": REASON}) for each in others]

        assert [answer.status for answer in answers] == [201, 201, 201, 429]
        assert answers[3].code == "rate_limited"
        assert 290 <= int(answers[3].headers["Retry-After"]) <= 300

    def test_refused_attempts_do_not_count(self, cast, api):
        path = f"/v1/patients/{cast.ana.patient.pk}/impersonate"
        for _ in range(5):
            api(cast.ion).post(path, {"reason": "short"})

        assert api(cast.ion).post(path, {"reason": REASON}).status == 201

    def test_the_pace_is_counted_over_all_clinics(self, cast, api):
        for _ in range(3):
            api(cast.vera, cast.sud).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": REASON})

        answer = api(cast.vera, cast.nord).post(f"/v1/patients/{cast.petra.patient.pk}/impersonate", {"reason": REASON})
        assert answer.status == 429

    def test_a_patient_without_an_account_cannot_be_acted_for(self, cast, api):
        patient = profiles.patient(cast.sud, "No Account")
        answer = api(cast.ion).post(f"/v1/patients/{patient.pk}/impersonate", {"reason": REASON})

        assert (answer.status, answer.code) == (409, "patient_has_no_account")

    def test_a_blocked_patient_cannot_be_acted_for(self, cast, api):
        with within(cast.sud):
            users.block(cast.ana.user, by=SYSTEM)
        answer = api(cast.ion).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": REASON})

        assert (answer.status, answer.code) == (409, "conflict")

    def test_nobody_acts_as_themselves(self, cast, api):
        own = profiles.patient(cast.sud, "Ion Admin", user=cast.ion.user)
        answer = api(cast.ion).post(f"/v1/patients/{own.pk}/impersonate", {"reason": REASON})

        assert (answer.status, answer.code) == (409, "conflict")

    @pytest.mark.parametrize(
        ("who", "status"), [("sara", 403), ("mara", 403), ("ana", 403), ("nora", 404), ("root", 201)]
    )
    def test_only_admins_may(self, cast, api, who, status):
        answer = api(getattr(cast, who)).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": REASON})

        assert answer.status == status

    def test_a_superadmin_without_a_clinic_acts_in_the_patients_clinic(self, cast, api):
        begun = api(cast.root).post(f"/v1/patients/{cast.ana.patient.pk}/impersonate", {"reason": REASON}).data

        assert Api(begun["token"]).get("/v1/me").data["current_organization"]["id"] == cast.sud.pk
        assert stored(cast.sud, pk=begun["impersonation_id"]).actor_role == "superadmin"

    def test_it_leaves_an_audit_row_with_the_reason(self, cast, begun):
        (row,) = rows_of_audit(cast.sud, action="IMPERSONATE")

        assert row["actor_id"] == str(cast.ion.user.pk)
        assert row["patient_id"] == cast.ana.patient.pk
        assert REASON in str(row["changes"])

    def test_the_patient_is_written_to(self, cast, begun):
        relay.run()

        (letter,) = [each for each in mail.outbox if each.to == [cast.ana.user.email]]
        assert "Ion Admin" in letter.subject
        assert REASON in letter.body


class TestActing:
    def test_me_names_the_patient_and_the_actor(self, cast, begun, as_ana):
        me = as_ana.get("/v1/me").data

        assert (me["id"], me["name"], me["role"]) == (cast.ana.user.pk, "Ana Pop", "patient")
        assert me["impersonation"] == {
            "impersonation_id": begun["impersonation_id"],
            "actor": {"id": cast.ion.user.pk, "name": "Ion Admin"},
            "expires_at": begun["expires_at"],
        }
        assert me["patient_id"] == cast.ana.patient.pk

    def test_the_patient_is_seen_whole_and_others_not_at_all(self, cast, as_ana):
        other = profiles.patient(cast.sud, "Other")

        assert "email" in as_ana.get(f"/v1/patients/{cast.ana.patient.pk}").data["person"]
        assert as_ana.get(f"/v1/patients/{other.pk}").status == 404
        assert [each["id"] for each in as_ana.get("/v1/patients").data] == [cast.ana.patient.pk]

    def test_other_parts_of_the_patients_user_do_not_count(self, cast, api):
        double = make.user("Double Life", is_superadmin=True)
        make.member(cast.sud, double, "admin")
        make.member(cast.nord, double, "admin")
        patient = profiles.patient(cast.sud, "Double Life", user=double)
        begun = api(cast.ion).post(f"/v1/patients/{patient.pk}/impersonate", {"reason": REASON}).data
        me = Api(begun["token"]).get("/v1/me").data

        assert (me["role"], me["is_superadmin"], me["organization_ids"]) == ("patient", False, [cast.sud.pk])
        assert Api(begun["token"]).get(f"/v1/organizations/{cast.sud.pk}/members").status == 403
        assert Api(begun["token"]).get(f"/v1/organizations/{cast.nord.pk}").status == 404
        assert Api(begun["token"]).get("/v1/organizations").ids == [cast.sud.pk]

    def test_another_clinic_in_the_header_is_refused(self, cast, begun):
        answer = Api(begun["token"], {"X-Organization-ID": str(cast.nord.pk)}).get("/v1/patients")

        assert answer.status == 403
        assert Api(begun["token"], {"X-Organization-ID": str(cast.sud.pk)}).get("/v1/patients").status == 200

    def test_every_answer_names_the_impersonation(self, cast, begun, as_ana):
        answers = [as_ana.get("/v1/me"), as_ana.get("/v1/patients/99999999"), as_ana.put("/v1/me/switch-organization")]

        assert {answer.headers["X-Impersonation-ID"] for answer in answers} == {str(begun["impersonation_id"])}

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/v1/patients/{ana}/consents", {"type": "analytics"}),
            ("POST", "/v1/patients/{ana}/managers", {"email": "x@example.org", "relation": "other"}),
            ("POST", "/v1/patients/{ana}/impersonate", {"reason": REASON}),
            ("PUT", "/v1/me/switch-organization", {"organization_id": 1}),
            ("GET", "/v1/patients/{ana}/export", None),
            ("PUT", "/v1/patients/{ana}", {"person": {"email": "new@example.org"}}),
            ("PUT", "/v1/patients/{ana}", {"person": {"phone": "+40721000111", "residence": "Cluj"}}),
            ("PUT", "/v1/patients/{ana}", {"person": {"emergency_contact_phone": None}}),
        ],
    )
    def test_what_the_patient_does_in_person_is_refused(self, cast, as_ana, method, path, body):
        path = path.format(ana=cast.ana.patient.pk)
        answer = as_ana(method, path) if body is None else as_ana(method, path, body)

        assert (answer.status, answer.code) == (403, "forbidden")
        assert answer.details == {"reason": "impersonating"}

    def test_what_else_the_patient_may_write_is_written_in_both_names(self, cast, as_ana):
        answer = as_ana.put(f"/v1/patients/{cast.ana.patient.pk}", {"person": {"residence": "Cluj"}})
        row = rows_of_audit(cast.sud, entity_type="patient_person")[0]

        assert answer.data["person"]["residence"] == "Cluj"
        assert (row["actor_id"], row["actor_role"]) == (str(cast.ion.user.pk), "admin")
        assert row["on_behalf_of"] == cast.ana.patient.pk

    def test_every_request_is_an_audit_row_reads_and_refusals_included(self, cast, begun, as_ana):
        asked = [
            ("GET", "/v1/me", 200, "READ"),
            ("GET", "/v1/specialists", 200, "READ"),
            ("GET", "/v1/patients/99999999", 404, "IMPERSONATE"),
            ("POST", f"/v1/patients/{cast.ana.patient.pk}/consents", 403, "DENIED"),
            ("PUT", f"/v1/patients/{cast.ana.patient.pk}", 422, "IMPERSONATE"),
        ]
        for method, path, *_ in asked:
            as_ana(method, path, {"nonsense": 1}) if method != "GET" else as_ana(method, path)
        rows = rows_of_audit(cast.sud, impersonation_id=begun["impersonation_id"])[::-1]

        assert [(row["method"], row["path"], row["status_code"], row["action"]) for row in rows] == asked
        assert {(row["actor_id"], row["on_behalf_of"], row["patient_id"]) for row in rows} == {
            (str(cast.ion.user.pk), cast.ana.patient.pk, cast.ana.patient.pk)
        }
        assert stored(cast.sud, pk=begun["impersonation_id"]).request_count == len(asked)

    def test_a_refused_clinic_is_on_record_too(self, cast, begun):
        Api(begun["token"], {"X-Organization-ID": str(cast.nord.pk)}).get("/v1/patients")

        (row,) = rows_of_audit(cast.sud, impersonation_id=begun["impersonation_id"])
        assert (row["action"], row["status_code"]) == ("DENIED", 403)


class TestEnding:
    def test_the_patient_sees_it_and_ends_it(self, cast, api, begun, as_ana):
        path = f"/v1/patients/{cast.ana.patient.pk}/impersonations"
        as_ana.get("/v1/me")
        (row,) = api(cast.ana).get(path).data

        assert set(row) == {
            "id", "patient_id", "actor", "reason", "started_at", "expires_at", "ended_at", "ended_reason",
            "request_count",
        }  # fmt: skip
        assert row["actor"] == {"id": cast.ion.user.pk, "name": "Ion Admin", "role": "admin"}
        assert (row["reason"], row["ended_at"], row["request_count"]) == (REASON, None, 1)

        ended = api(cast.ana).post(f"{path}/{row['id']}/end").data
        assert ended["ended_reason"] == "ended"
        assert ended["ended_at"] is not None

        answer = as_ana.get("/v1/me")
        assert (answer.status, answer.details) == (401, {"reason": "impersonation_ended"})

    def test_ending_twice_changes_nothing(self, cast, api, begun):
        path = f"/v1/patients/{cast.ana.patient.pk}/impersonations/{begun['impersonation_id']}/end"
        first = api(cast.ion).post(path).data

        assert api(cast.vera, cast.sud).post(path).data == first

    def test_the_token_may_end_itself(self, cast, begun, as_ana):
        path = f"/v1/patients/{cast.ana.patient.pk}/impersonations/{begun['impersonation_id']}/end"

        assert as_ana.post(path).status == 200
        assert as_ana.post(path).status == 401

    @pytest.mark.parametrize(("who", "reading", "ending"), [("sara", 403, 403), ("mara", 403, 403), ("nora", 404, 404)])
    def test_others_neither_see_nor_end_it(self, cast, api, begun, who, reading, ending):
        path = f"/v1/patients/{cast.ana.patient.pk}/impersonations"

        assert api(getattr(cast, who)).get(path).status == reading
        assert api(getattr(cast, who)).post(f"{path}/{begun['impersonation_id']}/end").status == ending

    def test_another_patients_impersonation_is_not_found(self, cast, api, begun):
        other = profiles.patient(cast.sud, "Other")
        path = f"/v1/patients/{other.pk}/impersonations/{begun['impersonation_id']}/end"

        assert api(cast.ion).post(path).status == 404

    def test_an_hour_that_has_run_out_is_over_without_leeway(self, cast, api, begun, as_ana):
        moment = clock.now()
        with within(cast.sud):
            Impersonation.objects.update(started_at=moment - timedelta(hours=1), expires_at=moment)

        answer = as_ana.get("/v1/me")
        assert (answer.status, answer.details) == (401, {"reason": "impersonation_ended"})
        (row,) = api(cast.ana).get(f"/v1/patients/{cast.ana.patient.pk}/impersonations").data
        assert (row["ended_reason"], row["ended_at"]) == ("expired", row["expires_at"])
        assert impersonations.expire() == 1
        assert stored(cast.sud, pk=begun["impersonation_id"]).ended_reason == "expired"

    def test_a_token_past_its_own_time_says_so(self, cast, begun):
        from apps.profiles.services import signing

        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        with within(cast.sud):
            old = signing.sign({**claims, "jti": "x"}, expires=int(time.time()) - 1)
        answer = Api(old).get("/v1/me")

        assert (answer.status, answer.details) == (401, {"reason": "impersonation_ended"})

    def test_it_ends_with_the_membership_of_the_actor(self, cast, begun, as_ana):
        with within(cast.sud):
            from apps.organizations.models import Membership

            memberships.change(Membership.objects.get(user=cast.ion.user), by=SYSTEM, status="disabled")

        assert as_ana.get("/v1/me").status == 401
        assert stored(cast.sud, pk=begun["impersonation_id"]).ended_reason == "membership_ended"

    @pytest.mark.parametrize("who", ["ion", "ana"])
    def test_it_ends_when_either_is_blocked(self, cast, begun, as_ana, who):
        with within(cast.sud):
            users.block(getattr(cast, who).user, by=SYSTEM)

        assert as_ana.get("/v1/me").status == 401
        assert stored(cast.sud, pk=begun["impersonation_id"]).ended_reason == "blocked"

    def test_an_admin_who_is_no_admin_any_more_has_lost_it(self, cast, begun, as_ana):
        with within(cast.sud):
            from apps.organizations.models import Membership

            memberships.change(Membership.objects.get(user=cast.ion.user), by=SYSTEM, role="specialist")

        assert as_ana.get("/v1/me").status == 401


class TestTokenConfusion:
    def test_an_act_claim_signed_by_the_identity_provider_means_nothing(self, cast, begun):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        more = {key: claims[key] for key in ("act", "imp", "org", "role")}
        token = issue_development_token(cast.mara.user.clerk_user_id, claims=more)
        me = Api(token).get("/v1/me").data

        assert (me["id"], me["role"], me["impersonation"]) == (cast.mara.user.pk, "customer_support", None)

    def test_another_key_does_not_make_one(self, begun):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        header = jwt.get_unverified_header(begun["token"])
        token = jwt.encode(claims, development_key(), algorithm="RS256", headers={"kid": header["kid"]})

        assert Api(token).get("/v1/me").status == 401

    def test_signing_it_anew_with_a_shared_secret_does_not_make_one(self, begun):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        header = jwt.get_unverified_header(begun["token"])
        token = jwt.encode(claims, "s" * 64, algorithm="HS256", headers={"kid": header["kid"]})

        assert Api(token).get("/v1/me").status == 401

    def test_an_invented_key_costs_no_look_up(self, begun, django_assert_num_queries):
        claims = jwt.decode(begun["token"], options={"verify_signature": False})
        kid = "0193a5b0-0000-7000-8000-000000000001.000000000000000000000000"
        token = jwt.encode(claims, development_key(), algorithm="RS256", headers={"kid": kid})

        from restartix.kernel.tokens import BadToken, verifier

        with django_assert_num_queries(0), pytest.raises(BadToken):
            verifier().verify(token)

    def test_the_private_key_is_sealed(self, begun):
        with connection.cursor() as cursor:
            cursor.execute("SELECT private_key FROM profiles_signingkey")
            (sealed,) = cursor.fetchone()

        assert b"PRIVATE KEY" not in bytes(sealed)
