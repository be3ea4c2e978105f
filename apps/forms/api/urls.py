"""The index of forms: custom fields, and the values that patients and specialists have of them."""

from django.urls import path

from apps.forms.api.profiles import PatientProfiles, SpecialistProfiles
from apps.forms.api.views import CustomFields, CustomFieldVersions
from restartix.kernel.api import converters
from restartix.kernel.api.resources import writes

converters.register()

urlpatterns = [
    path("custom-fields", CustomFields.as_view({"get": "list", "post": "create"})),
    path("custom-fields/<id:id>", CustomFields.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("custom-fields/<id:id>/versions", CustomFieldVersions.as_view({"get": "list"})),
    path("patients/<id:id>/profile", PatientProfiles.as_view({"get": "retrieve", **writes("update")})),
    path("specialists/<id:id>/profile", SpecialistProfiles.as_view({"get": "retrieve", **writes("update")})),
]
