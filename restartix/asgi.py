"""The one web application: health at once, streams through Channels, everything else on Django's WSGI handler.

Django's own ASGI handler costs about three times the CPU of its WSGI handler on a short JSON answer, so requests run on
`WEB_THREADS` threads and only streams live on the event loop (docs/adr/0007-web-process.md).
"""

from __future__ import annotations

import os
import re
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "restartix.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import URLRouter
from django.core.wsgi import get_wsgi_application

wsgi_application = get_wsgi_application()

from apps.scheduling import consumers  # noqa: E402 - models can be imported only now
from restartix import health  # noqa: E402
from restartix.environment import env  # noqa: E402
from restartix.gateway import Gateway, Receive, Scope, Send  # noqa: E402
from restartix.kernel.api.converters import UidConverter  # noqa: E402
from restartix.kernel.streams import adopt_loop  # noqa: E402
from restartix.settling import settle  # noqa: E402
from restartix.streaming import streams  # noqa: E402

#: Paths of the streams; other methods than GET on them, and malformed ids, are Django's to answer.
_STREAM = re.compile(rf"/v1/scheduling/(holds/{UidConverter.regex}|timeslots)/stream|/admin/today/stream/")
_HEALTH = ("/healthz/live", "/healthz/ready")

_streams: Any = URLRouter(consumers.urlpatterns)
_threads: Any = WSGIMiddleware(wsgi_application, workers=env.web_threads)  # type: ignore[arg-type]
_pages = Gateway(_threads)
settle()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    adopt_loop()
    if scope["type"] != "http":
        await send({"type": "websocket.close"})
    elif scope["path"] in _HEALTH:
        await health.respond(scope["path"], send)
    elif scope["method"] == "GET" and _STREAM.fullmatch(scope["path"]):
        await streams.serve(_streams, scope, receive, send)
    else:
        await _pages(scope, receive, send)
