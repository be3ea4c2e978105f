"""What can be refused and why: forms. Source: contract/forms.md 2.3."""

from __future__ import annotations

from collections.abc import Collection

from restartix.kernel.errors import Conflict


class SystemField(Conflict):
    """Every clinic has this field: it may be renamed, but neither become one of another type nor be removed."""

    code = "system_field"


class FieldInUse(Conflict):
    """Segments ask for this field: change them first."""

    code = "field_in_use"

    def __init__(self, segment_ids: Collection[int]) -> None:
        """Name the segments."""
        super().__init__(details={"segment_ids": sorted(segment_ids)})


class OptionInUse(Conflict):
    """Somebody has chosen an option that the field would no longer have."""

    code = "option_in_use"

    def __init__(self, option: str, count: int) -> None:
        """Name the option, and how many have chosen it."""
        super().__init__(details={"option": option, "count": count})


class ValuesNotConvertible(Conflict):
    """Stored values do not fit the new type of the field."""

    code = "values_not_convertible"

    def __init__(self, count: int) -> None:
        """Say how many."""
        super().__init__(details={"count": count})
