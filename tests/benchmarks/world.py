"""What the benchmarks run on: servers of their own in a temporary folder, with the data of `seed_demo --size large`.

Production settings (DEBUG off): tokens are signed by a key of the run, and no limit stands in the way. PostgreSQL and
Valkey are the embedded ones, as `make run` starts them, but without fsync.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://issuer.bench.example"
PLENTY = "99999999/m"


@dataclass(frozen=True)
class Options:
    """How much and how long to measure."""

    appointments: int = 500_000
    #: Rounds of every target, and seconds of load each.
    rounds: int = 9
    seconds: float = 2.0
    streams: int = 2_000


@dataclass
class World:
    """The servers and the data, started when the first benchmark asks for them."""

    options: Options
    _stops: list[Any] = field(default_factory=list)

    @cached_property
    def folder(self) -> Path:
        """The temporary folder."""
        folder = Path(tempfile.mkdtemp(prefix="restartix-bench-"))
        folder.chmod(0o755)
        self._stops.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        return folder

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment of a process that works with these servers; the servers run from here on."""
        from restartix import derived, development
        from restartix.embedded.servers import Servers

        servers = Servers(self.folder, throwaway=True, named={})
        servers.start()
        self._stops.append(servers.stop)
        made = {name.upper(): value for name, value in development.fresh().items()}
        return {
            **made,
            **servers.variables,
            "DATA_DIR": str(self.folder / "data"),
            "DEBUG": "off",
            "RESTARTIX_ENV_FILE": "",
            "RESTARTIX_NO_BOOTSTRAP": "on",
            "DJANGO_SETTINGS_MODULE": "restartix.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS_ONLY": "off",
            "LOG_LEVEL": "ERROR",
            "EMAIL_URL": "memorymail://",
            "CLERK_ISSUER": ISSUER,
            "CLERK_JWT_KEY": self._key[1].replace("\n", "\\n"),
            "RATE_LIMIT_USER": PLENTY,
            "RATE_LIMIT_PUBLIC": PLENTY,
            "BOOKING_LIMITS": json.dumps(dict.fromkeys(derived.BOOKING_LIMITS, PLENTY)),
            "HOLD_LIMIT_CLIENT": "1000000",
            "HOLD_LIMIT_IP": "1000000",
        }

    @cached_property
    def _key(self) -> tuple[Any, str]:
        """The issuer's private key, and the public one as text."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return key, public.decode().strip()

    def token(self, subject: str) -> str:
        """Sign a session token that lasts as long as any run."""
        import jwt

        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + 86_400,
            "sid": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._key[0], algorithm="RS256")

    @cached_property
    def organizations(self) -> list[tuple[int, str]]:
        """The clinics of the data set, each with the token of its admin; loads the data at first use."""
        self.enter()
        from apps.organizations.models import User
        from apps.scheduling.management.demo import bulk

        size = bulk.Size.of(self.options.appointments)
        for number, step in enumerate(bulk.load(size), start=1):
            say(f"loading {size.appointments:,} appointments: {number} of {size.steps} ({step})")
        admins = User.objects.filter(email__endswith="@large.example").order_by("id")
        return [(user.current_organization_id, self.token(user.clerk_user_id)) for user in admins]

    @cached_property
    def _django(self) -> bool:
        """Set this process up, with migrated tables."""
        os.environ.update(self.variables)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", database="owner", verbosity=0, interactive=False, skip_checks=True)
        return True

    def enter(self) -> None:
        """Let this process use Django on these servers."""
        assert self._django

    def stop(self) -> None:
        """Stop what was started and remove the folder."""
        if "_django" in vars(self):
            from django.db import connections

            connections.close_all()
            for connection in connections.all():
                if getattr(connection, "pool", None):
                    connection.close_pool()
        while self._stops:
            self._stops.pop()()


def clear_environment() -> None:
    """Forget the project's variables: the benchmarks name their own servers."""
    from restartix.environment import Environment
    from restartix.variables import declared

    for entry in declared(Environment):
        os.environ.pop(entry.variable.name, None)
        os.environ.pop(entry.variable.name + "_FILE", None)


def say(message: str) -> None:
    """Tell whoever waits, on one line of the terminal."""
    sys.stderr.write(f"\r\033[K{message}" if sys.stderr.isatty() else "")
    sys.stderr.flush()
