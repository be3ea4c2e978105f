"""Every URL of the platform: the back office, the booking pages, and each app's own index."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
