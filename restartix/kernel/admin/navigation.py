"""The navigation of the back office: the product's apps, each with its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.text import capfirst

from restartix.kernel.admin.entry import entry_of
from restartix.kernel.roles import Roles

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.utils.functional import _StrPromise

#: The order in which a clinic's day meets them; an app that is not listed comes last.
ORDER = (
    "scheduling",
    "profiles",
    "forms",
    "treatment_plans",
    "exercises",
    "documents",
    "organizations",
    "telemetry",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is more than one model's rows: where it is, whose it is, who may open it."""

    path: str
    name: str
    view: Callable[..., HttpResponseBase]
    may: Roles
    #: The app under which the navigation shows it; a page without a label is reached from other pages only.
    app_label: str = ""
    label: str | _StrPromise = ""

    def guarded(self) -> Callable[..., HttpResponseBase]:
        """Return the view behind its role table. Raises PermissionDenied for other roles."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not entry_of(request).may(self.may):
                raise PermissionDenied
            return self.view(request, *args, **kwargs)

        return update_wrapper(guarded, self.view)


@dataclass(frozen=True, slots=True)
class Item:
    """One link of the navigation."""

    label: str
    url: str
    is_current: bool


@dataclass(slots=True)
class Section:
    """One app's part of the navigation."""

    app_label: str
    label: str
    items: list[Item] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Whether the page being shown is one of its own."""
        return any(item.is_current for item in self.items)


def sections(site: AdminSite, request: HttpRequest) -> list[Section]:
    """Return the sections in working order, with the links that this person may follow."""
    found: dict[str, Section] = {}
    for app_label, item in (*_pages(site, request), *_lists(site, request)):
        if app_label not in found:
            found[app_label] = Section(app_label, str(apps.get_app_config(app_label).verbose_name))
        found[app_label].items.append(item)
    rank = {label: position for position, label in enumerate(ORDER)}
    return sorted(found.values(), key=lambda section: rank.get(section.app_label, len(ORDER)))


def _pages(site: Any, request: HttpRequest) -> list[tuple[str, Item]]:
    shown = [page for page in site.pages if page.label and entry_of(request).may(page.may)]
    return [(page.app_label, _item(str(page.label), f"admin:{page.name}", request)) for page in shown]


def _lists(site: AdminSite, request: HttpRequest) -> list[tuple[str, Item]]:
    shown = [each for each in site._registry.values() if each.has_module_permission(request)]  # noqa: SLF001 (its own)
    return [
        (
            each.opts.app_label,
            _item(
                capfirst(str(each.opts.verbose_name_plural)),
                f"admin:{each.opts.app_label}_{each.opts.model_name}_changelist",
                request,
            ),
        )
        for each in shown
    ]


def _item(label: str, url_name: str, request: HttpRequest) -> Item:
    url = reverse(url_name)
    is_front = url == reverse("admin:index")
    return Item(label, url, request.path == url if is_front else request.path.startswith(url))
