"""Signing in to the back office: e-mail and password, a few tries, and only for those who work somewhere.

Every attempt that is judged is on record: LOGIN, also where it fails, and DENIED for the right password of somebody who
works nowhere. Once there were too many, attempts are turned away unjudged and only counted.
Source: contract/telemetry.md 1.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import CharField, EmailField, EmailInput, PasswordInput
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from restartix.kernel import audit
from restartix.kernel.api.requests import client_ip, network_of, trace_of
from restartix.kernel.api.throttling import Bucket, judge, peek
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.tenancy import Actor, Trace, outside_organizations
from restartix.variables import Rate

#: Wrong passwords from one address, and for one e-mail.
FAILURES = Rate(10, 300)
SIGNED_IN, NO_WORKPLACE = "signed_in", "no_workplace"


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
        """Check the password, unless there were too many failures."""
        buckets = _buckets(self.request, self.cleaned_data.get("username", ""))
        if not all(peek(bucket).remaining for bucket in buckets):
            raise ValidationError(gettext("Too many attempts. Wait five minutes and try again."), code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        except ValidationError as error:
            judge(buckets)
            self._record(error.code or "")
            raise
        if self.get_user() is not None:  # otherwise a field was empty, and nothing was judged
            self._record(SIGNED_IN)
        return cleaned

    def _record(self, outcome: str) -> None:
        """Write the attempt into the platform's trail; a stranger's is nobody's, and what they typed is not kept."""
        user = self.get_user()
        known = user or get_user_model()._default_manager.filter(email=self._email, deleted_at=None).first()
        actor = Actor.anonymous() if user is None else _actor(user)
        action = "DENIED" if outcome == NO_WORKPLACE else "LOGIN"
        trace = replace(trace_of(self.request), source="admin") if self.request else Trace(source="admin")
        with outside_organizations(actor=actor, trace=trace):
            audit.note_of_platform(action, "user", known.pk if known else None, said={"outcome": outcome})

    @property
    def _email(self) -> str:
        return str(self.cleaned_data.get("username", "")).strip().lower()

    def confirm_login_allowed(self, user: Any) -> None:
        """Let in only who works somewhere; a patient's password opens nothing here."""
        super().confirm_login_allowed(user)
        with transaction.atomic():
            places = import_string(settings.RESTARTIX_WORKPLACES)(user.pk, is_superadmin=user.is_superadmin)
        if not places and not user.is_superadmin:
            raise ValidationError(_("This account does not work in any clinic's back office."), code=NO_WORKPLACE)


def _actor(user: Any) -> Actor:
    return Actor(kind="user", id=user.pk, name=user.name, email=user.email, is_superadmin=user.is_superadmin)


def _buckets(request: HttpRequest | None, email: str) -> list[Bucket]:
    address = network_of(client_ip(request)) if request else ""
    digest = keyed_hash(email.strip().lower(), purpose="sign-in").hex()[:32]
    return [Bucket(f"sign-in:address:{address}", FAILURES), Bucket(f"sign-in:email:{digest}", FAILURES)]
