"""Licences that run out: who hears of it, when, and how often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from apps.profiles.models import Specialist
from apps.profiles.models.specialists import ALERT_DAYS
from apps.profiles.services import licences
from restartix.kernel.tenancy import Actor, acting_for

pytestmark = pytest.mark.django_db
EXPIRES = date(2027, 3, 31)


@pytest.fixture
def sara(cast):
    with acting_for(cast.sud.pk, actor=Actor.system("test")):
        Specialist.objects.filter(pk=cast.sara.specialist.pk).update(license_number="RO-1", license_expires_on=EXPIRES)
    return cast.sara.specialist


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def letters_of(mailoutbox) -> list[tuple[str, str]]:
    return sorted((letter.to[0], letter.subject) for letter in mailoutbox)


def test_the_admins_hear_60_30_7_and_0_days_before_each_once(cast, sara, mailoutbox):
    told = []
    for before in range(62, -3, -1):
        day = EXPIRES - timedelta(days=before)
        with time_machine.travel(on(day), tick=False):
            for _ in range(2):
                if licences.alert():
                    told.append(before)

    assert told == list(ALERT_DAYS)
    assert len(mailoutbox) == len(ALERT_DAYS) * 2  # Ion and Vera
    assert {letter.to[0] for letter in mailoutbox} == {cast.ion.user.email, cast.vera.user.email}
    assert "Sara Marin" in mailoutbox[0].subject
    assert f"/admin/profiles/specialist/{sara.pk}/" in mailoutbox[0].body


def test_a_run_that_was_missed_is_made_up_for_by_the_nearest_alert_alone(sara, mailoutbox):
    with time_machine.travel(on(EXPIRES - timedelta(days=5)), tick=False):
        assert licences.alert() == 1
        assert licences.alert() == 0

    assert len(mailoutbox) == 2


def test_a_renewed_licence_begins_anew(cast, sara, mailoutbox):
    with time_machine.travel(on(EXPIRES), tick=False):
        assert licences.alert() == 1
    with acting_for(cast.sud.pk, actor=Actor.system("test")):
        Specialist.objects.filter(pk=sara.pk).update(license_expires_on=EXPIRES + timedelta(days=365))
    with time_machine.travel(on(EXPIRES + timedelta(days=305)), tick=False):
        assert licences.alert() == 1


def test_nobody_hears_of_specialists_who_left_or_of_suspended_clinics(cast, sara, api, mailoutbox):
    with time_machine.travel(on(EXPIRES), tick=False):
        api(cast.root).patch(f"/v1/organizations/{cast.sud.pk}", {"status": "suspended"})
        assert licences.alert() == 0
        api(cast.root).patch(f"/v1/organizations/{cast.sud.pk}", {"status": "active"})
        assert api(cast.ion).delete(f"/v1/specialists/{sara.pk}").status == 204
        assert licences.alert() == 0

    assert mailoutbox == []


def test_an_alert_that_the_mail_server_refused_comes_with_the_next_run(sara, settings, mailoutbox):
    works = settings.EMAIL_BACKEND
    with time_machine.travel(on(EXPIRES), tick=False):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert licences.alert() == 0
        settings.EMAIL_BACKEND = works
        assert licences.alert() == 1
