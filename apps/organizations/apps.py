"""How Django knows this domain."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """The organizations domain."""

    name = "apps.organizations"
    label = "organizations"
    verbose_name = "Organizations"

    def ready(self) -> None:
        """Let every commit that writes a fact wake the relay (tasks.py does), and the document tell every event."""
        from apps.organizations import tasks  # noqa: F401
        from apps.organizations.domain import catalogue  # noqa: F401
