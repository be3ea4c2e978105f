"""How Django knows this domain."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """The forms domain."""

    name = "apps.forms"
    label = "forms"
    verbose_name = "Forms"

    def ready(self) -> None:
        """Let clinics begin with the system fields, and embed custom field values in patients and specialists."""
        from apps.forms.api import shapes
        from apps.forms.services import system_fields

        system_fields.register()
        shapes.register()
