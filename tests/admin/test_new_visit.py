"""The desk makes a visit: for a patient, for a newcomer, from a free time, and edits one that is there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import time_machine

from apps.profiles.models import ConsentRecord, Patient, PatientPerson
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments as visits
from tests.admin.office import appointment, booking, hold, moment, template
from tests.make.organizations import SYSTEM, within
from tests.make.profiles import patient

ADD = "/admin/scheduling/appointment/add/"
BUCHAREST = ZoneInfo("Europe/Bucharest")

pytestmark = pytest.mark.django_db


@pytest.fixture
def sara(cast):
    return cast.sara.specialist


@pytest.fixture
def offered(cast, sara):
    return template(cast.sud, sara)


def wall(at: datetime) -> str:
    return f"{at.astimezone(BUCHAREST):%Y-%m-%dT%H:%M}"


def form(offered, person, at: datetime, **more) -> dict:
    return {"template": offered.pk, "specialist": person.pk, "started_at": wall(at), **more}


def starts(page) -> list[str]:
    """The times to which a page of free times leads, on the clinic's clock."""
    return [unquote(text) for text in re.findall(r"started_at=([^&]+)&amp;", page.html)]


def made(cast) -> list[Appointment]:
    with within(cast.sud):
        return list(Appointment.objects.select_related("patient__person", "appointment_template").order_by("pk"))


class TestForAPatient:
    def test_books_the_time_of_the_service_with_its_terms(self, cast, office, offered, sara):
        page = office(cast.mara).post(
            ADD, form(offered, sara, moment(9), patient_choice=cast.ana.patient.pk, who="Ana Pop")
        )

        (visit,) = made(cast)
        assert page.messages[0].startswith("success: Booked: Ana Pop")
        assert (visit.patient, visit.specialist_id, visit.status, visit.source) == (
            cast.ana.patient,
            sara.pk,
            "upcoming",
            "template",
        )
        assert (visit.title, visit.started_at, visit.duration.seconds) == ("Consultation", moment(9), 3000)

    def test_goes_back_to_the_day_of_the_visit(self, cast, office, offered, sara):
        ion = office(cast.ion).client
        answer = ion.post(ADD, form(offered, sara, moment(9), patient_choice=cast.ana.patient.pk, who="Ana Pop"))

        assert answer["Location"].startswith(f"/admin/?date={moment(9).astimezone(BUCHAREST).date()}#visit-")

    def test_goes_back_to_the_page_that_led_here_but_to_no_other_host(self, cast, office, offered, sara):
        ion = office(cast.ion).client
        given = form(offered, sara, moment(9), patient_choice=cast.ana.patient.pk, who="Ana Pop")
        assert ion.post(ADD, {**given, "next": "/admin/free/"})["Location"] == "/admin/free/"

        elsewhere = {**given, "started_at": wall(moment(11)), "next": "https://elsewhere.example/"}
        assert ion.post(ADD, elsewhere)["Location"] == "/admin/"

    def test_without_a_service_wants_minutes(self, cast, office, sara):
        given = {
            "specialist": sara.pk,
            "started_at": wall(moment(3)),
            "patient_choice": cast.ana.patient.pk,
            "who": "Ana Pop",
        }
        mara = office(cast.mara)

        assert made(cast) == []
        assert "Without a service say how long the visit lasts." in mara.post(ADD, given).text
        mara.post(ADD, {**given, "minutes": "20", "title": "Phone call"})

        (visit,) = made(cast)
        assert (visit.title, visit.duration.seconds, visit.source, visit.mode) == (
            "Phone call",
            1200,
            "staff",
            "in_person",
        )

    def test_of_another_length_is_the_desks_own(self, cast, office, offered, sara):
        office(cast.mara).post(
            ADD, form(offered, sara, moment(9), minutes="80", patient_choice=cast.ana.patient.pk, who="Ana Pop")
        )

        (visit,) = made(cast)
        assert (visit.source, visit.duration.seconds) == ("staff", 4800)

    def test_says_that_a_time_is_taken_and_keeps_what_was_typed(self, cast, office, offered, sara):
        appointment(cast.sud, sara, offered, moment(9))

        page = office(cast.mara).post(
            ADD, form(offered, sara, moment(9, 10), patient_choice=cast.ana.patient.pk, who="Ana Pop", notes="By phone")
        )

        assert "That time is taken" in page.text
        assert "By phone" in page.html
        assert page.value("patient_choice") == str(cast.ana.patient.pk)
        assert len(made(cast)) == 1

    @pytest.mark.parametrize("choice", ["0", "999999999", "9" * 30, "x", "-1", ""])
    def test_is_never_made_for_a_number_that_is_nobody(self, cast, office, offered, sara, choice):
        page = office(cast.mara).post(ADD, form(offered, sara, moment(9), patient_choice=choice))

        assert "Choose a patient" in page.text
        assert made(cast) == []

    def test_is_not_made_for_another_clinics_patient(self, cast, office, offered, sara):
        page = office(cast.mara).post(ADD, form(offered, sara, moment(9), patient_choice=cast.petra.patient.pk))

        assert "Choose a patient" in page.text
        assert made(cast) == []


