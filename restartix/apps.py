"""The platform as a Django app: it has no tables, only management commands and checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RestartixConfig(AppConfig):
    """Makes the commands and checks of the platform known to Django."""

    name = "restartix"
    label = "restartix"
    verbose_name = "RestartiX"

    def ready(self) -> None:
        """Register the checks, and what the apps do about each other's facts."""
        from restartix import celery, checks  # noqa: F401

        autodiscover_modules("reactions")
