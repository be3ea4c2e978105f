"""Every URL of the platform: the back office, the booking pages, and each app's own index."""

from django.contrib import admin
from django.urls import include, path

import restartix.kernel.api.converters  # noqa: F401 (makes `<id:...>` known to paths)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("book/", include("apps.scheduling.pages.urls")),
    path("webhooks/", include("apps.organizations.api.clerk")),
    path("v1/", include("restartix.kernel.api.docs")),
    path("v1/", include("restartix.kernel.api.files")),
    path("v1/", include("apps.profiles.api.urls")),
    path("v1/", include("apps.organizations.api.urls")),
    path("v1/", include("apps.forms.api.urls")),
    path("v1/", include("apps.scheduling.api.urls")),
]
