"""What the ground floor does about its own facts once they are committed: it writes to the admins."""

from __future__ import annotations

from apps.organizations.facts import DomainLost, MemberInvited, WebhookGivenUp
from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import Domain, Fact, WebhookSubscription
from apps.organizations.services import domains, invitations, letters, subscriptions
from restartix.kernel.facts import reacts_to


@reacts_to(DomainLost.name)
def tell_that_a_domain_is_lost(fact: Fact) -> None:
    """Write to the admins that a domain leads to their clinic no longer, and how to bring it back."""
    domain = Domain.objects.filter(pk=fact.payload["domain_id"], status=DomainStatus.FAILED).first()
    if domain is not None:
        letters.send_to_admins(write=lambda: domains.words_on_loss(domain), key=f"{fact.event_id}.domain")


@reacts_to(WebhookGivenUp.name)
def tell_that_a_webhook_is_given_up(fact: Fact) -> None:
    """Write to the admins that a receiver is sent nothing more, and how to begin again."""
    subscription = WebhookSubscription.objects.filter(pk=fact.payload["subscription_id"]).first()
    if subscription is not None:
        letters.send_to_admins(
            write=lambda: subscriptions.words_on_giving_up(subscription), key=f"{fact.event_id}.webhook"
        )


@reacts_to(MemberInvited.name)
def tell_the_invited(fact: Fact) -> None:
    """Write to somebody who was made a member where to sign in."""
    invitations.tell(fact.payload["membership_id"], key=fact.event_id)
