"""How a list is narrowed: all its filters as one form, what narrows it now, and what of that can be kept as a view.

Each filter that a page names, Django's or our own, becomes controls of one form that is sent at once (`applied`). The
list knows its own parameters and no others: Django alone would take any column from the address, and a filter that is
not understood must not pass for an unfiltered list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib.admin.filters import ChoicesFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from restartix.kernel.admin.lists import DaysFilter
from restartix.kernel.ordering import InOrder

#: Marks an address that the form made: it is written again without what was left open.
APPLIED = "_apply"
#: A choice that stands for several parameters at once.
PICKED = "_pick"
#: The saved view that the list was opened with.
VIEW = "view"
#: A view keeps its order by the names of columns: their numbers change with roles and releases.
SORT = "sort"
LONGEST_SEARCH = 200
#: Columns that hold names, wherever they are.
NAMES = {"name", "contact_name"}

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a control offers."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One filter as it is shown in the form: `kind` is `select`, `boxes` (any of them) or `days`."""

    kind: str
    title: str
    name: str
    options: Sequence[Option]
    days: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that narrows the list now, and the address of the list without it."""

    title: str
    text: str
    without: str


class SearchForm(forms.Form):
    """The text that is searched for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take no more than anybody types."""
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR] = forms.CharField(required=False, strip=False, max_length=LONGEST_SEARCH)


class NarrowedList(ChangeList):
    """A list that knows what narrows it. Raises IncorrectLookupParameters for parameters that are not its own."""

    search_form_class = SearchForm

    def get_filters_params(self, params: Any = None) -> Any:
        """Leave out what filters nothing."""
        found = super().get_filters_params(params)
        found.pop(VIEW, None)
        return found

    def get_filters(self, request: HttpRequest) -> Any:
        """Read the filters, and refuse whatever is left."""
        specs, has_filters, left, may_repeat, _is_active = super().get_filters(request)
        if not set(self.get_filters_params()) <= _parameters_of(specs):
            raise IncorrectLookupParameters
        self._choices = {id(spec): list(spec.choices(self)) for spec in specs}
        is_active = any(self._narrows(spec) for spec in specs)
        return specs, has_filters, left, may_repeat, is_active

    def _narrows(self, spec: Any) -> bool:
        """Tell whether the filter narrows the list. Raises IncorrectLookupParameters for a choice that it has not."""
        if not spec.used_parameters:
            return False
        if not isinstance(spec, DaysFilter) and not self._chosen(spec):
            raise IncorrectLookupParameters
        return True

    def _chosen(self, spec: Any) -> list[Any]:
        return [choice for choice in self._choices[id(spec)] if choice["selected"] and self._own(choice, spec)]

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        """Order by names as a telephone book does, also by the name of what a column points to."""
        return [self._in_order(part) for part in super().get_ordering(request, queryset)]

    def _in_order(self, part: Any) -> Any:
        column = part.removeprefix("-") if isinstance(part, str) else ""
        links = {field.name: field.related_model for field in self.lookup_opts.concrete_fields}
        pointed: Any = links.get(column)
        if pointed is not None and any(field.name == "name" for field in pointed._meta.get_fields()):
            column += "__name"
        if column.rpartition("__")[2] not in NAMES:
            return part
        return InOrder(column).desc() if part.startswith("-") else InOrder(column).asc()

    # -- the form ------------------------------------------------------------------------------------------------------

    def controls(self) -> list[Control]:
        """Return the filters as controls of the form."""
        return [self._control(spec) for spec in self.filter_specs]

    def _control(self, spec: Any) -> Control:
        title = capfirst(str(spec.title))
        if isinstance(spec, DaysFilter):
            return Control("days", title, spec.names["days"], _options_of(spec), _inputs_of(spec))
        offered = [(choice, self._own(choice, spec)) for choice in self._choices[id(spec)]]
        names = {name for _choice, pairs in offered for name, _value in pairs}
        if len(names) == 1 and all(len(pairs) < 2 for _choice, pairs in offered):
            (name,) = names
            options = [_option(choice, pairs[0][1] if pairs else "") for choice, pairs in offered]
            if isinstance(spec, ChoicesFieldListFilter):
                return Control("boxes", title, name, [option for option in options if option.value])
            return Control("select", title, name, options)
        return Control("select", title, PICKED, [_option(choice, urlencode(pairs)) for choice, pairs in offered])

    def _own(self, choice: Mapping[str, Any], spec: Any) -> list[Pair]:
        """Return what a choice says of its own filter."""
        own = set(spec.expected_parameters())
        return [(name, value) for name, value in parse_qsl(choice["query_string"][1:]) if name in own]

    def hidden(self) -> list[Pair]:
        """Return what the form carries along: the order and the view."""
        return [(name, self.params[name]) for name in (ORDER_VAR, VIEW) if self.params.get(name)]

    # -- what narrows it now -------------------------------------------------------------------------------------------

    def chips(self) -> list[Chip]:
        """Return what narrows the list now, each with the way out of it."""
        found = [Chip(_("Search"), self.query, self._without([(SEARCH_VAR, "")]))] if self.query else []
        for spec in self.filter_specs:
            title = capfirst(str(spec.title))
            if isinstance(spec, DaysFilter):
                found += [Chip(title, text, self._without([(name, "")])) for name, text in spec.told()]
            elif spec.used_parameters:
                for choice in self._chosen(spec):
                    out = self._without(self._own(choice, spec))
                    found.append(Chip(title, str(choice["display"]), out))
        return found

    def _without(self, pairs: Iterable[Pair]) -> str:
        """Return the address without these values; an empty value means the whole parameter."""
        gone = set(pairs)
        left = [
            (name, value)
            for name, values in self.filter_params.items()
            for value in values
            if (name, value) not in gone and (name, "") not in gone
        ]
        return f"?{urlencode(left)}" if left else f"?{VIEW}=all"

    # -- what can be kept ----------------------------------------------------------------------------------------------

    def narrowing(self) -> str:
        """Return filters and order as a view keeps them: always the same text for the same list."""
        return urlencode(sorted([*self._filtering(), *self._sorting()]))

    def _known(self) -> set[str | None]:
        return _parameters_of(self.filter_specs)

    def _filtering(self) -> list[Pair]:
        known = self._known()
        given = [(name, value) for name, values in self.filter_params.items() if name in known for value in values]
        return [(name, value) for name, value in given if value]

    def _sorting(self) -> list[Pair]:
        names = []
        for part in self.params.get(ORDER_VAR, "").split("."):
            number = part.removeprefix("-")
            if number.isascii() and number.isdigit() and len(number) < 4 and int(number) < len(self.list_display):
                names.append(("-" if part.startswith("-") else "") + str(self.list_display[int(number)]))
        return [(SORT, ".".join(names))] if names else []

    def address_of(self, narrowing: str, view: int) -> str:
        """Return the address at which the list is as a view keeps it; what the list no longer has is left out."""
        pairs, known, order = parse_qsl(narrowing), self._known(), []
        for part in dict(pairs).get(SORT, "").split("."):
            name = part.removeprefix("-")
            if name in self.list_display:
                order.append(("-" if part.startswith("-") else "") + str(self.list_display.index(name)))
        kept = [(name, value) for name, value in pairs if name in known]
        return "?" + urlencode([*kept, *([(ORDER_VAR, ".".join(order))] if order else []), (VIEW, view)])


def _parameters_of(specs: Iterable[Any]) -> set[str | None]:
    return {name for spec in specs for name in spec.expected_parameters()}


def _option(choice: Mapping[str, Any], value: str) -> Option:
    return Option(value, str(choice["display"]), bool(choice["selected"]))


def _options_of(spec: DaysFilter) -> list[Option]:
    offered = [("", _("Any day")), *spec.options()]
    return [Option(value, str(label), value == spec.said["days"]) for value, label in offered]


def _inputs_of(spec: DaysFilter) -> dict[str, dict[str, str]]:
    said = {"from": spec.first, "until": spec.last}
    return {part: {"name": spec.names[part], "value": day.isoformat() if day else ""} for part, day in said.items()}


def applied(request: HttpRequest) -> str | None:
    """Return the address that the form means, without what was left open; None for one that no form made."""
    if APPLIED not in request.GET:
        return None
    kept = [
        (name, value)
        for name, values in request.GET.lists()
        for value in values
        if value and name not in (APPLIED, PICKED, PAGE_VAR, ERROR_FLAG, ALL_VAR)
    ]
    for picked in request.GET.getlist(PICKED):
        kept += parse_qsl(picked[:1000])
    return f"?{urlencode(kept)}" if any(name != VIEW for name, _value in kept) else f"?{VIEW}=all"
