"""The letter to a patient in whose account a member of staff acts. Source: contract/profiles.md 2.1."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext

from apps.organizations.services import letters
from apps.profiles.models import Impersonation
from apps.profiles.services.mail import address_of
from restartix.kernel import dates


def tell(impersonation_id: int, *, key: str) -> bool:
    """Tell the patient once for each `key`; say whether a letter was sent just now.

    It is sent even when the impersonation is over by then: what happened is to be known. Raises OSError or
    SMTPException if the mail server does not take it.
    """
    rows = Impersonation.objects.select_related("actor", "patient__person__user", "patient__organization")
    impersonation = rows.filter(pk=impersonation_id).first()
    to = address_of(impersonation.patient) if impersonation is not None else None
    if impersonation is None or to is None:
        return False
    organization = impersonation.patient.organization
    return letters.send(to=to, organization=organization, write=lambda: _words(impersonation), key=key)


def _words(impersonation: Impersonation) -> letters.Words:
    organization, actor = impersonation.patient.organization, impersonation.actor.name
    language = get_language() or "en"
    start, end = (
        moment.astimezone(ZoneInfo(organization.timezone))
        for moment in (impersonation.started_at, impersonation.expires_at)
    )
    when = {"day": dates.long_day(start.date(), language), "start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    return letters.Words(
        subject=gettext("{actor} of {clinic} is working in your account").format(actor=actor, clinic=organization.name),
        paragraphs=(
            gettext("Hello {name},").format(name=impersonation.patient.person.name),
            gettext(
                "{actor} of {clinic} sees your account as you do on {day} from {start}, until {end} at most."
            ).format(actor=actor, clinic=organization.name, **when),
            gettext("Reason: {reason}").format(reason=impersonation.reason),
            gettext(
                "They cannot sign for you, change your consents, caregivers, e-mail address or phone numbers, or take "
                "your data away. Everything they do is on record."
            ),
            gettext("If you do not want this, end it in your account or tell the clinic."),
        ),
    )
