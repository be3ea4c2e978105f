"""Custom fields in the back office: definitions with options and rules, versions, values, a patient's sheet."""

from __future__ import annotations

import pytest

from apps.forms.models import CustomField, CustomFieldValue
from apps.forms.services import custom_fields
from apps.organizations.models import AuditEntry
from tests.make.organizations import SYSTEM, within

LIST = "/admin/forms/customfield/"


@pytest.fixture
def ion(cast, office):
    """An admin of the clinic at work."""
    return office(cast.ion)


def field(key: str) -> CustomField:
    return CustomField.objects.alive().get(key=key)


def make(clinic, key: str, kind: str, **more) -> CustomField:
    with within(clinic):
        return custom_fields.create(
            by=SYSTEM, entity_type="patient", key=key, label=key.title(), field_type=kind, **more
        )


def fields_of(cast) -> str:
    return f"/admin/patients/{cast.ana.patient.pk}/fields/"


SIDES = [{"value": "left", "label": "Left side"}, {"value": "right", "label": "Right side"}]


class TestDefinitions:
    def test_are_added_with_options_and_rules(self, ion, cast):
        form = ion.get(f"{LIST}add/").filled(
            entity_type="patient", key="sides", label="Sides", field_type="checkbox",
            options="left = Left side\r\n\r\nRight", rule_min_items="1",
        )  # fmt: skip

        page = ion.post(f"{LIST}add/", form)

        assert [message for message in page.messages if message.startswith("error")] == []
        with within(cast.sud):
            made = field("sides")
            assert made.options == [{"value": "left", "label": "Left side"}, {"value": "right", "label": "Right"}]
            assert made.validation == {"min_items": 1}
            assert (made.sort_order, made.version) == (30, 1)

    def test_are_changed_into_new_versions(self, ion, cast):
        made = make(cast.sud, "pain", "number", validation={"min": 0, "max": 10})
        address = f"{LIST}{made.pk}/change/"
        page = ion.get(address)
        assert (page.value("rule_min"), page.value("rule_max")) == ("0", "10")

        page = ion.post(address, page.filled(rule_max="100", label="How much pain"))

        with within(cast.sud):
            assert field("pain").validation == {"min": 0, "max": 100}
            assert field("pain").version == 2
        assert "How much pain" in ion.get(address).text
        assert "Versions" in ion.get(address).text

    def test_a_stale_page_saves_nothing(self, ion, cast):
        made = make(cast.sud, "pain", "number")
        address = f"{LIST}{made.pk}/change/"
        stale = ion.get(address).filled(label="Mine")
        ion.post(address, ion.get(address).filled(label="Theirs"))

        page = ion.post(address, stale)

        assert "Somebody changed this while you had it open" in page.text
        with within(cast.sud):
            assert field("pain").label == "Theirs"

    def test_show_what_the_service_refuses_where_it_belongs(self, ion, cast):
        made = make(cast.sud, "pain", "number", validation={"min": 0, "max": 10})
        address = f"{LIST}{made.pk}/change/"

        page = ion.post(address, ion.get(address).filled(rule_min="50"))

        assert "must not be more than max" in page.text
        with within(cast.sud):
            assert field("pain").validation["min"] == 0

    def test_an_option_in_use_is_kept(self, ion, cast):
        made = make(cast.sud, "side", "select", options=SIDES)
        ion.post(fields_of(cast), ion.get(fields_of(cast)).filled(value_side="left"))
        address = f"{LIST}{made.pk}/change/"

        page = ion.post(address, ion.get(address).filled(options="right = Right side"))

        assert "Somebody has chosen an option" in page.text

    def test_fields_of_every_clinic_cannot_be_deleted(self, ion, cast):
        with within(cast.sud):
            system = field("tax_id")

        assert f"{LIST}{system.pk}/delete/" not in ion.get(f"{LIST}{system.pk}/change/").html
        assert ion.post(f"{LIST}{system.pk}/delete/").status == 403

    def test_are_read_only_for_the_desk(self, cast, office):
        mara = office(cast.mara)

        assert "Legal name" in mara.get(LIST).text or "Denumire" in mara.get(LIST).text
        assert mara.get(f"{LIST}add/").status == 403


class TestAPatientsFields:
    def test_are_written_and_shown_on_the_sheet(self, ion, cast):
        make(cast.sud, "side", "select", options=SIDES)
        make(cast.sud, "sides", "checkbox", options=SIDES)
        make(cast.sud, "pain", "number")
        make(cast.sud, "since", "date", is_private=True)

        page = ion.post(
            fields_of(cast),
            ion.get(fields_of(cast)).filled(
                value_side="left", value_sides=["left", "right"], value_pain="4.5", value_since="2026-03-01"
            ),
        )

        assert "Left side, Right side" in page.text
        assert "4.5" in page.text
        assert "staff only" in page.text
        with within(cast.sud):
            kept = {value.custom_field.key: value.value for value in CustomFieldValue.objects.all()}
        assert kept == {"side": "left", "sides": ["left", "right"], "pain": 4.5, "since": "2026-03-01"}

    def test_say_what_is_wrong_with_a_value(self, ion, cast):
        make(cast.sud, "pain", "number", validation={"max": 10})
        make(cast.sud, "mobile", "phone")

        page = ion.post(fields_of(cast), ion.get(fields_of(cast)).filled(value_pain="11", value_mobile="0722123456"))

        assert "at most 10 expected" in page.text
        assert "start with + and the country code" in page.text
        with within(cast.sud):
            assert CustomFieldValue.objects.count() == 0

    def test_opening_them_is_on_record(self, ion, cast):
        ion.get(fields_of(cast))

        with within(cast.sud):
            read = AuditEntry.objects.filter(action="READ", patient_id=cast.ana.patient.pk)
            assert [row.actor_name for row in read] == ["Ion Admin"]

    def test_are_nobodys_at_another_clinic(self, cast, office):
        assert office(cast.nora).get(fields_of(cast)).status == 404


class TestTheListOfValues:
    def test_masks_what_is_private(self, ion, cast):
        make(cast.sud, "open", "text")
        make(cast.sud, "secret", "text", is_private=True)
        ion.post(fields_of(cast), ion.get(fields_of(cast)).filled(value_open="to be read", value_secret="not to be"))

        page = ion.get("/admin/forms/customfieldvalue/")

        assert "to be read" in page.text
        assert "not to be" not in page.text
        assert "Ana Pop" in page.text

    def test_is_for_admins(self, cast, office):
        assert office(cast.mara).get("/admin/forms/customfieldvalue/").status == 403
