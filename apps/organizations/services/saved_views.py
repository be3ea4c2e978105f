"""Saved views: each member of staff keeps lists of the back office as they narrowed and ordered them.

The back office finds this module by the setting `RESTARTIX_SAVED_VIEWS` (restartix/kernel/admin/saved_views.py). All of
it works in the active organization, and on the rows of the person who acts.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.organizations.errors import TooManyViews
from apps.organizations.models import SavedView, User
from restartix.kernel.errors import AlreadyTaken, Invalid, NotFound, refusing
from restartix.kernel.tenancy import Actor

#: Views of one list; more tabs nobody reads.
MOST = 20
LONGEST_NAME, LONGEST_QUERY = 60, 2000


def of(*, by: Actor, listed: str) -> list[SavedView]:
    """Return the actor's views of the list `listed` ("scheduling.appointment"), by name."""
    return list(SavedView.objects.of(by.user_id, listed))  # type: ignore[attr-defined]


@transaction.atomic
def keep(*, by: Actor, listed: str, name: str, query: str, is_default: bool = False) -> SavedView:
    """Keep a list as it is shown now; holds the person's row.

    Raises Invalid (422) if the name is missing or too long or there is too much to keep, AlreadyTaken (409) if another
    view of the list has the name, whatever its case, and TooManyViews (409) beyond 20 views of one list.
    """
    person = _held(by)
    made = SavedView(user=person, listed=listed, name=_checked(name), query=query, is_default=is_default)
    if len(of(by=by, listed=listed)) >= MOST:
        raise TooManyViews(details={"limit": MOST})
    if len(query) > LONGEST_QUERY:
        raise Invalid({"query": ["these are too many filters to be kept"]})
    _save(made)
    return made


@transaction.atomic
def change(view: SavedView, *, by: Actor, **values: Any) -> SavedView:
    """Change `name`, `query` or `is_default`, whichever is given; holds the person's row.

    Raises NotFound (404) if the view is somebody else's, and as `keep` does.
    """
    _check_owner(view, by)
    if "name" in values:
        values["name"] = _checked(values["name"])
    _held(by)
    for field, value in values.items():
        setattr(view, field, value)
    _save(view)
    return view


@transaction.atomic
def destroy(view: SavedView, *, by: Actor) -> None:
    """Forget a view. Raises NotFound (404) if it is somebody else's."""
    _check_owner(view, by)
    view.delete()


def _check_owner(view: SavedView, by: Actor) -> None:
    if view.user_id != by.user_id:
        raise NotFound


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid({"name": ["required"]})
    if len(name) > LONGEST_NAME:
        raise Invalid({"name": ["at most 60 characters"]})
    return name


def _held(by: Actor) -> User:
    """Return the person, holding the row, so that two pages of theirs take turns. Raises NotFound for nobody."""
    person = User.objects.select_for_update(no_key=True).filter(pk=by.user_id or 0).first()
    if person is None:
        raise NotFound
    return person


def _save(view: SavedView) -> None:
    """Write the view; where it becomes the one that the list opens with, no other stays so."""
    if view.is_default:
        others = SavedView.objects.of(view.user_id, view.listed).exclude(pk=view.pk)  # type: ignore[attr-defined]
        for other in others.filter(is_default=True):
            other.is_default = False
            other.save(update_fields=["is_default"])
    with refusing(saved_view_name_free=AlreadyTaken("name")):
        view.save()
