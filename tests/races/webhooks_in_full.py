"""The full storm over webhooks, several minutes long: `make storm`. The suite runs a smaller one (test_webhooks.py)."""

from __future__ import annotations

import pytest

from tests.races.webhook_storm import Storm

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]


def test_three_thousand_events_twenty_kills_two_wipes(test_servers, capsys) -> None:
    storm = Storm(test_servers, events=3000, clinics=30, seconds=200, kills=20, wipes=2)

    storm.run(patience_seconds=120)

    with capsys.disabled():
        print(f"\n{storm}")
    assert storm.wanted <= set(storm.accepted)
    assert not storm.unwanted & set(storm.accepted)
    assert storm.duplicates <= 30
