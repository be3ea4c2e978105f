"""`manage.py doctor`: examines the installation and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from restartix.diagnosis import database, identity, sealing, surroundings, video
from restartix.diagnosis.findings import Examination, State
from restartix.kernel.commands import Command as BaseCommand

EXAMINATIONS: Sequence[Examination] = (
    surroundings.configuration,
    identity.examine,
    surroundings.disk,
    database.examine,
    sealing.encryption_keys,
    surroundings.broker,
    surroundings.storage,
    surroundings.time_zones,
    surroundings.printing,
    surroundings.mail,
    sealing.name_resolution,
    video.rooms,
    surroundings.geo_database,
)


class Command(BaseCommand):
    help = (
        "Examine configuration, database, keys, broker, storage, time zones, fonts, mail, DNS, video rooms, geo "
        "database. 1 if one failed."
    )

    def perform(self, **options: Any) -> dict[str, Any]:
        findings = [finding for examine in EXAMINATIONS for finding in examine()]
        failed = [finding.name for finding in findings if finding.state == State.FAILED]
        return {"ok": not failed, "failed": failed, "checks": [finding.as_dict() for finding in findings]}

    def lines(self, result: Any) -> Iterable[str]:
        for finding in result["checks"]:
            yield f"{finding['state']:>14}  {finding['name']}: {finding['found']}"
            if finding["mend"]:
                yield f"{'':16}→ {finding['mend']}"

    def failed(self, result: Any) -> bool:
        return not result["ok"]
