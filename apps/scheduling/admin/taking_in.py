"""Taking in whoever booked: beside the patients who may be the same human, with what they agreed to.

Source: contract/scheduling.md 3.1 (onboard), 4 (9).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.organizations.models import Organization
from apps.profiles.models import Patient
from apps.scheduling.admin.taking_in_form import NEWCOMER, TakeInForm
from apps.scheduling.errors import ConsentRequired, PatientExists
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.candidates import Candidate, candidates
from apps.scheduling.selectors.likeness import Likeness, likenesses
from apps.scheduling.services import onboarding
from restartix.kernel import audit, clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.admin.preferences import next_page
from restartix.kernel.errors import Refusal
from restartix.kernel.outside import Outside
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import active_organization_id

site: Any = admin.site


def take_in(request: HttpRequest, appointment_id: int) -> Any:
    """Ask who it is and what they agreed to, then take them in and go back to where it came from.

    Raises Http404 for an appointment that is not this person's to see. One whose patient is known leads to its page.
    """
    row = _visible(request, appointment_id)
    if row.status != AppointmentStatus.BOOKED:
        messages.info(request, _("Nobody is to be taken in: the appointment is not waiting for it."))
        return HttpResponseRedirect(_page_of(row))
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        return _admitted(request, row, form)
    return _shown(request, row, form)


def _visible(request: HttpRequest, appointment_id: int) -> Appointment:
    visible = Appointment.objects.visible_to(entry_of(request).actor, today=clock.now().date())
    row: Appointment | None = visible.select_related("specialist").filter(pk=appointment_id).first()
    if row is None or entry_of(request).workplace is None:
        raise Http404
    return row


def _form(request: HttpRequest, row: Appointment, *, known: int | None = None) -> TakeInForm:
    """Return the form, with the candidates; one who was found by what was typed is among them."""
    found = candidates(row)
    named = known or _number(request.POST.get("who", ""))
    if named and named not in {each.patient.pk for each in found}:
        people = Patient.objects.alive().select_related("person__user").filter(pk__in=[named])
        found = [*(Candidate(patient, ()) for patient in people), *found]
    place = Organization.objects.get(pk=active_organization_id())
    return TakeInForm(
        request.POST or None,
        booked=row,
        likenesses=likenesses(found),
        required=place.setting("required_consents"),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _admitted(request: HttpRequest, row: Appointment, form: TakeInForm) -> HttpResponse | Outside[Any]:
    """Take them in, at once or after the identity provider has answered."""
    try:
        with transaction.atomic():
            admitted = onboarding.take_in(row, admission=form.admission(), by=entry_of(request).actor)
    except Refusal as refusal:
        return _refused(request, row, refusal)
    return _waiting(request, row, admitted) if isinstance(admitted, Outside) else _done(request, admitted)


def _waiting(request: HttpRequest, row: Appointment, outside: Outside[Any]) -> Outside[Any]:
    def work() -> Any:
        try:
            return outside.work()
        except Refusal as refusal:
            return refusal

    def answer(provided: Any) -> Any:
        if isinstance(provided, Refusal):
            return _refused(request, row, provided)
        try:
            with transaction.atomic():
                admitted = outside.answer(provided)
        except Refusal as refusal:
            told = refusal
            return Outside(lambda: outside.undo(provided), answer=lambda _nothing: _refused(request, row, told))
        return _done(request, admitted)

    def undo(provided: Any) -> None:
        if not isinstance(provided, Refusal):
            outside.undo(provided)

    return Outside(work, answer=answer, undo=undo)


def _refused(request: HttpRequest, row: Appointment, refusal: Refusal) -> HttpResponse:
    """Show the form again with the reason where it belongs."""
    known = refusal.details["patient_id"] if isinstance(refusal, PatientExists) else None
    form = _form(request, row, known=known)
    form.is_valid()
    if isinstance(refusal, ConsentRequired):
        form.ask_for(refusal.details["missing"])
    else:
        form.show_refusal(refusal)
    return _shown(request, row, form)


def _done(request: HttpRequest, row: Appointment) -> HttpResponse:
    name = row.patient.person.name if row.patient else ""
    messages.success(request, _("%(name)s is taken in.") % {"name": name})
    return HttpResponseRedirect(next_page(request) if _next(request) else _page_of(row))


def _shown(request: HttpRequest, row: Appointment, form: TakeInForm) -> HttpResponse:
    if request.method == "GET":
        _note_readings(form.likenesses)
    back = _next(request)
    context = {
        **site.each_context(request),
        "title": _("Take in %(name)s") % {"name": row.contact_name},
        "appointment": row,
        "form": form,
        "newcomer": NEWCOMER,
        "next": back,
        "back": back or _page_of(row),
        "appointments_url": reverse("admin:scheduling_appointment_changelist"),
    }
    return TemplateResponse(request, "admin/scheduling/take_in.html", context)


def _note_readings(shown: Sequence[Likeness]) -> None:
    """Put on record whose data, open to the clinic, was looked at."""
    for each in shown:
        if each.is_shared:
            audit.read("patient", each.patient.pk, patient_id=each.patient.pk)


def _next(request: HttpRequest) -> str:
    """Return the page that led here, if it is one of this server's."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    return asked if asked and next_page(request) == asked else ""


def _page_of(row: Appointment) -> str:
    return reverse("admin:scheduling_appointment_change", args=[row.pk])


site.add_page(Page("appointments/<int:appointment_id>/take-in/", "take_in", take_in, STAFF))
