"""What the pages call things, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.organizations.models import ConsentType
from apps.scheduling.models.templates import Mode


def mode(kind: str) -> str:
    """Return where patient and specialist meet."""
    return _("By video") if kind == Mode.VIDEO else _("At the clinic")


def free_times(count: int) -> str:
    """Return `5 free times`."""
    return ngettext("%(count)d free time", "%(count)d free times", count) % {"count": count}


def agreement(kind: str) -> str:
    """Return the sentence that a visitor agrees to."""
    return {
        ConsentType.PRIVACY_POLICY: _(
            "I have read the privacy policy and agree that my data are used for this booking."
        ),
        ConsentType.TELEREHAB_CONSENT: _("I agree to be treated at a distance (telerehabilitation)."),
        ConsentType.PROFILE_SHARING: _("I agree that this clinic sees the profile I keep with other clinics."),
        ConsentType.VIDEO_RECORDING: _("I agree that video sessions may be recorded."),
        ConsentType.HIPAA_NOTICE: _("I have received the HIPAA notice of privacy practices."),
        ConsentType.MARKETING: _("I agree to receive news and offers of the clinic."),
        ConsentType.ANALYTICS: _("I agree that my use of the service is measured to improve it."),
        ConsentType.MOVEMENT_DATA: _("I agree that data about my movements are recorded and analysed."),
    }[ConsentType(kind)]
