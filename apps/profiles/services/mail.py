"""Letters to a patient about who may see or do what in their name. Source: contract/profiles.md 3, extension 5."""

from __future__ import annotations

from django.utils.translation import get_language, gettext

from apps.organizations.services import letters
from apps.profiles.models import Patient, PatientPersonManager
from apps.profiles.models.patients import CaregiverPermission
from restartix.kernel import dates


def address_of(patient: Patient) -> str | None:
    """Return where the patient reads mail: the account's address, else the one on file."""
    person = patient.person
    return (person.user.email if person.user else None) or person.email or None


def tell_of_caregiver(manager_id: int, *, key: str) -> bool:
    """Tell the patient that somebody may act for them, once for each `key`; say whether a letter was sent just now.

    Nothing is sent where the link is over or the patient has no address. Raises OSError or SMTPException if the mail
    server does not take it.
    """
    rows = PatientPersonManager.objects.select_related("user", "patient__person__user", "patient__organization")
    link = rows.filter(pk=manager_id, ended_at=None).first()
    to = address_of(link.patient) if link is not None else None
    if link is None or to is None:
        return False
    return letters.send(to=to, organization=link.patient.organization, write=lambda: _appointed(link), key=key)


def _appointed(link: PatientPersonManager) -> letters.Words:
    clinic, caregiver = link.patient.organization.name, link.user.name
    if link.permissions == CaregiverPermission.MANAGE:
        may = gettext("{caregiver} may from now on see your data at {clinic} and act for you there.")
    else:
        may = gettext("{caregiver} may from now on see your data at {clinic}.")
    return letters.Words(
        subject=gettext("{caregiver} now cares for you at {clinic}").format(caregiver=caregiver, clinic=clinic),
        paragraphs=(
            gettext("Hello {name},").format(name=link.patient.person.name),
            may.format(caregiver=caregiver, clinic=clinic),
            _duration(link),
            gettext("If you do not want this, end it in your account or tell the clinic."),
        ),
    )


def _duration(link: PatientPersonManager) -> str:
    language = get_language() or "en"
    first = dates.day_in_year(link.valid_from, language)
    if link.valid_to is None:
        return gettext("This holds from {first} until it is ended.").format(first=first)
    last = dates.day_in_year(link.valid_to, language)
    return gettext("This holds from {first} to {last}.").format(first=first, last=last)
