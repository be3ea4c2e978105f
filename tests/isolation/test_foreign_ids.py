"""Another clinic's row does not exist: the answer to its id is, byte for byte, the answer to an id that never was.

Generated from the URL index, the declared bodies and filters, and the models: every id in path, query, body and header
of every operation, as every role. An operation joins by being routed. For each place the clinic's own id is tried too:
where it brings the same answer as an id that never was, the test proves nothing there, and says so.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.client import Answer, Api
from tests.isolation.places import Place
from tests.isolation.requests import ABSENT, ABSENT_UID, Worlds, assembled, id_in
from tests.isolation.test_routes import ROUTES, Route

pytestmark = pytest.mark.django_db


def callers(cast: Any, api: Any, place: Place) -> dict[str, Api]:
    """Return one caller of each role in the clinic; a superadmin narrowed to it, whom a foreign header just moves."""
    people = {"admin": cast.ion, "specialist": cast.sara, "customer_support": cast.mara, "patient": cast.ana}
    found = {role: api(person, cast.sud) for role, person in people.items()}
    if place.where != "header":
        found["superadmin"] = api(cast.root, cast.sud)
    return found


def told(answer: Answer) -> str:
    """Return the answer without what differs between any two requests: the request's id."""
    return f"{answer.status} " + re.sub(r'"request_id":\s*"[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_id_of_another_clinic_is_told_from_one_that_never_was(route: Route, cast, api) -> None:
    worlds = Worlds(cast)
    request, places = assembled(route, worlds)
    proven, unproven = set(), {}
    for place in places:
        foreign = id_in(worlds.row(place.model, own=False), place)
        absent = ABSENT_UID if place.name == "uid" else ABSENT
        for role, caller in callers(cast, api, place).items():
            theirs = told(request.send(caller, place, foreign))
            nobodys = told(request.send(caller, place, absent))
            assert theirs == nobodys, (str(place), role)
            if place.where == "path":
                assert theirs[:3] in ("404", "403"), (str(place), role, theirs)
            own = request.ids[place.name] if place.where == "path" else id_in(worlds.row(place.model, own=True), place)
            ours = told(request.send(caller, place, own))
            if ours != nobodys:
                proven.add(str(place))
            unproven[str(place)] = f"{role}: {ours[:300]}"
    missing = {place: answer for place, answer in unproven.items() if place not in proven}
    assert not missing, f"nobody's own id brings another answer at {missing}"
