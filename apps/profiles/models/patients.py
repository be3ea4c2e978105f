"""Patients: a human being, who belongs to nobody, and that person's file at one clinic."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When

from apps.profiles.querysets import CaregiverManager, PatientManager
from restartix.kernel import clock
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantModel


class AdministrativeGender(models.TextChoices):
    """FHIR AdministrativeGender."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class BloodType(models.TextChoices):
    """ABO and RhD."""

    A_POSITIVE = "A+"
    A_NEGATIVE = "A-"
    B_POSITIVE = "B+"
    B_NEGATIVE = "B-"
    AB_POSITIVE = "AB+"
    AB_NEGATIVE = "AB-"
    O_POSITIVE = "O+"
    O_NEGATIVE = "O-"


class PatientPerson(Timestamped):
    """A human being, the same at every clinic. Source: contract/profiles.md 1.1.

    The row carries no `organization_id`; row-level security shows it to a clinic only through a Patient row there, to
    the clinic that wrote it down first, and to the person.
    """

    user = models.OneToOneField("organizations.User", models.PROTECT, null=True, blank=True, related_name="person")
    registered_by = models.ForeignKey("organizations.Organization", models.PROTECT, related_name="+", editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254, null=True, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=8, choices=AdministrativeGender, null=True, blank=True)
    phone = SealedTextField(null=True, blank=True)
    phone_hash = models.BinaryField(max_length=32, null=True, blank=True, editable=False)
    phone_grams = ArrayField(models.SmallIntegerField(), null=True, blank=True, editable=False)
    occupation = models.CharField(max_length=200, null=True, blank=True)
    residence = models.CharField(max_length=200, null=True, blank=True)
    blood_type = models.CharField(max_length=3, choices=BloodType, null=True, blank=True)
    allergies = models.JSONField(default=list, blank=True)
    chronic_conditions = models.JSONField(default=list, blank=True)
    emergency_contact_name = models.CharField(max_length=200, null=True, blank=True)
    emergency_contact_phone = SealedTextField(null=True, blank=True)
    insurance_entries = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sex=None) | Q(sex__in=AdministrativeGender.values), name="person_sex_known"
            ),
            models.CheckConstraint(
                condition=Q(blood_type=None) | Q(blood_type__in=BloodType.values), name="person_blood_type_known"
            ),
            models.CheckConstraint(
                condition=Q(phone_grams=None) | Q(phone__isnull=False), name="person_grams_of_phone"
            ),
        ]

    class Privacy:
        identifying = {
            "user", "name", "email", "date_of_birth", "phone", "phone_hash", "phone_grams", "residence",
            "emergency_contact_name", "emergency_contact_phone",
        }  # fmt: skip
        clinical = {"sex", "occupation", "blood_type", "allergies", "chronic_conditions", "insurance_entries"}
        plain = {"id", "registered_by", "created_at", "updated_at"}

    def __str__(self) -> str:
        return self.name


class Patient(Timestamped, TenantModel):
    """One person's file at one clinic; never hard-deleted. Source: contract/profiles.md 1.2."""

    person = models.ForeignKey(PatientPerson, models.PROTECT, related_name="patients")
    consumer_id = models.CharField(max_length=100, null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[PatientManager] = PatientManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "person"], name="patient_once_in_organization"),
            models.UniqueConstraint(fields=["organization", "consumer_id"], name="patient_consumer_id_free"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="patient_newest")]

    class Privacy:
        identifying = {"person", "consumer_id"}
        plain = {"id", "organization", "deleted_at", "created_at", "updated_at"}

    def __str__(self) -> str:
        return self.person.name


class CaregiverRelation(models.TextChoices):
    """What the caregiver is to the patient."""

    PARENT = "parent"
    CHILD = "child"
    SPOUSE = "spouse"
    GUARDIAN = "guardian"
    OTHER = "other"


class CaregiverPermission(models.TextChoices):
    """`view`: every read the patient has; `manage`: also every write."""

    VIEW = "view"
    MANAGE = "manage"


class PatientPersonManager(TenantModel):
    """A caregiver's link to one patient of one clinic, for a span of days, both included.

    One that was ended before its time holds from then on no more, and its last day is free for another.
    Source: contract/profiles.md 1.4.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="managers")
    user = models.ForeignKey("organizations.User", models.PROTECT, related_name="+")
    relation = models.CharField(max_length=10, choices=CaregiverRelation)
    permissions = models.CharField(max_length=6, choices=CaregiverPermission)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey("organizations.User", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[CaregiverManager] = CaregiverManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("patient", name="caregiver_patient_same_organization"),
            models.CheckConstraint(condition=Q(relation__in=CaregiverRelation.values), name="caregiver_relation_known"),
            models.CheckConstraint(
                condition=Q(permissions__in=CaregiverPermission.values), name="caregiver_permissions_known"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="caregiver_lasts"
            ),
            ExclusionConstraint(
                name="caregiver_once_at_a_time",
                expressions=[
                    ("patient", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_to"),
                            Case(When(ended_at=None, then=Value("[]")), default=Value("[)")),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    class Privacy:
        identifying = {"patient", "user", "relation"}
        plain = {"id", "organization", "permissions", "valid_from", "valid_to", "ended_at", "created_by", "created_at"}

    def __str__(self) -> str:
        return f"{self.user} ({self.relation})"
