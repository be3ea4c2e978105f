"""A clinic's portable archive: every row of its tables as JSON lines in one ZIP file, with a manifest.

Which tables there are is read from the models, so what later apps keep joins by itself. What a model's `Privacy` calls
secret stays out, as do hashes and keys; of people who do not share their profile only id and name leave.
Source: contract/running.md ("organization_export"); contract/profiles.md 1.1 ("Gate").
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef

from apps.organizations.models import ConsentType, Membership, Organization, User
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient, PatientPerson
from apps.profiles.selectors import people
from restartix.kernel import clock
from restartix.kernel.api.envelope import dumps
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.tenancy import Actor, TenantModel, Trace, acting_for

FORMAT = "restartix-organization/1"
CHUNK = 2000
MANIFEST = "manifest.json"
#: Tables that hold nothing of their own; the search's words would also tell what stands behind a closed gate.
DERIVED = frozenset({"profiles.patientsearch"})
#: What is not in the archive, and why.
LEFT_OUT = (
    "the audit trail: it proves what happened here, and verifies nowhere else",
    "passwords, keys, signing secrets and hashes",
    "pictures and files of the storage: rows name them by their keys",
)
Rows = Iterator[Mapping[str, Any]]
#: Shows how far it is: takes the tables, yields them one by one.
Watch = Callable[[Iterable[Any]], Iterable[Any]]


def write_archive(organization: Organization, out: IO[bytes], *, by: Actor, watch: Watch = iter) -> dict[str, Any]:
    """Write the archive to `out`, as the clinic was at one moment, and return its manifest."""
    with transaction.atomic(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with acting_for(organization.pk, actor=by, trace=Trace(source="command")):
            tables = [_written(archive, name, rows) for name, rows in watch(list(_tables(organization)))]
        manifest = {
            "format": FORMAT,
            "organization": {"id": organization.pk, "slug": organization.slug, "name": organization.name},
            "generated_at": clock.now().isoformat(),
            "tables": tables,
            "left_out": list(LEFT_OUT),
        }
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2))
    return manifest


def _tables(organization: Organization) -> Iterator[tuple[str, Callable[[], Rows]]]:
    """Yield the name of each file and what gives its rows."""
    yield "organizations.organization", lambda: _rows(Organization.objects.filter(pk=organization.pk))
    yield "organizations.user", _users
    yield "profiles.patientperson", _persons
    for model in apps.get_models():
        if issubclass(model, TenantModel) and model._meta.managed and model._meta.label_lower not in DERIVED:
            yield model._meta.label_lower, lambda model=model: _rows(model._default_manager.all())  # type: ignore[misc]


def _written(archive: zipfile.ZipFile, name: str, rows: Callable[[], Rows]) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    file = f"{name}.jsonl"
    with archive.open(file, "w", force_zip64=True) as out:
        for row in rows():
            line = dumps(row) + b"\n"
            digest.update(line)
            out.write(line)
            count += 1
    return {"file": file, "rows": count, "sha256": digest.hexdigest()}


def _rows(queryset: models.QuerySet[Any]) -> Rows:
    """Yield rows as what may leave of their columns, in the order of their keys."""
    names = open_columns(queryset.model)
    yield from queryset.order_by("pk").values(*names).iterator(chunk_size=CHUNK)


def open_columns(model: type[models.Model]) -> list[str]:
    """Return the columns that may leave: neither secret nor bytes, which are hashes and keys; sealed text is opened."""
    secret: set[str] = getattr(getattr(model, "Privacy", None), "secret", set())
    return [
        field.attname
        for field in model._meta.concrete_fields
        if field.name not in secret
        and (isinstance(field, SealedTextField) or not isinstance(field, models.BinaryField))
    ]


def _users() -> Rows:
    """Yield the clinic's members as clinics know them."""
    members = Membership.objects.values("user")
    for user in User.objects.filter(pk__in=members).order_by("pk").iterator(chunk_size=CHUNK):
        yield {"id": user.pk, "name": user.name, "email": user.email}


def _persons() -> Rows:
    """Yield the persons of the clinic's patients, each as the gate has it."""
    files = Patient.objects.filter(person=OuterRef("pk"))
    shared = ConsentRecord.objects.filter(
        patient__person=OuterRef("pk"), status=ConsentStatus.ACTIVE, type=ConsentType.PROFILE_SHARING
    )
    persons = PatientPerson.objects.filter(Exists(files)).annotate(is_shared=Exists(shared)).order_by("pk")
    for person in persons.iterator(chunk_size=CHUNK):
        yield people.whole(person) if person.is_shared else people.named(person)
