"""The patients of a clinic: the list, new ones, what the clinic may change of them, removal and return.

Source: contract/profiles.md 1.1, 1.2, 4.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.organizations.models import ConsentType
from apps.profiles.admin.patient_forms import (
    EMERGENCY,
    HEALTH,
    IDENTITY,
    FileForm,
    NewPatientForm,
    SharedForm,
    person_in,
)
from apps.profiles.errors import ProfileNotShared
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.selectors import care, search
from apps.profiles.selectors.people import is_shared
from apps.profiles.services import patients
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.lists import DeletedFilter
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.roles import ADMINS, DESK, STAFF
from restartix.kernel.tenancy import Actor


class SharedFilter(admin.SimpleListFilter):
    """Patients by whether they share the profile with the clinic."""

    title, parameter_name = _("shared"), "shared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        return [("yes", _("Shared")), ("no", _("Not shared"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        return queryset.filter(shared=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class AccountFilter(admin.SimpleListFilter):
    """Patients by whether they have a login."""

    title, parameter_name = _("account"), "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        return [("yes", _("With an account")), ("no", _("Without an account"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(person__user__isnull=self.value() == "no")


def _register(*, by: Actor, **values: Any) -> Patient:
    """Register a patient as told at the desk, with the paper consent where there is one."""
    shares, account = values.pop("shares", False), values.pop("create_account", False)
    agreed = [{"type": ConsentType.PROFILE_SHARING, "method": "paper"}] if shares else []
    return patients.register(by=by, consents=agreed, create_account=account, **values)


def _amend(patient: Patient, *, by: Actor, **values: Any) -> Patient:
    """Change the file, and the person while the profile is shared. Raises ProfileNotShared (403) otherwise."""
    if values.get("person") and not is_shared(patient):
        raise ProfileNotShared
    return patients.change(patient, by=by, **values)


@admin.register(Patient)
class PatientAdmin(ServiceAdmin):
    """Everybody who is or was treated here."""

    entity = "patient"
    creates = staticmethod(_register)
    amends = staticmethod(_amend)
    may = {"view": STAFF, "add": ADMINS, "change": STAFF}
    list_display = ("id", "shown_name", "consumer_id", "shares", "account", "created_at")
    list_filter = (SharedFilter, AccountFilter, DeletedFilter, ("created_at", admin.DateFieldListFilter))
    list_select_related = ("person",)
    search_fields = ("id",)
    search_help_text = _("Name, e-mail, phone, reference")
    ordering = ("-created_at", "-id")
    intro = _("Of those who do not share their profile the clinic sees the name only.")
    empty_text = _("Nobody yet. A booking makes its patient by itself; add the others here.")
    moves = (
        Move(
            name="remove",
            label=_("Remove"),
            does=patients.remove,
            asks=True,
            is_grave=True,
            explains=_(
                "The file is closed, caregivers lose access, and so does the patient's own login. Nothing is lost: "
                "the file comes back with its history when it is restored."
            ),
            applies=lambda row: row.deleted_at is None,
        ),
        Move(name="restore", label=_("Restore"), does=patients.restore, applies=lambda row: row.deleted_at is not None),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read with every row whether it is shared."""
        sharing = ConsentRecord.objects.filter(
            patient=OuterRef("pk"), type=ConsentType.PROFILE_SHARING, status=ConsentStatus.ACTIVE
        )
        return super().get_queryset(request).select_related("person").annotate(shared=Exists(sharing))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search by name, e-mail, phone and reference, as the gate allows."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=search.find(search_term).values("pk")), False

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Link the name, which leads to the sheet."""
        return None

    # -- one patient ---------------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let the desk change any living patient's file, specialists those whom they treat."""
        if not super().has_change_permission(request, obj) or (obj is not None and obj.deleted_at is not None):
            return False
        if obj is None or entry_of(request).may(DESK):
            return True
        return is_shared(obj) and care.is_linked(obj, entry_of(request).actor)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Ask for what the gate lets through."""
        kwargs["form"] = NewPatientForm if obj is None else (SharedForm if is_shared(obj) else FileForm)
        kwargs["fields"] = ["consumer_id"] if entry_of(request).may(DESK) else []
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Lay the person's fields out while they may be seen."""
        own = ("consumer_id",) if entry_of(request).may(DESK) else ()
        if obj is not None and not is_shared(obj):
            return (
                (None, {"fields": own, "description": _("The person is changed only while the profile is shared.")}),
            )
        parts = (
            (None, {"fields": (*IDENTITY, *own)}),
            (_("Health"), {"fields": HEALTH}),
            (_("In an emergency"), {"fields": EMERGENCY}),
            (_("Insurance"), {"fields": ("insurance_entries",)}),
        )
        return parts if obj is not None else (*parts, (_("Agreements"), {"fields": ("shares", "create_account")}))

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Put the person's fields into one object."""
        said = dict(values)
        person = person_in(said)
        return {**said, "person": person} if person else said

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the form to whoever may change the file, the sheet to the others."""
        patient = self.get_object(request, object_id)
        if patient is not None and not self.has_change_permission(request, patient):
            return HttpResponseRedirect(sheet_of(patient.pk))
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Offer one way to save: it leads to the sheet."""
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def patient_of(self, row: Any) -> int | None:
        """Put on record who opened the person's data."""
        return int(row.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the new patient's sheet."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(sheet_of(obj.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go back to the sheet."""
        super().response_change(request, obj)
        return HttpResponseRedirect(sheet_of(obj.pk))

    # -- columns -------------------------------------------------------------------------------------------------------

    @admin.display(description=_("name"), ordering="person__name")
    def shown_name(self, row: Patient) -> str:
        """Link the name to the sheet."""
        return format_html('<a href="{}">{}</a>', sheet_of(row.pk), row.person.name)

    @admin.display(description=_("shared"), boolean=True, ordering="shared")
    def shares(self, row: Any) -> bool:
        """Tell whether the gate is open."""
        return bool(row.shared)

    @admin.display(description=_("account"), boolean=True, ordering=F("person__user").asc(nulls_last=True))
    def account(self, row: Patient) -> bool:
        """Tell whether the person can sign in."""
        return row.person.user_id is not None


def sheet_of(patient_id: int) -> str:
    """Return the address of a patient's sheet."""
    return reverse("admin:patient_sheet", args=[patient_id])
