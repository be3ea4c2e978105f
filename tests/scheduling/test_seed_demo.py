"""The demo clinics: there after one run, the same after a second, up to date on a later day, made anew by --reset."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import override_settings

from apps.organizations.models import Fact, Membership, Organization, User
from apps.profiles.models import ConsentRecord, Patient, PatientPerson, Specialist
from apps.scheduling.lifecycles import ACTIVE
from apps.scheduling.management.demo import seeding
from apps.scheduling.management.demo.plan import plan
from apps.scheduling.models import Appointment, AppointmentStatusChange, AppointmentTemplate, Claim, WaitlistEntry
from apps.scheduling.services import appointments
from restartix.kernel.tenancy import Actor
from tests.make import organizations as make

#: A Wednesday, half past ten in Bucharest.
NOON = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
SYSTEM = Actor.system("tests")
WHAT = ("title", "source", "patient__person__name", "contact_name", "price")


def seed_demo(*options: str) -> dict[str, Any]:
    """Run the command as a program would."""
    told = StringIO()
    call_command("seed_demo", *options, "--json", stdout=told, stderr=StringIO())
    return json.loads(told.getvalue())


def clinics() -> list[Organization]:
    slugs = [each["slug"] for each in plan()["clinics"]]
    return [Organization.objects.get(slug=slug) for slug in slugs]


def everything() -> dict[str, Any]:
    """What the clinics hold, without ids and the moments of writing."""
    found: dict[str, Any] = {}
    for clinic in clinics():
        with make.within(clinic):
            visits = Appointment.objects.order_by("specialist__slug", "started_at")
            found[clinic.slug] = {
                "visits": list(visits.values_list("specialist__slug", "started_at", "ended_at", "status", *WHAT)),
                "people": list(PatientPerson.objects.order_by("name", "date_of_birth").values_list("name", "sex")),
                "hours": list(Specialist.objects.order_by("slug").values_list("slug", "weekly")),
                "counted": {
                    model.__name__: model.objects.count()
                    for model in (Appointment, AppointmentStatusChange, AppointmentTemplate, Claim, ConsentRecord, Fact,
                                  Membership, Patient)
                },
            }  # fmt: skip
    return found


@pytest.fixture
def at_noon():
    """A morning in the middle of a week."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture(scope="class")
