"""The palette: one box on every page that finds rows and pages, opened by Ctrl-K.

Apps say what can be found with `site.finders.append(Finder(...))`. The answer is JSON for the script of the page, and
holds nothing that the person could not open: finders run in the clinic's scope, and ask the role table first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from restartix.kernel.admin.entry import entry_of
from restartix.kernel.roles import STAFF, Roles

#: So many of each group are shown.
MOST = 8
#: Nobody types more to find something.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the palette: what it is called, what tells it from others, where it leads."""

    label: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finder:
    """A kind of rows: `find(text, limit)` returns the best that this person may open in the active clinic."""

    label: Any
    find: Callable[[str, int], Iterable[Result]]
    may: Roles = STAFF


def answer(request: HttpRequest, finders: Iterable[Finder], sections: Iterable[Any]) -> JsonResponse:
    """Return what `q` finds, group by group: rows first, then pages; without a text the pages alone."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    groups: list[tuple[str, list[Result]]] = []
    if text and entry_of(request).workplace is not None:
        groups += [
            (str(each.label), list(each.find(text, MOST))) for each in finders if entry_of(request).may(each.may)
        ]
    groups.append((_("Pages"), _pages(text, sections)))
    told = [{"label": label, "items": [asdict(each) for each in results]} for label, results in groups if results]
    return JsonResponse({"q": text, "groups": told})


def _pages(text: str, sections: Iterable[Any]) -> list[Result]:
    wanted = folded(text)
    pages = [Result(item.label, item.url, section.label) for section in sections for item in section.items]
    return [page for page in pages if wanted in folded(f"{page.label} {page.detail}")][:MOST]


def folded(text: str) -> str:
    """Return the text in small letters without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))
