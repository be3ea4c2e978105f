"""Letters in a clinic's name: plain words and perhaps one link, in the reader's language, each sent once.

letters.send_to_admins(write=lambda: letters.Words(subject=gettext("..."), paragraphs=(gettext("..."),)), key=...)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formataddr

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import override

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, MembershipRole, Organization
from restartix.kernel import wording
from restartix.kernel.languages import spoken
from restartix.kernel.tenancy import active_organization_id

#: A letter that was sent is remembered so long, in case that it is asked for again.
REMEMBERED_SECONDS = 7 * 86_400
#: A mail server that is slower than this is asked again later.
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says, in the language that is active while it is written."""

    subject: str
    paragraphs: tuple[str, ...]
    #: A link at the end: what it says and where it leads.
    action: tuple[str, str] | None = None


Writer = Callable[[], Words]


def send_to_admins(*, write: Writer, key: str) -> int:
    """Send the letter to every active admin of the active organization; returns how many were sent just now.

    Raises OSError or SMTPException if the mail server does not take one; asked again with the same `key`, those who
    have it get no second copy.
    """
    organization = Organization.objects.get(pk=active_organization_id())
    admins = Membership.objects.filter(
        role=MembershipRole.ADMIN, status=MembershipStatus.ACTIVE, user__blocked=False, user__deleted_at=None
    )
    addresses = admins.order_by("pk").values_list("user__email", flat=True)
    return sum(send(to=each, organization=organization, write=write, key=f"{key}.{each}") for each in addresses)


def send(*, to: str, organization: Organization, write: Writer, key: str, language: str | None = None) -> bool:
    """Send the letter once, however often it is asked for with the same `key`; say whether it was sent just now.

    `language` defaults to the clinic's. A crash between the mail server's yes and our note of it sends a second copy
    with the same Message-ID, which mail programs show once. Raises OSError or SMTPException if the server does not
    take it.
    """
    language = spoken(language or organization.locale, otherwise=spoken(organization.locale))
    with override(language):
        words = write()
        context = {"organization": organization, "language": language, "words": words}
        context["phone"] = wording.phone(organization.phone)
        text = render_to_string("email/words.txt", context)
        html = render_to_string("email/words.html", context)
    message = envelope(to=to, organization=organization, subject=words.subject, text=text, key=key, language=language)
    message.attach_alternative(html, "text/html")
    return send_once(message, key=key)


def envelope(
    *, to: str, organization: Organization, subject: str, text: str, key: str, language: str
) -> EmailMultiAlternatives:
    """Return a message from the clinic with the headers that every letter has; `key` names it for mail programs."""
    return EmailMultiAlternatives(
        subject=_one_line(subject),
        body=text,
        from_email=formataddr((_one_line(organization.name), settings.DEFAULT_FROM_EMAIL)),
        to=[to],
        reply_to=[organization.email] if organization.email else None,
        headers={
            "Message-ID": f"<{_token(key)}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
        },
        connection=get_connection(timeout=TIMEOUT_SECONDS),
    )


def send_once(message: EmailMultiAlternatives, *, key: str) -> bool:
    """Send the message unless one with this `key` was sent in the last seven days; say whether."""
    mark = f"mail:{key}"
    if cache.get(mark):
        return False
    message.send()
    cache.set(mark, 1, REMEMBERED_SECONDS)
    return True


def _one_line(text: str) -> str:
    """Return the text without line breaks, which no header may hold."""
    return " ".join(text.split())


def _token(key: str) -> str:
    """Return the key as the left side of a Message-ID may be written (RFC 5322, dot-atom)."""
    return "".join(character if character.isalnum() or character in "-_" else "." for character in key).strip(".")
