"""The gateway: what a request has to be before it takes a thread."""

import asyncio

import orjson
import pytest

from restartix import gateway
from restartix.gateway import MAX_READ_AHEAD_BYTES, Gateway


def scope(*headers, path=b"/v1/x", query=b""):
    return {"type": "http", "method": "POST", "raw_path": path, "query_string": query, "headers": list(headers)}


def run(given, *body, app=None):
    """Send `body` in pieces; return what the application got, and what the caller was answered."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    if messages:
        messages[-1]["more_body"] = False
    got, answered = {}, []

    async def receive():
        return messages.pop(0) if messages else await asyncio.sleep(3600)

    async def send(message):
        answered.append(message)

    async def record(scope, receive, send):
        got["headers"] = scope["headers"]
        got["body"] = (await receive())["body"] if body else b""

    asyncio.run(Gateway(app or record)(given, receive, send))
    return got, answered


def refusal(answered):
    start, body = answered
    return start["status"], orjson.loads(body["body"])["error"]


class TestHeaders:
    def test_with_an_underscore_cannot_pose_as_another(self):
        got, _ = run(scope((b"x_organization_id", b"7"), (b"x-organization-id", b"3")))
        assert got["headers"] == [(b"x-organization-id", b"3")]

    def test_that_are_too_large_are_refused_in_the_envelope(self):
        got, answered = run(scope((b"x-big", b"a" * 20_000)))
        status, error = refusal(answered)
        assert (status, error["code"], error["details"]) == (431, "headers_too_large", {})
        assert error["request_id"]
        assert dict(answered[0]["headers"])[b"content-length"] == str(len(answered[1]["body"])).encode()
        assert not got

    def test_an_address_that_is_too_long_is_refused(self):
        assert refusal(run(scope(query=b"a" * 9000))[1])[0] == 414


class TestABody:
    def test_without_a_length_gets_one(self):
        got, _ = run(scope((b"transfer-encoding", b"chunked")), b"hel", b"lo")
        assert got == {"headers": [(b"content-length", b"5")], "body": b"hello"}

    def test_of_ordinary_size_is_whole_before_a_thread_is_taken(self):
        got, _ = run(scope((b"content-length", b"4")), b"ab", b"cd")
        assert got["body"] == b"abcd"

    def test_that_is_endless_and_has_no_length_is_refused(self):
        part = b"x" * (MAX_READ_AHEAD_BYTES // 2)
        assert refusal(run(scope((b"transfer-encoding", b"chunked")), part, part, b"x")[1])[0] == 413

    def test_that_does_not_arrive_is_given_up(self, monkeypatch):
        monkeypatch.setattr(gateway, "BODY_SECONDS", 0.05)
        status, error = refusal(run(scope((b"content-length", b"4")))[1])
        assert (status, error["code"]) == (408, "request_timeout")

    @pytest.mark.parametrize("length", [b"3000000", b"999999999999"])
    def test_that_is_large_streams_through(self, length):
        got, answered = run(scope((b"content-length", length)), b"first", b"second")
        assert got["body"] == b"first"
        assert not answered
