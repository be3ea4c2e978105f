"""Saved views: the list as a person narrowed it, kept under a name, shown as tabs above the list.

The kernel has no tables. The setting `RESTARTIX_SAVED_VIEWS` names a module that keeps views (`Keeper`). Views are of
one person, one list and one clinic, so a superadmin who looks at all clinics has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import RefusableForm, paths_of, said
from restartix.kernel.admin.narrowing import VIEW, NarrowedList
from restartix.kernel.api.requests import trace_of
from restartix.kernel.errors import NotFound, Refusal
from restartix.kernel.tenancy import Actor, acting_for

if TYPE_CHECKING:
    from restartix.kernel.admin.list_pages import ListPages

#: The button by which a list's own page keeps it.
KEEP = "keep_view"
LONGEST_NAME = 60


class Kept(Protocol):
    """A view as it is kept."""

    pk: int
    name: str
    query: str
    is_default: bool


class Keeper(Protocol):
    """The module behind `RESTARTIX_SAVED_VIEWS`; all of it works in the active organization, on the actor's own."""

    def of(self, *, by: Actor, listed: str) -> Sequence[Kept]:
        """Return the views of one list, by name."""
        ...

    def keep(self, *, by: Actor, listed: str, name: str, query: str, is_default: bool = False) -> Kept:
        """Keep one more. Raises Refusal."""
        ...

    def change(self, view: Any, *, by: Actor, **values: Any) -> Kept:
        """Change one. Raises Refusal."""
        ...

    def destroy(self, view: Any, *, by: Actor) -> None:
        """Forget one."""
        ...


@cache
def _imported(path: str) -> Keeper:
    return cast("Keeper", import_module(path))


def _keeper() -> Keeper:
    return _imported(settings.RESTARTIX_SAVED_VIEWS)


@contextmanager
def _in_the_clinic(request: HttpRequest) -> Iterator[Actor]:
    """Act in the clinic that is open, also where a page looks at all of them. Raises Http404 where none is."""
    entry = entry_of(request)
    if entry.workplace is None:
        raise Http404
    with acting_for(entry.workplace.id, actor=entry.actor, trace=replace(trace_of(request), source="admin")):
        yield entry.actor


def views_of(request: HttpRequest, page: ListPages) -> Sequence[Kept]:
    """Return the person's views of the page's list, by name; none where every clinic is shown."""
    if entry_of(request).workplace is None:
        return ()
    with _in_the_clinic(request) as by:
        return _keeper().of(by=by, listed=page.opts.label_lower)


# -- above the list ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to open the list."""

    name: str
    address: str
    is_current: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class Tabs:
    """What stands above a list: its views, which of them is shown, and whether the list differs from it."""

    tabs: Sequence[Tab]
    shown: Kept | None
    is_changed: bool
    #: Whether there is something to keep that no view keeps yet.
    can_keep: bool


def tabs_of(request: HttpRequest, cl: NarrowedList, views: Sequence[Kept]) -> Tabs:
    """Return the tabs: the view that the address names, else one that is just so, else all rows."""
    narrowing, named = cl.narrowing(), request.GET.get(VIEW, "")
    alike = [view for view in views if view.query == narrowing]
    shown = next((view for view in [*views, *alike] if str(view.pk) == named), None) or next(iter(alike), None)
    everything = Tab(_("All"), f"?{VIEW}=all", shown is None and not narrowing, not any(v.is_default for v in views))
    own = [Tab(view.name, cl.address_of(view.query, view.pk), view is shown, view.is_default) for view in views]
    return Tabs(
        tabs=[everything, *own] if views else [],
        shown=shown,
        is_changed=shown is not None and shown.query != narrowing,
        can_keep=entry_of(request).workplace is not None and bool(narrowing) and not alike,
    )


def opening(page: ListPages, request: HttpRequest, views: Sequence[Kept]) -> HttpResponse | None:
    """Return the way to the view that the list opens with; None where it has none, or the address asks for more."""
    chosen = next((view for view in views if view.is_default), None)
    if chosen is None or request.GET or request.method != "GET":
        return None
    cl = page.get_changelist_instance(request)
    return HttpResponseRedirect(request.path + cl.address_of(chosen.query, chosen.pk))