class TestWithoutScript:
    def test_what_was_typed_offers_the_patients_that_it_means(self, cast, office, offered, sara):
        mara = office(cast.mara)
        page = mara.post(ADD, form(offered, sara, moment(9), who="pop"))

        assert "Choose which patient is meant." in page.text
        assert f'name="patient_choice" value="{cast.ana.patient.pk}"' in page.html
        assert made(cast) == []

        mara.post(ADD, page.filled(patient_choice=cast.ana.patient.pk))
        assert [visit.patient_id for visit in made(cast)] == [cast.ana.patient.pk]

    def test_a_text_that_was_changed_after_the_choice_asks_again(self, cast, office, offered, sara):
        patient(cast.sud, "Radu Ilie")
        page = office(cast.mara).post(
            ADD, form(offered, sara, moment(9), who="Radu", asked="pop", patient_choice=cast.ana.patient.pk)
        )

        assert "Radu Ilie" in page.text
        assert made(cast) == []

    def test_nobody_found_leads_to_a_new_patient(self, cast, office, offered, sara):
        page = office(cast.mara).post(ADD, form(offered, sara, moment(9), who="Zenobia Albu"))

        assert "Nobody is found by that." in page.text
        assert page.value("new_name") == "Zenobia Albu"
        assert '<details class="newcomer" open>' in page.html


class TestForANewcomer:
    def test_opens_the_file_with_the_consents_of_paper_and_books(self, cast, office, offered, sara):
        office(cast.mara).post(
            ADD,
            form(
                offered, sara, moment(9),
                new_name="Zenobia Albu", new_phone="+40 721 000 222", agreed="on", shares="on",
            ),
        )  # fmt: skip

        (visit,) = made(cast)
        assert visit.patient.person.name == "Zenobia Albu"
        assert visit.patient.person.phone == "+40721000222"
        with within(cast.sud):
            given = ConsentRecord.objects.filter(patient=visit.patient)
            assert {(each.type, each.method) for each in given} == {
                ("privacy_policy", "paper"), ("telerehab_consent", "paper"), ("profile_sharing", "paper"),
            }  # fmt: skip

    def test_is_not_taken_in_without_what_the_clinic_requires(self, cast, office, offered, sara):
        page = office(cast.mara).post(ADD, form(offered, sara, moment(9), new_name="Zenobia Albu"))

        assert "A new patient has to agree to these before the first visit." in page.text
        assert made(cast) == []

    def test_leaves_nothing_behind_when_the_time_is_taken(self, cast, office, offered, sara):
        appointment(cast.sud, sara, offered, moment(9))
        with within(cast.sud):
            before = Patient.objects.count(), PatientPerson.objects.count()

        page = office(cast.mara).post(ADD, form(offered, sara, moment(9), new_name="Zenobia Albu", agreed="on"))

        assert "That time is taken" in page.text
        with within(cast.sud):
            assert (Patient.objects.count(), PatientPerson.objects.count()) == before

    def test_who_is_called_like_a_patient_is_asked_about(self, cast, office, offered, sara):
        mara = office(cast.mara)
        given = form(offered, sara, moment(9), new_name="ana pop", agreed="on")
        page = mara.post(ADD, given)

        assert "Is it the same human?" in page.text
        assert made(cast) == []

        mara.post(ADD, page.filled(patient_choice="new"))
        (visit,) = made(cast)
        assert visit.patient != cast.ana.patient

    def test_may_turn_out_to_be_that_patient(self, cast, office, offered, sara):
        mara = office(cast.mara)
        page = mara.post(ADD, form(offered, sara, moment(9), new_name="Ana Pop", agreed="on"))

        mara.post(ADD, page.filled(patient_choice=cast.ana.patient.pk))

        assert [visit.patient for visit in made(cast)] == [cast.ana.patient]

    def test_is_told_what_is_wrong_with_the_phone(self, cast, office, offered, sara):
        page = office(cast.mara).post(
            ADD, form(offered, sara, moment(9), new_name="Zenobia Albu", new_phone="12", agreed="on")
        )

        assert "start with + and the country code" in page.text
        assert made(cast) == []


