"""The page of appointments as a plain Django view over raw SQL."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.benchmarks.plain import rows


def appointments(request: HttpRequest) -> HttpResponse:
    """Answer with rows and total from one statement."""
    given = rows.parameters(request.headers["X-Organization-ID"], request.META["QUERY_STRING"])
    with connection.cursor() as cursor:
        cursor.execute(rows.ROWS, given)
        found = cursor.fetchall()
        total = found[0][-1] if found else 0
        if not found and given["offset"]:
            cursor.execute(rows.COUNT, given)
            (total,) = cursor.fetchone()
    body = rows.written(found, given, total)
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


urlpatterns = [path("v1/appointments", appointments)]
