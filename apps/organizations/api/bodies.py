"""What the operations of organizations and members take. Source: contract/organizations.md 1.2-1.3, 2."""

from __future__ import annotations

from typing import Any

from apps.organizations.api.settings import SettingsBody
from apps.organizations.domain import slugs
from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import MembershipRole
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, ExactlyOne, Query


class ResolveQuery(ExactlyOne, Query):
    """Which organization is meant: by its slug, or by the host that the browser shows."""

    either = ("slug", "domain")
    slug = fields.Text(max_length=100, required=False)
    domain = fields.Text(max_length=300, required=False)


class AddressBody(Body):
    """A postal address."""

    line1 = fields.Text(max_length=200, allow_null=True, default=None)
    line2 = fields.Text(max_length=200, allow_null=True, default=None)
    city = fields.Text(max_length=200, allow_null=True, default=None)
    county = fields.Text(max_length=200, allow_null=True, default=None)
    postal_code = fields.Text(max_length=200, allow_null=True, default=None)
    country = fields.Country(allow_null=True, default=None)


class OrganizationSlug(fields.Slug):
    """The slug of an organization: of its own form, and none of the names that the platform keeps."""

    def __init__(self, **kwargs: Any) -> None:
        """Take 3 to 63 characters."""
        super().__init__(slugs.PATTERN, expected=slugs.EXPECTED, max_length=slugs.LONGEST, **kwargs)

    def check(self, text: str) -> Any:
        """Match, and look among the reserved names."""
        super().check(text)
        problem = slugs.problem(text)
        return self.refuse(problem) if problem else text


class OrganizationBody(Body):
    """What may be written of an organization at any time; `status` by superadmins alone."""

    examples = {"name": "Clinica Sud", "email": "office@clinica-sud.example", "phone": "+40268555000"}

    name = fields.Text(max_length=200)
    status = fields.Choice(OrganizationStatus, required=False)
    tagline = fields.Text(max_length=200, allow_null=True, required=False)
    email = fields.Email(allow_null=True, required=False)
    phone = fields.Phone(allow_null=True, required=False)
    website = fields.Url(allow_null=True, required=False)
    location = fields.Text(max_length=200, allow_null=True, required=False)
    address = AddressBody(allow_null=True, required=False)
    primary_color = fields.Colour(allow_null=True, required=False)
    secondary_color = fields.Colour(allow_null=True, required=False)
    timezone = fields.TimeZone(required=False)
    locale = fields.Locale(required=False)
    currency = fields.Currency(required=False)
    settings = SettingsBody(required=False, sent_only=True)

    def _unknown(self, name: str, known: list[str]) -> list[str]:
        return ["cannot be changed"] if name == "slug" else super()._unknown(name, known)


class NewOrganizationBody(OrganizationBody):
    """What opens an organization."""

    examples = {**OrganizationBody.examples, "slug": "clinica-sud"}

    slug = OrganizationSlug()


class MemberBody(Body):
    """What changes a membership."""

    role = fields.Choice(MembershipRole)
    status = fields.Choice(MembershipStatus)


class ConnectUserBody(ExactlyOne, Body):
    """Whom to make a member, and as what."""

    either = ("user_id", "email")
    user_id = fields.Id(required=False)
    email = fields.Email(required=False)
    role = fields.Choice(MembershipRole)
