"""How Django knows this domain."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """The organizations domain."""

    name = "apps.organizations"
    label = "organizations"
    verbose_name = "Organizations"
