"""Erase the person of one clinic's patient."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from apps.profiles.management import subjects
from apps.profiles.management.erasing import ErasingCommand
from apps.profiles.services import erasure
from restartix.kernel.tenancy import Actor

ACTOR = Actor.system("patient_erase")


class Command(ErasingCommand):
    help = (
        "Erase the person whom a clinic has as a patient, as erase_person does. Refuses where other clinics have the "
        "person as a patient too: they are asked first, and erase_person is used. Prints the protocol."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--patient", metavar="ID", type=int, required=True)
        parser.add_argument("--reason", metavar="R", required=True, help="kept in the audit trail: name nobody in it")

    def perform(self, *, organization: str, patient: int, reason: str, dry_run: bool, **options: Any) -> dict[str, Any]:
        clinic = subjects.organization_called(organization)
        found = subjects.patient_of(clinic, patient, by=ACTOR)
        return self.protocol(
            lambda: erasure.erase_only_here(found, by=ACTOR, reason=reason, trace=subjects.TRACE),
            reason=reason,
            dry_run=dry_run,
        )
