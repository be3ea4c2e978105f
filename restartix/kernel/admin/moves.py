"""Moves: what can be done with rows besides editing them, as actions of the list and buttons of the row's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import paths_of, said
from restartix.kernel.admin.preferences import next_page
from restartix.kernel.errors import Refusal
from restartix.kernel.roles import ADMINS, Roles

if TYPE_CHECKING:
    from restartix.kernel.admin.model_admin import ServiceAdmin

#: One list page at most.
MOST_ROWS = 100
#: Digits of a primary key that is beyond 64 bits for sure.
LONGEST_KEY = 19


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Move:
    """A service that takes a row along: `does(row, by=actor, **values of the form)`.

    `asks` has the move confirmed on a page of its own first; a move with a `form` always asks.
    """

    name: str
    label: Any
    does: Callable[..., Any]
    may: Roles = ADMINS
    form: type[forms.Form] | None = None
    asks: bool = False
    is_grave: bool = False
    explains: Any = ""
    applies: Callable[[Any], bool] = _always

    @property
    def needs_page(self) -> bool:
        """Whether something has to be answered before the move is made."""
        return self.asks or self.form is not None

    def on_list(self, page: ServiceAdmin, request: HttpRequest, rows: Any) -> HttpResponse | None:
        """Make the move for the rows ticked in the list, by way of its page where it asks something."""
        keys = list(rows.values_list("pk", flat=True)[:MOST_ROWS])
        if self.needs_page:
            query = urlencode({"ids": ",".join(map(str, keys)), "next": request.get_full_path()})
            return HttpResponseRedirect(f"{page.url_of('move', self.name)}?{query}")
        self.make(page, request, rows.filter(pk__in=keys), {})
        return None

    def make(self, page: ServiceAdmin, request: HttpRequest, rows: Any, values: dict[str, Any]) -> bool:
        """Make the move row by row; what is refused is named, and the rest stands."""
        done = 0
        all_rows = list(rows)
        for row in all_rows:
            try:
                with transaction.atomic():
                    self.does(row, by=entry_of(request).actor, **values)
                done += 1
            except Refusal as refusal:
                for told in paths_of(refusal).values():
                    messages.error(request, f"{page.called(row)}: {said(told[0])}")
        if done:
            told_of = {"move": self.label, "count": done}
            messages.success(request, ngettext("%(move)s: done.", "%(move)s: done for %(count)s.", done) % told_of)
        return done == len(all_rows)


class MoveView:
    """The page of each move of one model: asks, then does."""

    def __init__(self, page: ServiceAdmin) -> None:
        """Serve the moves of `page`."""
        self.page = page
        self.__name__ = "move"

    def __call__(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask on GET, do on POST. Raises Http404 for a move or rows that are not there for this person."""
        move = next((move for move in self.page.open_moves(request) if move.name == name), None)
        rows = self._rows(request)
        if move is None or not rows:
            raise Http404
        form = move.form(request.POST or None) if move.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            answers = form.cleaned_data if form else {}
            move.make(self.page, request, rows, {key: said for key, said in answers.items() if said not in ("", None)})
            return HttpResponseRedirect(self._after(request, rows))
        return self._asked(request, move, rows, form)

    def _rows(self, request: HttpRequest) -> Any:
        asked = request.GET.get("ids", "").split(",")
        keys = [int(key) for key in asked if key.isascii() and key.isdigit() and len(key) < LONGEST_KEY]
        return self.page.get_queryset(request).filter(pk__in=keys[:MOST_ROWS])

    def _after(self, request: HttpRequest, rows: Any) -> str:
        if request.GET.get("next") or request.POST.get("next"):
            return next_page(request)
        keys = request.GET.get("ids", "")
        return self.page.url_of("change", keys) if keys.isdigit() else self.page.url_of("changelist")

    def _asked(self, request: HttpRequest, move: Move, rows: Any, form: forms.Form | None) -> HttpResponse:
        context = {
            **self.page.admin_site.each_context(request),
            "title": move.label,
            "move": move,
            "rows": [self.page.called(row) for row in rows],
            "form": form,
            "opts": self.page.opts,
            "back": self._after(request, rows),
            "question": _("Do you want to go on?"),
        }
        return TemplateResponse(request, "admin/move.html", context)
