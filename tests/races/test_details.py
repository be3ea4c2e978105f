"""Many hands on one appointment: no change is lost, no form is made twice, and one letter tells of low ratings."""

from __future__ import annotations

import pytest
from django.core import mail as outbox_of

from apps.organizations.services import relay
from tests.races.crowd import at_once
from tests.scheduling.papers import keeping
from tests.scheduling.test_details import World

pytestmark = pytest.mark.usefixtures("committed_db")


def test_changes_of_different_details_all_survive() -> None:
    world = World()
    key = world.make()
    changes = [
        (world.desk, {"title": "Second look"}),
        (world.specialist, {"notes": "Bring the scan"}),
        (world.admin, {"location": "Room 3"}),
        (world.desk, {"mode": "video"}),
        (world.signed_in, {"patient_notes": "It clicks"}),
        (world.admin, {"location": "Room 3"}),
    ]

    answers = at_once([lambda api=api, body=body: api.put(f"/v1/appointments/{key}", body) for api, body in changes])

    assert [answer.status for answer in answers] == [200] * len(changes)
    shown = world.admin.get(f"/v1/appointments/{key}").data
    for _, body in changes:
        for name, value in body.items():
            assert shown[name] == value
    assert world.facts() == 5


def test_a_form_that_many_attach_is_made_once() -> None:
    world = World()
    key, body = world.make(), {"form_template_ids": [101, 102]}

    with keeping({101: "Intake", 102: "Pain diary"}) as binder:
        answers = at_once([lambda: world.admin.post(f"/v1/appointments/{key}/attach-forms", body) for _ in range(8)])

    assert [answer.status for answer in answers] == [200] * 8
    assert sorted(form["title"] for form in binder.made) == ["Intake", "Pain diary"]
    assert sum(len(answer.data["created"]) for answer in answers) == 2


def test_low_ratings_at_once_are_told_once() -> None:
    world = World()
    key = world.done()
    relay.run()
    outbox_of.outbox = []

    answers = at_once(
        [lambda: world.signed_in.put(f"/v1/appointments/{key}", {"rating": {"stars": 1}}) for _ in range(8)]
    )
    relay.run()

    assert [answer.status for answer in answers] == [200] * 8
    assert world.facts("internal.appointment.rated_low") == 1
    assert len(outbox_of.outbox) == 1
