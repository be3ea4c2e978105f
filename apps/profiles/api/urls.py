"""The index of profiles: every path and verb of the signed-in user, specialists and specialties."""

from django.urls import path

from apps.profiles.api.likenesses import Likenesses
from apps.profiles.api.me import Myself
from apps.profiles.api.views import Availabilities, Specialists, Specialties
from restartix.kernel.api import converters
from restartix.kernel.api.resources import writes

converters.register()

urlpatterns = [
    path("me", Myself.as_view({"get": "retrieve"})),
    path("me/switch-organization", Myself.as_view({"put": "switch_organization", "patch": "switch_organization"})),
    path("specialists", Specialists.as_view({"get": "list", "post": "create"})),
    path("specialists/<id:id>", Specialists.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("specialists/<id:id>/restore", Specialists.as_view({"post": "restore"})),
    path("specialists/<id:id>/avatar", Likenesses.as_view({"post": "set_avatar", "delete": "remove_avatar"})),
    path("specialists/<id:id>/signature", Likenesses.as_view({"post": "set_signature", "delete": "remove_signature"})),
    path("specialists/<id:id>/availability", Availabilities.as_view({"get": "retrieve", "put": "replace"})),
    path("specialties", Specialties.as_view({"get": "list", "post": "create"})),
    path("specialties/<id:id>", Specialties.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
]
