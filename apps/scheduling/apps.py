"""How Django knows this domain."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """The scheduling domain."""

    name = "apps.scheduling"
    label = "scheduling"
    verbose_name = "Scheduling"
