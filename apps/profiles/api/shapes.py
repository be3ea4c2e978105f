"""What the operations of profiles give. Source: contract/profiles.md 1.7-1.9; contract/organizations.md 1.1 (Me)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.organizations.api.shapes import UserRef
from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.models import MembershipRole, Organization
from apps.organizations.selectors import images
from apps.profiles.api import custom_values
from apps.profiles.api.custom_values import ProfileValue
from apps.profiles.models import Specialist
from apps.profiles.models.patients import CaregiverPermission
from apps.profiles.models.specialists import LicenseStatus
from apps.profiles.selectors import signatures
from apps.profiles.selectors.me import Me
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation
from restartix.kernel.roles import ADMINS, Role


class CurrentOrganization(Representation):
    """The organization that the request acts in."""

    examples = {"id": 7, "name": "Clinica Sud", "slug": "clinica-sud"}

    id = fields.Id()
    name = fields.Text(max_length=200)
    slug = fields.Text(max_length=63)
    status = fields.Choice(OrganizationStatus)
    timezone = fields.TimeZone()
    locale = fields.Locale()
    currency = fields.Currency()
    logo_url = serializers.SerializerMethodField()

    def get_logo_url(self, organization: Organization) -> str | None:
        """Return the public address of the logo."""
        return images.address_of(organization.logo)


class OwnMembership(Representation):
    """One of the user's active memberships."""

    examples = {"name": "Clinica Sud", "slug": "clinica-sud"}

    organization_id = fields.Id()
    name = fields.Text(source="organization.name", max_length=200)
    slug = fields.Text(source="organization.slug", max_length=63)
    role = fields.Choice(MembershipRole)


class ManagedPatient(Representation):
    """A patient whom the user cares for."""

    patient_id = fields.Id()
    name = fields.Text(source="patient.person.name", max_length=200)
    permissions = fields.Choice(CaregiverPermission)


class ActingUser(Representation):
    """Whoever acts as the user."""

    examples = {"id": 12, "name": "Ion Popescu"}

    id = fields.Id()
    name = fields.Text(max_length=200)


class ImpersonationRef(Representation):
    """The impersonation that the request is made with."""

    impersonation_id = fields.Id(source="id")
    actor = ActingUser()
    expires_at = fields.Instant()


class MeShape(Representation):
    """The signed-in user, and what they are in the active organization."""

    volatile = ("last_activity",)
    examples = {
        "id": 31, "is_superadmin": False, "organization_ids": [7], "specialist_id": None, "specialist_name": None,
        "managed_patients": [], "impersonation": None,
    }  # fmt: skip

    id = fields.Id(source="user.id")
    email = fields.Email(source="user.email")
    username = fields.Text(source="user.username", max_length=150, allow_null=True)
    name = fields.Text(source="user.name", max_length=200)
    is_superadmin = fields.Boolean()
    confirmed = fields.Boolean(source="user.confirmed")
    last_activity = fields.Instant(source="user.last_activity", allow_null=True)
    role = fields.Choice(tuple(Role), allow_null=True)
    current_organization = CurrentOrganization(allow_null=True)
    organization_ids = serializers.SerializerMethodField()
    memberships = OwnMembership(many=True)
    specialist_id = serializers.SerializerMethodField()
    specialist_name = serializers.SerializerMethodField()
    patient_id = fields.Id(source="station.patient_id", allow_null=True)
    managed_patients = ManagedPatient(source="station.caring", many=True)
    impersonation = ImpersonationRef(allow_null=True)

    def get_organization_ids(self, me: Me) -> list[int]:
        """Return the organizations of the memberships, ascending."""
        return sorted(each.organization.pk for each in me.memberships)

    def get_specialist_id(self, me: Me) -> int | None:
        """Return the user's specialist in the active organization."""
        return me.station.specialist.pk if me.station.specialist else None

    def get_specialist_name(self, me: Me) -> str | None:
        """Return that specialist's name."""
        return me.station.specialist.name if me.station.specialist else None


class SpecialtyRef(Representation):
    """A specialty as specialists name it."""

    examples = {"id": 3, "title": "Knee rehabilitation", "slug": "knee-rehabilitation"}

    id = fields.Id()
    title = fields.Text(max_length=120)
    slug = fields.Slug()


