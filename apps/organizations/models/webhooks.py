"""Outgoing webhooks: who listens, what is to be delivered, every attempt, and the pace of each clinic."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.querysets import WebhookSubscriptionManager
from restartix.kernel import clock
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantManager, TenantModel


class DisabledReason(models.TextChoices):
    """Why a subscription is sent nothing."""

    MANUAL = "manual"
    GONE = "gone"
    FAILING = "failing"


class AttemptKind(models.TextChoices):
    """Who started an attempt: the schedule, or somebody who asked for it."""

    SCHEDULED = "scheduled"
    RESEND = "resend"
    TEST = "test"


class AttemptError(models.TextChoices):
    """How an attempt failed."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    REDIRECT = "redirect"
    HTTP_STATUS = "http_status"
    BLOCKED_ADDRESS = "blocked_address"


class WebhookSubscription(Timestamped, TenantModel):
    """An address that is sent some of a clinic's events. Source: contract/organizations.md 1.6.

    A deleted one keeps its row, without secrets, until its deliveries are purged; `objects` does not show it.
    """

    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    url = models.CharField(max_length=2048)
    description = models.CharField(max_length=200, null=True, blank=True)
    events = ArrayField(models.CharField(max_length=64))
    is_active = models.BooleanField(default=True)
    secret = SealedTextField(null=True, editable=False)
    previous_secret = SealedTextField(null=True, editable=False)
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=8, choices=DisabledReason, null=True, blank=True, editable=False)
    last_delivery_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[Self]] = WebhookSubscriptionManager()
    with_deleted: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.CheckConstraint(
                condition=Q(disabled_reason=None) | Q(disabled_reason__in=DisabledReason.values),
                name="webhook_disabled_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, disabled_at=None, disabled_reason=None)
                | Q(is_active=False, disabled_at__isnull=False, disabled_reason__isnull=False),
                name="webhook_disabled_whole",
            ),
            models.CheckConstraint(condition=Q(events__len__range=(1, 50)), name="webhook_events_bounds"),
            models.CheckConstraint(
                condition=Q(deleted_at=None, secret__isnull=False)
                | Q(deleted_at__isnull=False, is_active=False, secret=None, previous_secret=None),
                name="webhook_deleted_without_secrets",
            ),
        ]
        indexes = [models.Index(fields=["organization", "created_at"], name="webhook_by_time")]

    class Privacy:
        secret = {"secret", "previous_secret"}
        plain = {
            "id", "organization", "uid", "url", "description", "events", "is_active", "previous_secret_expires_at",
            "consecutive_failures", "failing_since", "disabled_at", "disabled_reason", "last_delivery_at", "deleted_at",
            "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.url

    @property
    def audit_id(self) -> str:
        """What the audit trail calls it."""
        return str(self.uid)


class WebhookDelivery(TenantModel):
    """One event on its way to one subscription. Source: contract/organizations.md 1.7.

    The fact is the event. `next_attempt_at` is filled while the schedule has a further attempt; a lease says that an
    attempt is on its way, and its token, that a late sender's outcome still counts.
    """

    fact = models.ForeignKey("organizations.Fact", models.CASCADE, related_name="deliveries", db_index=False)
    subscription = models.ForeignKey(
        "organizations.WebhookSubscription", models.CASCADE, related_name="deliveries", db_index=False
    )
    status = models.CharField(max_length=9, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    completed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "webhook deliveries"
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("fact", name="webhook_delivery_fact_here"),
            SameOrganization("subscription", name="webhook_delivery_subscription_here"),
            models.UniqueConstraint(fields=["fact", "subscription"], name="webhook_delivery_once"),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="webhook_delivery_status_known"),
            models.CheckConstraint(condition=Q(attempt_count__range=(0, 6)), name="webhook_delivery_attempt_bounds"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "retrying"], completed_at=None)
                | Q(
                    status__in=["delivered", "exhausted", "discarded"], completed_at__isnull=False, next_attempt_at=None
                ),
                name="webhook_delivery_completed_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="webhook_delivery_waiting",
            ),
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="webhook_delivery_due"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(lease_until__isnull=False), name="webhook_delivery_leased"
            ),
            models.Index(fields=["organization", "subscription", "created_at"], name="webhook_delivery_by_time"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    class Privacy:
        plain = {
            "id", "organization", "fact", "subscription", "status", "attempt_count", "next_attempt_at", "lease_until",
            "lease_token", "created_at", "completed_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class WebhookAttempt(TenantModel):
    """One request that was made, or tried, for a delivery; written once, when its outcome is known."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=9, choices=AttemptKind)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    response_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=16, choices=AttemptError, null=True)
    response_snippet = models.CharField(max_length=1024, null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("delivery", name="webhook_attempt_delivery_here"),
            models.UniqueConstraint(fields=["delivery", "number"], name="webhook_attempt_once"),
            models.CheckConstraint(condition=Q(kind__in=AttemptKind.values), name="webhook_attempt_kind_known"),
            models.CheckConstraint(
                condition=Q(error=None) | Q(error__in=AttemptError.values), name="webhook_attempt_error_known"
            ),
        ]

    class Privacy:
        plain = {
            "id", "organization", "delivery", "number", "kind", "at", "duration_ms", "response_code", "error",
            "response_snippet",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class WebhookPace(TenantModel):
    """When a clinic's latest attempts began, so that no five seconds see more than fifty; one row a clinic."""

    begun = ArrayField(models.DateTimeField(), default=list)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization"], name="webhook_pace_once"),
        ]

    class Privacy:
        plain = {"id", "organization", "begun"}

    def __str__(self) -> str:
        return f"pace of {self.organization_id}"
