"""Users: people with a login, known over all organizations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from restartix.kernel.rows import Timestamped


class UserManager(BaseUserManager["User"]):
    """Finds users by the e-mail that they sign in with; makes none (services/users.py does)."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the live user with this e-mail, whatever its case."""
        return self.get(email=(username or "").strip().lower(), deleted_at=None)


class User(Timestamped, AbstractBaseUser):
    """A person with a login.

    The identity provider owns e-mail, name and verification; the password serves the back office alone.
    Source: contract/organizations.md 1.1.
    """

    email = models.EmailField(max_length=254)
    username = models.CharField(max_length=150, null=True, blank=True)
    name = models.CharField(max_length=200)
    is_superadmin = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=False)
    blocked = models.BooleanField(default=False)
    last_activity = models.DateTimeField(null=True, blank=True, editable=False)
    current_organization = models.ForeignKey(
        "organizations.Organization", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    clerk_user_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    identity_updated_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint("email", condition=Q(deleted_at=None), name="user_email_free"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    class Privacy:
        identifying = {"email", "username", "name", "clerk_user_id"}
        secret = {"password"}
        plain = {
            "id", "is_superadmin", "confirmed", "blocked", "last_activity", "last_login", "current_organization",
            "identity_updated_at", "deleted_at", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the person may sign in at all."""
        return not self.blocked and self.deleted_at is None

    @property
    def is_staff(self) -> bool:
        """Whether the back office may be entered; which clinic and pages is decided there, by membership."""
        return self.is_active

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Deny: the back office asks its own role table (restartix.kernel.admin), not Django's permissions."""
        return self.is_active and self.is_superadmin

    def has_module_perms(self, app_label: str) -> bool:
        """Deny, as `has_perm`."""
        return self.is_active and self.is_superadmin
