"""What every model promises, read from the models and from the database that they made."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.models import ForeignKey

from restartix.kernel.tenancy import SameOrganization, TenantModel

#: The rank of each app: links may point sideways inside an app, or down.
RANKS = {
    "organizations": 0,
    "profiles": 1,
    "forms": 2,
    "exercises": 2,
    "scheduling": 3,
    "treatment_plans": 3,
    "documents": 4,
    "telemetry": 4,
}
OURS = [model for model in apps.get_models() if model._meta.app_label in RANKS]
TENANT = [model for model in OURS if issubclass(model, TenantModel)]
#: Tables that belong to no organization, each with the reason.
PLATFORM = {
    "User": "people are known over all organizations",
    "Organization": "the organization itself",
    "IdentityEvent": "tells of people, who are known over all organizations",
    "IdempotencyRecord": "keyed by digests that tell nothing; sealed bodies",
    "PatientPerson": "a human being belongs to no clinic; isolated by a policy of its own",
    "AuditEntry": "has an organization or none; isolated and append-only",
    "AuditHead": "the end of an organization's chain or the platform's; isolated, written by sealing alone",
    "SigningKey": "this server's own key pairs; the private halves are sealed",
    "AuditSealing": "one row for the whole trail: how far sealing has come",
}
name = lambda model: model.__name__  # noqa: E731


def _links(model: type[models.Model]) -> list[ForeignKey]:
    return [field for field in model._meta.get_fields() if isinstance(field, ForeignKey)]


@pytest.mark.parametrize("model", OURS, ids=name)
def test_every_model_belongs_to_an_organization_or_says_why_not(model: type[models.Model]) -> None:
    assert issubclass(model, TenantModel) != (model.__name__ in PLATFORM)


@pytest.mark.parametrize("model", TENANT, ids=name)
def test_links_between_tenant_rows_are_composite(model: type[models.Model]) -> None:
    guarded = {rule.field for rule in model._meta.constraints if isinstance(rule, SameOrganization)}

    links = {field.name for field in _links(model) if issubclass(field.related_model, TenantModel)}

    assert links == guarded


@pytest.mark.parametrize("model", OURS, ids=name)
def test_links_point_down(model: type[models.Model]) -> None:
    for field in _links(model):
        assert RANKS[field.related_model._meta.app_label] <= RANKS[model._meta.app_label]


@pytest.mark.parametrize("model", [model for model in OURS if model._meta.managed], ids=name)
def test_every_field_with_choices_has_a_check(model: type[models.Model]) -> None:
    checks = [str(rule.condition) for rule in model._meta.constraints if isinstance(rule, models.CheckConstraint)]

    for field in model._meta.get_fields():
        if getattr(field, "choices", None):
            assert any(f"{field.name}__in" in check for check in checks), field.name


@pytest.mark.parametrize("model", OURS, ids=name)
def test_every_field_is_classified_for_privacy_exactly_once(model: type[models.Model]) -> None:
    classes = [names for key, names in vars(model.Privacy).items() if not key.startswith("_")]
    listed = sorted(field for names in classes for field in names)

    declared = sorted(field.name for field in model._meta.concrete_fields)

    assert listed == declared


@pytest.mark.django_db
@pytest.mark.parametrize("model", TENANT, ids=name)
def test_every_tenant_table_is_isolated_by_the_database(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        secured, forced = cursor.fetchone()
        cursor.execute(
            "SELECT qual, with_check FROM pg_policies WHERE tablename = %s AND cmd = 'ALL'", [model._meta.db_table]
        )
        policies = cursor.fetchall()

    assert (secured, forced) == (True, True)
    assert len(policies) == 1
    assert all("app.org" in part for part in policies[0])


#: Tables without an audit trigger, each with the reason.
UNAUDITED = {
    "Fact": "the outbox tells of changes that are audited themselves",
    "HoldEvent": "is a trail itself, of keyed hashes",
    "PatientSearch": "copies of what is audited where it changes; triggers alone write it",
    "IdentityEvent": "is a record itself; what it changes is audited",
    "IdempotencyRecord": "a copy of an answer",
    "AuditEntry": "the audit itself",
    "AuditHead": "follows from the audit, and is anchored outside",
    "AuditSealing": "follows from the audit",
    "WebhookDelivery": "is a trail itself: each attempt is a row of its own",
    "WebhookAttempt": "is a trail itself, written once",
    "WebhookPace": "instants that matter for five seconds",
}


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=name)
def test_every_table_is_audited_or_says_why_not(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = 'audit'", [model._meta.db_table]
        )
        (count,) = cursor.fetchone()

    assert (count == 1) != (model.__name__ in UNAUDITED)


@pytest.mark.django_db
def test_every_table_with_an_organization_forces_row_level_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE a.attname = 'organization_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_the_suite_runs_as_the_application_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, "
            "EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) FROM pg_roles r WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("restartix_app", False, False, False)
