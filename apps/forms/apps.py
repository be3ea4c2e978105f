"""How Django knows this domain."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """The forms domain."""

    name = "apps.forms"
    label = "forms"
    verbose_name = "Forms"
