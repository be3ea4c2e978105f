"""Taking in whoever booked, at the desk: who it is, what they agreed to, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.models import User
from apps.profiles.models import ConsentRecord, Patient
from apps.scheduling.models import Appointment
from restartix.kernel import tokens
from restartix.kernel.errors import Conflict
from tests.admin.office import Office, Page, booking, template
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import within
from tests.organizations.provider import SECRET_KEY, Provider
from tests.profiles.test_impersonation import rows_of_audit
from tests.scheduling.papers import keeping
from tests.scheduling.world import next_weekday

pytestmark = pytest.mark.django_db

MARIA = {"email": "maria@example.org", "phone": "+40721000111"}
TELEREHAB = {"consent_telerehab_consent": "on"}


@pytest.fixture
def booked(cast) -> Appointment:
    return booking(cast.sud, template(cast.sud, cast.sara.specialist), next_weekday(0))


@pytest.fixture
def mara(cast) -> Office:
    return Office(cast.mara.user)


@pytest.fixture
def clerk(settings) -> Iterator[Provider]:
    """A server that answers as the identity provider does."""
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
    settings.DEVELOPMENT_ISSUER = False
    tokens.verifier.cache_clear()
    yield provider
    tokens.verifier.cache_clear()
    provider.close()


def page_of(booked: Appointment) -> str:
    return f"/admin/appointments/{booked.pk}/take-in/"


def posted(office: Office, booked: Appointment, **changes: Any) -> Page:
    """The page as it stands, sent with `changes`."""
    shown = re.sub(r'class="sheet [^"]*"', 'class="sheet"', office.get(page_of(booked)).html)
    return office.post(page_of(booked), Page(200, {}, shown).filled(who=changes.pop("who", None), **changes))


def patient_of(cast: Any, booked: Appointment) -> Patient | None:
    with within(cast.sud):
        return Appointment.objects.select_related("patient__person__user").get(pk=booked.pk).patient


class TestSomebodyNew:
    def test_takes_a_tick_and_a_button(self, cast, mara, booked) -> None:
        assert "Take in" in mara.get(f"/admin/scheduling/appointment/{booked.pk}/change/").text
        shown = mara.get(page_of(booked))
        assert "Is it one of these?" not in shown.text
        assert re.search(r"Privacy policy agreed to with the booking", shown.text)

        done = posted(mara, booked, **TELEREHAB)

        assert done.messages == ["success: Maria Ionescu is taken in."]
        patient = patient_of(cast, booked)
        assert (patient.person.phone, patient.person.user.email) == (MARIA["phone"], MARIA["email"])
        with within(cast.sud):
            given = ConsentRecord.objects.filter(patient=patient).values_list("type", "method")
            assert set(given) == {("privacy_policy", "electronic"), ("telerehab_consent", "paper")}
        assert "Take in" not in mara.get(f"/admin/scheduling/appointment/{booked.pk}/change/").text

    def test_is_asked_for_what_the_clinic_requires(self, cast, mara, booked) -> None:
        refused = posted(mara, booked)

        assert "The clinic requires this consent." in refused.text
        assert patient_of(cast, booked) is None
        assert not User.objects.filter(email=MARIA["email"]).exists()

    def test_may_be_called_otherwise_and_go_without_a_login(self, cast, mara, booked) -> None:
        posted(mara, booked, **TELEREHAB, name="Maria Popescu", phone="0040 722 000 222", create_account=None)

        patient = patient_of(cast, booked)
        assert (str(patient), patient.person.phone, patient.person.user) == ("Maria Popescu", "+40722000222", None)

    def test_has_a_phone_that_is_one(self, cast, mara, booked) -> None:
        refused = posted(mara, booked, **TELEREHAB, phone="12")

        assert "start with + and the country code" in refused.text
        assert patient_of(cast, booked) is None

    def test_may_share_the_profile_too(self, cast, mara, booked) -> None:
        posted(mara, booked, **TELEREHAB, consent_profile_sharing="on", method="verbal")

        with within(cast.sud):
            record = ConsentRecord.objects.get(patient=patient_of(cast, booked), type="profile_sharing")
        assert record.method == "verbal"


class TestSomebodyAlike:
    @pytest.fixture
    def maria(self, cast) -> Patient:
        """A patient with the contact's name and number, who shares the profile."""
        made = profiles.patient(cast.sud, "Maria Ionescu", phone=MARIA["phone"])
        for kind in ("profile_sharing", "telerehab_consent"):
            profiles.consent(made, kind)
        return made

    def test_is_shown_beside_the_booking_and_chosen_by_nobody_else(self, cast, mara, booked, maria) -> None:
        shown = mara.get(page_of(booked))
        assert "Is it one of these?" in shown.text
        assert shown.text.count("same") >= 2
        assert not re.search(r'name="who"[^>]*checked', shown.html)

        undecided = posted(mara, booked)

        assert "Say whether it is one of these, or somebody new." in undecided.text
        assert patient_of(cast, booked) is None

    def test_and_the_same_gets_the_visit(self, cast, mara, booked, maria) -> None:
        done = posted(mara, booked, who=maria.pk)

        assert done.messages == ["success: Maria Ionescu is taken in."]
        assert patient_of(cast, booked) == maria

    def test_and_another_gets_a_file_of_their_own(self, cast, mara, booked, maria) -> None:
        posted(mara, booked, who="new", **TELEREHAB)

        assert patient_of(cast, booked) not in (None, maria)

    def test_behind_the_gate_shows_the_name_only(self, cast, mara, booked) -> None:
        profiles.patient(cast.sud, "Maria Ionescu", phone="+40733111222", date_of_birth=date(1961, 4, 2))

        shown = mara.get(page_of(booked))

        assert "not shared" in shown.text
        assert "733111222" not in shown.html
        assert "1961" not in shown.html

    def test_and_open_to_the_clinic_is_on_record_as_read(self, cast, mara, booked, maria) -> None:
        mara.get(page_of(booked))

        read = rows_of_audit(cast.sud, action="READ", entity_type="patient", patient_id=maria.pk)
        assert [row["actor_id"] for row in read] == [str(cast.mara.user.pk)]

    def test_by_a_corrected_e_mail_is_asked_about(self, cast, mara, booked) -> None:
        refused = posted(mara, booked, **TELEREHAB, email=cast.ana.user.email)

        assert (
            "A patient of this clinic has this e-mail address: say whether it is the same human being." in refused.text
        )
        assert "Ana Pop" in refused.text
        answered = mara.post(
            page_of(booked),
            {"who": cast.ana.patient.pk, "name": "Maria", "email": cast.ana.user.email, "phone": "", **TELEREHAB},
        )
        assert answered.messages == ["success: Ana Pop is taken in."]

    def test_never_comes_from_another_clinic(self, cast, mara, booked) -> None:
        refused = posted(mara, booked, who=cast.petra.patient.pk, **TELEREHAB)

        assert "Say whether it is one of these, or somebody new." in refused.text or patient_of(cast, booked) is None
        assert "Petra" not in refused.html

    def test_costs_as_many_statements_however_many_there_are(self, cast, mara, booked) -> None:
        def counted() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert mara.get(page_of(booked)).status == 200
            return len(queries)

        profiles.patient(cast.sud, "Maria Ionescu")
        few = counted()
        for _ in range(8):
            profiles.patient(cast.sud, "Maria Ionescu")

        assert counted() == few


