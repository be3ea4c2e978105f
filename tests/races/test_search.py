"""What patients are found by, while two clinics write at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from apps.profiles.models import PatientSearch
from apps.profiles.services import patients, persons
from tests.make.organizations import SYSTEM, within

pytestmark = [pytest.mark.usefixtures("committed_db")]


def test_a_file_opened_while_the_person_is_renamed_is_found_by_the_new_name(cast) -> None:
    person = cast.petra.patient.person
    renamed, opening = threading.Event(), threading.Event()

    def rename() -> None:
        with within(cast.nord), transaction.atomic():
            persons.change(person, by=SYSTEM, name="Petra Nouă")
            renamed.set()
            opening.wait(10)
            threading.Event().wait(0.3)  # the other one is on its way by now
        connections.close_all()

    def open_file() -> None:
        renamed.wait(10)
        opening.set()
        with within(cast.sud):
            patients.open_file(person.pk, by=SYSTEM)
        connections.close_all()

    with ThreadPoolExecutor(2) as crowd:
        for done in [crowd.submit(rename), crowd.submit(open_file)]:
            done.result(30)

    for clinic in (cast.sud, cast.nord):
        with within(clinic):
            words = PatientSearch.objects.get(patient__person=person).open_words
        assert words.startswith("petra noua")
