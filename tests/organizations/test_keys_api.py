"""Integration keys over the API: kept sealed, replaced, never shown."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import connection

from apps.organizations.models import ApiKey, AuditEntry
from apps.organizations.services import keys
from restartix.kernel import crypto
from tests.make import organizations as make
from tests.organizations.test_races import at_once

FIRST, SECOND = "dk_live_0123456789ABCD", "dk_live_9876543210WXYZ"
KEYS = {"id", "service", "title", "last4", "created_by", "created_at", "updated_at"}


def path(organization, rest=""):
    return f"/v1/organizations/{organization.pk}/api-keys{rest}"


def put(api, organization, value=FIRST, service="daily", **more):
    headers = {name: more.pop(name) for name in list(more) if name[0].isupper()}
    return api.post(path(organization), {"service": service, "api_key": value, **more}, **headers)


def sealed_bytes(service="daily"):
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM organizations_apikey WHERE service = %s", [service])
        return bytes(cursor.fetchone()[0])


class TestKeeping:
    def test_answers_with_everything_but_the_key(self, cast, api):
        answer = put(api(cast.ion), cast.sud, title="production")

        made = answer.data
        assert (answer.status, set(made)) == (201, KEYS)
        assert (made["service"], made["title"], made["last4"]) == ("daily", "production", "ABCD")
        assert made["created_by"] == {
            "id": cast.ion.user.pk,
            "name": "Ion Admin",
            "email": "ion.admin@example.org",
        }

    def test_replaces_the_key_of_a_service_that_has_one(self, cast, api):
        first = put(api(cast.ion), cast.sud, title="production").data

        again = put(api(cast.vera), cast.sud, SECOND)
        renamed = put(api(cast.vera), cast.sud, "short-key-1", title="test")

        assert (again.status, again.data["id"], again.data["last4"]) == (200, first["id"], "WXYZ")
        assert (again.data["title"], again.data["created_by"]["name"]) == ("production", "Ion Admin")
        assert again.data["updated_at"] > first["updated_at"]
        assert (renamed.data["title"], renamed.data["last4"]) == ("test", None)
        with make.within(cast.sud):
            assert keys.secret_of("daily") == "short-key-1"

    def test_two_first_ones_at_once_are_one_made_and_one_replaced(self, committed_db, cast, api):
        ion, vera = api(cast.ion), api(cast.vera)

        answers = at_once(lambda: put(ion, cast.sud, FIRST), lambda: put(vera, cast.sud, SECOND))

        assert sorted(each.status for each in answers) == [200, 201]
        assert answers[0].data["id"] == answers[1].data["id"]

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({"service": "daily", "api_key": "1234567"}, "api_key"),
            ({"service": "daily", "api_key": "x" * 4097}, "api_key"),
            ({"service": "daily", "api_key": "with a space"}, "api_key"),
            ({"service": "daily", "api_key": "ăăăăăăăă"}, "api_key"),
            ({"service": "daily", "api_key": None}, "api_key"),
            ({"service": "daily", "api_key": 12345678}, "api_key"),
            ({"service": "daily"}, "api_key"),
            ({"service": "nope", "api_key": FIRST}, "service"),
            ({"api_key": FIRST}, "service"),
            ({"service": "daily", "api_key": FIRST, "title": "x" * 101}, "title"),
            ({"service": "daily", "api_key": FIRST, "last4": "ABCD"}, "last4"),
        ],
    )
    def test_refuses_what_is_no_key(self, cast, api, body, wrong):
        answer = api(cast.ion).post(path(cast.sud), body)

        assert set(answer.fields) == {wrong}
        assert FIRST not in answer.content.decode()

    def test_takes_the_longest_and_an_empty_title_for_none(self, cast, api):
        made = put(api(cast.ion), cast.sud, "x" * 4096, title="  ").data

        assert (made["title"], made["last4"]) == (None, "xxxx")


class TestWhoMay:
    def test_is_for_admins_alone(self, cast, api):
        put(api(cast.ion), cast.sud)
        for person in (cast.mara, cast.sara, cast.ana):
            assert api(person).get(path(cast.sud)).status == 403
            assert put(api(person), cast.sud).status == 403
            assert api(person).delete(path(cast.sud, "/daily")).status == 403
            assert api(person).delete(path(cast.sud, "/nope")).status == 403
        assert api(cast.nora).get(path(cast.sud)).status == 404
        assert api(cast.nora).delete(path(cast.sud, "/daily")).status == 404
        assert api(cast.root).get(path(cast.sud)).status == 200

    def test_the_list_is_sorted_and_knows_no_other_clinic(self, cast, api):
        for service in ("smtp", "daily", "crm"):
            put(api(cast.ion), cast.sud, service=service)
        put(api(cast.nora), cast.nord, service="ehr")

        shown = lambda query="": [each["service"] for each in api(cast.vera).get(path(cast.sud, query)).data]  # noqa: E731

        assert shown() == ["crm", "daily", "smtp"]
        assert shown("?sort=-updated_at") == ["crm", "daily", "smtp"]
        assert shown("?sort=updated_at") == ["smtp", "daily", "crm"]
        assert api(cast.vera).get(path(cast.sud, "?sort=title")).status == 422
        assert api(cast.vera).get(path(cast.sud, "?service=daily")).status == 422

    def test_is_forgotten_once(self, cast, api):
        put(api(cast.ion), cast.sud)
        put(api(cast.nora), cast.nord)

        assert api(cast.ion).delete(path(cast.sud, "/daily")).status == 204
        assert api(cast.ion).delete(path(cast.sud, "/daily")).status == 404
        for absent in ("/nope", "/NOPE", "/stripe", "/%00", "/a%20b"):
            assert api(cast.ion).delete(path(cast.sud, absent)).status == 404
        with make.within(cast.nord):
            assert keys.secret_of("daily") == FIRST
            assert keys.secret_of("crm") is None

    def test_ends_with_the_organization(self, cast, api):
        put(api(cast.nora), cast.nord)

        assert api(cast.root).delete(f"/v1/organizations/{cast.nord.pk}").status == 204
        with make.within(cast.nord):
            assert not ApiKey.objects.exists()


class TestSecrecy:
    def test_no_answer_audit_row_stored_answer_log_line_or_column_holds_it(self, cast, api, caplog):
        caplog.set_level(logging.DEBUG)
        made = put(api(cast.ion), cast.sud, title="production", Idempotency_Key="k1")
        put(api(cast.ion), cast.sud, SECOND, Idempotency_Key="k2")
        again = put(api(cast.ion), cast.sud, SECOND, Idempotency_Key="k2")
        listed = api(cast.ion).get(path(cast.sud))

        with make.within(cast.sud), connection.cursor() as cursor:
            rows = list(AuditEntry.objects.filter(entity_type="api_key").order_by("id").values())
            sealed = sealed_bytes()
            cursor.execute(
                "SELECT string_agg(encode(body, 'escape') || headers::text, '') FROM organizations_idempotencyrecord"
            )
            stored = cursor.fetchone()[0]
        everything = [
            *(each.content.decode() for each in (made, again, listed)),
            json.dumps(rows, default=str),
            caplog.text,
            stored,
            repr(sealed),
        ]
        assert again.headers["Idempotency-Replayed"] == "true"
        for text in everything:
            assert FIRST not in text
            assert SECOND not in text
        assert [row["action"] for row in rows] == ["CREATE", "UPDATE"]
        assert rows[0]["changes"]["api_key"] == {"old": None, "new": "***"}
        assert rows[1]["changes"]["api_key"] == {"old": "***", "new": "***"}

    def test_is_laid_out_as_the_contract_says_and_opens_in_its_own_row_alone(self, cast, api):
        put(api(cast.ion), cast.sud)
        put(api(cast.ion), cast.sud, SECOND, service="crm")
        put(api(cast.nora), cast.nord, SECOND)

        with make.within(cast.sud):
            sealed = sealed_bytes()
            assert (sealed[0], len(sealed)) == (crypto.newest_version(), 1 + 12 + len(FIRST) + 16)
            assert crypto.unseal(sealed, place=f"api_key|{cast.sud.pk}|daily").decode() == FIRST
            ApiKey.objects.filter(service="crm").update(api_key=sealed)
            with pytest.raises(crypto.WrongSeal):
                keys.secret_of("crm")
        with make.within(cast.nord):
            ApiKey.objects.filter(service="daily").update(api_key=sealed)
            with pytest.raises(crypto.WrongSeal):
                keys.secret_of("daily")

    def test_text_cannot_be_stored_past_the_seal(self, cast, api):
        put(api(cast.ion), cast.sud)
        with make.within(cast.sud), pytest.raises(TypeError):
            ApiKey.objects.update(api_key=FIRST)
