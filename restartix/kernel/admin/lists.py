"""What lists are filtered by besides a column's own values."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from restartix.kernel import clock

#: More choices than this nobody reads; the search finds the rest.
MOST_CHOICES = 60
FIRST_YEAR, LAST_YEAR = 1900, 2200


class DeletedFilter(admin.SimpleListFilter):
    """Live rows unless deleted ones are asked for."""

    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the deleted ones; live ones are the default."""
        return [("yes", _("Deleted"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        return queryset.filter(deleted_at__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Any:
        """Call the default what it is."""
        live, *rest = super().choices(changelist)
        yield {**live, "display": _("Not deleted")}
        yield from rest


class ChoiceOfRows(admin.SimpleListFilter):
    """Rows that point to one of a few others of the same clinic: those that `rows` offers."""

    def rows(self, request: HttpRequest) -> Any:
        """Return the rows to choose from."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer each by its name; the chosen one is among them however many there are."""
        offered = [(str(row.pk), self.called(row)) for row in self.rows(request)[:MOST_CHOICES]]
        if len(offered) == MOST_CHOICES and (key := _key(self.value())) and self.value() not in dict(offered):
            offered += [(str(row.pk), self.called(row)) for row in self.rows(request).filter(pk=key)]
        return offered

    def called(self, row: Any) -> str:
        """Return what a row is called in the choice."""
        return str(row)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep what points to the chosen one."""
        chosen = _key(self.value())
        return queryset if chosen is None else queryset.filter(**{f"{self.parameter_name}_id": chosen})


def _key(text: str | None) -> int | None:
    """Return the primary key that an address names, None where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


class DaysFilter(admin.FieldListFilter):
    """Rows by the day of one of their moments, on the clinic's calendar: a choice that moves with today, or two days.

    `?at__days=week` is a week from whatever today is, so that a saved view stays what it says; `?at__from=` and
    `?at__until=` name days, both included. They narrow together.
    """

    #: Choice → its label, the first day and the day after the last, in days from today; months by `_months`.
    SPANS = {
        "today": (_("Today"), 0, 1),
        "yesterday": (_("Yesterday"), -1, 0),
        "tomorrow": (_("Tomorrow"), 1, 2),
        "last7": (_("Last seven days"), -6, 1),
        "next7": (_("Next seven days"), 0, 7),
        "last30": (_("Last thirty days"), -29, 1),
    }
    MONTHS = {"month": (_("This month"), 0), "previous": (_("Last month"), -1)}

    def __init__(self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        """Read what is asked for. Raises IncorrectLookupParameters for what is no such choice, or no day."""
        self.names = {part: f"{field_path}__{part}" for part in ("days", "from", "until")}
        super().__init__(field, request, params, model, model_admin, field_path)
        self.said = {part: self._last(name) for part, name in self.names.items()}
        self.first, self.last = _day(self.said["from"]), _day(self.said["until"])
        if self.said["days"] and self.said["days"] not in {**self.SPANS, **self.MONTHS}:
            raise IncorrectLookupParameters

    def _last(self, name: str) -> str:
        given = self.used_parameters.get(name)
        return str(given[-1] if isinstance(given, list) else given or "")

    def expected_parameters(self) -> list[str | None]:
        """Return the three parameters."""
        return list(self.names.values())

    def options(self) -> list[tuple[str, Any]]:
        """Return the choices that move with today, by their value."""
        return [(value, told[0]) for value, told in [*self.SPANS.items(), *self.MONTHS.items()]]

    def told(self) -> list[tuple[str, str]]:
        """Return what narrows the list now: parameter and words."""
        words = {
            "days": str(dict(self.options()).get(self.said["days"], "")),
            "from": _("from %(day)s") % {"day": formats.date_format(self.first)} if self.first else "",
            "until": _("until %(day)s") % {"day": formats.date_format(self.last)} if self.last else "",
        }
        return [(self.names[part], text) for part, text in words.items() if text]

    def choices(self, changelist: Any) -> Any:
        """Offer nothing to follow: the form has controls for it."""
        return iter(())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the days asked for."""
        for first, after in (self._span(), (self.first, self.last + timedelta(days=1) if self.last else None)):
            if first is not None:
                queryset = queryset.filter(**{f"{self.field_path}__gte": self._moment(first)})
            if after is not None:
                queryset = queryset.filter(**{f"{self.field_path}__lt": self._moment(after)})
        return queryset

    def _span(self) -> tuple[date | None, date | None]:
        today, chosen = timezone.localdate(clock.now()), self.said["days"]
        if chosen in self.SPANS:
            _label, first, after = self.SPANS[chosen]
            return today + timedelta(days=first), today + timedelta(days=after)
        if chosen in self.MONTHS:
            number = today.year * 12 + today.month - 1 + self.MONTHS[chosen][1]
            return date(number // 12, number % 12 + 1, 1), date((number + 1) // 12, (number + 1) % 12 + 1, 1)
        return None, None

    def _moment(self, day: date) -> date | datetime:
        """Return the day as its column has it: a date, or the moment at which the clinic's day begins."""
        if not isinstance(self.field, models.DateTimeField):
            return day
        return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise IncorrectLookupParameters from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise IncorrectLookupParameters
    return day
