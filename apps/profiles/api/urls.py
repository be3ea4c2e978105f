"""The index of profiles: every path and verb of the signed-in user, patients, specialists and specialties."""

from django.urls import path

from apps.profiles.api.caregivers import Caregivers
from apps.profiles.api.consents import Consents
from apps.profiles.api.exports import Exports
from apps.profiles.api.impersonations import Impersonations
from apps.profiles.api.likenesses import Likenesses
from apps.profiles.api.me import Myself
from apps.profiles.api.patients import Patients
from apps.profiles.api.views import Availabilities, Specialists, Specialties
from restartix.kernel.api import converters
from restartix.kernel.api.resources import writes

converters.register()

urlpatterns = [
    path("me", Myself.as_view({"get": "retrieve"})),
    path("me/switch-organization", Myself.as_view({"put": "switch_organization", "patch": "switch_organization"})),
    path("patients", Patients.as_view({"get": "list", "post": "create"})),
    path("patients/<id:id>", Patients.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("patients/<id:id>/consents", Consents.as_view({"get": "list", "post": "create"})),
    path("patients/<id:id>/consents/<id:consent_id>/withdraw", Consents.as_view({"post": "withdraw"})),
    path("patients/<id:id>/managers", Caregivers.as_view({"get": "list", "post": "create"})),
    path("patients/<id:id>/managers/<id:manager_id>", Caregivers.as_view({"delete": "destroy"})),
    path("patients/<id:id>/export", Exports.as_view({"get": "export"})),
    path("patients/<id:id>/impersonate", Impersonations.as_view({"post": "start"})),
    path("patients/<id:id>/impersonations", Impersonations.as_view({"get": "list"})),
    path("patients/<id:id>/impersonations/<id:impersonation_id>/end", Impersonations.as_view({"post": "end"})),
    path("specialists", Specialists.as_view({"get": "list", "post": "create"})),
    path("specialists/<id:id>", Specialists.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("specialists/<id:id>/restore", Specialists.as_view({"post": "restore"})),
    path("specialists/<id:id>/avatar", Likenesses.as_view({"post": "set_avatar", "delete": "remove_avatar"})),
    path("specialists/<id:id>/signature", Likenesses.as_view({"post": "set_signature", "delete": "remove_signature"})),
    path("specialists/<id:id>/availability", Availabilities.as_view({"get": "retrieve", "put": "replace"})),
    path("specialties", Specialties.as_view({"get": "list", "post": "create"})),
    path("specialties/<id:id>", Specialties.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
]