def offer(django_db_setup, django_db_blocker):
    """What the first run tells; its clinics are there for all tests of the class."""
    with (
        django_db_blocker.unblock(),
        override_settings(DEBUG=True, DEVELOPMENT_ISSUER=True),
        time_machine.travel(NOON, tick=True),
        transaction.atomic(),
    ):
        yield seed_demo()
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestFirstRun:
    @pytest.fixture(autouse=True)
    def _seeded(self, offer):
        self.offer = offer

    def test_every_role_has_a_login_that_works(self):
        logins = self.offer["logins"]
        assert {login["role"] for login in logins} == {
            "superadmin",
            "admin",
            "customer_support",
            "specialist",
            "patient",
        }
        assert all(login["token"] for login in logins)
        admin = next(login for login in logins if login["role"] == "admin")
        assert authenticate(username=admin["email"], password=admin["password"]) is not None
        assert len({login["email"] for login in logins}) == len(logins)

    def test_tokens_open_the_api(self, api):
        for role in ("admin", "customer_support", "specialist", "patient"):
            login = next(each for each in self.offer["logins"] if each["role"] == role)
            user = User.objects.get(pk=login["user_id"])
            answer = api(user, Organization.objects.get(pk=login["organization_id"])).get("/v1/appointments")
            assert answer.status == 200
            assert answer.json["pagination"]["total"] > 0

    def test_each_clinic_can_be_booked(self):
        assert self.offer["booking_pages"] == [f"/book/{clinic.slug}/" for clinic in clinics()]
        for clinic in clinics():
            with make.within(clinic):
                offered = AppointmentTemplate.objects.offered()
                assert 4 <= AppointmentTemplate.objects.count() <= 6
                assert offered.exists()
                assert all(template.specialists.exists() for template in offered)

    def test_somebody_waits_for_a_free_time(self):
        for clinic in clinics():
            with make.within(clinic):
                assert WaitlistEntry.objects.filter(status="waiting").count() >= 2

    def test_today_is_under_way(self):
        with make.within(clinics()[0]):
            today = Appointment.objects.filter(started_at__date=NOON.date())
            statuses = Counter(today.values_list("status", flat=True))
        assert statuses["inprogress"] >= 1
        assert statuses["done"] >= 2
        assert statuses["upcoming"] + statuses["confirmed"] >= 3

    def test_somebody_is_in_the_waiting_room(self):
        here = 0
        for clinic in clinics():
            with make.within(clinic):
                waiting = Appointment.objects.filter(arrived_at__lt=NOON)
                assert set(waiting.values_list("status", flat=True)) <= {"upcoming", "confirmed"}
                here += waiting.count()
        assert here >= 1

    def test_statuses_agree_with_the_clock(self):
        for clinic in clinics():
            with make.within(clinic):
                over = Appointment.objects.filter(ended_at__lte=NOON)
                coming = Appointment.objects.filter(started_at__gt=NOON + timedelta(minutes=5))
                assert not over.filter(status__in=ACTIVE).exists()
                assert set(coming.values_list("status", flat=True)) <= {"booked", "upcoming", "confirmed", "cancelled"}
                assert coming.filter(status="booked", source="public", patient=None).exists()

    def test_active_visits_have_their_claim_and_others_none(self):
        for clinic in clinics():
            with make.within(clinic):
                active = Appointment.objects.filter(status__in=ACTIVE)
                assert active.filter(claim=None).count() == 0
                assert Claim.objects.count() == active.count()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the check that a commit makes

    def test_nobody_is_in_two_rooms_at_once(self):
        for clinic in clinics():
            with make.within(clinic):
                visits = Appointment.objects.exclude(patient=None).exclude(status="cancelled")
                spans: dict[int, list[tuple[datetime, datetime]]] = {}
                for patient, start, end in visits.values_list("patient_id", "started_at", "ended_at"):
                    spans.setdefault(patient, []).append((start, end))
            for of_patient in spans.values():
                of_patient.sort()
                assert all(before[1] <= after[0] for before, after in pairwise(of_patient))

    def test_history_leads_to_the_status(self):
        with make.within(clinics()[1]):
            for visit in Appointment.objects.prefetch_related("status_changes"):
                moves = sorted(visit.status_changes.all(), key=lambda move: (move.at, move.pk))
                assert moves[0].from_status is None
                assert moves[-1].to_status == visit.status
                for before, after in pairwise(moves):
                    assert after.from_status == before.to_status

    def test_no_letter_goes_out(self):
        for clinic in clinics():
            with make.within(clinic):
                assert Fact.objects.exists()
                assert not Fact.objects.filter(relayed_at=None).exists()

    def test_a_second_run_adds_nothing(self):
        before = everything()
        again = seed_demo()
        assert everything() == before
        assert [login["email"] for login in again["logins"]] == [login["email"] for login in self.offer["logins"]]

    def test_what_a_visitor_did_stays(self):
        with make.within(clinics()[0]):
            visit = Appointment.objects.filter(status="upcoming", started_at__gt=NOON + timedelta(days=1)).first()
            appointments.cancel(visit, by=SYSTEM, reason="nu mai e nevoie")
            seed_demo()
            visit.refresh_from_db()
            assert visit.status == "cancelled"

    def test_a_deleted_clinic_stays_deleted(self):
        Organization.objects.filter(slug="demo-pasul").update(deleted_at=NOON)
        assert [each["slug"] for each in seed_demo()["clinics"]] == ["demo-kinetica", "demo-mobilis"]

    def test_a_dry_run_tells_what_each_clinic_has_to_expect(self):
        before = everything()
        Organization.objects.filter(slug="demo-pasul").update(deleted_at=NOON)
        today, anew = "would be brought up to date", "would be made"
        with time_machine.travel(NOON + timedelta(days=5), tick=True):
            told = seed_demo("--dry-run")
            reset = seed_demo("--dry-run", "--reset")
        assert told["clinics"] == {"demo-kinetica": today, "demo-mobilis": today, "demo-pasul": "stays deleted"}
        assert (reset["removed"], set(reset["clinics"].values())) == (3, {anew})
        assert everything() == before

    def test_days_later_the_week_goes_on(self):
        before = everything()
        with time_machine.travel(NOON + timedelta(days=5), tick=True):
            seed_demo()
            for clinic in clinics():
                with make.within(clinic):
                    midnight = (NOON + timedelta(days=5)).replace(hour=0, minute=0) - timedelta(hours=2)
                    forgotten = Appointment.objects.filter(ended_at__lte=midnight, status__in=ACTIVE)
                    assert not forgotten.exclude(status="booked").exists()
                    assert Appointment.objects.count() > before[clinic.slug]["counted"]["Appointment"]
                    active = Appointment.objects.filter(status__in=ACTIVE)
                    assert Claim.objects.count() == active.count() == active.exclude(claim=None).count()


