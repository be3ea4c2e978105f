"""Every status of the ground floor, and every move between them."""

from django.db import models

from restartix.kernel.lifecycle import Lifecycle


class OrganizationStatus(models.TextChoices):
    """Whether a clinic is served."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


ORGANIZATION = Lifecycle(
    OrganizationStatus,
    {
        OrganizationStatus.ACTIVE: {OrganizationStatus.SUSPENDED},
        OrganizationStatus.SUSPENDED: {OrganizationStatus.ACTIVE},
    },
)


class MembershipStatus(models.TextChoices):
    """A disabled membership counts as none, from the next request on."""

    ACTIVE = "active"
    DISABLED = "disabled"


MEMBERSHIP = Lifecycle(
    MembershipStatus,
    {
        MembershipStatus.ACTIVE: {MembershipStatus.DISABLED},
        MembershipStatus.DISABLED: {MembershipStatus.ACTIVE},
    },
)


class DomainStatus(models.TextChoices):
    """How far the proof of a domain has come."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"


DOMAIN = Lifecycle(
    DomainStatus,
    {
        DomainStatus.PENDING: {DomainStatus.VERIFIED, DomainStatus.FAILED},
        DomainStatus.VERIFIED: {DomainStatus.FAILED},
        DomainStatus.FAILED: {DomainStatus.VERIFIED, DomainStatus.FAILED},
    },
)


class DeliveryStatus(models.TextChoices):
    """How far one event has come on its way to one webhook subscription."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    DISCARDED = "discarded"


_ENDS = {DeliveryStatus.DELIVERED, DeliveryStatus.EXHAUSTED, DeliveryStatus.DISCARDED}
DELIVERY = Lifecycle(
    DeliveryStatus,
    {
        DeliveryStatus.PENDING: {DeliveryStatus.RETRYING, *_ENDS},
        DeliveryStatus.RETRYING: {DeliveryStatus.RETRYING, *_ENDS},
        DeliveryStatus.DELIVERED: {},
        DeliveryStatus.EXHAUSTED: {DeliveryStatus.DELIVERED},
        DeliveryStatus.DISCARDED: {DeliveryStatus.DELIVERED},
    },
)
