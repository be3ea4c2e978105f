"""The active organization: no query on a clinic's rows runs without one.

Four lines of defence, none of them a habit:

1. the default manager of a `TenantModel` adds one condition whose value is read when the SQL is written;
2. `SameOrganization` makes a link point only into the row's own organization (a composite foreign key);
3. row-level security in PostgreSQL reads transaction-local settings that `acting_for` sets (`kernel.protection`);
4. tests generated from the URL index prove that another organization's row does not exist for the caller.

Source: contract/conventions.md, "Tenancy"; docs/adr/0002-tenancy.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self, TypeVar

from django.db import connection, models, transaction
from django.db.models.expressions import Expression

from restartix.kernel.roles import Role

logger = logging.getLogger(__name__)

EVERY = "every"
#: No organization at all: rows of a clinic are neither seen nor written.
OUTSIDE = ""
ModelT_co = TypeVar("ModelT_co", bound=models.Model, covariant=True)


class NoActiveOrganization(RuntimeError):
    """A clinic's rows were asked for outside `acting_for(...)`: a mistake in the program, never of a caller."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does what is being done: a person, a task or command, a service, or nobody in particular."""

    kind: str
    id: int | str | None = None
    name: str = ""
    email: str = ""
    role: Role | None = None
    organization_id: int | None = None
    is_superadmin: bool = False
    impersonation_id: int | None = None
    #: Under impersonation, the user acted for, whose rows are the actor's own for the time being.
    on_behalf_of: int | None = None
    #: The patient acted for, as audit rows name them.
    patient_id: int | None = None
    #: Under impersonation, the role of the member of staff; `role` is that of the patient.
    staff_role: Role | None = None

    @classmethod
    def system(cls, name: str) -> Self:
        """Return the actor of a task or command called `name`."""
        return cls(kind="system", id=name, name=name)

    @classmethod
    def anonymous(cls) -> Self:
        """Return the actor of a request without a token."""
        return cls(kind="anonymous")

    @property
    def user_id(self) -> int | None:
        """The user's primary key, or None for anybody who is not a user."""
        return self.id if self.kind == "user" and isinstance(self.id, int) else None

    @property
    def staff_user_id(self) -> int | None:
        """The user whose work this is; whoever acts as a patient does nothing of their own meanwhile."""
        return self.user_id if self.impersonation_id is None else None

    @property
    def own_user_id(self) -> int | None:
        """The user whose own rows these are: under impersonation the patient's, else the actor's."""
        return self.user_id if self.impersonation_id is None else self.on_behalf_of

    @property
    def effective_role(self) -> Role | None:
        """The role that permission tables are asked for; a superadmin's stands above the membership's."""
        return Role.SUPERADMIN if self.is_superadmin else self.role

    def within(self, organization_id: int, role: Role | None) -> Self:
        """Return the same actor in another organization."""
        return replace(self, organization_id=organization_id, role=role)


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a change came from, as its audit row keeps it."""

    source: str = "task"
    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    method: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the present context may see, and in whose name it acts."""

    organization_id: int | str
    actor: Actor
    trace: Trace


_active: ContextVar[Scope | None] = ContextVar("active_organization", default=None)


def current() -> Scope | None:
    """Return the present scope, or None outside of any."""
    return _active.get()


def current_actor() -> Actor:
    """Return who acts now; outside of any scope nobody does."""
    scope = _active.get()
    return scope.actor if scope else Actor.anonymous()


def active_organization_id() -> int:
    """Return the id of the active organization.

    Raises NoActiveOrganization outside `acting_for`, and inside `across_organizations`, where there is no single one.
    """
    scope = _active.get()
    if scope is None or not isinstance(scope.organization_id, int):
        raise NoActiveOrganization("No organization is active: open `acting_for(organization_id, ...)` first.")
    return scope.organization_id


def audit_settings(actor: Actor, trace: Trace) -> str:
    """Return what the audit triggers read from `app.audit`, as JSON."""
    role = actor.staff_role or actor.effective_role
    who = {
        "actor_type": actor.kind,
        "actor_id": None if actor.id is None else str(actor.id),
        "actor_name": actor.name,
        "actor_role": str(role) if role else None,
        "on_behalf_of": actor.patient_id,
        "impersonation_id": actor.impersonation_id,
    }
    return json.dumps({**who, **asdict(trace)})


PLATFORM_ROLE = "restartix_platform"
#: `role` is a setting like the others, so one statement serves; 'none' is the login role (the application's).
_SET = (
    "SELECT set_config('app.org', %s, true), set_config('app.user', %s, true), "
    "set_config('app.audit', %s, true), set_config('role', %s, true)"
)


@contextmanager
def scoped(scope: Scope) -> Iterator[Scope]:
    """Make `scope` the present one for this context without touching the database (the settings are set elsewhere)."""
    token = _active.set(scope)
    try:
        yield scope
    finally:
        _active.reset(token)


@contextmanager
def acting_for(organization_id: int, *, actor: Actor, trace: Trace | None = None) -> Iterator[Scope]:
    """Act in one organization: one transaction, whose settings row-level security and the audit triggers read.

    Opens the transaction (or joins the one that is open, and puts its settings back on the way out).
    """
    with _entered(Scope(organization_id, actor, trace or Trace()), role=None) as scope:
        yield scope


