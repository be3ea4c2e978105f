"""What has to be done once the servers run and before anybody comes: migrations, static files, storage, demo clinics.

Run by `manage.py up` and by docker-compose.yml as `python -m restartix.launch.prepare`, one process for all. Messages
go to standard error; standard output carries one JSON document: what the demo data offers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from io import StringIO
from typing import Any

import django
from django.core.management import call_command, get_commands
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


def migrate() -> None:
    """Apply what is pending."""
    began = time.monotonic()
    pending = _pending()
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
    _say(f"database: {pending} migrations applied" if pending else "database: up to date", began)


def _pending() -> int:
    executor = MigrationExecutor(connections["owner"])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static() -> None:
    """Put what the pages need into one folder; in development they are served from where they lie."""
    from django.conf import settings

    if not settings.DEBUG:
        began = time.monotonic()
        sys.stderr.write("          compressing static files, which takes up to a minute\n")
        call_command("collectstatic", verbosity=0, interactive=False)
        _say("static files collected", began)


def make_bucket() -> None:
    """Make the bucket that STORAGE_URL names where it is missing."""
    from django.core.files.storage import default_storage

    bucket: Any = getattr(default_storage, "bucket", None)
    if bucket is None:
        return
    began = time.monotonic()
    client = bucket.meta.client
    try:
        client.head_bucket(Bucket=bucket.name)
    except client.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        bucket.create()
        _say(f"bucket {bucket.name} made", began)


def seed() -> dict[str, Any]:
    """Load the demo clinics where they are missing, and return their logins and pages."""
    if "seed_demo" not in get_commands():
        return {}
    began = time.monotonic()
    told = StringIO()
    call_command("seed_demo", json=True, stdout=told)
    offer: dict[str, Any] = json.loads(told.getvalue())
    _say("demo clinics: there", began)
    return offer


def _say(message: str, began: float) -> None:
    sys.stderr.write(f"          {message}  ({time.monotonic() - began:.1f} s)\n")


def main() -> None:
    """Prepare; any failure ends the process with its traceback and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m restartix.launch.prepare", description=__doc__)
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "restartix.settings")
    django.setup()
    migrate()
    collect_static()
    make_bucket()
    sys.stdout.write(json.dumps(seed() if options.demo else {}))


if __name__ == "__main__":
    main()
