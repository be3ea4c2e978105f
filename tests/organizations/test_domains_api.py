"""Domains of an organization over the API: claimed, proven by a TXT record, listed, given up."""

from __future__ import annotations

import re
import time

import dns.rcode
import pytest
from django.core import mail

from apps.organizations.models import AuditEntry, Domain, Fact
from apps.organizations.services import organizations, rechecking, relay
from restartix.kernel.api import origins
from tests import nameserver
from tests.make import organizations as make
from tests.organizations.test_races import at_once

RESOLVE = "/v1/public/organizations/resolve?domain="
KEYS = {
    "id", "domain", "kind", "status", "is_primary", "verification", "verified_at", "last_checked_at", "last_error",
    "created_at",
}  # fmt: skip


@pytest.fixture
def names(settings):
    with nameserver.running() as server:
        settings.DNS_NAMESERVERS = [server.address]
        yield server


@pytest.fixture(autouse=True)
def _base(settings):
    settings.PLATFORM_BASE_DOMAIN = "restartix.example"
    origins.answers.forget()


def path(organization, rest=""):
    return f"/v1/organizations/{organization.pk}/domains{rest}"


def claim(api, organization, domain, kind="portal"):
    return api.post(path(organization), {"domain": domain, "kind": kind})


def verify(api, organization, domain_id, **headers):
    return api.post(path(organization, f"/{domain_id}/verify"), **headers)


def proven(api, organization, names, domain, kind="portal"):
    made = claim(api, organization, domain, kind).data
    names.publish(made["verification"])
    return verify(api, organization, made["id"]).data


class TestClaiming:
    def test_answers_with_the_record_to_publish(self, cast, api):
        answer = claim(api(cast.ion), cast.sud, "Portal.Clinica-Sud.example.")

        made = answer.data
        assert (answer.status, set(made)) == (201, KEYS)
        assert (made["domain"], made["kind"], made["status"]) == ("portal.clinica-sud.example", "portal", "pending")
        assert made["verification"]["record_type"] == "TXT"
        assert made["verification"]["record_name"] == "_restartix-verify.portal.clinica-sud.example"
        assert re.fullmatch("restartix-verify=[0-9a-f]{32}", made["verification"]["record_value"])
        assert (made["is_primary"], made["verified_at"], made["last_checked_at"], made["last_error"]) == (
            False,
            None,
            None,
            None,
        )

    def test_stores_letters_beyond_ascii_as_browsers_send_them(self, cast, api):
        assert claim(api(cast.ion), cast.sud, "Straße.Clinică.example").data["domain"] == (
            "xn--strae-oqa.xn--clinic-n0a.example"
        )

    @pytest.mark.parametrize(
        "name",
        [
            "https://clinica.example",
            "clinica.example:443",
            "clinica.example/a",
            "*.clinica.example",
            "127.0.0.1",
            "[::1]",
            "::1",
            "0x7f.1",
            "①②⑦.⓪.⓪.①",
            "clinica",
            "restartix.example",
            "x.portal.RESTARTIX.example.",
            "a_b.example",
            "-a.example",
            "a..example",
            "xn--zzzzzz--.example",
            ("a" * 60 + ".") * 5 + "example",
            "",
            None,
            7,
        ],
    )
    def test_refuses_what_is_no_domain_of_their_own(self, cast, api, name):
        answer = claim(api(cast.ion), cast.sud, name)

        assert set(answer.fields) == {"domain"}

    def test_names_every_problem_at_once(self, cast, api):
        answer = api(cast.ion).post(path(cast.sud), {"domain": "x", "kind": "shop", "status": "verified"})

        assert set(answer.fields) == {"domain", "kind", "status"}

    def test_refuses_the_same_twice_and_more_than_twenty(self, cast, api):
        ion = api(cast.ion)
        for number in range(20):
            claim(ion, cast.sud, f"d{number}.example")

        again = claim(ion, cast.sud, "D3.example", "clinic")
        beyond = claim(ion, cast.sud, "one.more.example")

        assert (again.status, again.code) == (409, "conflict")
        assert again.details == {"field": "domain", "error": "already taken"}
        assert (beyond.status, beyond.code, beyond.details) == (409, "limit_reached", {})
        assert claim(api(cast.nora), cast.nord, "d3.example").status == 201

    def test_refuses_what_another_clinic_has_verified_and_tells_nothing_of_it(self, cast, api, names):
        proven(api(cast.nora), cast.nord, names, "taken.example")

        answer = claim(api(cast.ion), cast.sud, "taken.example")

        assert (answer.status, answer.code, answer.details) == (409, "domain_taken", {})
        assert "Nord" not in answer.content.decode()

    def test_is_for_admins(self, cast, api):
        for person in (cast.mara, cast.sara, cast.ana):
            assert claim(api(person), cast.sud, "a.example").status == 403
        assert claim(api(cast.nora), cast.sud, "a.example").status == 404
        assert claim(api(cast.root), cast.sud, "a.example").status == 201


