"""How Django knows this domain."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """The profiles domain."""

    name = "apps.profiles"
    label = "profiles"
    verbose_name = "Profiles"