@pytest.mark.django_db
class TestAnywhereElse:
    def test_the_same_day_gives_the_same_clinics(self, at_noon, committed_twice):
        first, second = committed_twice
        assert first == second

    def test_other_clinics_are_not_touched(self, at_noon, cast):
        with make.within(cast.sud):
            before = (Patient.objects.count(), Specialist.objects.count(), Membership.objects.count())
        seeding.seed()
        with make.within(cast.sud):
            assert (Patient.objects.count(), Specialist.objects.count(), Membership.objects.count()) == before

    def test_a_dry_run_makes_nothing(self, at_noon, settings):
        settings.DEBUG = True
        assert set(seed_demo("--dry-run")["clinics"].values()) == {"would be made"}
        assert seed_demo("--dry-run", "--size", "large")["clinics"] == {
            "200 clinics of the benchmarks": "would be made"
        }
        assert not Organization.objects.exists()

    def test_refused_with_debug_off(self, settings):
        settings.DEBUG = False
        with pytest.raises(CommandError, match="--with-debug-off"):
            seed_demo()
        assert not Organization.objects.exists()


@pytest.fixture
def committed_twice(at_noon, db):
    """What two runs make on the same empty database, the first one rolled back."""
    found = []
    for _ in range(2):
        with transaction.atomic():
            seeding.seed()
            found.append(everything())
            transaction.set_rollback(True)
    return found


class TestReset:
    @pytest.fixture(autouse=True)
    def _committed(self, committed_db, settings):
        settings.DEBUG = True
        yield
        connections["owner"].close()

    def test_makes_the_clinics_anew(self):
        seed_demo()
        with make.within(clinics()[0]):
            Appointment.objects.filter(status="done").update(notes="schimbat")
        before = {clinic.pk for clinic in clinics()}
        seed_demo("--reset")
        assert not before & {clinic.pk for clinic in clinics()}
        assert Organization.objects.count() == len(plan()["clinics"])
        with make.within(clinics()[0]):
            assert not Appointment.objects.filter(notes="schimbat").exists()
        assert self._rows_without_a_clinic() == []
        assert self._triggers_set_aside() == []

    def _triggers_set_aside(self) -> list[str]:
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled = 'D'")
            return [name for (name,) in cursor.fetchall()]

    def test_is_refused_beside_other_clinics(self):
        seed_demo()
        make.organization("clinica-sud")
        with pytest.raises(CommandError, match="clinica-sud"):
            seed_demo("--reset")
        assert Organization.objects.count() == len(plan()["clinics"]) + 1

    def _rows_without_a_clinic(self) -> list[str]:
        """Tables that hold rows of a clinic that is gone."""
        from django.apps import apps

        from restartix.kernel.tenancy import TenantModel, across_organizations

        tables = [model for model in apps.get_models() if issubclass(model, TenantModel)]
        with across_organizations(reason="count what was left behind", actor=SYSTEM):
            return [
                model.__name__
                for model in tables
                if model.objects.exclude(organization__in=Organization.objects.values("pk")).exists()
            ]
