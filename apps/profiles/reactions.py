"""What profiles does about its own facts once they are committed: it writes to the patient."""

from __future__ import annotations

from apps.organizations.models import Fact
from apps.profiles.facts import CaregiverAppointed, ImpersonationStarted
from apps.profiles.services import impersonation_letters, mail
from restartix.kernel.facts import reacts_to


@reacts_to(CaregiverAppointed.name)
def tell_of_caregiver(fact: Fact) -> None:
    """Tell the patient who may act for them now."""
    mail.tell_of_caregiver(fact.payload["manager_id"], key=fact.event_id)


@reacts_to(ImpersonationStarted.name)
def tell_of_impersonation(fact: Fact) -> None:
    """Tell the patient who acts in their account, why, and how to end it."""
    impersonation_letters.tell(fact.payload["impersonation_id"], key=fact.event_id)
