"""How Django knows this domain."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """The scheduling domain."""

    name = "apps.scheduling"
    label = "scheduling"
    verbose_name = "Scheduling"

    def ready(self) -> None:
        """Let announcements reach streams, and say what of scheduling stands in the way of removals below."""
        from apps.scheduling.api import exports, hints
        from apps.scheduling.services import erasing, removals

        exports.register()
        hints.register()
        erasing.register()
        removals.register()
