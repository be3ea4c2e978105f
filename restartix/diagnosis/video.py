"""Video rooms: whether the provider takes each clinic's key."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connection

from apps.organizations.services import keys
from apps.scheduling.domain.rooms import ProviderFailed
from apps.scheduling.services.daily import Daily
from restartix.diagnosis.findings import Finding, State, verdict
from restartix.kernel.tenancy import Actor, across_organizations, acting_for

ACTOR = Actor.system("doctor")
#: Clinics whose key is tried, five at a time; the doctor does not wait for hundreds.
MOST, AT_ONCE = 50, 5
_MEND = "Correct the clinic's key, in the back office under API keys; see docs/operate/video.md."
_KEYS = """
SELECT o.id, o.slug FROM organizations_apikey k JOIN organizations_organization o ON o.id = k.organization_id
 WHERE k.service = 'daily' AND o.deleted_at IS NULL ORDER BY o.id
"""


def rooms() -> Iterator[Finding]:
    """Ask the provider with each clinic's key."""
    try:
        with (
            across_organizations(reason="try the keys of every clinic", actor=ACTOR),
            connection.cursor() as cursor,
        ):
            cursor.execute(_KEYS)
            clinics = cursor.fetchall()
        secrets = [(slug, _secret(key)) for key, slug in clinics[:MOST]]
    except (DatabaseError, ValueError) as error:
        yield Finding("video rooms", State.FAILED, str(error).strip(), "Start the database, run `manage.py migrate`.")
        return
    if not clinics:
        yield Finding("video rooms", State.ABSENT, "no clinic has a key: the stand-in serves", _MEND)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        troubles = [trouble for trouble in threads.map(_tried, secrets) if trouble]
    count = f"{len(clinics)} clinic{'s' if len(clinics) > 1 else ''} with a key"
    asked = "" if len(clinics) <= MOST else f" (the first {MOST} were tried)"
    yield verdict(
        "video rooms",
        f"{count}{asked}: {'; '.join(troubles) or 'Daily answers'}; the others have the stand-in",
        good=not troubles,
        mend=_MEND,
        otherwise=State.WARNING,
    )


def _secret(organization_id: int) -> str:
    with acting_for(organization_id, actor=ACTOR):
        return keys.secret_of("daily") or ""


def _tried(clinic: tuple[str, str]) -> str:
    """Say what is wrong with a clinic's key, nothing if all is well."""
    slug, secret = clinic
    try:
        Daily(secret).check()
    except ProviderFailed as failed:
        return f"{slug}: {failed.reason}"
    return ""
