"""Secrets that are made once and kept in `DATA_DIR`, so that nobody has to invent any for a first run."""

from __future__ import annotations

import argparse
import base64
import fcntl
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

#: `iss` of the tokens that the development issuer signs.
ISSUER = "https://development-issuer.restartix.localhost"


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _numbered_key() -> str:
    return "1:" + base64.b64encode(secrets.token_bytes(32)).decode()


#: How each secret is made; the names are the attributes of `Environment`.
SECRETS: Mapping[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "clerk_webhook_secret": _webhook_secret,
    "telemetry_service_token": lambda: f"internal={secrets.token_urlsafe(32)}",
    "encryption_keys": _numbered_key,
    "telemetry_hash_key": _numbered_key,
}

#: Keys that open what the embedded database holds: they live beside it even when `DEBUG` is off.
KEPT_BESIDE_THE_DATABASE = frozenset({"encryption_keys", "telemetry_hash_key"})


def fresh() -> dict[str, str]:
    """Return a new value for every secret, by attribute."""
    return {attribute: make() for attribute, make in SECRETS.items()}


def secrets_in(data_dir: Path) -> dict[str, str]:
    """Return the secrets kept in `data_dir`, making the missing ones; safe when several processes start at once."""
    path = data_dir / "secrets.json"
    kept = _read(path)
    if SECRETS.keys() <= kept.keys():
        return kept
    with _alone(data_dir):
        kept = {**fresh(), **_read(path)}
        _write(path, json.dumps(kept, indent=2).encode())
    return kept


def issuer_key_in(data_dir: Path) -> Path:
    """Return the path of the development issuer's RSA private key (PEM), making the key if there is none."""
    path = data_dir / "development-issuer.pem"
    if not path.exists():
        with _alone(data_dir):
            if not path.exists():
                _write(path, _new_rsa_key())
    return path


def _new_rsa_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(path: Path) -> dict[str, str]:
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {str(key): str(value) for key, value in kept.items()}


def _write(path: Path, content: bytes) -> None:
    """Write `path` for this user's eyes only, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Let one process at a time make secrets in `data_dir`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / ".secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Print a new value for every secret, or write the missing ones into a folder, one file each."""
    parser = argparse.ArgumentParser(prog="python -m restartix.development", description=main.__doc__)
    parser.add_argument("--into", type=Path, help="folder for files to name with NAME_FILE; what is there stays")
    folder: Path | None = parser.parse_args().into
    for attribute, value in fresh().items():
        if folder is None:
            sys.stdout.write(f"{attribute.upper()}={value}\n")
        elif not (folder / attribute.upper()).exists():
            _write(folder / attribute.upper(), value.encode())


if __name__ == "__main__":
    main()
