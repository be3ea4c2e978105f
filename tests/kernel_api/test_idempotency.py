"""The same request twice has one effect, also when both run at once or the first one dies."""

import json

import pytest
from django.db import connection, transaction

from apps.organizations.models import IdempotencyRecord
from restartix.kernel.api import idempotency
from tests.kernel_api.conftest import Api, error_of
from tests.races.crowd import at_once

VALID = {"title": "Knee", "slug": "knee"}


def keyed(key="key-1", **headers):
    return {"idempotency_key": key, **headers}


class TestARepeatedRequest:
    def test_gets_the_first_answer_again(self, world, ion):
        first, second = (ion.post("/v1/things", VALID, **keyed()) for _ in range(2))
        assert (first.status_code, first.content, first["Location"]) == (
            second.status_code,
            second.content,
            second["Location"],
        )
        assert "Idempotency-Replayed" not in first
        assert second["Idempotency-Replayed"] == "true"
        assert second["Content-Type"] == "application/json"
        assert len(world.things()) == 1

    def test_of_a_deletion_is_no_second_deletion(self, world, ion):
        thing = world.thing()
        first, second = (ion.delete(f"/v1/things/{thing.pk}", **keyed()) for _ in range(2))
        assert (first.status_code, second.status_code, second.content) == (204, 204, b"")
        assert second["Idempotency-Replayed"] == "true"
        assert ion.delete(f"/v1/things/{thing.pk}").status_code == 404

    def test_may_write_its_json_in_another_way(self, ion):
        ion.send("POST", "/v1/things", raw=b'{"title": "Knee", "slug": "knee"}', **keyed())
        assert ion.send("POST", "/v1/things", raw=b'{"slug":"knee",\n"title":"Kn\\u0065e"}', **keyed())[
            "Idempotency-Replayed"
        ]

    @pytest.mark.parametrize(
        "body",
        [{"title": "Knee", "slug": "other"}, {"title": "Knee"}, {}, {"title": "Knee", "slug": "knee", "note": None}],
    )
    def test_with_another_body_is_refused(self, world, ion, body):
        ion.post("/v1/things", VALID, **keyed())
        answer = ion.post("/v1/things", body, **keyed())
        assert (answer.status_code, error_of(answer)["code"]) == (409, "idempotency_key_reused")
        assert len(world.things()) == 1

    def test_gets_a_refusal_again_too(self, world, ion):
        world.thing("Knee", "knee")
        first, second = (ion.post("/v1/things", VALID, **keyed()) for _ in range(2))
        assert (first.status_code, second["Idempotency-Replayed"], second.content) == (409, "true", first.content)
        bad = [ion.post("/v1/things", {"title": ""}, **keyed("bad")) for _ in range(2)]
        assert [answer.status_code for answer in bad] == [422, 422]
        assert error_of(ion.post("/v1/things", VALID, **keyed("bad")))["code"] == "idempotency_key_reused"

    def test_after_a_refusal_finds_nothing_half_done(self, world, ion):
        thing = world.thing("Abc")
        for _ in range(2):
            assert ion.post(f"/v1/things/{thing.pk}/shorten", **keyed()).status_code == 409
        assert world.things()[0].title == "Abc"

    def test_is_run_again_after_an_answer_that_is_not_kept(self, world, ion, api):
        from tests.kernel_api.views import Things

        assert ion.post("/v1/things/broken/x", **keyed()).status_code == 500
        assert ion.post("/v1/things/broken/slow", **keyed("slow")).status_code == 503
        assert api().post("/v1/things", VALID, **keyed()).status_code == 401
        Things.attempts = -100
        assert ion.post("/v1/things/contended", **keyed()).status_code == 409
        assert not IdempotencyRecord.objects.exists()

    def test_is_judged_anew_when_the_caller_may_no_longer(self, world, ion):
        from apps.organizations.models import Membership
        from restartix.kernel.tenancy import acting_for
        from tests.kernel_api.world import SYSTEM

        ion.post("/v1/things", VALID, **keyed())
        with acting_for(world.south.pk, actor=SYSTEM):
            Membership.objects.filter(user=world.people["ion"]).update(role="specialist")
        assert ion.post("/v1/things", VALID, **keyed()).status_code == 403

    def test_a_day_later_is_a_new_one(self, world, ion, test_servers):
        ion.post("/v1/things", VALID, **keyed())
        IdempotencyRecord.objects.update(created_at="2020-01-01T00:00:00Z", expires_at="2020-01-02T00:00:00Z")
        assert ion.post("/v1/things", {**VALID, "slug": "second"}, **keyed()).status_code == 201
        assert ion.post("/v1/things", {**VALID, "slug": "second"}, **keyed())["Idempotency-Replayed"]


