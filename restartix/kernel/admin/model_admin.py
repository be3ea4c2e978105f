"""ServiceAdmin: a model's pages, whose every write is one service call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from restartix.kernel import audit
from restartix.kernel.admin import trail, widgets
from restartix.kernel.admin.entry import entry_of, has_entered
from restartix.kernel.admin.forms import ServiceForm, said
from restartix.kernel.admin.list_pages import ListPages
from restartix.kernel.admin.moves import Move, MoveView
from restartix.kernel.api.requests import trace_of
from restartix.kernel.errors import Conflict, Refusal, constraint_of
from restartix.kernel.roles import ADMINS, STAFF, Roles
from restartix.kernel.tenancy import Actor, acting_for


class SavedOutsideServices(RuntimeError):
    """The back office tried to write a row itself: a mistake in the program."""


class ServiceAdmin(ListPages):
    """Pages of one model.

    `creates(by=, **values)`, `amends(row, by=, **values)` and `removes(row, by=)` are services; without one of them
    there is no such button. `moves` are the actions. `may` says for each act who may do it; acts that it does not name
    are nobody's. A refusal is shown where it belongs, nothing of the attempt is kept, and no success is reported.
    A tenant model's rows can be changed only inside their clinic, so a superadmin who looks at all clinics reads.
    """

    form = ServiceForm
    creates: Callable[..., Any] | None = None
    amends: Callable[..., Any] | None = None
    removes: Callable[..., Any] | None = None
    moves: Sequence[Move] = ()
    may: ClassVar[Mapping[str, Roles]] = {"view": STAFF, "add": ADMINS, "change": ADMINS, "delete": ADMINS}
    #: The entity's name in the audit trail; without it the page has no history.
    entity: str = ""
    #: Other pages of the same row: (label, URL name that takes the primary key, who may open it).
    companions: Sequence[tuple[Any, str, Roles]] = ()
    #: The columns of a row's page where rows are added and never edited; `fields` are then those of the adding form.
    shown_fields: Sequence[str] = ()

    formfield_overrides = widgets.FOR_COLUMNS
    save_on_top = False
    actions_selection_counter = True
    view_on_site = False

    @property
    def media(self) -> forms.Media:
        """No scripts but the site's own."""
        return forms.Media()

    # -- who may -------------------------------------------------------------------------------------------------------

    def allows(self, request: HttpRequest, act: str) -> bool:
        """Tell whether the person's role is in the table for `act`."""
        return has_entered(request) and entry_of(request).may(self.may.get(act, frozenset()))

    def writes(self, request: HttpRequest, act: str) -> bool:
        """Tell whether the person may do `act` in the clinic that is open now."""
        return self.allows(request, act) and not (self.is_tenant and entry_of(request).workplace is None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table."""
        return self.allows(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Ask the table, where there is a service."""
        return self.creates is not None and self.writes(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table, where there is a service."""
        return self.amends is not None and self.writes(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table, where there is a service."""
        return self.removes is not None and self.writes(request, "delete")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the list in the navigation to whoever may read it."""
        return self.allows(request, "view")

    def open_moves(self, request: HttpRequest, obj: Any = None) -> list[Move]:
        """Return the moves that this person may make, of `obj` as it stands."""
        return [
            move
            for move in self.moves
            if entry_of(request).may(move.may)
            and not (self.is_tenant and entry_of(request).workplace is None)
            and (obj is None or move.applies(obj))
        ]

    def open_companions(self, request: HttpRequest, obj: Any) -> list[tuple[Any, str]]:
        """Return the other pages of `obj` that this person may open: label and URL name."""
        return [(label, name) for label, name, roles in self.companions if entry_of(request).may(roles)]

    # -- lists ---------------------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer the moves that this person may make, and never a bulk deletion."""
        return {move.name: (move.on_list, move.name, str(move.label)) for move in self.open_moves(request)}

    # -- forms ---------------------------------------------------------------------------------------------------------

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Return the column's control without Django's pop-up buttons: rows are made on their own pages."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the form, with what an earlier attempt of this very request was refused for."""
        if obj is not None and self.shown_fields:
            kwargs["form"] = ServiceForm  # the page's own form asks what a new row needs
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.refusal = getattr(request, "refusal", None)
        made.changed_by = trail.last_change_text(self.entity, obj) if request.method == "POST" else ""
        return made

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show everything of a row that is never edited."""
        return self.shown_fields if obj is not None and self.shown_fields else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep every column of a row that is never edited."""
        is_kept = obj is not None and self.shown_fields
        return self.shown_fields if is_kept else super().get_readonly_fields(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show rows below a row once it exists."""
        return [] if obj is None else super().get_inlines(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; while a form is being saved, hold it, so that its version cannot change under the check."""
        if request.method == "POST":
            held = self.model._default_manager.filter(pk=_number(object_id))
            held.select_for_update(of=("self",)).first()
        return super().get_object(request, object_id, from_field)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Save through the service; show the form again with the refusal if it declines."""
        with self._in_the_clinic_of(request, object_id):
            try:
                with transaction.atomic(), refusing_what_the_database_refuses():
                    answer = super().changeform_view(request, object_id, form_url, extra_context)
            except Refusal as refusal:
                request.refusal = refusal  # type: ignore[attr-defined]
                answer = super().changeform_view(request, object_id, form_url, extra_context)
            return answer.render() if isinstance(answer, TemplateResponse) else answer

    @contextmanager
    def _in_the_clinic_of(self, request: HttpRequest, object_id: str | None) -> Iterator[None]:
        """Act in the row's own clinic while its page is shown to a superadmin who looks at all of them."""
        row = None
        if object_id is not None and self.shows_every_clinic(request):
            row = self.model._default_manager.filter(pk=_number(object_id)).first()
        if row is None:
            yield
            return
        trace = replace(trace_of(request), source="admin")
        with acting_for(row.organization_id, actor=entry_of(request).actor, trace=trace):
            yield

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        """Answer 404 for a row that is not there, or not in this clinic: the two are indistinguishable."""
        raise Http404

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Add what may be done with the row besides saving it."""
        row = context.get("original")
        if row is not None:
            self._note_reading(request, row)
            context |= {
                "heading": self.called(row),
                "moves": self.open_moves(request, row),
                "move_url": f"admin:{self.opts.app_label}_{self.opts.model_name}_move",
                "companions": self.open_companions(request, row),
                "has_history": self._shows_history(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def called(self, row: Any) -> str:
        """Return what a row is called in headings and messages."""
        return str(row)

    def patient_of(self, row: Any) -> int | None:
        """Return the patient whose data the row's page shows, None where it is nobody's; such reading is on record."""
        return None

    def _note_reading(self, request: HttpRequest, row: Any) -> None:
        patient_id = self.patient_of(row)
        if patient_id is not None and request.method == "GET":
            audit.read(self.entity, row.pk, patient_id=patient_id)

    # -- writes --------------------------------------------------------------------------------------------------------

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the service for the form's `values`; pages whose service wants others say how."""
        return values

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """Call the service. Raises Refusal, which `changeform_view` shows."""
        by = entry_of(request).actor
        if change:
            values = self.values_of(form, form.changes)
            if values:
                self._call("amends", self.model._default_manager.get(pk=obj.pk), by=by, **values)
        else:
            values = self.values_of(form, {key: value for key, value in form.cleaned_data.items() if value is not None})
            made = self._call("creates", by=by, **values)
            obj.__dict__.update(made.__dict__)

    def _call(self, act: str, /, *args: Any, by: Actor, **values: Any) -> Any:
        service = getattr(type(self), act)
        if service is None:
            raise SavedOutsideServices(f"{type(self).__name__} has no service for this: `{act}`.")
        return service(*args, by=by, **values)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Hand each inline's changes to its services; related rows of the form itself are the service's."""
        for formset in formsets:
            formset.service_inline.apply(form.instance, formset, by=entry_of(request).actor)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Refuse: rows go through `removes`."""
        raise SavedOutsideServices

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Refuse: there is no bulk deletion."""
        raise SavedOutsideServices

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask once, then call `removes`."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            return self._removed(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete %(name)s?") % {"name": self.called(row)},
            "heading": self.called(row),
            "original": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/delete_confirmation.html", context)

    def _removed(self, request: HttpRequest, row: Any) -> HttpResponse:
        name, key = self.called(row), row.pk
        try:
            with transaction.atomic():
                self._call("removes", row, by=entry_of(request).actor)
        except Refusal as refusal:
            messages.error(request, said(refusal.message))
            return HttpResponseRedirect(self.url_of("change", key))
        messages.success(request, _("%(name)s was deleted.") % {"name": name})
        return HttpResponseRedirect(self.url_of("changelist"))

    # -- moves, history ------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the page of each move."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_move"
        view = self.admin_site.admin_view(MoveView(self))
        return [path("moves/<slug:name>/", view, name=name), *super().get_urls()]

    def _shows_history(self, request: HttpRequest) -> bool:
        """Tell whether the trail of a row is shown: to admins who may see the row, for it holds old values."""
        return bool(self.entity) and entry_of(request).may(ADMINS) and self.has_view_permission(request)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show who changed what, from the audit trail."""
        with self._in_the_clinic_of(request, object_id):
            return self._history(request, object_id).render()

    def _history(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        row = self.get_object(request, object_id)
        if row is None or not self.entity:
            raise Http404
        if not self._shows_history(request):
            raise PermissionDenied
        self._note_reading(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": self.called(row)},
            "heading": self.called(row),
            "entries": trail.changes(self.entity, row, self.model),
            "original": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Describe nothing: the audit trigger has the old and new values."""
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the audit trigger has."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the audit trigger has."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write nothing: the audit trigger has."""


@contextmanager
def refusing_what_the_database_refuses() -> Iterator[None]:
    """Turn a broken constraint that no service expected into a refusal that names it: still no reason for a crash."""
    try:
        yield
    except IntegrityError as error:
        name = constraint_of(error)
        if not name:
            raise
        raise Conflict(_("The database does not allow these values (%(rule)s).") % {"rule": name}) from error


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
