"""What lists of custom fields are narrowed by. Source: contract/forms.md 2.3."""

from __future__ import annotations

from apps.forms.models import CustomFieldType, EntityType
from restartix.kernel.api import filters


class CustomFieldFilters(filters.ApiFilterSet):
    """Which custom fields."""

    entity_type = filters.OneOf(EntityType)
    field_type = filters.OneOf(CustomFieldType)
    is_private = filters.Flag()
    key = filters.Words(max_length=63)
    search = filters.Search("label", "key")
