"""What the ground floor announces. Source: contract/organizations.md 1.7, 1.8."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from restartix.kernel.facts import Announcement


@dataclass(frozen=True, slots=True)
class WebhookTest(Announcement):
    """Somebody asked for a test of a webhook subscription; it cannot be subscribed to."""

    name: ClassVar[str] = "webhook.test"
    subscription_uid: str = field(metadata={"example": "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"})


@dataclass(frozen=True, slots=True)
class WebhookGivenUp(Announcement):
    """A receiver has failed for five days, so its subscription is off: heard inside the platform, for the mail."""

    name: ClassVar[str] = "internal.webhook.given_up"
    subscription_id: int


@dataclass(frozen=True, slots=True)
class DomainLost(Announcement):
    """A verified domain failed its third daily check in a row and leads to its clinic no longer; for the mail."""

    name: ClassVar[str] = "internal.domain.lost"
    domain_id: int


@dataclass(frozen=True, slots=True)
class MemberInvited(Announcement):
    """Somebody was made a member by e-mail and is to be told where to sign in."""

    name: ClassVar[str] = "internal.member_invited"
    membership_id: int
