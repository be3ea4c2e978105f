"""Streams: end cleanly with the process, and never end an answer twice."""

import asyncio

from restartix.streaming import Streams

START = {"type": "http.response.start", "status": 200, "headers": []}


def body(content, *, more):
    return {"type": "http.response.body", "body": content, "more_body": more}


def served(app, *, during=None):
    """Serve one stream; `during` runs while it is open. Returns what was sent."""
    sent = []

    async def send(message):
        sent.append(dict(message))

    async def run():
        streams = Streams()
        task = asyncio.create_task(streams.serve(app, {"path": "/x"}, None, send))
        await asyncio.sleep(0.01)
        if during:
            await during(streams)
        await asyncio.wait_for(task, 2)
        assert len(streams) == 0

    asyncio.run(run())
    return sent


def test_a_stream_gets_its_last_chunk_when_the_process_stops():
    closed = asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"event", more=True))
        await closed.wait()
        await send(body(b"too late", more=True))

    async def stop(streams):
        await streams.end_all()
        closed.set()

    assert served(app, during=stop) == [START, body(b"event", more=True), body(b"", more=False)]


def test_a_stream_that_has_not_begun_ends_with_its_first_chunk():
    proceed = asyncio.Event()

    async def app(scope, receive, send):
        await proceed.wait()
        await send(START)
        await send(body(b"event", more=True))

    async def stop(streams):
        await streams.end_all()
        proceed.set()

    assert served(app, during=stop) == [START, body(b"event", more=False)]


def test_a_consumer_that_leaves_without_an_end_is_given_one():
    async def app(scope, receive, send):
        await send(START)
        await send(body(b"event", more=True))

    assert served(app)[-1] == body(b"", more=False)


def test_a_consumer_that_breaks_before_it_begins_answers_500_in_the_envelope():
    async def app(scope, receive, send):
        raise RuntimeError("secret")

    start, answer = served(app)
    assert start["status"] == 500
    assert b"internal_error" in answer["body"]
    assert b"secret" not in answer["body"]


def test_streams_that_come_while_the_process_stops_are_sent_elsewhere():
    async def app(scope, receive, send):
        raise AssertionError("never called")

    sent = []

    async def send(message):
        sent.append(message)

    async def run():
        streams = Streams()
        await streams.end_all()
        await streams.serve(app, {"path": "/x"}, None, send)

    asyncio.run(run())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
