"""What the operations on patients, consents and caregivers take. Source: contract/profiles.md 1.1-1.5, 2.1, 3."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.profiles.models.consents import ConsentMethod, ConsentType
from apps.profiles.models.patients import AdministrativeGender, BloodType, CaregiverPermission, CaregiverRelation
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, ExactlyOne

#: Who pays for what, as `insurance_entries` name it.
INSURANCE_KINDS = ("employer", "private", "state")
#: How the clinic's staff may have been told of a consent.
TAKEN_BY_STAFF = (ConsentMethod.PAPER, ConsentMethod.VERBAL)


class InsuranceBody(Body):
    """An insurance that a person has."""

    examples = {"kind": "state", "insurer": "CAS Cluj", "policy_number": "CJ-100200"}

    kind = fields.Choice(INSURANCE_KINDS)
    insurer = fields.Text(max_length=200)
    policy_number = fields.Text(max_length=100)
    valid_to = fields.Date(allow_null=True, default=None)


class PersonChanges(Body):
    """What may be written of a person; lists are replaced whole."""

    examples = {"name": "Maria Ionescu", "phone": "+40721000111", "allergies": [], "chronic_conditions": []}

    name = fields.Text(max_length=200, required=False)
    email = fields.Email(allow_null=True, required=False)
    date_of_birth = fields.Date(allow_null=True, required=False)
    sex = fields.Choice(AdministrativeGender, allow_null=True, required=False)
    phone = fields.Phone(allow_null=True, required=False)
    occupation = fields.Text(max_length=200, allow_null=True, required=False)
    residence = fields.Text(max_length=200, allow_null=True, required=False)
    blood_type = fields.Choice(BloodType, allow_null=True, required=False)
    allergies = fields.ListOf(fields.Text(max_length=200), max_items=50, required=False)
    chronic_conditions = fields.ListOf(fields.Text(max_length=200), max_items=50, required=False)
    emergency_contact_name = fields.Text(max_length=200, allow_null=True, required=False)
    emergency_contact_phone = fields.Phone(allow_null=True, required=False)
    insurance_entries = fields.ListOf(InsuranceBody(), max_items=10, required=False)


class PersonBody(PersonChanges):
    """A person whom nobody knows yet."""

    name = fields.Text(max_length=200)


class TakenConsent(Body):
    """A consent that the patient gave to the clinic's staff."""

    type = fields.Choice(ConsentType)
    method = fields.Choice(TAKEN_BY_STAFF)
    policy_version = fields.Text(max_length=32, required=False)
    granted_at = fields.Instant(required=False)


class PatientBody(ExactlyOne, Body):
    """A new patient: a new person, or one who is known here already."""

    either = ("patient_person_id", "person")
    patient_person_id = fields.Id(required=False)
    person = PersonBody(required=False)
    consumer_id = fields.Text(max_length=100, allow_null=True, required=False)
    consents = fields.ListOf(TakenConsent(), max_items=len(ConsentType), required=False)
    create_account = fields.Boolean(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one person, each consent once, and an account only for somebody with an e-mail address."""
        attrs = super().validate(attrs)
        problems: dict[str, Any] = {}
        if attrs.get("create_account") and not attrs.get("person", {}).get("email"):
            problems["person"] = {"email": ["required, for an account is to be made"]}
        types = [consent["type"] for consent in attrs.get("consents", ())]
        repeated = [index for index, kind in enumerate(types) if kind in types[:index]]
        if repeated:
            problems["consents"] = {index: {"type": ["stands twice"]} for index in repeated}
        if problems:
            raise serializers.ValidationError(problems)
        return attrs


class PatientChanges(Body):
    """What may be changed of a patient."""

    examples = {"consumer_id": "C-204"}

    consumer_id = fields.Text(max_length=100, allow_null=True, required=False)
    person = PersonChanges(required=False)


class ConsentBody(Body):
    """A consent; patients give theirs electronically, the clinic's staff say how they were told."""

    examples = {"type": "profile_sharing", "method": "paper"}

    type = fields.Choice(ConsentType)
    policy_version = fields.Text(max_length=32, required=False)
    method = fields.Choice((ConsentMethod.ELECTRONIC, *TAKEN_BY_STAFF), required=False)
    granted_at = fields.Instant(required=False)


class WithdrawalBody(Body):
    """Why a consent ends."""

    note = fields.Text(max_length=500, allow_null=True, required=False)


class CaregiverBody(ExactlyOne, Body):
    """Who is to care for a patient, and on which days."""

    either = ("user_id", "email")
    user_id = fields.Id(required=False)
    email = fields.Email(required=False)
    relation = fields.Choice(CaregiverRelation)
    permissions = fields.Choice(CaregiverPermission)
    valid_from = fields.Date(required=False)
    valid_to = fields.Date(allow_null=True, required=False)
