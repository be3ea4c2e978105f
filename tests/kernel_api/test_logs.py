"""Log lines: one JSON document each, with the id of the request they belong to."""

import json
import logging
import logging.config
from io import StringIO

import pytest

from restartix.kernel import logs


@pytest.fixture
def written():
    """A logger whose lines go to a buffer, formatted as in production."""
    buffer = StringIO()
    handler = logging.StreamHandler(buffer)
    configured = logs.configuration(level="INFO", form="json")
    formatter = configured["formatters"]["json"]
    handler.setFormatter(formatter["()"](**{name: value for name, value in formatter.items() if name != "()"}))
    logger = logging.getLogger("restartix.tests")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield logger, lambda: [json.loads(line) for line in buffer.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_a_line_is_a_json_document(written):
    logger, lines = written
    logger.info("sent %s of %s", 3, 4, extra={"organization_id": 7})
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"], line["organization_id"]) == (
        "sent 3 of 4",
        "info",
        "restartix.tests",
        7,
    )
    assert line["timestamp"].endswith("Z")
    assert "request_id" not in line


def test_a_line_of_a_request_tells_which(written):
    logger, lines = written
    token = logs.current_request_id.set("abc-1")
    logger.warning("careful")
    logs.current_request_id.reset(token)
    assert lines()[0]["request_id"] == "abc-1"


def test_an_exception_stays_on_its_line(written):
    logger, lines = written
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("failed")
    (line,) = lines()
    assert line["exception"].endswith("ValueError: no")


def test_a_terminal_gets_text():
    formatter = logs.configuration(level="INFO", form="console")["formatters"]["console"]
    made = formatter["()"](**{name: value for name, value in formatter.items() if name != "()"})
    assert "hello" in made.format(logging.LogRecord("x", logging.INFO, "f", 1, "hello", (), None))
