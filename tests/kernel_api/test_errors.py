"""The one error body: whatever fails, before a view, in it, or after it."""

import json
import logging

import pytest

from tests.kernel_api.conftest import error_of

VALID = {"title": "Knee", "slug": "knee"}


def expect(answer, status, code):
    assert (answer.status_code, error_of(answer)["code"]) == (status, code), answer.content
    return error_of(answer)


class TestBeforeAView:
    @pytest.mark.parametrize(
        "path", ["/v1", "/v1/", "/v1/nothing", "/v1/things/", "/webhooks/nothing", "/v1//things", "/v1/things/abc"]
    )
    def test_an_unknown_path_is_not_found(self, ion, path):
        expect(ion.get(path), 404, "not_found")

    @pytest.mark.parametrize(
        "id_",
        [
            "0",
            "-1",
            "01",
            "1_0",
            "%D9%A1",
            "9223372036854775808",
            "99999999999999999999",
            "1.0",
            "1%00",
            "%ED%A0%80",
            "1/",
        ],
    )
    def test_an_id_that_is_none_is_not_found(self, ion, id_):
        expect(ion.get(f"/v1/things/{id_}"), 404, "not_found")

    def test_a_page_keeps_the_pages_of_the_framework(self, client):
        answer = client.get("/no-page")
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")
        assert client.get("/page")["X-Request-ID"]

    def test_the_same_holds_with_debug_on(self, ion, settings):
        settings.DEBUG = True
        expect(ion.get("/v1/nothing"), 404, "not_found")
        expect(ion.get("/v1/things/broken/x"), 500, "internal_error")

    @pytest.mark.parametrize("host", ["evil.example", "a b", "x:99999:1", "", "[::1", "%00"])
    def test_a_host_that_is_not_served_is_malformed(self, ion, host):
        expect(ion.get("/v1/things", host=host), 400, "malformed_request")

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "TRACE", "FOO", "PROPFIND"])
    def test_a_method_that_is_not_routed_is_told_which_are(self, ion, method):
        answer = ion.send(method, "/v1/things")
        expect(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD, OPTIONS, POST"

    def test_options_tells_the_methods_to_anybody(self, api):
        answer = api().send("OPTIONS", "/v1/things")
        assert (answer.status_code, answer["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")

    def test_a_method_override_is_ignored(self, ion):
        assert ion.post("/v1/things", VALID, x_http_method_override="DELETE").status_code == 201

    @pytest.mark.parametrize(
        "accept",
        ["text/html", "application/xml", "application/json;q=0", "garbage", "application/json;q=x", ";;", "text/*"],
    )
    def test_an_answer_that_the_caller_cannot_take_is_not_acceptable(self, ion, accept):
        expect(ion.get("/v1/things", accept=accept), 406, "not_acceptable")

    @pytest.mark.parametrize(
        "accept",
        [
            "",
            "*/*",
            "application/*",
            "text/html, */*;q=0.1",
            "Application/JSON",
            "application/json; charset=utf-8",
            "x, application/json",
        ],
    )
    def test_an_answer_that_the_caller_takes_is_given(self, ion, accept):
        assert ion.get("/v1/things", accept=accept).status_code == 200

    def test_head_is_answered_like_get_without_a_body(self, ion):
        answer = ion.send("HEAD", "/v1/things")
        assert (answer.status_code, answer.content) == (200, b"")


class TestTheBody:
    @pytest.mark.parametrize(
        "raw",
        [b"", b"{", b"null", b"[]", b'"x"', b"5", b"true", b'{"a": 1}{}', b"\xff", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}"],
    )
    def test_that_is_no_json_object_is_malformed(self, ion, raw):
        expect(ion.send("POST", "/v1/things", raw=raw), 400, "malformed_request")

    def test_that_is_absent_is_judged_by_its_fields(self, ion):
        assert expect(ion.post("/v1/things"), 422, "validation_failed")["details"]["fields"] == {
            "title": ["required"],
            "slug": ["required"],
        }

    def test_that_has_problems_names_the_first_and_all(self, ion):
        error = expect(
            ion.post("/v1/things", {"title": 5, "slug": "x", "parts": [{"kind": "hip"}], "nmae": 1}),
            422,
            "validation_failed",
        )
        assert error["details"]["field"] == "title"
        assert error["details"]["error"] == "a text is expected"
        assert set(error["details"]["fields"]) == {"title", "slug", "parts[0].priority", "nmae"}
        assert error["details"]["fields"]["nmae"] == ["unknown field"]

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin-1",
            "application/json; charset=rot13",
            "application/json; charset=zlib_codec",
            "garbage",
            "",
        ],
    )
    def test_of_another_type_is_unsupported(self, ion, content_type):
        expect(ion.post("/v1/things", VALID, content_type=content_type), 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"']
    )
    def test_of_json_is_read(self, ion, content_type):
        assert ion.post("/v1/things", VALID, content_type=content_type).status_code == 201

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "x"])
    def test_that_is_encoded_is_unsupported(self, ion, encoding):
        expect(ion.post("/v1/things", VALID, content_encoding=encoding), 415, "unsupported_media_type")

    def test_over_one_mebibyte_is_too_large(self, ion):
        filler = {"title": "x" * (1024 * 1024)}
        assert expect(ion.post("/v1/things", filler), 413, "payload_too_large")["details"] == {"max_bytes": 1048576}

    def test_of_one_mebibyte_is_read(self, ion):
        document = json.dumps({**VALID, "note": ""}).encode()
        raw = document + b" " * (1024 * 1024 - len(document))
        assert ion.send("POST", "/v1/things", raw=raw).status_code == 201

    @pytest.mark.parametrize("length", ["x", "-5", "1e3", "٣", "99999999999999999999"])
    def test_of_a_length_that_is_none_is_refused(self, ion, length):
        answer = ion.client.generic(
            "POST",
            "/v1/things",
            b"{}",
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {ion.token}",
            CONTENT_LENGTH=length,
        )
        assert answer.status_code in {400, 413}
        assert error_of(answer)["code"] in {"malformed_request", "payload_too_large"}

    def test_of_an_operation_without_one_may_be_absent_or_empty(self, world, ion):
        thing = world.thing("Long title")
        assert ion.post(f"/v1/things/{thing.pk}/shorten").status_code == 200
        assert ion.post(f"/v1/things/{thing.pk}/shorten", {}).status_code == 200
        assert ion.send("POST", f"/v1/things/{thing.pk}/shorten", raw=b"").status_code == 200
        assert (
            expect(ion.post(f"/v1/things/{thing.pk}/shorten", {"x": 1}), 422, "validation_failed")["details"]["field"]
            == "x"
        )


