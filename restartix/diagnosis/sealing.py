"""Keys that seal columns, and the DNS that proves domains."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connections

from apps.organizations.errors import NoDns
from apps.organizations.services import records
from restartix.diagnosis.findings import Finding, State, verdict
from restartix.kernel import crypto
from restartix.kernel.rekeying import sealed_columns


def encryption_keys() -> Iterator[Finding]:
    """Look how many values are sealed under another key than the newest."""
    try:
        with connections["platform"].cursor() as cursor:
            old = {str(column): count for column in sealed_columns() if (count := column.outdated(cursor))}
    except DatabaseError as error:
        yield Finding(
            "encryption keys", State.FAILED, str(error).strip(), "Start the database, run `manage.py migrate`."
        )
        return
    except (ValueError, StopIteration) as error:
        yield Finding("encryption keys", State.FAILED, f"unreadable: {error}", "Correct ENCRYPTION_KEYS.")
        return
    ring = f"key {crypto.newest_version()} seals, {len(settings.ENCRYPTION_KEYS)} open"
    told = ", ".join(f"{count} in {column}" for column, count in old.items())
    yield verdict(
        "encryption keys",
        f"{ring}; under older keys: {told or 'nothing'}",
        good=not old,
        mend="Run `manage.py rotate_encryption_keys`, and keep the older keys until it is done.",
        otherwise=State.WARNING,
    )


def name_resolution() -> Iterator[Finding]:
    """Look whether the resolvers that prove domains answer; an answer of "no such name" is one."""
    mend = "Set DNS_NAMESERVERS to resolvers that this machine reaches: domains cannot be verified."
    try:
        servers = ", ".join(records.nameservers())
        records.texts_at(f"_restartix-verify.{settings.PLATFORM_BASE_DOMAIN}")
    except NoDns as error:
        yield Finding("DNS", State.WARNING, str(error.__cause__ or error), mend)
        return
    yield Finding("DNS", State.OK, f"{servers} answers")
