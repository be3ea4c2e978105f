"""Acting as a patient, in the back office: beginning it, the token that is shown once, the banner, ending it.

Source: contract/profiles.md 1.6, 4.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.organizations.admin import shown_once
from apps.organizations.models import User
from apps.profiles.admin import panels
from apps.profiles.admin.panels import Sheet, SheetAction
from apps.profiles.models import Impersonation, Patient
from apps.profiles.selectors.impersonations import running
from apps.profiles.services import impersonations
from restartix.kernel import clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import RefusableForm
from restartix.kernel.admin.lists import ChoiceOfRows
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.navigation import Page
from restartix.kernel.admin.preferences import next_page
from restartix.kernel.admin.site import Banner
from restartix.kernel.errors import RateLimited, Refusal
from restartix.kernel.roles import ADMINS, PLATFORM
from restartix.kernel.tenancy import acting_for, current

site: Any = admin.site


class OfActor(ChoiceOfRows):
    """Impersonations by one member of staff."""

    title, parameter_name = _("actor"), "actor"

    def rows(self, request: HttpRequest) -> Any:
        """Offer those who have acted as a patient here."""
        return User.objects.filter(pk__in=Impersonation.objects.values("actor")).order_by("name")


@admin.register(Impersonation)
class ImpersonationAdmin(ServiceAdmin):
    """Who could act as which patient, when and why; nothing is edited."""

    entity = "impersonation"
    may = {"view": ADMINS}
    list_display = ("who", "actor", "reason", "started_at", "ended", "request_count")
    list_filter = (OfActor, ("started_at", admin.DateFieldListFilter))
    list_select_related = ("patient__person", "actor")
    search_fields = ("actor__name", "reason")
    ordering = ("-started_at", "-id")
    intro = _("Every hour in which somebody of the staff could act as a patient. Patients see the same list.")
    empty_text = _("Nobody has acted as a patient. It begins on the patient's sheet.")
    fields = ("who", "actor", "actor_role", "reason", "started_at", "expires_at", "ended", "request_count")
    readonly_fields = fields
    moves = (
        Move(
            name="end",
            label=_("End now"),
            does=impersonations.end,
            is_grave=True,
            applies=lambda row: row.end_at(clock.now())[0] is None,
        ),
    )

    def patient_of(self, row: Any) -> int | None:
        """Put on record whose impersonation was looked at."""
        return int(row.patient_id)

    @admin.display(description=_("patient"), ordering="patient__person__name")
    def who(self, row: Any) -> str:
        """Show the patient's name."""
        return str(row.patient.person.name)

    @admin.display(description=_("ended"), ordering="ended_at")
    def ended(self, row: Any) -> Any:
        """Show when and why it ended, or that it goes on."""
        moment, why = row.end_at(clock.now())
        if moment is None:
            return gettext("goes on")
        reason = dict(row._meta.get_field("ended_reason").flatchoices).get(why, why)
        return gettext("%(moment)s (%(why)s)") % {"moment": formats.localize(timezone.localtime(moment)), "why": reason}


# -- beginning ---------------------------------------------------------------------------------------------------------


class BeginForm(RefusableForm):
    """Why somebody acts as the patient."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=impersonations.SHORTEST_REASON,
        max_length=impersonations.LONGEST_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("The patient is sent it by e-mail and sees it in the account."),
    )


def begin(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Ask for the reason, then begin and go on to the token. Raises Http404 for a patient who is not this clinic's."""
    patient = None
    if entry_of(request).workplace is not None:
        patient = Patient.objects.alive().select_related("person__user").filter(pk=patient_id).first()
    if patient is None:
        raise Http404
    form = BeginForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                begun = impersonations.start(patient, by=entry_of(request).actor, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, _said(refusal))
        else:
            shown_once.keep(request, begun.impersonation.pk, begun.token)
            return HttpResponseRedirect(reverse("admin:impersonation_token", args=[begun.impersonation.pk]))
    title = gettext("Act as %(name)s") % {"name": patient.person.name}
    context = {**site.each_context(request), "title": title, "form": form, "patient": patient}
    return TemplateResponse(request, "admin/profiles/impersonate.html", context)


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, RateLimited):
        wait = int(refusal.headers["Retry-After"])
        return gettext("You have begun three times within five minutes. Try again in %(seconds)d seconds.") % {
            "seconds": wait
        }
    return gettext(refusal.message)


def token(request: HttpRequest, impersonation_id: int) -> HttpResponse:
    """Show the token of an impersonation of one's own, once. Raises Http404 once it has been shown."""
    actor_id = entry_of(request).actor.user_id
    row = running(actor_id=actor_id).filter(pk=impersonation_id).first()
    secret = shown_once.take(request, impersonation_id) if row is not None else None
    if row is None or secret is None:
        raise Http404
    context = {
        **site.each_context(request),
        "title": gettext("Acting as %(name)s") % {"name": row.patient.person.name},
        "impersonation": row,
        "token": secret,
        "command": f"curl -H 'Authorization: Bearer {secret}' {settings.PUBLIC_URL}/v1/me",
    }
    return TemplateResponse(request, "admin/profiles/impersonation_token.html", context)


# -- what goes on ------------------------------------------------------------------------------------------------------


def active(request: HttpRequest) -> HttpResponse:
    """Show every impersonation that goes on, at this clinic or at all of them."""
    context = {
        **site.each_context(request),
        "title": gettext("Acting as a patient now"),
        "running": [(row, _minutes_left(row)) for row in running().select_related("organization")],
        "every_clinic": entry_of(request).workplace is None,
        "here": request.path,
    }
    return TemplateResponse(request, "admin/profiles/impersonations_active.html", context)


def stop(request: HttpRequest, impersonation_id: int) -> HttpResponse:
    """End one, at its own clinic. Raises Http404 for one of a clinic that is not open."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = Impersonation.objects.filter(pk=impersonation_id).first()
    scope = current()
    if row is None or scope is None:
        raise Http404
    with acting_for(row.organization_id, actor=scope.actor, trace=scope.trace):  # type: ignore[arg-type]
        impersonations.end(row, by=scope.actor)
    return HttpResponseRedirect(next_page(request))


def _minutes_left(row: Impersonation) -> int:
    return max(int((row.expires_at - clock.now()).total_seconds() // 60), 0)


def banner(request: HttpRequest) -> Banner | None:
    """Tell on every page which impersonations of one's own go on."""
    entry = entry_of(request)
    if not entry.may(ADMINS):
        return None
    mine = [(row, _minutes_left(row)) for row in running(actor_id=entry.actor.user_id)]
    return Banner("admin/profiles/impersonation_banner.html", {"running": mine, "here": request.path}) if mine else None


def _has_account(sheet: Sheet) -> bool:
    user = sheet.patient.person.user
    return user is not None and user.is_active and sheet.patient.deleted_at is None


site.add_banner(banner)
site.add_page(Page("patients/<int:patient_id>/impersonate/", "patient_impersonate", begin, ADMINS))
site.add_page(Page("impersonations/<int:impersonation_id>/token/", "impersonation_token", token, ADMINS))
site.add_page(Page("impersonations/<int:impersonation_id>/stop/", "impersonation_stop", stop, ADMINS))
site.add_page(
    Page("impersonations/active/", "impersonations_active", active, PLATFORM, "profiles", _("Acting as a patient now"))
)
panels.add_action(
    SheetAction("impersonate", _("Act as the patient"), "admin:patient_impersonate", may=ADMINS, applies=_has_account)
)