class TestTheQuery:
    @pytest.mark.parametrize(
        "query",
        [
            "x=1",
            "titel=x",
            "page[]=1",
            "sort=title&sort=id",
            "limit=1&limit=1",
            "search=%00",
            "search=%ED%A0%80",
            "search=%ff",
            "%00=1",
            "page=%D9%A3",
        ],
    )
    def test_that_nobody_knows_or_can_read_is_invalid(self, ion, query):
        expect(ion.get(f"/v1/things?{query}"), 422, "validation_failed")

    def test_that_is_misspelt_is_told_the_right_name(self, ion):
        fields = expect(ion.get("/v1/things?serach=x&created_at.gt=2026-01-01"), 422, "validation_failed")["details"][
            "fields"
        ]
        assert fields["serach"] == ["unknown parameter", "did you mean search?"]
        assert "offset" in fields["created_at.gt"][0]

    def test_that_is_too_long_is_malformed(self, ion):
        expect(ion.get("/v1/things?" + "&".join(f"p{i}=1" for i in range(1001))), 400, "malformed_request")
        expect(ion.get("/v1/things?search=" + "x" * 100_000), 400, "malformed_request")

    def test_of_an_operation_without_parameters_is_invalid(self, ion):
        expect(ion.post("/v1/things?dry_run=true", VALID), 422, "validation_failed")


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("mode", "status", "code"),
        [
            ("data", 422, "validation_failed"),
            ("value", 422, "validation_failed"),
            ("constraint", 422, "validation_failed"),
            ("unique", 409, "conflict"),
            ("slow", 503, "unavailable"),
            ("x", 500, "internal_error"),
        ],
    )
    def test_that_refuses_is_told_without_its_words(self, ion, mode, status, code):
        answer = ion.get(f"/v1/things/broken/{mode}")
        error = expect(answer, status, code)
        assert not any(word in json.dumps(error) for word in ("SELECT", "secret", "profiles_", "line "))
        if status == 503:
            assert answer["Retry-After"] == "1"

    def test_that_is_down_is_unavailable(self, ion, monkeypatch):
        from django.db import OperationalError, connection

        def down(*args, **kwargs):
            raise OperationalError("connection refused on 127.0.0.1")

        connection.close()
        monkeypatch.setattr(connection, "get_new_connection", down)
        answer = ion.get("/v1/things")
        assert "127.0.0.1" not in answer.content.decode()
        expect(answer, 503, "unavailable")
        assert answer["Retry-After"]

    def test_that_says_another_one_was_quicker_is_asked_again(self, ion):
        from tests.kernel_api.views import Things

        Things.attempts = 0
        assert ion.post("/v1/things/contended").json() == {"data": {"attempts": 3}}

    def test_that_says_so_every_time_is_a_conflict(self, ion):
        from tests.kernel_api.views import Things

        Things.attempts = -100
        answer = ion.post("/v1/things/contended")
        expect(answer, 409, "conflict")
        assert answer["Retry-After"] == "1"
        assert Things.attempts == -96

    def test_keeps_nothing_of_a_refused_request(self, world, ion):
        thing = world.thing("Abc")
        expect(ion.post(f"/v1/things/{thing.pk}/shorten"), 409, "title_too_short")
        assert world.things()[0].title == "Abc"

    def test_keeps_what_was_done_before_a_refusal_that_is_returned(self, world, ion):
        thing = world.thing("Abc")
        expect(ion.post(f"/v1/things/{thing.pk}/recorded"), 409, "title_too_short")
        assert world.things()[0].title == "checked"


class TestOurOwnMistakes:
    def test_are_logged_once_with_the_request_id(self, ion, caplog):
        with caplog.at_level(logging.INFO):
            answer = ion.get("/v1/things/broken/x", x_request_id="find-me.1")
        assert expect(answer, 500, "internal_error")["request_id"] == "find-me.1"
        records = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(records) == 1
        assert "secret detail" in str(records[0].exc_info[1])


class TestRequestIds:
    @pytest.mark.parametrize("sent", ["abc", "A-1._x", "x" * 128])
    def test_that_are_sane_are_kept(self, ion, sent):
        assert ion.get("/v1/things", x_request_id=sent)["X-Request-ID"] == sent

    @pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a\nb", "é", "<x>", "a,b"])
    def test_that_are_not_are_replaced(self, ion, sent):
        given = ion.get("/v1/things", x_request_id=sent)["X-Request-ID"]
        assert given != sent
        assert len(given) == 32