class SpecialistPublic(Representation):
    """A specialist as patients see one."""

    examples = {
        "id": 5, "name": "Dr. Ana Popa", "title": "Physiotherapist", "slug": "ana-popa", "has_signature": False,
        "license_status": "valid",
    }  # fmt: skip

    id = fields.Id()
    name = fields.Text(max_length=200)
    title = fields.Text(max_length=100, allow_null=True)
    description = fields.Text(max_length=5000, allow_null=True)
    slug = fields.Slug()
    specialties = SpecialtyRef(many=True)
    avatar_url = serializers.SerializerMethodField()
    is_bookable = serializers.SerializerMethodField()

    def get_avatar_url(self, specialist: Specialist) -> str | None:
        """Return the public address of the picture."""
        return images.address_of(specialist.avatar)

    def get_is_bookable(self, specialist: Specialist) -> bool:
        """Say whether the public may book the specialist, on the organization's date."""
        organization = specialist.organization
        suspends = bool(organization.setting("suspend_on_expired_license"))
        return specialist.is_bookable(organization.today(clock.now()), suspend_on_expired_license=suspends)


class LicenseShape(Representation):
    """A licence to practise."""

    number = fields.Text(source="license_number", max_length=50)
    issuing_body = fields.Text(source="license_issuing_body", max_length=100)
    issued_on = fields.Date(source="license_issued_on", allow_null=True)
    expires_on = fields.Date(source="license_expires_on", allow_null=True)

    def to_representation(self, instance: Specialist) -> Any:
        """Write null where there is no licence."""
        return super().to_representation(instance) if instance.license_number is not None else None


class SpecialistShape(SpecialistPublic):
    """A specialist as the clinic's staff see one; patients see the public fields alone."""

    on_request = ("user", "custom_field_values")
    volatile = ("signature_url",)
    withheld = (
        "organization_id", "user_id", "signature_url", "has_signature", "scheduling_timezone", "scheduling_active",
        "license", "license_status", "external_reference", "created_at", "updated_at", "deleted_at",
    )  # fmt: skip

    organization_id = fields.Id()
    user_id = fields.Id(allow_null=True)
    signature_url = serializers.SerializerMethodField()
    has_signature = serializers.SerializerMethodField()
    scheduling_timezone = fields.TimeZone(allow_null=True)
    scheduling_active = fields.Boolean()
    license = LicenseShape(source="*", allow_null=True)
    license_status = serializers.SerializerMethodField()
    external_reference = fields.Text(max_length=100, allow_null=True)
    user = UserRef(allow_null=True)
    custom_field_values = serializers.SerializerMethodField()
    created_at = fields.Instant()
    updated_at = fields.Instant()
    deleted_at = fields.Instant()

    def to_representation(self, instance: Specialist) -> dict[str, Any]:
        """Leave out what the caller's part does not show, and the deletion of those who are not deleted."""
        data: dict[str, Any] = super().to_representation(instance)
        actor = self.context["actor"]
        if actor.effective_role not in ADMINS and (instance.user_id is None or instance.user_id != actor.staff_user_id):
            del data["signature_url"]
        if data["deleted_at"] is None:
            del data["deleted_at"]
        return data

    def get_signature_url(self, specialist: Specialist) -> str | None:
        """Return an address that opens the signature for 15 minutes."""
        return signatures.address_of(specialist)

    def get_has_signature(self, specialist: Specialist) -> bool:
        """Say whether documents can be signed with a picture."""
        return specialist.signature is not None

    def get_custom_field_values(self, specialist: Specialist) -> list[ProfileValue]:
        """Return every custom field of specialists that the caller may see, with its value."""
        return custom_values.of_specialists.values(specialist, self.context)

    def get_license_status(self, specialist: Specialist) -> LicenseStatus:
        """Return how the licence stands on the organization's date."""
        return specialist.license_status(specialist.organization.today(clock.now()))


class WeeklyShape(Representation):
    """Hours that recur every week."""

    day = fields.Integer()
    start = fields.TimeOfDay(example="09:00")
    end = fields.TimeOfDay(example="17:00")


class OverrideShape(Representation):
    """An exception from the weekly hours."""

    id = fields.Id()
    start = fields.Instant()
    end = fields.Instant()
    availability = fields.Boolean()
    appointment_template_id = fields.Id(allow_null=True)
    note = fields.Text(max_length=200, allow_null=True)


class AvailabilityShape(Representation):
    """A specialist's hours: weekly ones by day and start, exceptions by start and id."""

    timezone = fields.TimeZone(source="scheduling_timezone", allow_null=True)
    active = fields.Boolean(source="scheduling_active")
    weekly = WeeklyShape(many=True)
    overrides = OverrideShape(many=True)
    updated_at = fields.Instant(source="availability_updated_at")


class SpecialtyShape(Representation):
    """A field of work that the clinic offers."""

    examples = {"id": 3, "title": "Knee rehabilitation", "slug": "knee-rehabilitation"}

    id = fields.Id()
    organization_id = fields.Id()
    title = fields.Text(max_length=120)
    slug = fields.Slug()
    specialists_count = fields.Integer()
    created_at = fields.Instant()
    updated_at = fields.Instant()
