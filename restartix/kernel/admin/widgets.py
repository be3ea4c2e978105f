"""Controls of the back office: the browser's own, so that no script draws a calendar and every device types its way."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models


class DateInput(forms.DateInput):
    """The browser's date control."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Write the date as the control wants it, whatever the language."""
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's control for a time of day, in minutes."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Write hours and minutes."""
        super().__init__(attrs, format="%H:%M")


class MomentInput(forms.DateTimeInput):
    """The browser's control for a date with a time of day, in minutes."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Write the moment on the clinic's clock."""
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class ColorInput(forms.TextInput):
    """The browser's colour control."""

    input_type = "color"


#: Which control a column gets.
FOR_COLUMNS: dict[type[models.Field], dict[str, Any]] = {
    models.DateField: {"widget": DateInput},
    models.DateTimeField: {"widget": MomentInput},
    models.TimeField: {"widget": TimeInput},
    models.TextField: {"widget": forms.Textarea({"rows": 4})},
}
