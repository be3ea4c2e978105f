"""How Django knows the back office."""

from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """Django's admin with our own site as the default."""

    default_site = "restartix.kernel.admin.site.BackOffice"
