"""Appointment templates: writing what may be booked, and by whom. Source: contract/scheduling.md 1.3, 3.3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from apps.organizations.models import Organization
from apps.profiles.models import Specialist
from apps.scheduling.lifecycles import ACTIVE, HoldStatus
from apps.scheduling.models import Appointment, AppointmentTemplate, Hold, TemplateSpecialist, WaitlistEntry
from apps.scheduling.services import holds, waiting
from restartix.kernel import clock, slugs
from restartix.kernel.errors import AlreadyTaken, Conflict, Invalid, NotFound, refusing
from restartix.kernel.tenancy import Actor, active_organization_id


@transaction.atomic
def create(*, by: Actor, **fields: Any) -> AppointmentTemplate:
    """Write a new template; slug and currency default to the name's and the organization's.

    Raises AlreadyTaken (409) if another live template has the slug.
    """
    organization = Organization.objects.get(pk=active_organization_id())
    fields.setdefault("currency", organization.currency)
    if not fields.get("slug"):
        fields["slug"] = _free_slug(fields["name"])
    template = AppointmentTemplate(**_columns(fields))
    with refusing(template_slug_free=AlreadyTaken("slug")):
        template.save()
    return template


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns for the fields of the contract: `slot_step_minutes` that is not set follows duration + gap."""
    names = {"slot_step_minutes": "explicit_step_minutes"}
    return {names.get(name, name): value for name, value in fields.items()}


def _free_slug(name: str) -> str:
    taken = set(AppointmentTemplate.objects.alive().values_list("slug", flat=True))
    return slugs.free_slug(slugs.slugify(name, fallback="template"), taken)


@transaction.atomic
def update(template: AppointmentTemplate, *, by: Actor, **fields: Any) -> AppointmentTemplate:
    """Change the fields that are given; slots follow from the next request on, appointments and holds stay.

    Raises AlreadyTaken (409) if another live template has the slug.
    """
    for name, value in _columns(fields).items():
        setattr(template, name, value)
    with refusing(template_slug_free=AlreadyTaken("slug")):
        template.save()
    return template


@transaction.atomic
def remove(template: AppointmentTemplate, *, by: Actor) -> None:
    """Delete the template softly, release its live holds, and take who waits for it off the waiting list.

    Raises Conflict (409) with `future_appointments` while active appointments of it end in the future.
    """
    now = clock.now()
    future = (
        Appointment.objects.alive().filter(appointment_template=template, status__in=ACTIVE, ended_at__gt=now).count()
    )
    if future:
        raise Conflict(
            "Appointments of this template are still to come: cancel or move them first.",
            details={"future_appointments": future},
        )
    template.deleted_at = now
    template.save(update_fields=["deleted_at"])
    release_holds(Hold.objects.filter(template=template))
    waiting.remove_all(WaitlistEntry.objects.filter(appointment_template=template))


def release_holds(rows: Any) -> None:
    """Release the live ones among the holds `rows`, in order of their keys, so that two callers cannot deadlock."""
    for held in rows.filter(status=HoldStatus.LIVE).order_by("pk"):
        holds.end(held, HoldStatus.RELEASED)


@transaction.atomic
def attach_specialists(
    template: AppointmentTemplate, offers: Iterable[Mapping[str, Any]], *, by: Actor
) -> AppointmentTemplate:
    """Add the listed specialists, or change their priority; others stay as they are.

    Each of `offers` has `specialist_id`, `priority` 1-100 and perhaps `is_active`. Raises Invalid (422) for a
    specialist who is unknown or listed twice.
    """
    wanted = list(offers)
    _check_specialists([offer["specialist_id"] for offer in wanted])
    for offer in wanted:
        TemplateSpecialist.objects.update_or_create(
            template=template,
            specialist_id=offer["specialist_id"],
            defaults={"priority": offer["priority"], "is_active": offer.get("is_active", True)},
        )
    template.save(update_fields=["updated_at"])
    return template


def _check_specialists(ids: list[int]) -> None:
    known = set(Specialist.objects.alive().filter(pk__in=ids).values_list("pk", flat=True))
    problems = {}
    for index, specialist_id in enumerate(ids):
        path = f"specialists[{index}].specialist_id"
        if specialist_id not in known:
            problems[path] = ["not found"]
        elif specialist_id in ids[:index]:
            problems[path] = ["listed twice"]
    if problems:
        raise Invalid(problems)


@transaction.atomic
def detach_specialist(template: AppointmentTemplate, specialist_id: int, *, by: Actor) -> None:
    """Take a specialist off the template; holds and appointments stay. Raises NotFound (404) if not attached."""
    removed, _ = TemplateSpecialist.objects.filter(template=template, specialist_id=specialist_id).delete()
    if not removed:
        raise NotFound
    template.save(update_fields=["updated_at"])