class TestTheList:
    def test_is_for_admins_and_the_desk(self, cast, api):
        claim(api(cast.ion), cast.sud, "b.example")
        claim(api(cast.ion), cast.sud, "a.example", "clinic")
        claim(api(cast.nora), cast.nord, "n.example")

        shown = lambda query="": [each["domain"] for each in api(cast.mara).get(path(cast.sud, query)).data]  # noqa: E731

        assert shown() == ["a.example", "b.example"]
        assert shown("?sort=-created_at") == ["a.example", "b.example"]
        assert shown("?kind=portal") == ["b.example"]
        assert shown("?status=verified,failed") == []
        assert [api(each).get(path(cast.sud)).status for each in (cast.sara, cast.ana)] == [403, 403]
        assert api(cast.mara).get(path(cast.sud, "?status=odd")).status == 422
        assert api(cast.mara).get(path(cast.sud, "?domain=a.example")).status == 422

    def test_the_earliest_verified_of_each_kind_is_primary(self, cast, api, names):
        ion = api(cast.ion)
        first, second, clinic = (
            proven(ion, cast.sud, names, "z.example"),
            proven(ion, cast.sud, names, "a.example"),
            proven(ion, cast.sud, names, "c.example", "clinic"),
        )
        claim(ion, cast.sud, "b.example")

        assert (first["is_primary"], second["is_primary"], clinic["is_primary"]) == (True, False, True)
        listed = {each["domain"]: each["is_primary"] for each in ion.get(path(cast.sud)).data}
        assert listed == {"a.example": False, "b.example": False, "c.example": True, "z.example": True}

    def test_costs_the_same_for_few_and_for_many(self, cast, api, django_assert_max_num_queries):
        for number in range(15):
            claim(api(cast.ion), cast.sud, f"d{number}.example")
        with django_assert_max_num_queries(10):
            assert len(api(cast.ion).get(path(cast.sud)).data) == 15


