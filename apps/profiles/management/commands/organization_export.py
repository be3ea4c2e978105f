"""Write a clinic's portable archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.profiles.management import subjects
from apps.profiles.management.files import new_file
from apps.profiles.selectors.archives import write_archive
from restartix.kernel import audit
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor, acting_for

ACTOR = Actor.system("organization_export")


class Command(BaseCommand):
    help = (
        "Write every row of a clinic's tables to a ZIP file of JSON lines, with a manifest of counts and SHA-256 sums. "
        "Secrets stay out; of people who do not share their profile only the name leaves. Leaves an audit row."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--out", metavar="FILE", type=Path, help="default: SLUG.zip, here")

    def perform(self, *, organization: str, out: Path | None, **options: Any) -> dict[str, Any]:
        clinic = subjects.organization_called(organization)
        path = out or Path(f"{clinic.slug}.zip")
        with new_file(path) as file:
            manifest = write_archive(clinic, file, by=ACTOR, watch=self._watch)
            with acting_for(clinic.pk, actor=ACTOR, trace=subjects.TRACE):
                audit.note("EXPORT", "organization", clinic.pk)
        return {"file": str(path), **manifest}

    def _watch(self, tables: Iterable[Any]) -> Iterable[Any]:
        return self.progress(tables, what="tables")

    def lines(self, result: dict[str, Any]) -> Iterable[str]:
        """Show a line for each table that has rows, and where the archive is."""
        yield from (f"{each['rows']:>8}  {each['file']}" for each in result["tables"] if each["rows"])
        yield f"written to {result['file']}"
