"""What the operations on patients, consents and caregivers give; the gate is applied here, where answers are built.

Source: contract/profiles.md 1.1-1.5.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.organizations.api.shapes import UserRef
from apps.organizations.models import ConsentType
from apps.profiles.api import custom_values
from apps.profiles.api.custom_values import ProfileValue
from apps.profiles.api.patient_bodies import INSURANCE_KINDS
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.models.consents import ConsentMethod
from apps.profiles.models.patients import AdministrativeGender, BloodType, CaregiverPermission, CaregiverRelation
from apps.profiles.selectors import people
from apps.profiles.selectors.consents import current_version, telemetry_level
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation
from restartix.kernel.roles import ADMINS, Role
from restartix.kernel.tenancy import Actor


def is_the_person(actor: Actor, patient: Patient) -> bool:
    """Say whether the caller is the patient's person."""
    return patient.person.user_id is not None and patient.person.user_id == actor.own_user_id


class InsuranceShape(Representation):
    """An insurance that a person has."""

    examples = {"kind": "state", "insurer": "CAS Cluj", "policy_number": "CJ-100200"}

    kind = fields.Choice(INSURANCE_KINDS)
    insurer = fields.Text(max_length=200)
    policy_number = fields.Text(max_length=100)
    valid_to = fields.Date(allow_null=True)


class PersonShape(Representation):
    """The person of a patient, as the caller may see them: behind the closed gate other keys are absent, not null.

    Takes a patient that `PatientQuerySet.seen_by` gave.
    """

    withheld = people.SHARED
    examples = {"id": 880, "user_id": 77, "name": "Maria Ionescu", "phone": "+40721000111"}

    id = fields.Id()
    user_id = fields.Id(allow_null=True)
    name = fields.Text(max_length=200)
    email = fields.Email(allow_null=True)
    date_of_birth = fields.Date(allow_null=True)
    sex = fields.Choice(AdministrativeGender, allow_null=True)
    phone = fields.Text(max_length=16, allow_null=True, example="+40721000111")
    occupation = fields.Text(max_length=200, allow_null=True)
    residence = fields.Text(max_length=200, allow_null=True)
    blood_type = fields.Choice(BloodType, allow_null=True)
    allergies = fields.ListOf(fields.Text(max_length=200), max_items=50)
    chronic_conditions = fields.ListOf(fields.Text(max_length=200), max_items=50)
    emergency_contact_name = fields.Text(max_length=200, allow_null=True)
    emergency_contact_phone = fields.Text(max_length=16, allow_null=True, example="+40721000112")
    insurance_entries = InsuranceShape(many=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()

    def to_representation(self, instance: Patient) -> dict[str, Any]:
        """Write every field, or the three that stand before the gate."""
        if not people.is_open(instance):
            return people.named(instance.person)
        whole: dict[str, Any] = super().to_representation(instance.person)
        return whole


class ConsentShape(Representation):
    """What a patient agreed to, and when it ended; admins and the patient see where from."""

    withheld = ("ip_address", "user_agent")
    examples = {"id": 90, "patient_id": 501, "type": "profile_sharing", "policy_version": "1", "form_id": None}

    id = fields.Id()
    patient_id = fields.Id()
    type = fields.Choice(ConsentType)
    status = fields.Choice(ConsentStatus)
    policy_version = fields.Text(max_length=32)
    is_current = serializers.SerializerMethodField()
    method = fields.Choice(ConsentMethod)
    form_id = fields.Id(allow_null=True)
    granted_at = fields.Instant()
    granted_by = UserRef(allow_null=True)
    ip_address = fields.Text(max_length=45, allow_null=True, example="203.0.113.7")
    user_agent = fields.Text(max_length=500, allow_null=True, example="Mozilla/5.0")
    withdrawn_at = fields.Instant(allow_null=True)
    withdrawn_by = UserRef(allow_null=True)
    withdrawal_note = fields.Text(max_length=500, allow_null=True)

    def to_representation(self, instance: ConsentRecord) -> dict[str, Any]:
        """Leave out where the request came from, for those whom it does not concern."""
        data: dict[str, Any] = super().to_representation(instance)
        actor = self.context["actor"]
        sees_all = actor.effective_role in ADMINS | {Role.PATIENT}
        if not sees_all and not is_the_person(actor, instance.patient):
            del data["ip_address"], data["user_agent"]
        return data

    def get_is_current(self, record: ConsentRecord) -> bool:
        """Say whether it was given to the organization's present policy."""
        return record.policy_version == current_version(record.patient.organization, record.type)


class CaregiverShape(Representation):
    """Who cares for a patient, and on which days."""

    examples = {"id": 12, "patient_id": 501, "valid_to": None}

    id = fields.Id()
    patient_id = fields.Id()
    user = UserRef()
    relation = fields.Choice(CaregiverRelation)
    permissions = fields.Choice(CaregiverPermission)
    valid_from = fields.Date()
    valid_to = fields.Date(allow_null=True)
    created_by = UserRef()
    created_at = fields.Instant()


class PatientShape(Representation):
    """One person at one clinic. Takes a patient that `PatientQuerySet.seen_by` gave."""

    on_request = ("user", "consents", "managers", "custom_field_values")
    withheld = ("user",)
    examples = {"id": 501, "organization_id": 7, "patient_person_id": 880, "consumer_id": "C-204"}

    id = fields.Id()
    organization_id = fields.Id()
    patient_person_id = fields.Id(source="person_id")
    person = PersonShape(source="*")
    profile_shared = serializers.SerializerMethodField()
    consumer_id = fields.Text(max_length=100, allow_null=True)
    has_account = serializers.SerializerMethodField()
    telemetry_level = serializers.SerializerMethodField()
    user = UserRef(source="person.user", allow_null=True)
    consents = ConsentShape(source="active_consents", many=True)
    managers = CaregiverShape(source="caregivers", many=True)
    custom_field_values = serializers.SerializerMethodField()
    created_at = fields.Instant()
    updated_at = fields.Instant()

    def to_representation(self, instance: Patient) -> dict[str, Any]:
        """Keep the account from caregivers: it is for the staff and the patient."""
        data: dict[str, Any] = super().to_representation(instance)
        actor = self.context["actor"]
        if "user" in data and actor.effective_role == Role.PATIENT and not is_the_person(actor, instance):
            del data["user"]
        return data

    def get_profile_shared(self, patient: Any) -> bool:
        """Say whether the person shares the profile with this clinic."""
        return ConsentType.PROFILE_SHARING in patient.active_types

    def get_has_account(self, patient: Patient) -> bool:
        """Say whether the person has a login."""
        return patient.person.user_id is not None

    def get_telemetry_level(self, patient: Any) -> int:
        """Return what may be measured: 0 nothing to 3 movements."""
        return telemetry_level(patient.active_types)

    def get_custom_field_values(self, patient: Patient) -> list[ProfileValue]:
        """Return the patient's values of the clinic's own fields."""
        return custom_values.of_patients.values(patient, self.context)
