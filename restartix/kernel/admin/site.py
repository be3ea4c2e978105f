"""The site of the back office."""

from django.contrib.admin import AdminSite


class BackOffice(AdminSite):
    """The back office of a clinic."""

    site_header = "RestartiX"
    site_title = "RestartiX"
