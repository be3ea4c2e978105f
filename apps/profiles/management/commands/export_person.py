"""Write down everything that all clinics keep of one person, for the person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.organizations.models import Organization
from apps.profiles.management import subjects
from apps.profiles.management.files import new_file
from apps.profiles.services import erasure
from restartix.kernel import clock
from restartix.kernel.api.envelope import dumps
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor

ACTOR = Actor.system("export_person")


class Command(BaseCommand):
    help = (
        "Write everything that every clinic keeps of a person to a file, as JSON, to be handed to that person. "
        "Leaves an audit row at each clinic."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", metavar="E", required=True, help="of the login, or on file")
        parser.add_argument("--out", metavar="FILE", type=Path, required=True)

    def perform(self, *, email: str, out: Path, **options: Any) -> dict[str, Any]:
        files = erasure.files_of(email, by=ACTOR, trace=subjects.TRACE)
        clinics = Organization.objects.in_bulk([file.organization_id for file in files])
        with new_file(out) as target:
            documents = [
                {
                    "organization": {"id": clinic.pk, "slug": clinic.slug, "name": clinic.name},
                    "export": subjects.own_document(file.pk, clinic, by=ACTOR),
                }
                for file in self.progress(files, what="clinics")
                for clinic in (clinics[file.organization_id],)
            ]
            target.write(dumps({"generated_at": clock.now(), "email": email, "organizations": documents}))
        slugs = [each["organization"]["slug"] for each in documents]
        return {"email": email, "file": str(out), "organizations": slugs}
