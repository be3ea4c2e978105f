"""What the operations of organizations and members give. Source: contract/organizations.md 1.1-1.3, 2.2."""

from __future__ import annotations

from typing import Any, Literal

from rest_framework import serializers

from apps.organizations.api.settings import PoliciesShape, SettingsShape
from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import ConsentType, MembershipRole, Organization, User
from apps.organizations.selectors import images
from apps.organizations.selectors.hosts import Resolved
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation
from restartix.kernel.roles import Role


class UserRef(Representation):
    """A user as other rows name them; patients receive no e-mail but their own."""

    withheld = ("email",)

    id = fields.Id()
    name = fields.Text(max_length=200)
    email = fields.Email()

    def to_representation(self, instance: User) -> dict[str, Any]:
        """Leave out what the caller may not read."""
        data: dict[str, Any] = super().to_representation(instance)
        actor = self.context["actor"]
        if actor.effective_role == Role.PATIENT and actor.own_user_id != instance.pk:
            del data["email"]
        return data


class _Pictured(Representation):
    """An organization's name, look and ways of writing."""

    examples = {
        "id": 7,
        "name": "Clinica Sud",
        "slug": "clinica-sud",
        "email": "office@clinica-sud.example",
        "phone": "+40268555000",
    }

    id = fields.Id()
    name = fields.Text(max_length=200)
    slug = fields.Text(max_length=63)
    tagline = fields.Text(max_length=200, allow_null=True)
    location = fields.Text(max_length=200, allow_null=True)
    logo_url = serializers.SerializerMethodField()
    icon_url = serializers.SerializerMethodField()
    primary_color = fields.Colour(allow_null=True)
    secondary_color = fields.Colour(allow_null=True)
    timezone = fields.TimeZone()
    locale = fields.Locale()
    currency = fields.Currency()

    def get_logo_url(self, organization: Organization) -> str | None:
        """Return the public address of the logo."""
        return images.address_of(organization.logo)

    def get_icon_url(self, organization: Organization) -> str | None:
        """Return the public address of the icon."""
        return images.address_of(organization.icon)


class OrganizationPublic(_Pictured):
    """What anybody may know of an organization: an allow-list of columns, nothing else."""

    required_consents = serializers.ListField(
        source="effective_settings.required_consents", child=fields.Choice(ConsentType)
    )
    policies = PoliciesShape(source="effective_settings.policies")
    face = serializers.SerializerMethodField()

    def to_representation(self, instance: Resolved) -> dict[str, Any]:
        """Write the organization that was found."""
        data: dict[str, Any] = super().to_representation(instance.organization)
        return data

    def get_face(self, organization: Organization) -> Literal["clinic", "portal"] | None:
        """Return which front end the host serves; null where a slug was asked for."""
        found: Resolved = self.instance  # type: ignore[assignment]
        return found.face


class AddressShape(Representation):
    """A postal address."""

    line1 = fields.Text(max_length=200, allow_null=True)
    line2 = fields.Text(max_length=200, allow_null=True)
    city = fields.Text(max_length=200, allow_null=True)
    county = fields.Text(max_length=200, allow_null=True)
    postal_code = fields.Text(max_length=200, allow_null=True)
    country = fields.Country(allow_null=True)


class OrganizationShape(_Pictured):
    """An organization as its members see it; patients see no settings."""

    withheld = ("settings",)

    status = fields.Choice(OrganizationStatus)
    email = fields.Email(allow_null=True)
    phone = fields.Phone(allow_null=True)
    website = fields.Url(allow_null=True)
    address = AddressShape(allow_null=True)
    settings = SettingsShape(source="effective_settings")
    my_role = fields.Choice(MembershipRole, allow_null=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()

    def to_representation(self, instance: Organization) -> dict[str, Any]:
        """Leave out the settings for patients."""
        data: dict[str, Any] = super().to_representation(instance)
        if data["my_role"] == Role.PATIENT and not self.context["actor"].is_superadmin:
            del data["settings"]
        return data


class MembershipShape(Representation):
    """A user's part in one organization."""

    id = fields.Id()
    organization_id = fields.Id()
    user = UserRef()
    role = fields.Choice(MembershipRole)
    status = fields.Choice(MembershipStatus)
    specialist_id = fields.Id(allow_null=True)
    patient_id = fields.Id(allow_null=True)
    created_by = UserRef(allow_null=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()
