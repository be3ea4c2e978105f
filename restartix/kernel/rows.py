"""Columns that most tables share: when a row was made and last changed, and whether it is gone."""

from __future__ import annotations

from typing import Any

from django.db import models

from restartix.kernel import clock


class ChangedAt(models.DateTimeField):
    """The instant of the last save; `update_fields` need not name it."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 (Django's signature)
        """Take the present instant."""
        value = clock.now()
        setattr(model_instance, self.attname, value)
        return value


class Timestamped(models.Model):
    """A row that knows when it was made and when it last changed."""

    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = ChangedAt(editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let `updated_at` follow every partial save."""
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "updated_at"}
        super().save(*args, **kwargs)
