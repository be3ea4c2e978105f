"""Write down everything that one clinic keeps of one patient, for the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.profiles.management import subjects
from apps.profiles.management.files import new_file
from restartix.kernel.api.envelope import dumps
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor

ACTOR = Actor.system("patient_export")


class Command(BaseCommand):
    help = (
        "Write everything that a clinic keeps of a patient to a file, as JSON, to be handed to them: the person "
        "is whole, whether the profile is shared with the clinic or not. Leaves an audit row."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--patient", metavar="ID", type=int, required=True)
        parser.add_argument("--out", metavar="FILE", type=Path, help="default: patient-ID.json, here")

    def perform(self, *, organization: str, patient: int, out: Path | None, **options: Any) -> dict[str, Any]:
        clinic = subjects.organization_called(organization)
        found = subjects.patient_of(clinic, patient, by=ACTOR)
        path = out or Path(f"patient-{found.pk}.json")
        with new_file(path) as file:
            document = subjects.own_document(found.pk, clinic, by=ACTOR)
            file.write(dumps(document))
        counts = {name: len(part) for name, part in document.items() if isinstance(part, list)}
        return {"organization": clinic.slug, "patient_id": found.pk, "file": str(path), **counts}
