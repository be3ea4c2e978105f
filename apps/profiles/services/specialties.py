"""Specialties: the fields of work that a clinic offers. Source: contract/profiles.md 1.9, 2.3."""

from __future__ import annotations

from django.db import transaction

from apps.organizations.services.removals import Removal
from apps.profiles.models import SpecialistSpecialty, Specialty
from restartix.kernel.errors import AlreadyTaken, refusing
from restartix.kernel.tenancy import Actor

#: What counts on a specialty; higher apps add theirs.
removal: Removal[Specialty] = Removal()


@transaction.atomic
def create(*, by: Actor, title: str, slug: str) -> Specialty:
    """Offer a field of work. Raises AlreadyTaken (409) if another one has the slug."""
    with refusing(specialty_slug_free=AlreadyTaken("slug")):
        return Specialty.objects.create(title=title, slug=slug)


@transaction.atomic
def change(specialty: Specialty, *, by: Actor, **fields: str) -> Specialty:
    """Change title or slug, holding the row. Raises AlreadyTaken (409) if another specialty has the slug."""
    specialty = Specialty.objects.select_for_update(no_key=True).get(pk=specialty.pk)
    differing = [name for name, value in fields.items() if getattr(specialty, name) != value]
    for name in differing:
        setattr(specialty, name, fields[name])
    if differing:
        with refusing(specialty_slug_free=AlreadyTaken("slug")):
            specialty.save(update_fields=differing)
    return specialty


@transaction.atomic
def delete(specialty: Specialty, *, by: Actor) -> None:
    """Offer it no longer; holds the row against new links, and takes it off specialists who are deleted.

    Raises StillNeeded (409) while a specialist practises it or an appointment template names it.
    """
    specialty = Specialty.objects.select_for_update().get(pk=specialty.pk)
    removal.check(specialty)
    removal.carry_out(specialty, by=by)
    SpecialistSpecialty.objects.filter(specialty=specialty).delete()
    specialty.delete()


def _practising(specialty: Specialty) -> int:
    return SpecialistSpecialty.objects.filter(specialty=specialty, specialist__deleted_at=None).count()


removal.refuse_while("specialists", _practising)
