"""The waiting list: who wants to be told when a time becomes free."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.scheduling.lifecycles import WaitlistStatus
from apps.scheduling.querysets import WaitlistManager
from restartix.kernel import clock
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.tenancy import SameOrganization, TenantModel


class WaitlistEntry(TenantModel):
    """Somebody without an appointment who wants one on a day from `date_from` to `date_to`, both included.

    Days are those of `timezone`. Without a specialist any of the template's will do. Source: contract/scheduling.md 4.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=8, choices=WaitlistStatus, default=WaitlistStatus.WAITING)
    appointment_template = models.ForeignKey("scheduling.AppointmentTemplate", models.PROTECT, related_name="+")
    specialist = models.ForeignKey("profiles.Specialist", models.PROTECT, null=True, blank=True, related_name="+")
    contact_name = models.CharField(max_length=200)
    contact_email = models.EmailField(max_length=254, null=True, blank=True)
    contact_phone = SealedTextField(null=True, blank=True)
    date_from = models.DateField()
    date_to = models.DateField()
    timezone = models.CharField(max_length=64)
    locale = models.CharField(max_length=35)
    consents = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    notified_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The start that became free, and whose.
    notified_start = models.DateTimeField(null=True, blank=True, editable=False)
    notified_specialist = models.ForeignKey(
        "profiles.Specialist", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    objects: ClassVar[WaitlistManager] = WaitlistManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("appointment_template", name="waitlist_template_same_organization"),
            SameOrganization("specialist", name="waitlist_specialist_same_organization"),
            SameOrganization("notified_specialist", name="waitlist_notified_specialist_same_organization"),
            models.CheckConstraint(condition=Q(status__in=WaitlistStatus.values), name="waitlist_status_known"),
            models.CheckConstraint(condition=Q(date_to__gte=F("date_from")), name="waitlist_dates_in_order"),
            models.CheckConstraint(
                condition=Q(
                    status="notified",
                    notified_at__isnull=False,
                    notified_start__isnull=False,
                    notified_specialist__isnull=False,
                )
                | (~Q(status="notified") & Q(notified_at=None, notified_start=None, notified_specialist=None)),
                name="waitlist_notified_has_moment",
            ),
            models.CheckConstraint(
                condition=~Q(status="waiting") | Q(contact_email__isnull=False), name="waitlist_waiting_can_be_told"
            ),
            models.UniqueConstraint(
                F("appointment_template"),
                Lower("contact_email"),
                condition=Q(status="waiting"),
                name="waitlist_waits_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "appointment_template", "created_at", "id"],
                condition=Q(status="waiting"),
                name="waitlist_oldest",
            ),
            models.Index(fields=["organization", "created_at", "id"], name="waitlist_by_time"),
            models.Index(fields=["date_to"], condition=Q(status="waiting"), name="waitlist_by_end"),
        ]

    class Privacy:
        identifying = {"contact_name", "contact_email", "contact_phone"}
        plain = {
            "id", "organization", "uid", "status", "appointment_template", "specialist", "date_from", "date_to",
            "timezone", "locale", "consents", "created_at", "notified_at", "notified_start", "notified_specialist",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.contact_name
