"""Availability: a specialist's weekly hours and their exceptions, one document that is replaced as a whole.

Source: contract/profiles.md 1.8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.profiles.domain import hours
from apps.profiles.errors import SpecialistDeleted, TimezoneLocked
from apps.profiles.models import Specialist
from restartix.kernel import clock
from restartix.kernel.errors import Invalid
from restartix.kernel.tenancy import Actor

Override = dict[str, Any]
#: Returns those of the ids that are appointment templates of the active organization.
KnownTemplates = Callable[[Collection[int]], Collection[int]]

_known_templates: list[KnownTemplates] = []


def templates_are_known_by(known: KnownTemplates) -> None:
    """Let overrides name appointment templates; the app that has them registers in its `AppConfig.ready`."""
    _known_templates[:] = [known]


@transaction.atomic
def replace(
    specialist: Specialist,
    *,
    by: Actor,
    timezone: str | None,
    active: bool,
    weekly: Sequence[Mapping[str, Any]],
    overrides: Sequence[Mapping[str, Any]],
) -> Specialist:
    """Replace the whole document, holding the specialist's row; appointments and live holds stay as they are.

    `weekly` holds `{day, start, end}` (wall-clock texts), `overrides` `{id?, start, end, availability,
    appointment_template_id?, note?}` (instants). Overrides with an `id` keep it, those not sent are removed. One audit
    row holds the old and the new document. Raises Invalid (422) for hours that break a rule, unknown overrides and
    templates, or `active` without a zone; TimezoneLocked (409); SpecialistDeleted (409).
    """
    specialist = locked(specialist)
    check_active(active=active, timezone=timezone, field="timezone")
    blocks = _weekly(weekly)
    kept = _overrides(overrides, stored=specialist.overrides)
    check_timezone(specialist, timezone, kept_ids={override["id"] for override in kept if override["id"]})
    return write(
        specialist,
        scheduling_timezone=timezone,
        scheduling_active=active,
        weekly=blocks,
        overrides=_in_order(_numbered(kept)),
    )


def locked(specialist: Specialist) -> Specialist:
    """Return the specialist, held until the transaction ends. Raises SpecialistDeleted (409)."""
    specialist = Specialist.objects.select_for_update(of=("self",), no_key=True).get(pk=specialist.pk)
    if specialist.deleted_at is not None:
        raise SpecialistDeleted
    return specialist


@transaction.atomic
def write(specialist: Specialist, **columns: Any) -> Specialist:
    """Save the columns that differ of a specialist who is held; a difference in the document moves its `updated_at`."""
    differing = [name for name, value in columns.items() if getattr(specialist, name) != value]
    for name in differing:
        setattr(specialist, name, columns[name])
    if _AVAILABILITY.intersection(differing):
        specialist.availability_updated_at = clock.now()
        differing.append("availability_updated_at")
    if differing:
        specialist.save(update_fields=differing)
    return specialist


_AVAILABILITY = frozenset({"scheduling_timezone", "scheduling_active", "weekly", "overrides"})


def check_active(*, active: bool, timezone: str | None, field: str) -> None:
    """Raise Invalid (422), at `field`, if a specialist would be bookable without a time zone."""
    if active and timezone is None:
        raise Invalid({field: ["a time zone is needed to be active"]})


def check_timezone(specialist: Specialist, timezone: str | None, *, kept_ids: Collection[int] | None = None) -> None:
    """Refuse another time zone while overrides that are tied to a template lie ahead.

    Only those in `kept_ids` count, or, without it, all that are stored. Weekly hours would move and these would not.
    Raises TimezoneLocked (409).
    """
    if timezone == specialist.scheduling_timezone:
        return
    now = clock.now()
    locking = [
        override["id"]
        for override in specialist.overrides
        if override["appointment_template_id"]
        and (kept_ids is None or override["id"] in kept_ids)
        and datetime.fromisoformat(override["end"]) > now
    ]
    if locking:
        raise TimezoneLocked(locking)


def _weekly(sent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    try:
        return hours.weekly_document(hours.validated_weekly(sent))
    except hours.InvalidHours as error:
        raise Invalid(error.errors) from error


def _overrides(sent: Sequence[Mapping[str, Any]], *, stored: Sequence[Override]) -> list[Override]:
    """Return the overrides as they are stored, new ones with an `id` of None."""
    try:
        hours.check_overrides([(override["start"], override["end"]) for override in sent])
    except hours.InvalidHours as error:
        raise Invalid(error.errors) from error
    _check_ids(sent, {override["id"] for override in stored})
    _check_templates(sent)
    return [
        {
            "id": override.get("id"),
            "start": _instant(override["start"]),
            "end": _instant(override["end"]),
            "availability": override["availability"],
            "appointment_template_id": override.get("appointment_template_id"),
            "note": override.get("note"),
        }
        for override in sent
    ]


def _check_ids(sent: Sequence[Mapping[str, Any]], stored_ids: Collection[int]) -> None:
    problems: dict[str, list[str]] = {}
    seen: set[int] = set()
    for index, override in enumerate(sent):
        wanted = override.get("id")
        if wanted is None:
            continue
        if wanted not in stored_ids:
            problems[f"overrides[{index}].id"] = ["not found"]
        elif wanted in seen:
            problems[f"overrides[{index}].id"] = ["stands twice"]
        seen.add(wanted)
    if problems:
        raise Invalid(problems)


def _check_templates(sent: Sequence[Mapping[str, Any]]) -> None:
    named = {override["appointment_template_id"] for override in sent if override.get("appointment_template_id")}
    known = {id_ for knows in _known_templates for id_ in knows(named)} if named else set()
    problems = {
        f"overrides[{index}].appointment_template_id": ["not found"]
        for index, override in enumerate(sent)
        if override.get("appointment_template_id") in named - known
    }
    if problems:
        raise Invalid(problems)


def _instant(moment: datetime) -> str:
    """Return the moment, which is in UTC and on a full minute, as it is stored and shown."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _numbered(overrides: list[Override]) -> list[Override]:
    """Give each new override an id of its own, for good."""
    new = [override for override in overrides if override["id"] is None]
    if new:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('profiles_override_id') FROM generate_series(1, %s)", [len(new)])
            for override, (number,) in zip(new, cursor.fetchall(), strict=True):
                override["id"] = number
    return overrides


def _in_order(overrides: list[Override]) -> list[Override]:
    return sorted(overrides, key=lambda override: (override["start"], override["id"]))
