"""Public pictures: the logos, icons and avatars in use, and where their bytes are kept."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from restartix.kernel import clock
from restartix.kernel.tenancy import TenantManager, TenantModel


class PictureKind(models.TextChoices):
    """What a public picture shows."""

    LOGO = "logo"
    ICON = "icon"
    AVATAR = "avatar"


class Picture(TenantModel):
    """A picture in use; replaced or removed, its row goes and its address is dead for ever.

    Everybody may read a row (row-level security lets it through), because nothing but the bytes behind it is told.
    Source: contract/organizations.md 3 rows 6-10.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=6, choices=PictureKind)
    media_type = models.CharField(max_length=20)
    storage_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[models.Manager[Self]] = TenantManager()
    #: Pictures of all organizations, for visitors who are in none.
    everywhere: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=PictureKind.values), name="picture_kind_known"),
        ]

    class Privacy:
        plain = {"id", "organization", "uid", "kind", "media_type", "storage_key", "created_at"}

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"
