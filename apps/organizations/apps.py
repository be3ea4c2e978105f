"""How Django knows this domain."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """The organizations domain."""

    name = "apps.organizations"
    label = "organizations"
    verbose_name = "Organizations"

    def ready(self) -> None:
        """Let every commit that writes a fact wake the relay (tasks.py registers that)."""
        from apps.organizations import tasks  # noqa: F401