class TestThePage:
    def test_is_filled_in_by_its_address(self, cast, office, offered, sara):
        page = office(cast.mara).get(
            ADD, specialist=sara.pk, started_at="2026-11-24T09:00", template=offered.pk, patient=cast.ana.patient.pk
        )

        filled = page.filled()
        assert (filled["specialist"], filled["template"], filled["started_at"]) == (
            str(sara.pk),
            str(offered.pk),
            "2026-11-24T09:00",
        )
        assert (filled["who"], filled["patient_choice"]) == ("Ana Pop", str(cast.ana.patient.pk))

    @pytest.mark.parametrize("name", ["specialist", "template", "started_at", "exactly", "patient", "next"])
    @pytest.mark.parametrize("value", ["x", "9" * 50, "\x00", "2026-13-40T99:99", "-1", "<script>"])
    def test_takes_no_harm_from_an_address(self, cast, office, name, value):
        page = office(cast.mara).get(ADD, **{name: value})

        assert page.status == 200
        assert "<script>" not in page.html.replace("<script>(", "")

    def test_means_the_instant_of_its_link_in_an_hour_that_is_repeated(self, cast, office, offered, sara):
        second = datetime(2027, 10, 31, 1, tzinfo=UTC)  # 03:00 for the second time that night
        given = form(offered, sara, second, patient_choice=cast.ana.patient.pk, who="Ana Pop")
        with time_machine.travel(datetime(2027, 10, 20, 9, tzinfo=UTC)):
            mara = office(cast.mara)
            mara.post(ADD, given)
            assert made(cast) == []

            mara.post(ADD, {**given, "exactly": "2027-10-31T01:00:00Z"})

        assert [visit.started_at for visit in made(cast)] == [second]

    def test_offers_a_specialist_nobody_else(self, cast, office, offered):
        tudor = cast.tudor.specialist
        page = office(cast.sara).get(ADD)
        assert page.options("specialist")[1:] == ["Dr. Sara Marin"]

        office(cast.sara).post(ADD, form(offered, tudor, moment(9), patient_choice=cast.ana.patient.pk, who="Ana Pop"))
        assert made(cast) == []

    def test_is_not_for_patients_or_for_all_clinics(self, cast, office):
        assert office(cast.root).get(ADD).status == 403


class TestSuggestions:
    def test_are_patients_of_the_clinic_with_what_tells_them_apart(self, cast, office):
        told = office(cast.mara).client.get("/admin/free/patients/", {"q": "ana"}).json()

        assert told["patients"] == [
            {"id": cast.ana.patient.pk, "name": "Ana Pop", "detail": f"No. {cast.ana.patient.pk}"}
        ]
        assert office(cast.nora).client.get("/admin/free/patients/", {"q": "ana"}).json()["patients"] == []

    @pytest.mark.parametrize("text", ["", "a", "\x00\x00", "%" * 300, "'; --"])
    def test_of_anything_else_are_none(self, cast, office, text):
        assert office(cast.mara).client.get("/admin/free/patients/", {"q": text}).json()["patients"] == []


