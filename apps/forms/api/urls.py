"""The index of forms: custom fields, and the values that patients and specialists have of them."""

from django.urls.resolvers import URLPattern

from restartix.kernel.api import converters

converters.register()

urlpatterns: list[URLPattern] = []
