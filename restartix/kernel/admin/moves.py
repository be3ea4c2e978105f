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
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS, Roles

if TYPE_CHECKING:
    from restartix.kernel.admin.model_admin import ServiceAdmin

#: One list page at most.
MOST_ROWS = 100
#: Rows for each of which the network is waited.
MOST_WAITING = 10
#: Digits of a primary key that is beyond 64 bits for sure.
LONGEST_KEY = 19


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Move:
    """A service that takes a row along: `does(row, by=actor, **values of the form)`.

    `asks` has the move confirmed on a page of its own first; a move with a `form` always asks.
    `does` may give an `Outside`: then `waits` is set, and `tells` says of the result whether it is good and what it is.
    A move that `leads` answers with a page of its own, made of the result, in a new window: it is made from a row's
    page alone.
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
    waits: bool = False
    tells: Callable[[Any], tuple[bool, str]] | None = None
    leads: Callable[[HttpRequest, Any], HttpResponse] | None = None

    @property
    def needs_page(self) -> bool:
        """Whether something has to be answered before the move is made."""
        return self.asks or self.form is not None

    @property
    def opens_window(self) -> bool:
        """Whether it leads elsewhere, and the page stays as it is."""
        return self.leads is not None

    def on_list(self, page: ServiceAdmin, request: HttpRequest, rows: Any) -> HttpResponse | None:
        """Make the move for the rows ticked in the list, by way of its page where it asks something."""
        keys = list(rows.values_list("pk", flat=True)[:MOST_ROWS])
        if self.needs_page or self.waits:
            query = urlencode({"ids": ",".join(map(str, keys)), "next": request.get_full_path()})
            return HttpResponseRedirect(f"{page.url_of('move', self.name)}?{query}")
        self.make(page, request, rows.filter(pk__in=keys), {})
        return None

    def make(self, page: ServiceAdmin, request: HttpRequest, rows: Any, values: dict[str, Any]) -> list[Waiting]:
        """Make the move row by row; what is refused is named, and the rest stands.

        Returns the rows for which the network is still to be waited.
        """
        done, waiting = 0, []
        for row in rows:
            try:
                with transaction.atomic():
                    result = self.does(row, by=entry_of(request).actor, **values)
            except Refusal as refusal:
                _tell_refusal(request, page.called(row), refusal)
                continue
            if isinstance(result, Outside):
                waiting.append(Waiting(page.called(row), result))
            else:
                done += 1
        if done:
            told_of = {"move": self.label, "count": done}
            messages.success(request, ngettext("%(move)s: done.", "%(move)s: done for %(count)s.", done) % told_of)
        return waiting

    def tell(self, request: HttpRequest, called: str, result: Any) -> None:
        """Report what came of a row for which the network was waited."""
        if isinstance(result, Refusal):
            _tell_refusal(request, called, result)
            return
        is_good, text = self.tells(result) if self.tells else (True, str(self.label))
        (messages.success if is_good else messages.error)(request, f"{called}: {text}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row for which the network is waited, as it is called, and what is to be done."""

    called: str
    outside: Outside[Any]

    def work(self) -> Any:
        """Do it; gives the result, or the refusal of it."""
        try:
            return self.outside.work()
        except Refusal as refusal:
            return refusal

    def result(self, worked: Any) -> Any:
        """Turn what `work` gave into the result, or the refusal of it, in the second transaction."""
        if isinstance(worked, Refusal):
            return worked
        try:
            with transaction.atomic():
                return self.outside.answer(worked)
        except Refusal as refusal:
            return refusal


def _tell_refusal(request: HttpRequest, called: str, refusal: Refusal) -> None:
    for told in paths_of(refusal).values():
        messages.error(request, f"{called}: {said(told[0])}")


class MoveView:
    """The page of each move of one model: asks, then does."""

    def __init__(self, page: ServiceAdmin) -> None:
        """Serve the moves of `page`."""
        self.page = page
        self.__name__ = "move"

    def __call__(self, request: HttpRequest, name: str) -> Any:
        """Ask on GET, do on POST; where the network is waited for, give an `Outside`.

        Raises Http404 for a move or rows that are not there for this person.
        """
        move = next((move for move in self.page.open_moves(request) if move.name == name), None)
        rows = self._rows(request, most=MOST_WAITING if move and move.waits else MOST_ROWS)
        if move is None or not rows:
            raise Http404
        form = move.form(request.POST or None) if move.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            answers = form.cleaned_data if form else {}
            values = {key: said for key, said in answers.items() if said not in ("", None)}
            return self._made(request, move, rows, move.make(self.page, request, rows, values))
        return self._asked(request, move, rows, form)

    def _made(self, request: HttpRequest, move: Move, rows: Any, waiting: list[Waiting]) -> Any:
        after = HttpResponseRedirect(self._after(request, rows))
        if not waiting:
            return after

        def answer(worked: list[Any]) -> HttpResponse:
            results = [each.result(result) for each, result in zip(waiting, worked, strict=True)]
            if move.leads and len(results) == 1 and not isinstance(results[0], Refusal):
                return move.leads(request, results[0])
            for each, result in zip(waiting, results, strict=True):
                move.tell(request, each.called, result)
            return after

        return Outside(lambda: [each.work() for each in waiting], answer=answer)

    def _rows(self, request: HttpRequest, *, most: int) -> Any:
        asked = request.GET.get("ids", "").split(",")
        keys = [int(key) for key in asked if key.isascii() and key.isdigit() and len(key) < LONGEST_KEY]
        return self.page.get_queryset(request).filter(pk__in=keys[:most])

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
