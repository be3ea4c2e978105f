"""What the public operations make of callers and parameters at the edge: scheduling.md 3.4 and 4."""

from __future__ import annotations

import pytest

from tests.scheduling.world import CONTACT, Api, Clinic, hold, next_weekday, z

pytestmark = pytest.mark.django_db

CONSENTS = [{"type": "privacy_policy"}]


def test_a_member_who_is_no_patient_yet_books_as_a_visitor_does() -> None:
    clinic = Clinic.make(settings={"required_consents": ["privacy_policy"]})
    newcomer = clinic.member("patient")
    held = hold(newcomer, clinic.template(60), z(next_weekday(0))).data
    body = {"hold_id": held["hold_id"], "consents": CONSENTS}

    refused = newcomer.post("/v1/scheduling/book", body, X_Hold_Token=held["hold_token"])
    booked = newcomer.post("/v1/scheduling/book", {**body, "contact": CONTACT}, X_Hold_Token=held["hold_token"])

    assert list(refused.error["details"]["fields"]) == ["contact"]
    assert (booked.status, booked.data["status"]) == (201, "booked")


def test_the_clinic_of_the_offered_templates_has_to_be_named() -> None:
    clinic = Clinic.make()
    slug = clinic.organization.slug

    for query, header in (("", None), ("?organization=", None), ("?organization=", str(clinic.organization.pk))):
        api = Api({"X-Organization-ID": header} if header else {})
        answer = api.get(f"/v1/public/appointment-templates{query}")
        assert (answer.status, list(answer.error["details"]["fields"])) == (422, ["organization"])
    assert Api().get(f"/v1/public/appointment-templates?organization={slug}").status == 200
