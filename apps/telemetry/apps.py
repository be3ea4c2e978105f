"""How Django knows this domain."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """The telemetry domain."""

    name = "apps.telemetry"
    label = "telemetry"
    verbose_name = "Telemetry"
