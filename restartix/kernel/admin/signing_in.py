"""Signing in to the back office: e-mail and password, a few tries, and only for those who work somewhere."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import CharField, EmailField, EmailInput, PasswordInput
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from restartix.kernel.api.requests import client_ip, network_of
from restartix.kernel.api.throttling import Bucket, judge, peek
from restartix.kernel.crypto import keyed_hash
from restartix.variables import Rate

#: Wrong passwords from one address, and for one e-mail.
FAILURES = Rate(10, 300)


class SignIn(AuthenticationForm):
    """E-mail and password of somebody who works in a clinic, or of a superadmin.

    After ten failures within five minutes, from one address or for one e-mail, nothing is checked any more until the
    five minutes are over; successes do not count, so a clinic behind one address is not locked out.
    """

    username = EmailField(
        label=_("E-mail"), max_length=254, widget=EmailInput({"autofocus": True, "autocomplete": "username"})
    )
    password = CharField(
        label=_("Password"), strip=False, widget=PasswordInput({"autocomplete": "current-password"}), max_length=1024
    )
    error_messages = {
        "invalid_login": _("E-mail and password do not match."),
        "inactive": _("E-mail and password do not match."),
    }

    def clean(self) -> dict[str, Any]:
        """Check the password, unless there were too many failures; LOGIN audit rows will be written from here."""
        buckets = _buckets(self.request, self.cleaned_data.get("username", ""))
        if not all(peek(bucket).remaining for bucket in buckets):
            raise ValidationError(gettext("Too many attempts. Wait five minutes and try again."), code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        except ValidationError:
            judge(buckets)
            raise
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        """Let in only who works somewhere; a patient's password opens nothing here."""
        super().confirm_login_allowed(user)
        with transaction.atomic():
            places = import_string(settings.RESTARTIX_WORKPLACES)(user.pk, is_superadmin=user.is_superadmin)
        if not places and not user.is_superadmin:
            raise ValidationError(_("This account does not work in any clinic's back office."), code="no_workplace")


def _buckets(request: HttpRequest | None, email: str) -> list[Bucket]:
    address = network_of(client_ip(request)) if request else ""
    digest = keyed_hash(email.strip().lower(), purpose="sign-in").hex()[:32]
    return [Bucket(f"sign-in:address:{address}", FAILURES), Bucket(f"sign-in:email:{digest}", FAILURES)]
