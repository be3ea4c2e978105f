"""Making and editing appointments at the desk; times, people and status of one that is there have moves."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.organizations.models import Organization
from apps.profiles.models import Patient
from apps.scheduling.admin.visit_forms import CONTACT, DETAILS, NewVisitForm, VisitForm
from apps.scheduling.lifecycles import TERMINAL, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import details, walkins
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.preferences import next_page
from restartix.kernel.roles import STAFF, Role
from restartix.kernel.tenancy import Actor

WHEN = ("template", "specialist", "started_at", "minutes")
WHO = ("who", "patient_choice", "asked", "new_name", "new_phone", "new_email", "agreed", "shares")
MORE = ("title", "mode", "location", "notes")
#: What the address of the page may fill in; `started_at` on the clinic's clock, `exactly` with its offset.
PREFILLED = ("template", "specialist", "started_at", "exactly")
LONGEST_PREFILL = 40
#: The question why a time is not offered, by the fields of a new visit.
QUESTION = {"service": "template", "specialist": "specialist", "start": "started_at"}


def _amend(row: Appointment, *, by: Actor, **values: Any) -> Appointment:
    """Hand what changed to the service, the contact as one object."""
    contact = {name.removeprefix("contact_"): values.pop(name) for name in CONTACT if name in values}
    return details.update(row, by=by, **values, **({"contact": contact} if contact else {}))


class MakesVisits(ServiceAdmin):
    """The pages on which an appointment is made and edited."""

    creates = staticmethod(walkins.make_visit)
    amends = staticmethod(_amend)
    may = {"view": STAFF, "add": STAFF, "change": STAFF}
    add_form_template = "admin/scheduling/appointment_add.html"

    def editable(self, row: Appointment) -> tuple[str, ...]:
        """Return what may change of an appointment as it stands: of one that is over only the notes."""
        if row.status in TERMINAL:
            return ("notes",)
        return (*DETAILS, *CONTACT) if row.status == AppointmentStatus.BOOKED else DETAILS

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the form of a new appointment, or of what may change of `obj`."""
        if obj is None:
            made: Any = super().get_form(request, obj, change, **{**kwargs, "form": NewVisitForm, "fields": []})
            entry = entry_of(request)
            made.own_user_id = entry.actor.user_id if entry.role == Role.SPECIALIST else None
            place = Organization.objects.filter(pk=entry.workplace.id).first() if entry.workplace else None
            made.required_consents = list(place.setting("required_consents")) if place else []
            return made
        kept = self.editable(obj)
        left_out = {name: None for name in VisitForm.base_fields if name not in (*kept, "version")}
        narrowed = type("VisitForm", (VisitForm,), left_out)
        columns = [name for name in kwargs.get("fields") or () if name not in VisitForm.SEALED]
        return super().get_form(request, obj, change, **{**kwargs, "form": narrowed, "fields": columns})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in what the address says: a stretch of the board, a free time, a patient's sheet."""
        asked: dict[str, Any] = {name: request.GET[name][:LONGEST_PREFILL] for name in PREFILLED if name in request.GET}
        patient = self._patient_named(request.GET.get("patient", ""))
        if patient is not None:
            asked |= {"who": patient.person.name, "patient_choice": str(patient.pk)}
        return asked

    @staticmethod
    def _patient_named(text: str) -> Patient | None:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        return Patient.objects.alive().select_related("person").filter(pk=int(text)).first()

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Return the service's arguments: of a new one the patient or the newcomer, of the others what changed."""
        if not isinstance(form, NewVisitForm):
            return values
        given = {name: values[name] for name in (*WHEN, *MORE) if values.get(name) not in ("", None)}
        if values.get("patient") is not None:
            return {**given, "patient": values["patient"]}
        person = {"name": values["new_name"], "phone": values["new_phone"], "email": values["new_email"]}
        known = {name: said for name, said in person.items() if said}
        return {**given, "newcomer": walkins.Newcomer(known, form.agreements())}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Offer one way to save; a new one says what it is about, and leads back to where it came from."""
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        if context.get("original") is None:
            form = context["adminform"].form
            is_known = not form.is_bound and bool(form.initial.get("specialist") and form.initial.get("started_at"))
            context |= {
                "title": _("New appointment"),
                "next": self._back(request),
                "suggestions_url": reverse("admin:patient_suggestions"),
                "why_url": f"{reverse('admin:why')}?{urlencode(self._question(form))}",
                "finder_url": f"{reverse('admin:free')}?{urlencode(self._search(form))}",
                "is_placed": is_known,
                "opens_newcomer": bool(form["new_name"].value() or form.offers_newcomer),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def _back(request: HttpRequest) -> str:
        """Return the page that led here, if it is one of this server's."""
        asked = request.POST.get("next", "") or request.GET.get("next", "")
        return asked if asked and next_page(request) == asked else ""

    @staticmethod
    def _search(form: Any) -> dict[str, str]:
        """Return what the finder is asked for when this time is not the right one."""
        day = str(form["started_at"].value() or "")[:10]
        asked = {"service": form["template"].value(), "from": day, "specialist": form["specialist"].value()}
        return {name: str(said) for name, said in asked.items() if said}

    @staticmethod
    def _question(form: Any) -> dict[str, str]:
        """Return what is asked when somebody wonders why patients cannot book this time."""
        asked = {name: form[field].value() for name, field in QUESTION.items()}
        return {name: str(said) for name, said in asked.items() if said}

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go back to where it came from, by default to the day of the new appointment."""
        row = Appointment.objects.select_related("specialist", "patient__person").get(pk=obj.pk)
        told = gettext_lazy("Booked: {appointment} with {specialist}.")
        link = format_html('<a href="{}">{}</a>', self.url_of("change", row.pk), self.called(row))
        messages.success(request, format_html(str(told), appointment=link, specialist=row.specialist))
        if request.POST.get("next"):
            return HttpResponseRedirect(next_page(request))
        day = timezone.localtime(row.started_at).date()
        return HttpResponseRedirect(f"{reverse('admin:index')}?date={day.isoformat()}#visit-{row.pk}")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay on the page, which shows the new values."""
        super().response_change(request, obj)
        return HttpResponseRedirect(self.url_of("change", obj.pk))
