"""The page of appointments by hand: two shapes of one statement, and the dictionaries of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson

FILTER = (
    "a.organization_id = %(organization)s AND a.deleted_at IS NULL AND a.status = %(status)s "
    "AND a.started_at >= %(since)s AND a.started_at < %(until)s"
)
JOINS = """FROM scheduling_appointment a JOIN profiles_specialist s ON s.id = a.specialist_id
  LEFT JOIN profiles_patient p ON p.id = a.patient_id LEFT JOIN profiles_patientperson n ON n.id = p.person_id"""
COLUMNS = """a.id, a.organization_id, a.uid, a.title, a.status, a.started_at, a.ended_at, a.specialist_id, s.name,
  s.title, a.patient_id, n.name, n.user_id, a.specialty_id, a.appointment_template_id, a.contact_name,
  a.contact_email, a.source, a.mode, a.location, a.notes, a.patient_notes, a.price, a.currency,
  a.patient_service_plan_id, a.confirmed_at, a.session_started_at, a.session_ended_at, a.cutoff_hours,
  a.reschedule_count, a.rating_stars, a.rating_comment, a.rated_at, a.created_at, a.updated_at"""
TOTAL = f"(SELECT count(*) FROM scheduling_appointment a WHERE {FILTER})"
PAGE = "ORDER BY a.started_at DESC, a.id DESC LIMIT %(limit)s OFFSET %(offset)s"
ROWS = f"SELECT {COLUMNS}, {TOTAL} {JOINS} WHERE {FILTER} {PAGE}"
COUNT = f"SELECT count(*) FROM scheduling_appointment a WHERE {FILTER}"


def _moment(column: str) -> str:
    return f"""to_char(({column}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


OBJECT = f"""json_build_object('id', a.id, 'organization_id', a.organization_id, 'uid', a.uid, 'title', a.title,
  'status', a.status, 'started_at', {_moment("a.started_at")}, 'ended_at', {_moment("a.ended_at")},
  'specialist_id', a.specialist_id,
  'specialist', json_build_object('id', a.specialist_id, 'name', s.name, 'title', s.title, 'avatar_url', NULL),
  'patient_id', a.patient_id, 'patient', json_build_object('id', a.patient_id, 'name', n.name, 'user_id', n.user_id),
  'specialty_id', a.specialty_id, 'appointment_template_id', a.appointment_template_id, 'contact', NULL,
  'source', a.source, 'mode', a.mode, 'location', a.location, 'notes', a.notes, 'patient_notes', a.patient_notes,
  'price', a.price::text, 'currency', a.currency, 'patient_service_plan_id', a.patient_service_plan_id,
  'videocall', NULL, 'confirmed_at', {_moment("a.confirmed_at")},
  'session_started_at', {_moment("a.session_started_at")}, 'session_ended_at', {_moment("a.session_ended_at")},
  'cancellation', NULL, 'cancel_until', {_moment("a.started_at - make_interval(hours => a.cutoff_hours)")},
  'reschedule_count', a.reschedule_count, 'rating', NULL,
  'created_at', {_moment("a.created_at")}, 'updated_at', {_moment("a.updated_at")})"""
#: The whole answer, written by PostgreSQL.
AS_JSON = f"""SELECT json_build_object(
  'data', COALESCE((SELECT json_agg(q.o) FROM (SELECT {OBJECT} AS o {JOINS} WHERE {FILTER} {PAGE}) q), '[]'),
  'pagination', (SELECT json_build_object('page', %(page)s::int, 'limit', %(limit)s::int, 'total', count(*),
    'total_pages', (count(*) + %(limit)s - 1) / %(limit)s) FROM scheduling_appointment a WHERE {FILTER}))::text"""


def parameters(organization: str, query: str) -> dict[str, Any]:
    """Read the request."""
    values = dict(parse_qsl(query))
    page, limit = int(values.get("page", 1)), min(int(values.get("limit", 25)), 100)
    return {
        "organization": int(organization),
        "status": values["status"],
        "since": datetime.fromisoformat(values["started_at.gte"]),
        "until": datetime.fromisoformat(values["started_at.lt"]),
        "page": page,
        "limit": limit,
        "offset": (page - 1) * limit,
    }


def written(rows: Sequence[Any], given: dict[str, Any], total: int) -> bytes:
    """Return the answer's bytes."""
    pagination = {
        "page": given["page"],
        "limit": given["limit"],
        "total": total,
        "total_pages": -(-total // given["limit"]),
    }
    return orjson.dumps({"data": [_object(row) for row in rows], "pagination": pagination}, option=orjson.OPT_UTC_Z)


def _object(row: Any) -> dict[str, Any]:
    (key, organization, uid, title, status, started_at, ended_at, specialist, name, specialist_title, patient,
     patient_name, user, specialty, template, contact_name, contact_email, source, mode, location, notes, patient_notes,
     price, currency, plan, confirmed_at, begun_at, over_at, cutoff, rescheduled, stars, comment, rated_at, created_at,
     updated_at, *_) = row  # fmt: skip
    return {
        "id": key,
        "organization_id": organization,
        "uid": uid,
        "title": title,
        "status": status,
        "started_at": started_at,
        "ended_at": ended_at,
        "specialist_id": specialist,
        "specialist": {"id": specialist, "name": name, "title": specialist_title, "avatar_url": None},
        "patient_id": patient,
        "patient": None if patient is None else {"id": patient, "name": patient_name, "user_id": user},
        "specialty_id": specialty,
        "appointment_template_id": template,
        "contact": None if contact_name is None else {"name": contact_name, "email": contact_email, "phone": None},
        "source": source,
        "mode": mode,
        "location": location,
        "notes": notes,
        "patient_notes": patient_notes,
        "price": None if price is None else str(price),
        "currency": currency,
        "patient_service_plan_id": plan,
        "videocall": None,
        "confirmed_at": confirmed_at,
        "session_started_at": begun_at,
        "session_ended_at": over_at,
        "cancellation": None,
        "cancel_until": started_at - timedelta(hours=cutoff),
        "reschedule_count": rescheduled,
        "rating": None if rated_at is None else {"stars": stars, "comment": comment, "rated_at": rated_at},
        "created_at": created_at,
        "updated_at": updated_at,
    }
