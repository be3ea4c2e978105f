"""Custom fields over HTTP. Source: contract/forms.md 2.3, 3."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.forms.api.bodies import CustomFieldBody, CustomFieldChanges
from apps.forms.api.filters import CustomFieldFilters
from apps.forms.api.shapes import CustomFieldShape, CustomFieldVersionShape
from apps.forms.errors import FieldInUse, OptionInUse, SystemField, ValuesNotConvertible
from apps.forms.models import CustomField, CustomFieldVersion
from apps.forms.services import custom_fields
from restartix.kernel.api.operations import Operation, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import AlreadyTaken, NotFound
from restartix.kernel.roles import ADMINS, MEMBERS, STAFF


class CustomFields(Resource):
    """Custom fields: what a clinic asks of its own accord."""

    serializer_class = CustomFieldShape
    filterset_class = CustomFieldFilters
    sortable = ("sort_order", "label", "key", "created_at", "entity_type")
    default_sort = "entity_type,sort_order"
    location = "/v1/custom-fields/{id}"
    may = {"list": MEMBERS, "create": ADMINS, "retrieve": MEMBERS, "update": ADMINS, "destroy": ADMINS}

    def rows(self) -> QuerySet[CustomField]:
        """Keep what the caller may read: patients only the patient fields that are not private."""
        return CustomField.objects.visible_to(self.actor)

    @operation(body=CustomFieldBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> CustomField:
        """Add a field."""
        return custom_fields.create(by=self.actor, **body)

    @operation(body=CustomFieldChanges, errors=(AlreadyTaken, OptionInUse, SystemField, ValuesNotConvertible))
    def update(self, row: CustomField, body: dict[str, Any]) -> CustomField:
        """Change the fields that were sent; stored values are converted when the type changes."""
        return custom_fields.change(row, by=self.actor, **body)

    @operation(errors=(FieldInUse, SystemField))
    def destroy(self, row: CustomField) -> None:
        """Remove a field; its values are no longer shown."""
        custom_fields.remove(row, by=self.actor)


class CustomFieldVersions(Resource):
    """Custom field versions: what a field asked from when on."""

    serializer_class = CustomFieldVersionShape
    sortable = ("version",)
    default_sort = "-version"
    lookup = "version"
    may = {"list": STAFF}
    field: CustomField

    def rows(self) -> QuerySet[CustomFieldVersion]:
        """Keep those of the field in the path."""
        return CustomFieldVersion.objects.filter(custom_field_id=self.field.pk).select_related("created_by")

    def has_row(self, operation: Operation) -> bool:
        """Say that the path names a row: the field."""
        return True

    def find_row(self, *, locked: bool = False) -> None:
        """Find the field. Raises NotFound (404) if the caller may not see it."""
        field = CustomField.objects.visible_to(self.actor).filter(pk=self.kwargs["id"]).first()
        if field is None:
            raise NotFound
        self.field = field
