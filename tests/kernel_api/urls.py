"""The throw-away index of the kernel's tests."""

from django.http import HttpResponse
from django.urls import include, path

from restartix.kernel.api import converters  # noqa: F401
from restartix.kernel.api.resources import writes
from tests.kernel_api.views import Clinics, Mine, PublicThings, Things, Uploads


def page(request):
    return HttpResponse("<h1>page</h1>")


urlpatterns = [
    path("v1/", include("restartix.kernel.api.docs")),
    path("v1/things", Things.as_view({"get": "list", "post": "create"})),
    path("v1/things/contended", Things.as_view({"post": "contended"})),
    path("v1/things/broken/<name:mode>", Things.as_view({"get": "broken", "post": "broken_on_write"})),
    path("v1/things/<id:id>", Things.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("v1/things/<id:id>/shorten", Things.as_view({"post": "shorten"})),
    path("v1/things/<id:id>/recorded", Things.as_view({"post": "recorded"})),
    path("v1/uploads", Uploads.as_view({"post": "upload"})),
    path("v1/public/things", PublicThings.as_view({"post": "choose"})),
    path("v1/public/things/<id:id>", PublicThings.as_view({"get": "peek"})),
    path("v1/public/places/<id:id>", PublicThings.as_view({"get": "places"})),
    path("v1/public/nowhere", PublicThings.as_view({"get": "nowhere"})),
    path("v1/me", Mine.as_view({"get": "show"})),
    path("v1/me/switch", Mine.as_view({"put": "switch"})),
    path("v1/clinics/platform", Clinics.as_view({"get": "platform"})),
    path("v1/clinics/<id:id>", Clinics.as_view({"get": "show", "patch": "rename"})),
    path("page", page),
]
