"""The platform as a Django app: it has no tables, only management commands and checks."""

from __future__ import annotations

from django.apps import AppConfig


class RestartixConfig(AppConfig):
    """Makes the commands and checks of the platform known to Django."""

    name = "restartix"
    label = "restartix"
    verbose_name = "RestartiX"

    def ready(self) -> None:
        """Register the checks."""
        from restartix import celery, checks  # noqa: F401