class TestAKey:
    def test_belongs_to_its_caller_organization_method_and_path(self, world, api):
        thing = world.thing("Long title", "long")
        made = [
            api("ion").post("/v1/things", VALID, **keyed()),
            api("vera").post("/v1/things", {**VALID, "slug": "two"}, **keyed()),
            api("vera").post("/v1/things", {**VALID, "slug": "three"}, **keyed(x_organization_id=str(world.north.pk))),
            api("ion").post(f"/v1/things/{thing.pk}/shorten", **keyed()),
            api("ion").put(f"/v1/things/{thing.pk}", {"title": "Longer"}, **keyed()),
            api("ion").patch(f"/v1/things/{thing.pk}", {"title": "Longest"}, **keyed()),
        ]
        assert [answer.status_code for answer in made] == [201, 201, 201, 200, 200, 200]
        assert not any("Idempotency-Replayed" in answer for answer in made)

    def test_of_an_anonymous_caller_belongs_to_their_address(self, world):
        thing = world.thing()
        body = {"thing_id": thing.pk}
        first = Api().post("/v1/public/things", body, **keyed())
        assert first.status_code == 201
        assert Api().post("/v1/public/things", body, **keyed())["Idempotency-Replayed"]
        api = Api()
        api.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
        assert "Idempotency-Replayed" not in api.post("/v1/public/things", body, **keyed())

    def test_counts_the_capability_and_the_query_to_what_was_asked(self, world):
        body = {"thing_id": world.thing().pk}
        Api().post("/v1/public/things", body, **keyed(x_hold_token="a"))
        answer = Api().post("/v1/public/things", body, **keyed(x_hold_token="b"))
        assert error_of(answer)["code"] == "idempotency_key_reused"

    @pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\x00b", "a\tb"])
    def test_of_another_form_is_invalid(self, ion, key):
        answer = ion.post("/v1/things", VALID, **keyed(key))
        assert (answer.status_code, error_of(answer)["details"]["field"]) == (422, "Idempotency-Key")

    @pytest.mark.parametrize("key", ["x", "x" * 255, '"quoted"', "a,b", "~!@#"])
    def test_of_visible_ascii_is_taken(self, ion, key):
        assert ion.post("/v1/things", VALID, **keyed(key)).status_code == 201

    def test_on_a_reading_request_is_ignored(self, ion):
        assert ion.get("/v1/things", **keyed("")).status_code == 200
        assert not IdempotencyRecord.objects.exists()


