"""How Django knows the back office."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class BackOfficeConfig(AdminConfig):
    """Django's admin with our own site as the default."""

    default_site = "restartix.kernel.admin.site.BackOffice"
    verbose_name = _("Back office")

    def ready(self) -> None:
        """Register every app's pages, then let the names that models have be read in every language."""
        super().ready()
        from restartix.kernel.admin import names

        names.translate_models()
