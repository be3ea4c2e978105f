"""The page of every status and every move, written from the code."""

from __future__ import annotations

from restartix.management.commands import lifecycles


def test_every_lifecycle_of_the_apps_is_found():
    found = {(each.app_label, each.name) for each in lifecycles.declared()}

    assert {("organizations", "MEMBERSHIP"), ("scheduling", "APPOINTMENT"), ("scheduling", "HOLD")} <= found


def test_the_page_shows_every_move_of_every_lifecycle():
    text = "\n".join(lifecycles.page())

    for each in lifecycles.declared():
        for state, to in each.lifecycle.moves():
            assert f"    {state} --> {to}\n" in text


def test_the_page_in_the_documentation_is_current():
    assert lifecycles.PAGE.read_text() == "\n".join(lifecycles.page()) + "\n", "run `manage.py lifecycles`"
