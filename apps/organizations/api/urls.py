"""The index of organizations: every path and verb of organizations and their members."""

from django.urls import path

from apps.organizations.api.domains import ApiKeys, Domains
from apps.organizations.api.pictures import OrganizationPictures, PublicPictures
from apps.organizations.api.users import Users
from apps.organizations.api.views import Members, Organizations, PublicOrganizations
from apps.organizations.api.webhooks import WebhookDeliveries, WebhookSubscriptions
from restartix.kernel.api import converters
from restartix.kernel.api.resources import writes

converters.register()

urlpatterns = [
    path("public/organizations/resolve", PublicOrganizations.as_view({"get": "resolve"})),
    path("organizations", Organizations.as_view({"get": "list", "post": "create"})),
    path(
        "organizations/<id:id>",
        Organizations.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"}),
    ),
    path("organizations/<id:id>/members", Members.as_view({"get": "list"})),
    path("organizations/<id:id>/members/<id:membership_id>", Members.as_view(writes("update"))),
    path("organizations/<id:id>/domains", Domains.as_view({"get": "list", "post": "create"})),
    path("organizations/<id:id>/domains/<id:domain_id>", Domains.as_view({"delete": "destroy"})),
    path("organizations/<id:id>/domains/<id:domain_id>/verify", Domains.as_view({"post": "verify"})),
    path("organizations/<id:id>/api-keys", ApiKeys.as_view({"get": "list", "post": "create"})),
    path("organizations/<id:id>/api-keys/<slug:service>", ApiKeys.as_view({"delete": "destroy"})),
    path("organizations/<id:id>/connect-user", Members.as_view({"post": "connect_user"})),
    path("organizations/<id:id>/logo", OrganizationPictures.as_view({"post": "set_logo", "delete": "remove_logo"})),
    path("organizations/<id:id>/icon", OrganizationPictures.as_view({"post": "set_icon", "delete": "remove_icon"})),
    path("public/images/<uid:uid>", PublicPictures.as_view({"get": "fetch"})),
    path("users", Users.as_view({"get": "list", "post": "create"})),
    path("users/<id:id>", Users.as_view({"get": "retrieve", **writes("update")})),
    path("webhook-subscriptions", WebhookSubscriptions.as_view({"get": "list", "post": "create"})),
    path(
        "webhook-subscriptions/<uid:uid>",
        WebhookSubscriptions.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"}),
    ),
    path("webhook-subscriptions/<uid:uid>/rotate-secret", WebhookSubscriptions.as_view({"post": "rotate_secret"})),
    path("webhook-subscriptions/<uid:uid>/test", WebhookSubscriptions.as_view({"post": "test"})),
    path("webhook-subscriptions/<uid:uid>/events", WebhookDeliveries.as_view({"get": "list"})),
    path(
        "webhook-subscriptions/<uid:uid>/events/<id:delivery_id>/resend",
        WebhookDeliveries.as_view({"post": "resend"}),
    ),
]