class TestEditing:
    def page(self, visit):
        return f"/admin/scheduling/appointment/{visit.pk}/change/"

    def test_changes_the_details_and_announces_once(self, cast, office, offered, sara):
        visit = appointment(cast.sud, sara, offered, moment(9))
        mara = office(cast.mara)

        page = mara.post(
            self.page(visit), mara.get(self.page(visit)).filled(title="Control", notes="Knee", location="Room 2")
        )

        (now,) = made(cast)
        assert page.messages[0].startswith("success")
        assert (now.title, now.notes, now.location) == ("Control", "Knee", "Room 2")

    def test_corrects_the_contact_of_a_booking(self, cast, office, offered, sara):
        visit = booking(cast.sud, offered, moment(9))
        mara = office(cast.mara)

        mara.post(
            self.page(visit),
            mara.get(self.page(visit)).filled(contact_phone="+40 722 111 222", contact_email="m@example.org"),
        )

        (now,) = made(cast)
        assert (now.contact_phone, now.contact_email, now.contact_name) == (
            "+40722111222",
            "m@example.org",
            "Maria Ionescu",
        )

    def test_of_a_page_that_is_stale_saves_nothing(self, cast, office, offered, sara):
        visit = appointment(cast.sud, sara, offered, moment(9))
        mara = office(cast.mara)
        stale = mara.get(self.page(visit)).filled(notes="Mine")
        office(cast.ion).post(self.page(visit), office(cast.ion).get(self.page(visit)).filled(notes="Theirs"))

        page = mara.post(self.page(visit), stale)

        assert "Somebody changed this while you had it open." in page.text
        assert made(cast)[0].notes == "Theirs"

    def test_of_one_that_is_over_leaves_the_notes_only(self, cast, office, offered, sara):
        visit = appointment(cast.sud, sara, offered, moment(9))
        with within(cast.sud):
            visits.cancel(visit, by=SYSTEM, reason="ill")
        mara = office(cast.mara)
        filled = mara.get(self.page(visit)).filled()
        assert {"title", "mode", "location"}.isdisjoint(filled)

        mara.post(self.page(visit), {**filled, "notes": "Called back", "title": "Other"})

        (now,) = made(cast)
        assert (now.notes, now.title) == ("Called back", "Consultation")

    def test_of_another_specialists_visit_is_not_found(self, cast, office, offered):
        visit = appointment(cast.sud, cast.tudor.specialist, offered, moment(9))

        assert office(cast.sara).get(self.page(visit)).status == 404


class TestFreeTimes:
    def test_are_the_next_ones_and_lead_to_the_visit(self, cast, office, offered, sara):
        with time_machine.travel(datetime(2027, 3, 1, 6, tzinfo=UTC), tick=False):
            page = office(cast.mara).get("/admin/free/")

        assert "09:00 –09:50" in page.text  # one service: it is chosen by itself
        assert starts(page) == [f"2027-03-01T{hour}:00" for hour in ("09", "10", "11", "12", "13")]
        assert f"specialist={sara.pk}" in page.html

    def test_leave_out_what_is_booked_and_held(self, cast, office, offered, sara, monday):
        appointment(cast.sud, sara, offered, monday)
        hold(cast.sud, offered, monday + timedelta(hours=1))

        page = office(cast.mara).get("/admin/free/", service=offered.pk, **{"from": monday.date().isoformat()})

        assert starts(page)[0] == wall(monday - timedelta(hours=1))
        assert starts(page)[1] == wall(monday + timedelta(hours=2))

    def test_ignore_notice_and_horizon_and_say_so(self, cast, office, sara):
        offered = template(cast.sud, sara, name="Long ahead", min_notice_minutes=43_200, horizon_days=1)
        page = office(cast.mara).get("/admin/free/", service=offered.pk)

        assert page.text.count("desk only: patients cannot book it") == 5

    def test_of_several_services_begin_with_the_choice(self, cast, office, offered, sara):
        other = template(cast.sud, sara, name="Massage")
        page = office(cast.mara).get("/admin/free/")

        assert f'href="?service={other.pk}"' in page.html
        assert starts(page) == []

    def test_of_nobody_are_an_empty_state(self, cast, office):
        lonely = template(cast.sud, name="Nobody's")

        assert "Nothing is free in the half year" in office(cast.mara).get("/admin/free/", service=lonely.pk).text

    def test_of_a_specialist_are_their_own(self, cast, office, sara):
        both = template(cast.sud, sara, cast.tudor.specialist)
        page = office(cast.sara).get("/admin/free/", service=both.pk, specialist=cast.tudor.specialist.pk)

        assert "Tudor Pop" not in page.text

    @pytest.mark.parametrize("name", ["service", "specialist", "from", "patient"])
    @pytest.mark.parametrize("value", ["x", "9" * 50, "\x00", "9999-12-31", "0001-01-01", "²"])
    def test_take_no_harm_from_an_address(self, cast, office, offered, name, value):
        assert office(cast.mara).get("/admin/free/", **{"service": offered.pk, name: value}).status == 200


def test_a_stranger_is_not_let_in(db, client):
    for path in (ADD, "/admin/free/", "/admin/free/patients/", "/admin/why/"):
        assert client.get(path)["Location"].startswith("/admin/login/")