@contextmanager
def across_organizations(*, reason: str, actor: Actor, trace: Trace | None = None) -> Iterator[Scope]:
    """See every organization, as the platform role, for the rest of the block.

    `reason` is logged. Only listed files may import this (ruff TID251); rows of an organization cannot be created
    in it, because there is no organization that they would belong to.
    """
    level = logging.DEBUG if actor.kind == "system" else logging.INFO  # tasks do it every few seconds
    logger.log(level, "across organizations: %s", reason, extra={"actor": f"{actor.kind}:{actor.id}"})
    with _entered(Scope(EVERY, actor, trace or Trace()), role=PLATFORM_ROLE) as scope:
        yield scope


@contextmanager
def outside_organizations(*, actor: Actor, trace: Trace | None = None) -> Iterator[Scope]:
    """Act where no organization is active: users and organizations may be written, rows of a clinic do not exist.

    Opens the transaction (or joins the one that is open); the audit rows name `actor`.
    """
    with _entered(Scope(OUTSIDE, actor, trace or Trace()), role=None) as scope:
        yield scope


@contextmanager
def _entered(scope: Scope, *, role: str | None) -> Iterator[Scope]:
    """Open a transaction with the settings of `scope`; inside an outer one, put the outer settings back at the end.

    Settings are transaction-local: COMMIT and ROLLBACK forget them, and ROLLBACK TO a savepoint restores the outer
    ones, but RELEASE keeps the inner ones, so an orderly end inside a transaction writes the outer ones again.
    """
    outer, nested = _active.get(), connection.in_atomic_block
    with transaction.atomic(), scoped(scope):
        _write_settings(scope, role=role)
        yield scope
        if nested and not connection.needs_rollback:
            _write_settings(outer, role=PLATFORM_ROLE if outer and outer.organization_id == EVERY else None)


def _write_settings(scope: Scope | None, *, role: str | None) -> None:
    org = user = audit = ""
    if scope is not None:
        org = "" if scope.organization_id == EVERY else str(scope.organization_id)
        seen_as = scope.actor.user_id if scope.actor.impersonation_id is None else None  # else nobody beyond the clinic
        user, audit = str(seen_as or ""), audit_settings(scope.actor, scope.trace)
    with connection.cursor() as cursor:
        cursor.execute(_SET, [org, user, audit, role or "none"])


class InActiveOrganization(Expression):
    """True of the rows of the active organization, which is read when the SQL is written."""

    conditional = True
    allowed_default = True

    def __init__(self, column: str = "organization_id") -> None:
        """Compare `column` with the active organization."""
        super().__init__(output_field=models.BooleanField())
        self.column: Any = models.F(column)

    def get_source_expressions(self) -> list[Any]:
        """Return the compared column."""
        return [self.column]

    def set_source_expressions(self, exprs: Any) -> None:
        """Take the resolved column."""
        (self.column,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Write `organization_id = <active>`; raises NoActiveOrganization outside of any scope."""
        scope = _active.get()
        if scope is None or scope.organization_id == OUTSIDE:
            raise NoActiveOrganization("A clinic's rows were asked for outside `acting_for(...)`.")
        if scope.organization_id == EVERY:
            return "TRUE", []
        column, params = compiler.compile(self.column)
        return f"{column} = %s", [*params, scope.organization_id]


class TenantQuerySet(models.QuerySet[ModelT_co]):
    """Rows of one organization; named row filters of the apps are added to it."""


class TenantManager(models.Manager[ModelT_co]):
    """Rows of the active organization only."""

    def get_queryset(self) -> models.QuerySet[ModelT_co]:
        """Return the rows of the organization that is active when the SQL is written."""
        return super().get_queryset().filter(InActiveOrganization())


class TenantModel(models.Model):
    """A row that belongs to one organization."""

    organization = models.ForeignKey(
        "organizations.Organization",
        models.PROTECT,
        related_name="+",
        default=active_organization_id,
        editable=False,
        db_index=False,  # every index of a tenant table leads with it already
    )

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="%(app_label)s_%(class)s_in_organization"),
        ]


class SameOrganization(models.BaseConstraint):
    """A composite foreign key: the row that `field` points to is in the same organization as this one.

    NULL links pass (MATCH SIMPLE). The ordinary foreign key stays for the ORM.
    """

    def __init__(self, field: str, *, name: str) -> None:
        """Guard the link called `field`."""
        super().__init__(name=name)
        self.field = field

    def _definition(self, model: type[models.Model], schema_editor: Any) -> str:
        field = model._meta.get_field(self.field)
        target = field.remote_field.model._meta  # type: ignore[union-attr]
        quote = schema_editor.quote_name
        owner = quote(model._meta.get_field("organization").column)  # type: ignore[union-attr]
        return (
            f"FOREIGN KEY ({owner}, {quote(field.column)}) "  # type: ignore[union-attr]
            f"REFERENCES {quote(target.db_table)} (organization_id, {quote(target.pk.column)}) "
            "DEFERRABLE INITIALLY IMMEDIATE"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> str | None:  # type: ignore[override]
        """Write nothing inside CREATE TABLE: the link's own table may not exist yet."""
        self.create_sql(model, schema_editor)
        return None

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        """Put ALTER TABLE ... ADD CONSTRAINT at the end of the migration, when the target's unique key exists."""
        table, name = schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(self.name)
        schema_editor.deferred_sql.append(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} {self._definition(model, schema_editor)}"
        )
        return ""

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        """Write ALTER TABLE ... DROP CONSTRAINT."""
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Leave the judgement to the database: a check here would be a race."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how migrations write it."""
        return "restartix.kernel.tenancy.SameOrganization", (self.field,), {"name": self.name}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameOrganization):
            return NotImplemented
        return (self.field, self.name) == (other.field, other.name)

    def __hash__(self) -> int:
        return hash((self.field, self.name))
