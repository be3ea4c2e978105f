"""Custom field values over the API (contract/profiles.md 2.1, 2.2, scenario 13; contract/forms.md, scenario 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.forms.models import CustomField, CustomFieldValue
from apps.forms.services import custom_fields
from apps.organizations.models import AuditEntry, Fact
from apps.profiles.models import PatientPersonManager
from restartix.kernel import clock
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within
from tests.races.crowd import at_once

OPTIONS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]


@pytest.fixture
def fields(cast):
    """Fields of patients at the clinic of the cast, one of each kind that the scenarios speak of."""
    with within(cast.sud):
        for key, kind, options, private in (
            ("per_day", "number", [], False),
            ("born", "date", [], False),
            ("mobile", "phone", [], False),
            ("side", "select", OPTIONS, False),
            ("sides", "checkbox", OPTIONS, False),
            ("secret", "text", [], True),
        ):
            rules = {"min": 1, "max": 100, "decimals": 0} if kind == "number" else {}
            custom_fields.create(
                by=SYSTEM, entity_type="patient", key=key, label=key, field_type=kind, options=options,
                validation=rules, is_private=private,
            )  # fmt: skip
        custom_fields.create(by=SYSTEM, entity_type="specialist", key="room", label="Room", field_type="text")
        custom_fields.create(
            by=SYSTEM, entity_type="specialist", key="rate", label="Rate", field_type="number", is_private=True
        )


def path(cast) -> str:
    return f"/v1/patients/{cast.ana.patient.pk}/profile"


def of(answer) -> dict:
    return {each["key"]: each["value"] for each in answer.data["values"]}


def care(cast, name: str, permissions: str):
    """A caregiver of Ana."""
    user = make.user(name)
    make.member(cast.sud, user, "patient")
    today = clock.now().date() - timedelta(days=1)
    with within(cast.sud):
        PatientPersonManager.objects.create(
            patient=cast.ana.patient, user=user, relation="parent", permissions=permissions, valid_from=today,
            created_by=user,
        )  # fmt: skip
    return user


def test_show_every_field_in_its_order(cast, api, fields):
    profile = api(cast.ion).get(path(cast))

    assert profile.data["patient_id"] == cast.ana.patient.pk
    assert set(profile.data) == {"patient_id", "values"}
    assert [each["key"] for each in profile.data["values"]] == [
        "referring_doctor", "primary_diagnosis", "per_day", "born", "mobile", "side", "sides", "secret",
    ]  # fmt: skip
    assert profile.data["values"][5].items() == {
        "custom_field_id": profile.data["values"][5]["custom_field_id"], "key": "side", "label": "side",
        "field_type": "select", "options": OPTIONS, "is_private": False, "value": None, "updated_at": None,
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("per_day", 20, 20),
        ("born", "2028-02-29", "2028-02-29"),
        ("mobile", "0040 (722) 123-456", "+40722123456"),
        ("sides", ["b", "a"], ["a", "b"]),
        ("referring_doctor", "  Dr. S\u0326erban ", "Dr. \u0218erban"),
    ],
)
def test_keep_what_the_field_takes(cast, api, fields, key, value, kept):
    written = api(cast.ana).put(path(cast), {"values": {key: value}})

    assert of(written)[key] == kept
    assert of(api(cast.ion).get(path(cast)))[key] == kept


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("per_day", "20"),
        ("per_day", "7"),
        ("per_day", True),
        ("per_day", 1.5),
        ("per_day", 0),
        ("per_day", 101),
        ("born", "2027-02-29"),
        ("mobile", "0722123456"),
        ("side", "c"),
        ("sides", ["b", "a", "b"]),
        ("sides", ["a", "a"]),
        ("referring_doctor", ["x"]),
    ],
)
def test_refuse_what_the_field_does_not_take(cast, api, fields, key, value):
    assert list(api(cast.ion).put(path(cast), {"values": {key: value}}).fields) == [f"values.{key}"]


def test_one_wrong_value_refuses_all(cast, api, fields):
    wrong = api(cast.ion).put(path(cast), {"values": {"per_day": 7, "side": "z", "nonsense": 1}})

    assert wrong.fields == {"values.side": ["one of the options is expected"], "values.nonsense": ["unknown field"]}
    assert of(api(cast.ion).get(path(cast)))["per_day"] is None


def test_an_empty_value_clears_and_what_is_not_sent_stays(cast, api, fields):
    api(cast.ion).put(path(cast), {"values": {"per_day": 7, "side": "a", "sides": ["a"], "secret": "x"}})

    cleared = api(cast.ion).put(path(cast), {"values": {"side": "", "sides": [], "secret": None}})

    assert of(cleared) == {
        "referring_doctor": None, "primary_diagnosis": None, "per_day": 7, "born": None, "mobile": None, "side": None,
        "sides": None, "secret": None,
    }  # fmt: skip
    with within(cast.sud):
        assert CustomFieldValue.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path_of_problem"),
    [
        ({}, "values"),
        ({"values": {}}, "values"),
        ({"values": []}, "values"),
        ({"values": {f"k{n}": None for n in range(201)}}, "values"),
        ({"values": {"per_day": 1}, "source": "import"}, "source"),
    ],
)
def test_need_one_to_two_hundred_keys(cast, api, fields, body, path_of_problem):
    assert list(api(cast.ion).put(path(cast), body).fields) == [path_of_problem]


def test_a_private_field_does_not_exist_for_the_patient(cast, api, fields):
    api(cast.ion).put(path(cast), {"values": {"secret": "x"}})
    unknown = api(cast.ana).put(path(cast), {"values": {"nonsense": 1}})
    private = api(cast.ana).put(path(cast), {"values": {"secret": 1}})

    assert "secret" not in of(api(cast.ana).get(path(cast)))
    assert unknown.fields == {"values.nonsense": ["unknown field"]}
    assert private.fields == {"values.secret": ["unknown field"]}
    assert of(api(cast.sara).get(path(cast)))["secret"] == "x"


def test_are_written_by_the_patient_and_all_staff(cast, api, fields):
    other = profiles.patient(cast.sud, "Dan Pop", user=make.user("Dan Pop"))
    make.member(cast.sud, other.person.user, "patient")

    for person in (cast.ana, cast.sara, cast.mara, cast.ion, cast.root):
        assert api(person).put(path(cast), {"values": {"per_day": 5}}).status == 200
        assert api(person).patch(path(cast), {"values": {"per_day": 6}}).status == 200
        assert api(person).get(path(cast)).status == 200
    for stranger in (other.person.user, cast.nora):
        assert api(stranger).get(path(cast)).status == 404
        assert api(stranger).put(path(cast), {"values": {"per_day": 5}}).status == 404


def test_a_caregiver_reads_with_view_and_writes_with_manage(cast, api, fields):
    viewer, manager = care(cast, "Vio Pop", "view"), care(cast, "Max Pop", "manage")

    assert "secret" not in of(api(viewer).get(path(cast)))
    assert api(viewer).put(path(cast), {"values": {"per_day": 5}}).status == 403
    assert of(api(manager).put(path(cast), {"values": {"per_day": 5}}))["per_day"] == 5
    assert list(api(manager).put(path(cast), {"values": {"secret": "x"}}).fields) == ["values.secret"]


def test_a_change_is_told_once_a_request_and_nothing_is_told_of_none(cast, api, fields):
    def told() -> int:
        with within(cast.sud):
            return Fact.objects.filter(name="patient.updated").count()

    before = told()
    api(cast.ion).put(path(cast), {"values": {"per_day": 5, "side": "a"}})
    assert told() == before + 1
    api(cast.ion).put(path(cast), {"values": {"per_day": 5, "side": "a"}})
    api(cast.ion).put(path(cast), {"values": {"per_day": 6, "side": "z"}})
    assert told() == before + 1


def test_reading_is_on_record_but_the_patients_own(cast, api, fields):
    def reads() -> list[str]:
        with within(cast.sud):
            rows = AuditEntry.objects.filter(action="READ", patient_id=cast.ana.patient.pk).order_by("at")
            return [row.actor_name for row in rows]

    api(cast.ana).get(path(cast))
    api(cast.mara).get(path(cast))

    assert reads() == ["Mara Stan"]


def test_a_removed_field_is_shown_and_known_no_more(cast, api, fields):
    api(cast.ion).put(path(cast), {"values": {"side": "a"}})
    with within(cast.sud):
        custom_fields.remove(CustomField.objects.get(key="side"), by=SYSTEM)

    assert "side" not in of(api(cast.ion).get(path(cast)))
    assert list(api(cast.ion).put(path(cast), {"values": {"side": "a"}}).fields) == ["values.side"]
    with within(cast.sud):
        assert CustomFieldValue.objects.count() == 1


def test_a_stale_etag_is_refused(cast, api, fields):
    etag = api(cast.ion).get(path(cast)).headers["ETag"]
    api(cast.ion).put(path(cast), {"values": {"side": "a"}})

    assert api(cast.ion).put(path(cast), {"values": {"side": "b"}}, if_match=etag).status == 412


def test_specialists_have_profiles_of_their_own(cast, api, fields):
    own = f"/v1/specialists/{cast.sara.specialist.pk}/profile"
    tudor = f"/v1/specialists/{cast.tudor.specialist.pk}/profile"

    api(cast.ion).put(own, {"values": {"rate": 100, "professional_code": "P-1"}})

    assert of(api(cast.ion).get(own)) == {"professional_code": "P-1", "room": None, "rate": 100}
    assert api(cast.ion).get(own).data["specialist_id"] == cast.sara.specialist.pk
    for person in (cast.sara, cast.mara):
        assert of(api(person).get(own)) == {"professional_code": "P-1", "room": None}
        assert api(person).get(tudor).status == 200
        assert api(person).put(tudor, {"values": {"room": "2"}}).status == 403
    assert of(api(cast.sara).put(own, {"values": {"room": "2"}}))["room"] == "2"
    assert api(cast.sara).put(own, {"values": {"rate": 1}}).fields == {"values.rate": ["unknown field"]}
    assert api(cast.mara).put(own, {"values": {"room": "2"}}).status == 403
    assert api(cast.ana).get(own).status == 403
    assert api(cast.ana).put(own, {"values": {"room": "2"}}).status == 403
    assert api(cast.nora).get(own).status == 404


def test_values_are_embedded_where_they_are_asked_for(cast, api, fields):
    api(cast.ion).put(path(cast), {"values": {"per_day": 5, "secret": "x"}})
    one = f"/v1/patients/{cast.ana.patient.pk}"

    for answer in (api(cast.ion).get(f"{one}?include=custom_field_values").data,
                   api(cast.ion).get("/v1/patients?include=custom_field_values").data[0]):  # fmt: skip
        assert answer["custom_field_values"] == api(cast.ion).get(path(cast)).data["values"]
    own = api(cast.ana).get(f"{one}?include=custom_field_values").data["custom_field_values"]
    assert "secret" not in [each["key"] for each in own]
    assert "custom_field_values" not in api(cast.ion).get(one).data
    listed = api(cast.mara).get("/v1/specialists?include=custom_field_values").data
    assert [[value["key"] for value in each["custom_field_values"]] for each in listed] == [
        ["professional_code", "room"]
    ] * 2
    assert api(cast.ana).get("/v1/specialists?include=custom_field_values").status == 403


def test_embedding_takes_the_same_queries_for_many_as_for_one(cast, api, fields):
    def queries(of: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api(cast.ion).get(f"/v1/{of}?include=custom_field_values").status == 200
        return len(captured)

    api(cast.ion).put(path(cast), {"values": {"per_day": 5}})
    few = {of: queries(of) for of in ("patients", "specialists")}
    for number in range(5):
        patient = profiles.patient(cast.sud, f"Patient {number}")
        profiles.specialist(cast.sud, f"Specialist {number}")
        api(cast.ion).put(f"/v1/patients/{patient.pk}/profile", {"values": {"per_day": 5, "side": "a"}})

    assert {of: queries(of) for of in few} == few


def test_a_value_belongs_to_an_entity_of_its_fields_kind(cast, fields):
    with within(cast.sud):
        of_patients = CustomField.objects.get(key="side")
        wrong = {"entity_type": "specialist", "specialist": cast.sara.specialist}
        for columns in (
            wrong,
            {"entity_type": "patient", **wrong},
            {"entity_type": "patient"},
            {**wrong, "patient": cast.ana.patient},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                CustomFieldValue.objects.create(custom_field=of_patients, value="a", **columns)


def test_a_value_is_never_judged_by_a_definition_that_is_being_replaced(committed_db, cast, api, fields):
    with within(cast.sud):
        side = CustomField.objects.get(key="side")

    for _ in range(5):
        api(cast.ion).put(path(cast), {"values": {"side": None}})
        api(cast.ion).put(f"/v1/custom-fields/{side.pk}", {"options": OPTIONS})
        written, dropped = at_once(
            [
                lambda: api(cast.ion).put(path(cast), {"values": {"side": "b"}}),
                lambda: api(cast.ion).put(f"/v1/custom-fields/{side.pk}", {"options": OPTIONS[:1]}),
            ]
        )
        assert sorted((written.status, dropped.status)) in ([200, 409], [200, 422])
        left = of(api(cast.ion).get(path(cast)))["side"]
        assert (left == "b") == (written.status == 200)