class TestWho:
    def test_is_whoever_sees_the_appointment(self, cast, booked) -> None:
        tom = make.user("Tom Vasile")
        make.member(cast.sud, tom, "specialist")

        assert Office(cast.sara.user).get(page_of(booked)).status == 200
        assert Office(tom).get(page_of(booked)).status == 404
        assert Office(cast.nora.user).get(page_of(booked)).status == 404
        assert Office(cast.root.user).get(page_of(booked)).status == 404  # who looks at all clinics

    def test_finds_nobody_to_take_in_afterwards(self, cast, mara, booked) -> None:
        posted(mara, booked, **TELEREHAB)

        again = mara.post(page_of(booked), {"name": "Maria", "email": MARIA["email"], **TELEREHAB})

        assert again.messages == ["info: Nobody is to be taken in: the appointment is not waiting for it."]

    def test_goes_back_where_they_came_from(self, cast, mara, booked) -> None:
        back = '<a class="button quiet" href="{}">'

        shown = mara.get(page_of(booked), next="/admin/?date=2026-12-07")
        assert back.format("/admin/?date=2026-12-07") in shown.html
        assert 'name="next" value="/admin/?date=2026-12-07"' in shown.html
        elsewhere = mara.get(page_of(booked), next="https://elsewhere.example/")
        assert back.format(f"/admin/scheduling/appointment/{booked.pk}/change/") in elsewhere.html


class TestAtTheProvider:
    def test_the_login_is_made_in_no_transaction(self, cast, clerk, mara, booked) -> None:
        done = posted(mara, booked, **TELEREHAB)

        assert done.messages == ["success: Maria Ionescu is taken in."]
        assert patient_of(cast, booked).person.user.clerk_user_id == clerk.accounts[0]["id"]

    def test_that_is_down_says_so(self, cast, clerk, mara, booked) -> None:
        clerk.failing = 500

        refused = posted(mara, booked, **TELEREHAB)

        assert refused.status == 200
        assert "The identity provider does not answer: try again." in refused.text
        assert patient_of(cast, booked) is None

    def test_the_login_goes_again_with_what_it_was_for(self, cast, clerk, mara, booked) -> None:
        with keeping({101: "Intake"}) as binder:
            binder.make_missing = Mock(side_effect=Conflict("No paper."))
            refused = posted(mara, booked, **TELEREHAB)

        assert "No paper." in refused.text
        assert [method for method, _, _ in clerk.calls] == ["POST", "DELETE"]
        assert clerk.accounts == []
        assert patient_of(cast, booked) is None
