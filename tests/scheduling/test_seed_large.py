"""The benchmarks' data set, here a small one: rows as every guard of the database would have let them pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, connections

from apps.organizations.models import AuditEntry, Organization, User
from apps.profiles.models import Patient, Specialist
from apps.scheduling.lifecycles import ACTIVE
from apps.scheduling.management.demo import bulk, removal
from apps.scheduling.management.demo.bulk import Size
from apps.scheduling.models import Appointment, Claim
from apps.scheduling.services import appointments
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor
from tests.make import organizations as make

SIZE = Size(clinics=2, specialists=6, patients=40, appointments=600)
SYSTEM = Actor.system("tests")


@pytest.fixture
def loaded(committed_db):
    """A data set of two clinics."""
    steps = list(bulk.load(SIZE))
    assert len(steps) == SIZE.steps
    yield list(Organization.objects.order_by("id"))
    connections["owner"].close()


def test_everything_is_there_and_guarded(loaded):
    for clinic in loaded:
        with make.within(clinic):
            assert (Specialist.objects.count(), Patient.objects.count()) == (3, 20)
            assert Appointment.objects.count() == 300
            active = Appointment.objects.filter(status__in=ACTIVE)
            assert active.filter(started_at__gt=clock.now()).exists()
            assert Claim.objects.count() == active.count() == active.exclude(claim=None).count()
            assert not AuditEntry.objects.exists()
            with connection.cursor() as cursor:
                cursor.execute("SELECT scheduling_check_claim(id) FROM scheduling_appointment")  # what a commit checks
    assert User.objects.filter(current_organization__in=loaded).count() == len(loaded)


def test_work_goes_on_with_the_next_numbers(loaded):
    with make.within(loaded[0]):
        last = Appointment.objects.order_by("id").last()
        made = appointments.create(
            patient=Patient.objects.first(),
            specialist=Specialist.objects.first(),
            started_at=clock.now().replace(second=0, microsecond=0) + timedelta(days=60),
            ended_at=clock.now().replace(second=0, microsecond=0) + timedelta(days=60, minutes=30),
            by=SYSTEM,
        )
        assert made.pk > last.pk
        assert AuditEntry.objects.filter(entity_type="appointment", entity_id=str(made.pk)).exists()


def test_is_removed_with_the_other_demo_clinics(loaded):
    assert bulk.is_loaded()
    assert removal.remove_all() == 2
    assert not Organization.objects.exists()
    assert not User.objects.exists()
