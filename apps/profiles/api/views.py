"""Specialists, their hours and their specialties over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from apps.organizations.services.removals import StillNeeded
from apps.profiles.api import custom_values
from apps.profiles.api.bodies import ADMIN_FIELDS, AvailabilityBody, SpecialistBody, SpecialtyBody
from apps.profiles.api.filters import SpecialistFilters, SpecialtyFilters
from apps.profiles.api.shapes import AvailabilityShape, SpecialistPublic, SpecialistShape, SpecialtyShape
from apps.profiles.errors import NotYours, SpecialistDeleted, TimezoneLocked
from apps.profiles.models import Specialist, Specialty
from apps.profiles.services import availability, specialists, specialties
from restartix.kernel.api import includes, queries
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import AlreadyTaken, Forbidden
from restartix.kernel.roles import ADMINS, MEMBERS, STAFF, Role
from restartix.kernel.tenancy import Actor


def _is_self(actor: Actor, specialist: Specialist) -> bool:
    return specialist.user_id is not None and specialist.user_id == actor.staff_user_id


class Specialists(Resource):
    """Specialists: who treats at the clinic, and what may be known of them."""

    serializer_class = SpecialistShape
    shapes = {Role.PATIENT: SpecialistPublic}
    filterset_class = SpecialistFilters
    sortable = ("created_at", "name", "id")
    default_sort = "-created_at"
    includes = {"user": includes.joined("user"), "custom_field_values": custom_values.of_specialists.prepare}
    location = "/v1/specialists/{id}"
    may = {
        "list": MEMBERS,
        "create": ADMINS,
        "retrieve": MEMBERS,
        "update": STAFF,
        "destroy": ADMINS,
        "restore": ADMINS,
    }

    def rows(self) -> QuerySet[Specialist]:
        """Keep what the caller may read; a list shows deleted ones only where they are asked for."""
        visible = Specialist.objects.visible_to(self.actor)
        if self.action == "list" and "deleted" not in queries.parse_query(self.request):
            visible = visible.alive()
        return visible

    def prepare(self, queryset: QuerySet[Specialist]) -> QuerySet[Specialist]:
        """Join the organization, whose date and settings count, and fetch the specialties by title."""
        by_title = Prefetch("specialties", Specialty.objects.order_by("title", "pk"))
        return queryset.select_related("organization").prefetch_related(by_title)

    def permit(self) -> None:
        """Let specialists write some fields of their own row; admins write all, others none."""
        if self.action == "update" and self.actor.effective_role not in ADMINS:
            if not _is_self(self.actor, self.row):
                raise Forbidden
            foreign = ADMIN_FIELDS.intersection(self.sent.peek())
            if foreign:
                raise NotYours(foreign)
        if self._is_patient and "include" in queries.parse_query(self.request):
            raise Forbidden("Your role may not include relations of a specialist.")

    @property
    def _is_patient(self) -> bool:
        return self.actor.effective_role == Role.PATIENT

    @operation(body=SpecialistBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> Specialist:
        """Take on a specialist."""
        return self._shown(specialists.create(by=self.actor, **body))

    @operation(body=SpecialistBody, errors=(AlreadyTaken, NotYours, SpecialistDeleted, TimezoneLocked))
    def update(self, row: Specialist, body: dict[str, Any]) -> Specialist:
        """Change the fields that were sent; `specialty_ids` replaces the set."""
        return self._shown(specialists.change(row, by=self.actor, **body))

    @operation(errors=(StillNeeded, SpecialistDeleted))
    def destroy(self, row: Specialist) -> None:
        """Let a specialist go; the row stays for past appointments."""
        specialists.delete(row, by=self.actor)

    @operation()
    def restore(self, row: Specialist) -> Specialist:
        """Undo the deletion of a specialist."""
        return self._shown(specialists.restore(row, by=self.actor))

    def _shown(self, specialist: Specialist) -> Specialist:
        return self.prepare(Specialist.objects.all()).get(pk=specialist.pk)


class Availabilities(Resource):
    """Availability: a specialist's weekly hours and their exceptions, one document."""

    serializer_class = AvailabilityShape
    may = {"retrieve": STAFF, "replace": STAFF}

    def rows(self) -> QuerySet[Specialist]:
        """Keep the specialists that the caller may read."""
        return Specialist.objects.visible_to(self.actor)

    def permit(self) -> None:
        """Let admins write every document, specialists their own."""
        if self.action == "replace" and self.actor.effective_role not in ADMINS and not _is_self(self.actor, self.row):
            raise Forbidden

    @operation(body=AvailabilityBody, errors=(SpecialistDeleted, TimezoneLocked))
    def replace(self, row: Specialist, body: dict[str, Any]) -> Specialist:
        """Replace the whole document."""
        return availability.replace(row, by=self.actor, **body)


class Specialties(Resource):
    """Specialties: the fields of work that the clinic offers."""

    serializer_class = SpecialtyShape
    filterset_class = SpecialtyFilters
    sortable = ("title", "created_at", "id")
    default_sort = "title"
    location = "/v1/specialties/{id}"
    may = {"list": MEMBERS, "create": ADMINS, "retrieve": MEMBERS, "update": ADMINS, "destroy": ADMINS}

    def rows(self) -> QuerySet[Specialty]:
        """Keep all: specialties are no secret."""
        return Specialty.objects.with_counts()

    @operation(body=SpecialtyBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> Specialty:
        """Offer a field of work."""
        return self._shown(specialties.create(by=self.actor, **body))

    @operation(body=SpecialtyBody, errors=(AlreadyTaken,))
    def update(self, row: Specialty, body: dict[str, Any]) -> Specialty:
        """Change title or slug."""
        return self._shown(specialties.change(row, by=self.actor, **body))

    @operation(errors=(StillNeeded,))
    def destroy(self, row: Specialty) -> None:
        """Offer it no longer."""
        specialties.delete(row, by=self.actor)

    def _shown(self, specialty: Specialty) -> Specialty:
        return Specialty.objects.with_counts().get(pk=specialty.pk)
