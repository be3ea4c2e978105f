"""Log lines: JSON for machines or coloured text for a terminal, each with the id of the request it belongs to.

Whatever logs by Python's `logging` is written this way; nobody needs to know structlog. A line holds ids and codes,
never names, texts or tokens.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

#: The id of the request that is being answered in this context, None outside of any.
current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)


def with_request_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Put the id of the request that is being answered on the line."""
    request_id = current_request_id.get()
    return {**event, "request_id": request_id} if request_id and "request_id" not in event else event


_SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    with_request_id,
]


def _formatter(*writing: Any) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *writing],
    }


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """Return Django's LOGGING: one handler on standard error, lines of the given `form` (`json` or `console`)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": _formatter(structlog.processors.format_exc_info, structlog.processors.JSONRenderer()),
            "console": _formatter(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)),
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