# -- keeping one -------------------------------------------------------------------------------------------------------


def keep(page: ListPages, request: HttpRequest) -> HttpResponse:
    """Keep the list as its address has it: as a new view, or in place of the one that the form names."""
    try:
        narrowing = page.get_changelist_instance(request).narrowing()
        with _in_the_clinic(request) as by:
            kept = _kept(page, request, narrowing, by)
    except Refusal as refusal:
        for field, told in paths_of(refusal).items():
            messages.error(request, f"{_('Name')}: {said(told[0])}" if field == "name" else said(told[0]))
        return HttpResponseRedirect(request.get_full_path())
    messages.success(request, _("The view “%(name)s” is kept. Only you see it.") % {"name": kept.name})
    address = request.GET.copy()
    address[VIEW] = str(kept.pk)
    return HttpResponseRedirect(f"{request.path}?{address.urlencode()}")


def _kept(page: ListPages, request: HttpRequest, narrowing: str, by: Actor) -> Kept:
    listed, same = page.opts.label_lower, request.POST.get("same", "")
    if same:
        view = _one(_keeper().of(by=by, listed=listed), same)
        return _keeper().change(view, by=by, query=narrowing)
    name, is_default = request.POST.get("name", "").replace("\x00", ""), bool(request.POST.get("is_default"))
    return _keeper().keep(by=by, listed=listed, name=name, query=narrowing, is_default=is_default)


def _one(views: Sequence[Kept], key: str) -> Kept:
    for view in views:
        if str(view.pk) == key:
            return view
    raise NotFound


# -- changing one ------------------------------------------------------------------------------------------------------


class ViewForm(RefusableForm):
    """What may be changed of a view besides what it shows."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    is_default = forms.BooleanField(label=gettext_lazy("Open the list with this view"), required=False)


class SavedViewPage:
    """The page of one view of one list: its name, whether the list opens with it, and the way to be rid of it."""

    def __init__(self, page: ListPages) -> None:
        """Serve the views of `page`'s list."""
        self.page = page
        self.__name__ = "saved_view"

    def __call__(self, request: HttpRequest, number: int) -> HttpResponse:
        """Ask on GET, change on POST. Raises Http404 for a view that is not this person's."""
        if not self.page.has_view_permission(request):
            raise PermissionDenied
        with _in_the_clinic(request) as by:
            view = next((v for v in views_of(request, self.page) if v.pk == number), None)
            if view is None:
                raise Http404
            if request.method == "POST" and "_delete" in request.POST:
                return self._forgotten(request, view, by)
            initial = {"name": view.name, "is_default": view.is_default}
            form = ViewForm(request.POST if request.method == "POST" else None, initial=initial)
            if form.is_valid() and self._changed(view, form, by):
                messages.success(request, _("The view “%(name)s” was saved.") % {"name": form.cleaned_data["name"]})
                return HttpResponseRedirect(self._at(request, view))
            return self._asked(request, view, form)

    def _forgotten(self, request: HttpRequest, view: Kept, by: Actor) -> HttpResponse:
        name = view.name
        _keeper().destroy(view, by=by)
        messages.success(request, _("The view “%(name)s” was deleted.") % {"name": name})
        return HttpResponseRedirect(self.page.url_of("changelist") + f"?{VIEW}=all")

    def _changed(self, view: Kept, form: ViewForm, by: Actor) -> bool:
        try:
            _keeper().change(view, by=by, **form.cleaned_data)
        except Refusal as refusal:
            form.show_refusal(refusal)
            return False
        return True

    def _at(self, request: HttpRequest, view: Kept) -> str:
        """Return the address of the list as the view shows it."""
        try:
            narrowed = self.page.get_changelist_instance(request).address_of(view.query, view.pk)
        except SuspiciousOperation:  # this page has no parameters of its own
            raise Http404 from None
        return self.page.url_of("changelist") + str(narrowed)

    def _asked(self, request: HttpRequest, view: Kept, form: ViewForm) -> HttpResponse:
        context = {
            **self.page.admin_site.each_context(request),
            "title": _("View “%(name)s”") % {"name": view.name},
            "form": form,
            "opts": self.page.opts,
            "back": self._at(request, view),
        }
        return TemplateResponse(request, "admin/saved_view.html", context).render()
