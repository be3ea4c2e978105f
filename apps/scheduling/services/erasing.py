"""What appointments and the waiting list say of whoever booked or waits, taken away when the person is erased.

The appointments stay, under the pseudonym. Source: contract/profiles.md 3 (Commands).
"""

from __future__ import annotations

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Lower

from apps.organizations.services.removals import StillNeeded
from apps.profiles.services import erasure
from apps.profiles.services.erasure import Subject
from apps.scheduling.lifecycles import ACTIVE
from apps.scheduling.models import Appointment, WaitlistEntry
from apps.scheduling.services import waiting
from restartix.kernel import clock
from restartix.kernel.transactions import joins_transaction


def register() -> None:
    """Take part in erasures; called once at start."""
    erasure.clears("appointments' contacts", clear_contacts)
    erasure.clears("entries of waiting lists", clear_waiting)


@joins_transaction
def clear_contacts(subject: Subject) -> int:
    """Empty the contact of the person's appointments, and of those that were booked with the person's address.

    Raises StillNeeded (409) while one of them is active, whether the desk has linked it to a patient yet or not.
    """
    theirs = Q(patient__in=subject.files)
    for email in subject.emails:
        theirs |= Q(patient=None, contact_email__iexact=email)
    rows = Appointment.objects.filter(theirs)
    active = rows.filter(deleted_at=None, status__in=ACTIVE, ended_at__gt=clock.now()).count()
    if active:
        raise StillNeeded(details={"active_appointments": active})
    known = rows.exclude(contact_name=None, contact_email=None, contact_phone_hash=None)
    return known.update(
        contact_name=Case(When(contact_name=None, then=F("contact_name")), default=Value(subject.pseudonym)),
        contact_email=None,
        contact_phone=None,
        contact_phone_hash=None,
        updated_at=clock.now(),
    )


@joins_transaction
def clear_waiting(subject: Subject) -> int:
    """Take the person off every waiting list, and the contact out of every entry with one of the person's addresses."""
    rows = WaitlistEntry.objects.alias(address=Lower("contact_email")).filter(address__in=subject.emails)
    waiting.remove_all(rows)
    return rows.update(contact_name=subject.pseudonym, contact_email=None, contact_phone=None)
