"""Panels and actions of the patient's sheet: apps above this one add theirs when their back office is loaded.

    panels.add(Panel("visits", title=_("Visits"), template="admin/scheduling/visits_panel.html", of=visits_of))
    panels.add_action(SheetAction("impersonate", label=_("Act as"), url_name="admin:impersonate", may=ADMINS))

A panel reads what it shows itself, in the clinic's scope, and keeps to the gate: `sheet.is_shared` says how it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from apps.profiles.models import Patient
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.roles import STAFF, Roles


@dataclass(frozen=True, slots=True)
class Sheet:
    """Whose sheet is shown, and whether the person shares the profile with the clinic now."""

    patient: Patient
    is_shared: bool


#: Returns the context of a panel's template, None where there is nothing to show.
PanelOf = Callable[[HttpRequest, Sheet], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the sheet; those with a lower `rank` come first."""

    name: str
    title: Any
    template: str
    of: PanelOf
    may: Roles = STAFF
    rank: int = 50


@dataclass(frozen=True, slots=True)
class SheetAction:
    """A button of the sheet that leads to the page `url_name`, which takes the patient's id."""

    name: str
    label: Any
    url_name: str
    may: Roles = STAFF
    applies: Callable[[Sheet], bool] = lambda _sheet: True
    is_grave: bool = False


_panels: dict[str, Panel] = {}
_actions: dict[str, SheetAction] = {}


def add(panel: Panel) -> None:
    """Show the panel on every sheet; another one of the same name is replaced."""
    _panels[panel.name] = panel


def add_action(action: SheetAction) -> None:
    """Show the button on every sheet where it applies; another one of the same name is replaced."""
    _actions[action.name] = action


def panels_of(request: HttpRequest, sheet: Sheet) -> list[tuple[Panel, Mapping[str, Any]]]:
    """Return the panels that this person may see of this patient, in order, each with what it shows."""
    open_to = sorted((each for each in _panels.values() if entry_of(request).may(each.may)), key=lambda each: each.rank)
    told = ((panel, panel.of(request, sheet)) for panel in open_to)
    return [(panel, context) for panel, context in told if context is not None]


def actions_of(request: HttpRequest, sheet: Sheet) -> Sequence[SheetAction]:
    """Return the buttons that this person may press for this patient."""
    return [each for each in _actions.values() if entry_of(request).may(each.may) and each.applies(sheet)]
