"""What stands around the database: configuration, broker, storage, time zones, fonts, mail, geo database."""

from __future__ import annotations

import ctypes.util
import shutil
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import redis
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from restartix import checks, environment
from restartix.diagnosis.findings import Finding, State, verdict
from restartix.environment import ROOT, env
from restartix.launch.libraries import PANGO, missing

ROMANIAN = "ăâîșțĂÂÎȘȚ"
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_PROBE = b"restartix doctor"


def configuration() -> Iterator[Finding]:
    """Look for unknown variables, and for stand-ins where `DEBUG` is off."""
    unknown = environment.unknown()
    yield verdict(
        "variables",
        f"unknown: {', '.join(unknown)}" if unknown else "all known",
        good=not unknown,
        mend="The variables are listed in docs/operate/environment.md.",
        otherwise=State.WARNING,
    )
    if env.debug:
        yield Finding("stand-ins", State.OK, "allowed: DEBUG is on")
        return
    problems = [str(message.msg) for message in checks.development_stand_ins()]
    yield verdict(
        "stand-ins",
        " ".join(problems) or "none",
        good=not problems,
        mend="Set what is named; `python -m restartix.development` prints fresh secrets.",
    )


def disk() -> Iterator[Finding]:
    """Look at the room below `DATA_DIR`."""
    env.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(env.data_dir).free
    yield verdict(
        "disk",
        f"{free / 1e9:.1f} GB free at {env.data_dir}",
        good=free > 500_000_000,
        mend="Free some space, or point DATA_DIR elsewhere.",
        otherwise=State.FAILED if free < 100_000_000 else State.WARNING,
    )


def broker() -> Iterator[Finding]:
    """Look at Redis or Valkey."""
    try:
        with redis.Redis.from_url(env.redis_url, socket_timeout=3, socket_connect_timeout=3) as client:
            about: Any = client.info()
    except (redis.RedisError, OSError) as error:
        yield Finding("broker", State.FAILED, str(error), "Start it, or correct REDIS_URL.")
        return
    policy = str(about.get("maxmemory_policy", "unknown"))
    yield verdict(
        "broker",
        f"version {about.get('valkey_version') or about.get('redis_version')}, maxmemory-policy {policy}",
        good=policy in ("noeviction", "unknown"),
        mend="Set maxmemory-policy noeviction: an evicted key is a lost task or a forgotten limit.",
        otherwise=State.WARNING,
    )


def storage() -> Iterator[Finding]:
    """Write, read and delete a file."""
    place = urlsplit(env.storage_url)
    where = f"{place.scheme}://{place.hostname or ''}{place.path}"
    try:
        name = default_storage.save(f"doctor/{uuid4().hex}", ContentFile(_PROBE))
        with default_storage.open(name) as file:
            same = file.read() == _PROBE
        default_storage.delete(name)
    except Exception as error:  # noqa: BLE001 - a storage client raises what it likes
        yield Finding("storage", State.FAILED, f"{where}: {error}", "Correct STORAGE_URL and its keys.")
        return
    yield verdict("storage", f"{where}: write, read, delete", good=same, mend="The store gave back other bytes.")


def time_zones() -> Iterator[Finding]:
    """Look whether Python knows the clock changes of Bucharest: 01:00 UTC on 2026-03-29 and 2026-10-25."""
    zone = ZoneInfo("Europe/Bucharest")
    hours = [
        datetime(2026, month, day, hour, tzinfo=UTC).astimezone(zone).hour
        for month, day, hour in ((3, 29, 0), (3, 29, 1), (10, 25, 0), (10, 25, 1))
    ]
    yield verdict(
        "time zones of Python",
        f"Europe/Bucharest at the changes of 2026: {hours}",
        good=hours == [2, 4, 3, 3],
        mend="Install the packages of requirements.lock again: tzdata is one of them.",
    )


def printing() -> Iterator[Finding]:
    """Look for what PDF files need: Pango and a font with the Romanian letters."""
    lacking = PANGO in missing()
    yield verdict(
        "Pango",
        "missing" if lacking else str(ctypes.util.find_library("pango-1.0")),
        good=not lacking,
        mend=PANGO.advice,
    )
    font = next(_romanian_fonts(), None)
    yield verdict(
        "fonts",
        f"{font.name} has {ROMANIAN}" if font else f"no font has {ROMANIAN}",
        good=font is not None,
        mend="Install one: apt-get install fonts-dejavu-core",
    )


def _romanian_fonts() -> Iterator[Path]:
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    folders = [ROOT / "static", *(Path(folder).expanduser() for folder in _FONT_FOLDERS)]
    for path in (path for folder in folders for path in sorted(folder.rglob("*.[to]tf"))):
        try:
            with TTFont(path, lazy=True) as font:
                letters = font.getBestCmap() or {}
        except (OSError, TTLibError):
            continue
        if all(ord(letter) in letters for letter in ROMANIAN):
            yield path


def mail() -> Iterator[Finding]:
    """Look whether e-mail leaves: greets the server, sends nothing."""
    place = urlsplit(env.email_url)
    if not place.scheme.startswith("smtp"):
        state = State.OK if env.debug else State.FAILED
        yield Finding("mail", state, f"kept by {place.scheme}:{place.path}", "Set EMAIL_URL." if not env.debug else "")
        return
    where = f"{place.hostname}:{place.port or 25}"
    client = smtplib.SMTP_SSL if "ssl" in place.scheme or place.scheme == "smtps" else smtplib.SMTP
    try:
        with client(place.hostname or "", place.port or 25, timeout=5) as server:
            server.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        yield Finding("mail", State.FAILED, f"{where}: {error}", "Correct EMAIL_URL, or open the way to that server.")
        return
    yield Finding("mail", State.OK, f"{where} answers")


def geo_database() -> Iterator[Finding]:
    """Look at the age of the geo database."""
    path = next(iter(sorted((env.data_dir / "geo").glob("*.mmdb"))), None)
    if path is None:
        yield Finding("geo database", State.ABSENT, "no file: addresses are not located", "Set MAXMIND_ACCOUNT_ID.")
        return
    import maxminddb

    with maxminddb.open_database(path) as database:
        built = datetime.fromtimestamp(database.metadata().build_epoch, UTC)
    days = (datetime.now(UTC) - built).days
    yield verdict(
        "geo database",
        f"{path.name}, {days} days old",
        good=not env.geo_max_age_days or days <= env.geo_max_age_days,
        mend="Run `manage.py geo_update`: the licence of older data has ended.",
    )