class TestVerifying:
    def test_finds_the_record_and_leads_there_at_once(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        names.publish(made["verification"])
        assert api().get(RESOLVE + "d.example").status == 404

        answer = verify(api(cast.ion), cast.sud, made["id"])

        assert (answer.status, answer.data["status"], answer.data["is_primary"]) == (200, "verified", True)
        assert answer.data["verified_at"] <= answer.data["last_checked_at"]
        assert api().get(RESOLVE + "D.EXAMPLE.:8443").data["id"] == cast.sud.pk
        assert verify(api(cast.ion), cast.sud, made["id"]).data["verified_at"] == answer.data["verified_at"]

    def test_says_what_it_saw_and_records_the_check_although_it_is_an_error(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        record = made["verification"]["record_name"]
        expected = {key: made["verification"][key] for key in ("record_name", "record_value")}

        missing = verify(api(cast.ion), cast.sud, made["id"])
        names.records[record] = []
        empty = verify(api(cast.ion), cast.sud, made["id"])
        names.records[record] = [f"other-{number}" for number in range(12)]
        other = verify(api(cast.ion), cast.sud, made["id"])

        assert [each.status for each in (missing, empty, other)] == [409, 409, 409]
        assert {each.code for each in (missing, empty, other)} == {"domain_not_verified"}
        assert missing.details == {**expected, "found": [], "last_error": "nxdomain"}
        assert empty.details == {**expected, "found": [], "last_error": "record_missing"}
        assert other.details["last_error"] == "record_mismatch"
        assert len(other.details["found"]) == 10
        assert set(other.details["found"]) <= set(names.records[record])
        (kept,) = api(cast.ion).get(path(cast.sud)).data
        assert (kept["status"], kept["last_error"]) == ("failed", "record_mismatch")
        assert kept["last_checked_at"] is not None

    def test_a_failed_one_may_be_verified_later(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        verify(api(cast.ion), cast.sud, made["id"])
        names.publish(made["verification"])

        again = verify(api(cast.ion), cast.sud, made["id"]).data

        assert (again["status"], again["last_error"]) == ("verified", None)

    def test_any_one_of_several_values_will_do_and_strings_of_one_record_are_joined(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        value = made["verification"]["record_value"]
        names.records[made["verification"]["record_name"]] = ["v=spf1 -all", (value[:9], value[9:])]

        assert verify(api(cast.ion), cast.sud, made["id"]).status == 200

    def test_asks_by_tcp_for_what_is_too_long_for_udp(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        noise = [f"{number:03d}" + "x" * 200 for number in range(20)]
        names.records[made["verification"]["record_name"]] = [*noise, made["verification"]["record_value"]]

        assert verify(api(cast.ion), cast.sud, made["id"]).status == 200
        assert names.by_tcp == 1

    def test_one_failed_check_takes_no_verified_domain_down(self, cast, api, names):
        made = proven(api(cast.ion), cast.sud, names, "d.example")
        names.records.clear()

        answer = verify(api(cast.ion), cast.sud, made["id"])

        assert (answer.status, answer.code) == (409, "domain_not_verified")
        (kept,) = api(cast.ion).get(path(cast.sud)).data
        assert (kept["status"], kept["last_error"]) == ("verified", "nxdomain")
        assert api().get(RESOLVE + "d.example").status == 200

    @pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
    def test_a_dns_server_that_fails_is_no_check(self, cast, api, names, rcode):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        names.rcode = rcode

        answer = verify(api(cast.ion), cast.sud, made["id"])

        assert (answer.status, answer.code) == (503, "unavailable")
        assert "Retry-After" in answer.headers
        (kept,) = api(cast.ion).get(path(cast.sud)).data
        assert (kept["status"], kept["last_checked_at"]) == ("pending", None)

    def test_a_dns_server_that_is_silent_is_waited_for_five_seconds(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        names.is_silent = True
        begun = time.monotonic()

        answer = verify(api(cast.ion), cast.sud, made["id"])

        assert answer.status == 503
        assert 4.5 < time.monotonic() - begun < 6.5

    def test_takes_no_body_but_an_empty_one(self, cast, api, names):
        made = proven(api(cast.ion), cast.sud, names, "d.example")
        address = path(cast.sud, f"/{made['id']}/verify")

        assert api(cast.ion).post(address, {}).status == 200
        assert api(cast.ion).post(address, {"force": True}).status == 422

    def test_is_limited_to_ten_a_minute_for_the_organization(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        people = [cast.ion, cast.vera] * 5

        assert {verify(api(each), cast.sud, made["id"]).status for each in people} == {409}
        refused = verify(api(cast.root), cast.sud, made["id"])
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 0

    def test_a_refused_check_is_answered_again_to_the_same_key_and_not_made_again(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        first = verify(api(cast.ion), cast.sud, made["id"], Idempotency_Key="k1")
        asked = len(names.asked)

        second = verify(api(cast.ion), cast.sud, made["id"], Idempotency_Key="k1")

        assert (first.status, second.status, len(names.asked)) == (409, 409, asked)
        assert second.headers["Idempotency-Replayed"] == "true"
        (kept,) = api(cast.ion).get(path(cast.sud)).data
        assert kept["status"] == "failed"

    def test_a_dns_that_did_not_answer_is_asked_again_under_the_same_key(self, cast, api, names):
        made = claim(api(cast.ion), cast.sud, "d.example").data
        names.publish(made["verification"])
        names.rcode = dns.rcode.SERVFAIL
        first = verify(api(cast.ion), cast.sud, made["id"], Idempotency_Key="k1")
        names.rcode = dns.rcode.NOERROR

        second = verify(api(cast.ion), cast.sud, made["id"], Idempotency_Key="k1")

        assert (first.status, second.status) == (503, 200)

    def test_is_for_admins_and_tells_nothing_of_other_clinics(self, cast, api, names):
        theirs = claim(api(cast.nora), cast.nord, "n.example").data

        assert verify(api(cast.ion), cast.sud, theirs["id"]).status == 404
        assert verify(api(cast.ion), cast.sud, 10**20).status == 404
        assert [verify(api(each), cast.nord, theirs["id"]).status for each in (cast.ion, cast.sorin)] == [404, 403]

    def test_two_clinics_verifying_at_once_leave_one_winner(self, committed_db, cast, api, names):
        sud = claim(api(cast.ion), cast.sud, "d.example").data
        nord = claim(api(cast.nora), cast.nord, "d.example").data
        names.records["_restartix-verify.d.example"] = [each["verification"]["record_value"] for each in (sud, nord)]
        ion, nora = api(cast.ion), api(cast.nora)

        answers = at_once(
            lambda: verify(ion, cast.sud, sud["id"]),
            lambda: verify(nora, cast.nord, nord["id"]),
        )

        assert sorted(each.status for each in answers) == [200, 409]
        assert {each.code for each in answers if each.status == 409} == {"domain_taken"}
        winner = cast.sud if answers[0].status == 200 else cast.nord
        assert api().get(RESOLVE + "D.EXAMPLE.:8443").data["id"] == winner.pk


class TestGivingUp:
    def test_stops_leading_there_at_once(self, cast, api, names):
        made = proven(api(cast.ion), cast.sud, names, "d.example")

        assert api(cast.mara).delete(path(cast.sud, f"/{made['id']}")).status == 403
        assert api(cast.nora).delete(path(cast.nord, f"/{made['id']}")).status == 404
        assert api(cast.ion).delete(path(cast.sud, f"/{made['id']}")).status == 204
        assert api(cast.ion).delete(path(cast.sud, f"/{made['id']}")).status == 404
        assert api().get(RESOLVE + "d.example").status == 404
        assert proven(api(cast.nora), cast.nord, names, "d.example")["status"] == "verified"

    def test_ends_with_the_organization(self, cast, api, names):
        proven(api(cast.nora), cast.nord, names, "d.example")

        assert api(cast.root).delete(f"/v1/organizations/{cast.nord.pk}").status == 204
        assert api().get(RESOLVE + "d.example").status == 404


class TestTheDailyCheck:
    def test_takes_a_domain_down_after_the_third_failure_in_a_row_and_writes_to_the_admins(self, cast, api, names):
        proven(api(cast.ion), cast.sud, names, "d.example")
        kept = proven(api(cast.nora), cast.nord, names, "kept.example")
        del names.records["_restartix-verify.d.example"]
        statuses = []

        for _ in range(3):
            rechecking.run()
            statuses.append(api().get(RESOLVE + "d.example").status)

        assert statuses == [200, 200, 404]
        (failed,) = api(cast.ion).get(path(cast.sud)).data
        assert (failed["status"], failed["last_error"]) == ("failed", "nxdomain")
        (other,) = api(cast.nora).get(path(cast.nord)).data
        assert (other["status"], other["last_checked_at"] > kept["last_checked_at"]) == ("verified", True)
        relay.run()
        assert sorted(each.to[0] for each in mail.outbox) == ["ion.admin@example.org", "vera.dinu@example.org"]
        assert "d.example" in mail.outbox[0].subject
        assert failed["verification"]["record_value"] in mail.outbox[0].body

    def test_counts_failures_in_a_row_only(self, cast, api, names):
        made = proven(api(cast.ion), cast.sud, names, "d.example")
        for _ in range(2):
            names.records.clear()
            rechecking.run()
            rechecking.run()
            names.publish(made["verification"])
            rechecking.run()

        assert api().get(RESOLVE + "d.example").status == 200
        with make.within(cast.sud):
            assert Domain.objects.get().failed_checks == 0

    def test_a_dns_that_does_not_answer_counts_as_no_check(self, cast, api, names):
        made = proven(api(cast.ion), cast.sud, names, "d.example")
        names.rcode = dns.rcode.SERVFAIL

        assert [rechecking.run() for _ in range(4)] == [0, 0, 0, 0]
        (kept,) = api(cast.ion).get(path(cast.sud)).data
        assert (kept["status"], kept["last_checked_at"]) == ("verified", made["last_checked_at"])

    def test_leaves_pending_and_failed_ones_alone(self, cast, api, names):
        claim(api(cast.ion), cast.sud, "d.example")

        assert rechecking.run() == 0
        assert names.asked == []

    def test_two_runs_beside_each_other_count_one_failure(self, committed_db, cast, api, names):
        proven(api(cast.ion), cast.sud, names, "d.example")
        names.records.clear()

        assert sorted(at_once(rechecking.run, rechecking.run)) in ([0, 1], [1, 1])
        with make.within(cast.sud):
            domain = Domain.objects.get()
            checks = AuditEntry.objects.filter(entity_type="domain", actor_id="recheck_domains").count()
            assert domain.failed_checks == checks


def test_every_change_is_on_record(cast, api, names):
    made = proven(api(cast.ion), cast.sud, names, "d.example")
    api(cast.ion).delete(path(cast.sud, f"/{made['id']}"))

    with make.within(cast.sud):
        rows = AuditEntry.objects.filter(entity_type="domain", entity_id=str(made["id"])).order_by("id")
        assert [row.action for row in rows] == ["CREATE", "UPDATE", "DELETE"]
        assert rows[1].changes["status"] == {"old": "pending", "new": "verified"}
        assert not Fact.objects.filter(name__startswith="internal.domain").exists()


class TestOrigins:
    def preflight(self, api, origin):
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        return api()("OPTIONS", "/v1/me", **{name.replace("-", "_"): value for name, value in headers.items()})

    def allowed(self, api, origin):
        return self.preflight(api, origin).headers.get("access-control-allow-origin")

    def test_front_ends_on_verified_domains_may_call_the_api(self, cast, api, names):
        proven(api(cast.ion), cast.sud, names, "d.example")
        claim(api(cast.ion), cast.sud, "pending.example")

        assert self.allowed(api, "https://d.example") == "https://d.example"
        assert api(cast.ion).get("/v1/me", Origin="https://d.example").headers["access-control-allow-origin"] == (
            "https://d.example"
        )
        for other in ("http://d.example", "https://d.example:8443", "https://x.d.example", "https://pending.example"):
            assert self.allowed(api, other) is None

    def test_cost_no_statement_while_the_answer_is_kept_and_follow_a_change_in_seconds(
        self, cast, api, names, django_assert_num_queries, monkeypatch
    ):
        made = proven(api(cast.ion), cast.sud, names, "d.example")
        self.allowed(api, "https://d.example")
        with django_assert_num_queries(0):
            origins.is_of_clinic("https://d.example")
        api(cast.ion).delete(path(cast.sud, f"/{made['id']}"))

        monkeypatch.setattr(origins.time, "monotonic", lambda now=time.monotonic: now() + origins.KEPT_SECONDS)

        assert self.allowed(api, "https://d.example") is None


def test_a_suspended_clinic_keeps_its_domains_and_serves_none(cast, api, names):
    proven(api(cast.nora), cast.nord, names, "d.example")
    superadmin = make.SYSTEM.__class__(kind="system", id="tests", name="tests", is_superadmin=True)
    with make.within(cast.nord):
        organizations.suspend(cast.nord, by=superadmin)

    assert api().get(RESOLVE + "d.example").status == 404
    assert [each["status"] for each in api(cast.root).get(path(cast.nord)).data] == ["verified"]
