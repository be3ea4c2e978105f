"""Stable names: operation ids, tags, summaries, component names."""

from __future__ import annotations

import inspect
import re
from typing import Any

_READY_MADE = {"list": "List {many}.", "retrieve": "Get one of the {many}."}
_SUFFIXES = ("Serializer", "Shape", "Representation")


def resource_name(view: Any) -> str:
    """Return the resource in snake case: `AppointmentTemplates` → `appointment_templates`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(view).__name__).lower()


def operation_id(view: Any, method: str) -> str:
    """Return `appointments_reschedule`; the PATCH twin of a PUT ends in `_patch`."""
    twin = method == "PATCH" and view.action_map.get("put") == view.action
    return f"{resource_name(view)}_{view.action}" + ("_patch" if twin else "")


def tag_of(kind: type) -> str:
    """Return what the documentation files a resource under: its `tag`, else its docstring up to the colon."""
    return getattr(kind, "tag", "") or _first_line(kind).partition(":")[0].rstrip(".")


def tag_description(kind: type) -> str:
    """Return what the docstring says after the colon, as a sentence."""
    about = _first_line(kind).partition(":")[2].strip()
    return about[:1].upper() + about[1:]


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or kind.__name__).splitlines()[0]


def texts_of(view: Any, declared_summary: str) -> tuple[str, str]:
    """Return summary and description of the view's operation, from its docstring."""
    method = getattr(type(view), view.action)
    inherited = view.action in _READY_MADE and method.__module__.endswith("kernel.api.resources")
    many = _first_line(type(view)).partition(":")[0].rstrip(".").lower()
    text = _READY_MADE[view.action].format(many=many) if inherited else inspect.getdoc(method) or ""
    first, _, rest = text.partition("\n\n")
    summary = " ".join(first.split()) or view.action.replace("_", " ").capitalize()
    return declared_summary or summary.rstrip("."), " ".join(rest.split())


def component_name(kind: type) -> str:
    """Return the name of a body or representation in the document, without the suffix that the code gives it."""
    name = kind.__name__
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name or kind.__name__
