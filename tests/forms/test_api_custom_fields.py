"""Custom fields over the API (contract/forms.md 1.5, 2.3, scenario 10)."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from apps.forms.models import CustomField, CustomFieldValue
from apps.organizations.models import AuditEntry
from tests.make.organizations import organization as make_organization
from tests.make.organizations import within
from tests.races.crowd import at_once

PATH = "/v1/custom-fields"
PAIN = {
    "entity_type": "patient",
    "key": "pain_level",
    "label": "Pain (0-10)",
    "field_type": "number",
    "validation": {"min": 0, "max": 10, "decimals": 0},
}
SIDE = {
    "entity_type": "patient",
    "key": "side",
    "label": "Side",
    "field_type": "select",
    "options": [{"value": "l", "label": "Left"}, {"value": "r", "label": "Right"}],
}


def one(field) -> str:
    return f"{PATH}/{field['id']}"


def fill(api, cast, **values) -> None:
    assert api(cast.ion).put(f"/v1/patients/{cast.ana.patient.pk}/profile", {"values": values}).status == 200


def test_are_made_as_in_the_contract(cast, api):
    made = api(cast.ion).post(PATH, PAIN)

    assert made.status == 201
    assert made.headers["Location"] == one(made.data)
    assert set(made.data) == {
        "id", "organization_id", "entity_type", "key", "label", "field_type", "options", "validation", "description",
        "is_private", "sort_order", "system_key", "version", "created_at", "updated_at",
    }  # fmt: skip
    assert made.data.items() >= {
        "organization_id": cast.sud.pk, **PAIN, "options": [], "description": "", "is_private": False,
        "sort_order": 30, "system_key": None, "version": 1,
    }.items()  # fmt: skip
    assert api(cast.mara).get(one(made.data)).data["key"] == "pain_level"
    assert api(cast.nora).get(one(made.data)).status == 404


def test_a_new_clinic_has_exactly_six(cast, api):
    found = api(cast.ion).get(PATH).data

    assert [(each["entity_type"], each["key"], each["field_type"], each["is_private"]) for each in found] == [
        ("appointment", "visit_reason", "textarea", False),
        ("organization", "legal_name", "text", False),
        ("organization", "tax_id", "text", False),
        ("patient", "referring_doctor", "text", False),
        ("patient", "primary_diagnosis", "textarea", True),
        ("specialist", "professional_code", "text", False),
    ]
    assert all(each["system_key"] == each["key"] and each["version"] == 1 for each in found)
    assert [len(api(cast.ion).get(f"{one(each)}/versions").data) for each in found] == [1] * 6


def test_a_clinic_opened_over_the_api_has_them_at_once(cast, api):
    opened = api(cast.root).post("/v1/organizations", {"name": "Clinica Vest", "slug": "clinica-vest"})
    assert opened.status == 201

    found = api(cast.root, opened.data["id"]).get(PATH)

    assert len(found.data) == 6
    assert {each["organization_id"] for each in found.data} == {opened.data["id"]}


def test_the_system_fields_speak_the_language_of_the_clinic(cast):
    clinic = make_organization("clinica-est", locale="en")

    with within(clinic):
        assert CustomField.objects.get(key="tax_id").label == "Tax number"


def test_are_written_by_admins_and_read_by_members(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data

    for person in (cast.mara, cast.sara, cast.ana):
        assert api(person).post(PATH, PAIN).status == 403
        assert api(person).put(one(made), {"label": "x"}).status == 403
        assert api(person).delete(one(made)).status == 403
    assert api().get(PATH).status == 401
    assert api(cast.root).post(PATH, PAIN).code == "organization_required"


def test_patients_read_the_open_fields_of_patients_alone(cast, api):
    open_field = api(cast.ion).post(PATH, PAIN).data
    hidden = api(cast.ion).post(PATH, {**SIDE, "is_private": True}).data

    assert [each["key"] for each in api(cast.ana).get(PATH).data] == ["referring_doctor", "pain_level"]
    assert api(cast.ana).get(one(open_field)).status == 200
    assert api(cast.ana).get(f"{PATH}?is_private=true").data == []
    assert api(cast.ana).get(one(hidden)).status == 404
    assert api(cast.ana).put(one(hidden), {"label": "x"}).status == 404
    assert api(cast.ana).get(f"{one(open_field)}/versions").status == 403
    assert api(cast.ana).get(f"{one(hidden)}/versions").status == 404


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"key": "Pain"}, "key"),
        ({"key": "1a"}, "key"),
        ({"key": "a" * 64}, "key"),
        ({"label": " "}, "label"),
        ({"label": "a" * 201}, "label"),
        ({"entity_type": "clinic"}, "entity_type"),
        ({"field_type": "text_list"}, "field_type"),
        ({"field_type": "file"}, "field_type"),
        ({"sort_order": 10_001}, "sort_order"),
        ({"description": "a" * 1001}, "description"),
        ({"options": [{"value": "a", "label": "A"}]}, "options"),
        ({"field_type": "select"}, "options"),
        ({"validation": {"min": 10, "max": 0}}, "validation.min"),
        ({"validation": {"minimum": 1}}, "validation.minimum"),
        ({"version": 2}, "version"),
        ({"system_key": "x"}, "system_key"),
    ],
)
def test_name_the_value_that_is_wrong(cast, api, change, path):
    body = {**PAIN, **change}
    if change.get("field_type"):
        body.pop("validation")

    assert list(api(cast.ion).post(PATH, body).fields) == [path]


def test_need_entity_key_label_and_type(cast, api):
    assert list(api(cast.ion).post(PATH, {}).fields) == ["key", "label", "field_type", "entity_type"]


def test_keep_their_entity(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data

    assert list(api(cast.ion).put(one(made), {"entity_type": "specialist"}).fields) == ["entity_type"]


def test_keys_are_free_again_once_the_field_is_removed(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    taken = api(cast.ion).post(PATH, PAIN)

    assert (taken.status, taken.code, taken.details) == (
        409, "conflict", {"field": "key", "error": "already taken"},
    )  # fmt: skip
    assert api(cast.ion).post(PATH, {**PAIN, "entity_type": "specialist"}).status == 201
    assert api(cast.ion).delete(one(made)).status == 204
    assert api(cast.ion).get(one(made)).status == 404
    assert api(cast.ion).delete(one(made)).status == 404
    assert api(cast.ion).post(PATH, PAIN).status == 201


def test_a_key_that_is_taken_is_refused_on_change_too(cast, api):
    api(cast.ion).post(PATH, PAIN)
    side = api(cast.ion).post(PATH, SIDE).data

    assert api(cast.ion).put(one(side), {"key": "pain_level"}).details["field"] == "key"
    assert api(cast.ion).put(one(side), {"key": "body_side"}).data["version"] == 1


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({"label": "How much pain"}, 2),
        ({"validation": {"min": 0, "max": 100}}, 2),
        ({"is_private": True}, 2),
        ({"field_type": "text"}, 2),
        ({"key": "pain", "description": "Now", "sort_order": 5}, 1),
        ({"label": "Pain (0-10)"}, 1),
        ({}, 1),
    ],
)
def test_a_new_version_is_made_by_what_versions_keep(cast, api, change, version):
    made = api(cast.ion).post(PATH, PAIN).data

    changed = api(cast.ion).put(one(made), change).data

    assert changed["version"] == version
    assert changed.items() >= change.items()
    kept = api(cast.sara).get(f"{one(made)}/versions")
    assert [each["version"] for each in kept.data] == list(range(version, 0, -1))
    assert kept.data[-1].items() >= {
        "label": "Pain (0-10)", "field_type": "number", "options": [], "validation": PAIN["validation"],
        "is_private": False, "created_by": {"id": cast.ion.user.pk, "name": "Ion Admin"},
    }.items()  # fmt: skip
    assert kept.json["pagination"]["total"] == version


def test_a_version_cannot_be_changed_or_deleted_by_anybody(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data

    for statement in ("UPDATE forms_customfieldversion SET label = 'x'", "DELETE FROM forms_customfieldversion"):
        with within(cast.sud), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"{statement} WHERE custom_field_id = %s", [made["id"]])


def test_an_option_that_is_used_stays(cast, api):
    made = api(cast.ion).post(PATH, SIDE).data
    fill(api, cast, side="l")

    dropped = api(cast.ion).put(one(made), {"options": SIDE["options"][1:]})

    assert (dropped.status, dropped.code, dropped.details) == (409, "option_in_use", {"option": "l", "count": 1})
    assert api(cast.ion).put(one(made), {"options": SIDE["options"][:1]}).data["version"] == 2


def test_an_option_of_a_checkbox_that_is_used_stays(cast, api):
    made = api(cast.ion).post(PATH, {**SIDE, "field_type": "checkbox"}).data
    fill(api, cast, side=["r", "l"])

    dropped = api(cast.ion).put(one(made), {"options": SIDE["options"][1:]})

    assert (dropped.code, dropped.details) == ("option_in_use", {"option": "l", "count": 1})


@pytest.mark.parametrize(
    ("body", "value", "change", "becomes"),
    [
        (SIDE, "l", {"field_type": "radio"}, "l"),
        (SIDE, "l", {"field_type": "checkbox"}, ["l"]),
        (SIDE, "l", {"field_type": "text"}, "l"),
        (PAIN, 7, {"field_type": "text"}, "7"),
        ({**PAIN, "field_type": "textarea", "validation": {}}, "a", {"field_type": "text"}, "a"),
        ({**PAIN, "field_type": "phone", "validation": {}}, "+40722123456", {"field_type": "text"}, "+40722123456"),
    ],
)
def test_values_follow_the_type(cast, api, body, value, change, becomes):
    made = api(cast.ion).post(PATH, body).data
    fill(api, cast, **{body["key"]: value})

    changed = api(cast.ion).put(one(made), change)

    assert changed.status == 200, changed.content
    assert (changed.data["field_type"], changed.data["version"]) == (change["field_type"], 2)
    with within(cast.sud):
        assert CustomFieldValue.objects.get(custom_field_id=made["id"]).value == becomes


def test_a_type_that_values_cannot_follow_is_refused(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    select = {"field_type": "select", "options": SIDE["options"]}
    fill(api, cast, pain_level=7)

    refused = api(cast.ion).put(one(made), select)

    assert (refused.status, refused.code, refused.details) == (409, "values_not_convertible", {"count": 1})
    assert api(cast.ion).get(one(made)).data["field_type"] == "number"
    fill(api, cast, pain_level=None)
    assert api(cast.ion).put(one(made), select).data["field_type"] == "select"


def test_one_value_that_does_not_fit_refuses_the_type(cast, api):
    body = {**PAIN, "field_type": "textarea", "validation": {}}
    made = api(cast.ion).post(PATH, body).data
    fill(api, cast, pain_level="one\ntwo")

    refused = api(cast.ion).put(one(made), {"field_type": "text"})

    assert (refused.code, refused.details) == ("values_not_convertible", {"count": 1})


def test_tighter_rules_leave_values_alone(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    fill(api, cast, pain_level=7)

    assert api(cast.ion).put(one(made), {"validation": {"max": 5}}).status == 200
    values = api(cast.ion).get(f"/v1/patients/{cast.ana.patient.pk}/profile").data["values"]
    assert [each["value"] for each in values if each["key"] == "pain_level"] == [7]


def test_a_system_field_is_renamed_but_neither_retyped_nor_removed(cast, api):
    system = next(each for each in api(cast.ion).get(f"{PATH}?key=referring_doctor").data)

    assert api(cast.ion).put(one(system), {"field_type": "textarea"}).code == "system_field"
    assert api(cast.ion).delete(one(system)).code == "system_field"
    renamed = api(cast.ion).put(one(system), {"label": "Sent by", "key": "sent_by"}).data
    assert renamed.items() >= {"key": "sent_by", "system_key": "referring_doctor", "version": 2}.items()


def test_are_found_and_sorted(cast, api):
    api(cast.ion).post(PATH, PAIN)
    api(cast.ion).post(PATH, SIDE)

    def keys(query: str) -> list[str]:
        return [each["key"] for each in api(cast.ion).get(f"{PATH}?{query}").data]

    assert keys("entity_type=patient&sort=-sort_order")[:2] == ["side", "pain_level"]
    assert keys("field_type=number,select") == ["pain_level", "side"]
    assert keys("is_private=true") == ["primary_diagnosis"]
    assert keys("search=PAIN") == ["pain_level"]
    assert keys("key=side") == ["side"]
    assert api(cast.ion).get(f"{PATH}?sort=version").status == 422
    assert api(cast.ion).get(f"{PATH}?deleted=true").status == 422


def test_a_stale_etag_is_refused(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    etag = api(cast.ion).get(one(made)).headers["ETag"]
    api(cast.ion).put(one(made), {"label": "x"})

    assert api(cast.ion).put(one(made), {"label": "y"}, if_match=etag).status == 412


def test_changes_are_audited(cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    fill(api, cast, pain_level=7)

    with within(cast.sud):
        rows = AuditEntry.objects.filter(entity_type="custom_field_value", patient_id=cast.ana.patient.pk)
        assert [row.changes["value"]["new"] for row in rows] == [7]
        assert AuditEntry.objects.filter(entity_type="custom_field", entity_id=str(made["id"])).count() == 1


def test_changes_at_the_same_moment_give_consecutive_versions(committed_db, cast, api):
    made = api(cast.ion).post(PATH, PAIN).data
    calls = [lambda n=n: api(cast.ion).put(one(made), {"label": f"Pain {n}"}) for n in range(6)]

    answers = at_once(calls)

    assert sorted(each.data["version"] for each in answers) == list(range(2, 8))
    kept = api(cast.ion).get(f"{one(made)}/versions").data
    assert [each["version"] for each in kept] == list(range(7, 0, -1))