class TestRequestsAtOnce:
    def test_have_one_effect(self, world, api):
        answers = at_once([lambda: api("ion").post("/v1/things", VALID, **keyed()) for _ in range(12)])
        won = [answer for answer in answers if answer.status_code == 201]
        lost = [answer for answer in answers if answer.status_code == 409]
        assert len(won) + len(lost) == 12
        assert sum("Idempotency-Replayed" not in answer for answer in won) == 1
        assert {error_of(answer)["code"] for answer in lost} <= {"idempotency_in_progress"}
        assert all(answer["Retry-After"] == "1" for answer in lost)
        assert len(world.things()) == 1

    def test_are_told_that_the_first_is_still_running(self, world, ion):
        """A first request that has not committed yet is played by a transaction that holds its key."""
        import hashlib

        scope = ["user:user_ion", world.south.pk, "POST", "/v1/things", "key-1"]
        digest = hashlib.sha256(json.dumps(scope, separators=(",", ":")).encode()).digest()

        def first():
            with transaction.atomic():
                idempotency.Key(digest, b"").lock()
                return ion.client and at_once([lambda: ion.post("/v1/things", VALID, **keyed())])[0]

        answer = first()
        assert (answer.status_code, error_of(answer)["code"], answer["Retry-After"]) == (
            409,
            "idempotency_in_progress",
            "1",
        )
        assert ion.post("/v1/things", VALID, **keyed()).status_code == 201

    def test_that_die_before_their_answer_leave_the_key_free(self, world, api, test_servers):
        """The database connection of the first is cut in the middle of its work; the second one does it."""
        with test_servers.postgres.connect(test_servers.database) as superuser:
            superuser.execute("ALTER TABLE profiles_specialty DISABLE TRIGGER USER")
            superuser.execute(
                "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN IF NEW.slug = 'cut' THEN RAISE EXCEPTION 'gone' USING ERRCODE = '57P01'; END IF; "
                "RETURN NEW; END $$"
            )
            superuser.execute(
                "CREATE TRIGGER cut BEFORE INSERT ON profiles_specialty FOR EACH ROW EXECUTE FUNCTION cut()"
            )
            superuser.commit()
            try:
                assert api("ion").post("/v1/things", {"title": "Knee", "slug": "cut"}, **keyed()).status_code == 503
            finally:
                superuser.execute("DROP TRIGGER cut ON profiles_specialty")
                superuser.execute("DROP FUNCTION cut()")
                superuser.execute("ALTER TABLE profiles_specialty ENABLE TRIGGER USER")
                superuser.commit()
        answer = api("ion").post("/v1/things", {"title": "Knee", "slug": "cut"}, **keyed())
        assert (answer.status_code, "Idempotency-Replayed" in answer) == (201, False)


class TestTheRecord:
    def test_is_sealed(self, ion):
        ion.post("/v1/things", {**VALID, "title": "Secret of Ana"}, **keyed("my-secret-key"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(r)::text, body FROM organizations_idempotencyrecord r")
            row, body = cursor.fetchone()
        for word in (b"Secret", b"my-secret-key", b"user_ion"):
            assert word not in bytes(body)
            assert word.decode() not in row


PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nabc\r\n'


class TestAnUpload:
    def send(self, api, raw, boundary="x", **headers):
        return api.send(
            "POST", "/v1/uploads", raw=raw, content_type=f"multipart/form-data; boundary={boundary}", **headers
        )

    def test_is_read(self, ion):
        answer = self.send(ion, PART + b"--x--\r\n")
        assert (answer.status_code, answer.json()["data"]) == (201, {"name": "a.png", "size": 3})

    def test_is_the_same_under_another_boundary(self, ion):
        self.send(ion, PART + b"--x--\r\n", **keyed())
        again = self.send(ion, PART.replace(b"--x", b"--yy") + b"--yy--\r\n", boundary="yy", **keyed())
        assert again["Idempotency-Replayed"] == "true"
        other = self.send(ion, PART.replace(b"abc", b"abd") + b"--x--\r\n", **keyed())
        assert error_of(other)["code"] == "idempotency_key_reused"

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (PART, 400),
            (PART + PART + b"--x--\r\n", 422),
            (b"", 400),
            (b"garbage", 400),
            (b"--x--\r\n", 422),
            (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--\r\n', 422),
            (PART + b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n', 422),
            (PART + b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\na\x00b\r\n--x--\r\n', 422),
            (
                b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(1001))
                + b"--x--\r\n",
                400,
            ),
            (PART.replace(b"abc", b"x" * (2 * 1024 * 1024 + 1)) + b"--x--\r\n", 413),
        ],
        ids=[
            "no end",
            "twice",
            "empty",
            "garbage",
            "no parts",
            "a text for a file",
            "unknown part",
            "NUL",
            "1001 parts",
            "too large",
        ],
    )
    def test_that_is_wrong_is_refused(self, ion, raw, status):
        assert self.send(ion, raw).status_code == status

    def test_of_json_is_unsupported(self, ion):
        assert ion.post("/v1/uploads", {"file": "x"}).status_code == 415
        assert self.send(ion, PART + b"--x--\r\n", boundary="").status_code in {400, 415}
