"""Video rooms: what a room at the provider shall be, and how far we are in making it so."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from restartix.kernel.tenancy import SameOrganization, TenantModel


class Room(TenantModel):
    """The room of one appointment: wanted until `ends_at`, or not wanted any more; gone once that has been seen to.

    What callers see of it stands on the appointment (`room_status`, `room_url`). Source: contract/scheduling.md 1.2.
    """

    appointment = models.OneToOneField("scheduling.Appointment", models.CASCADE, related_name="room")
    #: When everybody has to leave; None: the room has to go.
    ends_at = models.DateTimeField(null=True, blank=True)
    #: Whether recording is offered.
    records = models.BooleanField(default=False)
    #: When the clinic's key for the provider was last changed; None: there is no key, and the stand-in serves.
    key_changed_at = models.DateTimeField(null=True, blank=True)
    #: The provider has been asked to make it, so it may be there.
    may_exist = models.BooleanField(default=False)
    #: When the provider has to be asked; None: all is as it is wanted, or we have given up.
    due_at = models.DateTimeField(null=True, blank=True)
    #: Failures since something else was wanted.
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Who asks the provider at this moment; a change of what is wanted takes the lease away.
    lease = models.UUIDField(null=True, editable=False)
    #: What the provider answered last, where it failed.
    error = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("appointment", name="room_appointment_same_organization"),
        ]
        indexes = [models.Index(fields=["due_at"], name="room_due", condition=Q(due_at__isnull=False))]

    class Privacy:
        plain = {
            "id", "organization", "appointment", "ends_at", "records", "key_changed_at", "may_exist", "due_at",
            "attempts", "lease", "error",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"room of {self.appointment_id}"
