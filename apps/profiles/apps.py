"""How Django knows this domain."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """The profiles domain."""

    name = "apps.profiles"
    label = "profiles"
    verbose_name = "Profiles"

    def ready(self) -> None:
        """Let the members of an organization be known as its specialists and patients."""
        from apps.organizations.selectors import members
        from apps.profiles.selectors import people

        members.know_as("specialist_id", people.specialist_of_member)
        members.know_as("patient_id", people.patient_of_member)
