"""The stamp of a stretch of time: it changes when anything that a board shows of it does, and costs one statement.

It is made of the versions of the rows (`xmin`, the transaction that wrote each), so nothing has to be remembered when
something changes, whoever changes it and in whatever way.
"""

from __future__ import annotations

from django.db import connection

from restartix.kernel.tenancy import active_organization_id

_STAMP = """
WITH visits AS (
    SELECT a.id, a.xmin::text AS version, a.patient_id FROM scheduling_appointment a
     WHERE a.organization_id = %(organization)s
       AND a.started_at > to_timestamp(%(start)s) - interval '24 hours'  -- none lasts longer: bounds the index
       AND a.started_at < to_timestamp(%(end)s) AND a.ended_at > to_timestamp(%(start)s)
)
SELECT COALESCE(bit_xor(hashtextextended(part, 0)), 0), count(*) FROM (
    SELECT 'visit ' || id || ' ' || version FROM visits
    UNION ALL
    SELECT 'patient ' || v.id || ' ' || p.xmin::text || ' ' || o.xmin::text FROM visits v
      JOIN profiles_patient p ON p.id = v.patient_id JOIN profiles_patientperson o ON o.id = p.person_id
    UNION ALL
    SELECT 'template ' || id || ' ' || xmin::text FROM scheduling_appointmenttemplate
     WHERE organization_id = %(organization)s
    UNION ALL
    SELECT 'specialist ' || id || ' ' || xmin::text FROM profiles_specialist WHERE organization_id = %(organization)s
    UNION ALL
    SELECT 'hold ' || id FROM scheduling_hold
     WHERE organization_id = %(organization)s AND status = 'live' AND expires_at > clock_timestamp()
) AS parts (part)
"""


def stamp_of(start: int, end: int) -> tuple[int, int]:
    """Return the stamp of [start, end), in epoch seconds, for the active organization.

    Moving the end of a hold that goes on does not change it: that ticks in the browser.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, {"organization": active_organization_id(), "start": start, "end": end})
        changed, rows = cursor.fetchone()
    return changed, rows
