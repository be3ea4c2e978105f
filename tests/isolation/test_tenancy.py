"""The four lines of tenancy, each alone: the manager, the composite key, the policies, as the application role."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Count

from apps.organizations.models import Organization
from apps.profiles.models import Specialist, SpecialistSpecialty, Specialty
from restartix.kernel.tenancy import (
    Actor,
    NoActiveOrganization,
    across_organizations,
    acting_for,
    active_organization_id,
    current,
)

pytestmark = pytest.mark.django_db
TESTER = Actor.system("test")


@pytest.fixture
def clinics() -> tuple[Organization, Organization]:
    """Two clinics, each with one specialty."""
    made = tuple(
        Organization.objects.create(name=name, slug=f"{name}-{uuid.uuid4().hex[:6]}") for name in ("sud", "nord")
    )
    for clinic in made:
        with acting_for(clinic.pk, actor=TESTER):
            Specialty.objects.create(title=f"Kinetoterapie {clinic.name}", slug="kinetoterapie")
    return made


@contextmanager
def refused(error: type[Exception], text: str) -> Iterator[None]:
    with pytest.raises(error, match=text), transaction.atomic():
        yield


USES = {
    "iterate": list,
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "first": lambda rows: rows.first(),
    "get": lambda rows: rows.get(pk=1),
    "update": lambda rows: rows.update(title="x"),
    "delete": lambda rows: rows.all().delete(),
    "values_list": lambda rows: list(rows.values_list("pk")),
    "aggregate": lambda rows: rows.aggregate(n=Count("pk")),
    "in_bulk": lambda rows: rows.in_bulk(),
    "iterator": lambda rows: list(rows.iterator()),
    "select_for_update": lambda rows: list(rows.select_for_update()),
    "subquery": lambda rows: list(Specialist.objects.filter(pk__in=rows.values("pk"))),
    "create": lambda rows: Specialty.objects.create(title="x", slug="xx"),
    "bulk_create": lambda rows: Specialty.objects.bulk_create([Specialty(title="x", slug="xx")]),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_query_can_be_written_without_an_active_organization(use) -> None:
    with pytest.raises(NoActiveOrganization):
        use(Specialty.objects.all())


def test_one_queryset_object_shows_each_scope_its_own_rows(clinics) -> None:
    rows = Specialty.objects.values_list("title", flat=True)

    for clinic in clinics:
        with acting_for(clinic.pk, actor=TESTER):
            assert list(rows.all()) == [f"Kinetoterapie {clinic.name}"]


def test_a_new_thread_begins_without_a_scope(clinics) -> None:
    seen = []
    with acting_for(clinics[0].pk, actor=TESTER):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_across_organizations_sees_all_and_creates_nothing(clinics) -> None:
    with across_organizations(reason="test", actor=TESTER):
        assert Specialty.objects.filter(organization__in=clinics).count() == 2
        with pytest.raises(NoActiveOrganization):
            Specialty.objects.create(title="x", slug="xx")


def test_a_scope_inside_another_gives_the_outer_one_back(clinics) -> None:
    sud, nord = clinics
    with acting_for(sud.pk, actor=TESTER):
        with acting_for(nord.pk, actor=TESTER):
            assert active_organization_id() == nord.pk
        with across_organizations(reason="test", actor=TESTER):
            pass

        assert active_organization_id() == sud.pk
        assert _raw("SELECT organization_id FROM profiles_specialty") == [(sud.pk,)]


def _raw(sql: str, *parameters: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


def test_raw_sql_without_context_sees_and_changes_nothing(clinics) -> None:
    for clinic in clinics:
        assert _raw("SELECT * FROM profiles_specialty WHERE organization_id = %s", clinic.pk) == []
    assert _raw("UPDATE profiles_specialty SET title = 'x'") == [(0,)]
    assert _raw("DELETE FROM profiles_specialty") == [(0,)]
    with refused(ProgrammingError, "row-level security"):
        _raw(
            "INSERT INTO profiles_specialty (organization_id, title, slug, created_at, updated_at) "
            "VALUES (%s, 'x', 'xx', now(), now())",
            clinics[0].pk,
        )


def test_raw_sql_reaches_no_other_organization(clinics) -> None:
    sud, nord = clinics
    with acting_for(sud.pk, actor=TESTER):
        assert _raw("UPDATE profiles_specialty SET title = 'x' WHERE organization_id = %s", nord.pk) == [(0,)]
        with refused(ProgrammingError, "row-level security"):
            _raw("UPDATE profiles_specialty SET organization_id = %s", nord.pk)
        assert Specialty._base_manager.filter(organization=nord).count() == 0


def test_a_link_cannot_point_into_another_organization(clinics) -> None:
    sud, nord = clinics
    with acting_for(nord.pk, actor=TESTER):
        foreign = Specialty.objects.get()
    with acting_for(sud.pk, actor=TESTER):
        sara = Specialist.objects.create(name="Sara", slug="sara")
        with refused(IntegrityError, "specialist_specialty_specialty_same_organization"):
            SpecialistSpecialty.objects.create(specialist=sara, specialty_id=foreign.pk)


def test_the_application_role_can_neither_change_nor_delete_an_audit_row(clinics) -> None:
    with acting_for(clinics[0].pk, actor=TESTER):
        assert _raw("SELECT count(*) FROM organizations_auditentry WHERE entity_type = 'specialty'") == [(1,)]
        for sql in ("UPDATE organizations_auditentry SET path = 'x'", "DELETE FROM organizations_auditentry"):
            with refused(ProgrammingError, "permission denied"):
                _raw(sql)


def test_every_change_leaves_an_audit_row_with_its_actor_and_source(clinics) -> None:
    with acting_for(clinics[0].pk, actor=TESTER):
        _raw("UPDATE profiles_specialty SET title = 'Masaj'")
        rows = _raw(
            "SELECT action, actor_type, actor_id, source, changes FROM organizations_auditentry "
            "WHERE entity_type = 'specialty' ORDER BY id DESC LIMIT 1"
        )

    ((action, kind, who, source, changes),) = rows
    assert (action, kind, who, source) == ("UPDATE", "system", "test", "task")
    assert json.loads(changes) == {"title": {"old": "Kinetoterapie sud", "new": "Masaj"}}


def test_a_change_whose_audit_row_cannot_be_written_is_not_made(clinics, test_servers) -> None:
    with acting_for(clinics[0].pk, actor=TESTER), refused(Exception, "."):
        _raw("SELECT set_config('app.audit', '{\"source\": \"nowhere\"}', true)")
        _raw("UPDATE profiles_specialty SET title = 'Masaj'")

    with acting_for(clinics[0].pk, actor=TESTER):
        assert Specialty.objects.get().title == "Kinetoterapie sud"
