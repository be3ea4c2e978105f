"""Values of the environment that depend on other values: server addresses, defaults, made-up secrets, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from restartix import development
from restartix.embedded import state
from restartix.variables import Rate

#: Limits of the booking operations that `BOOKING_LIMITS` leaves alone. Source: contract/scheduling.md, 2.4.
BOOKING_LIMITS: Mapping[str, Rate] = {
    "timeslots": Rate(30, 60),
    "hold": Rate(20, 60),
    "heartbeat": Rate(60, 60),
    "release": Rate(30, 60),
    "stream": Rate(10, 60),
    "book": Rate(10, 3600),
    "manage": Rate(30, 60),
}

#: Values that make no sense below 1.
POSITIVE = (
    "web_threads",
    "worker_threads",
    "task_time_limit",
    "db_pool_max",
    "hold_ttl_seconds",
    "hold_lease_seconds",
    "hold_renew_seconds",
    "hold_cap_seconds",
    "hold_limit_client",
    "hold_limit_ip",
)


def name_servers(values: dict[str, Any]) -> None:
    """Name the servers: those of the environment, else the embedded ones that run below `DATA_DIR`."""
    embedded = state.addresses(values["data_dir"])
    if not values["database_url"]:
        for attribute in ("database_url", "database_owner_url", "database_platform_url"):
            values[attribute] = values[attribute] or embedded[attribute]
    values["database_owner_url"] = values["database_owner_url"] or values["database_url"]
    values["database_platform_url"] = values["database_platform_url"] or values["database_url"]
    values["redis_url"] = values["redis_url"] or embedded["redis_url"]


def fill_defaults(values: dict[str, Any], source: Mapping[str, str]) -> None:
    """Fill the values whose default depends on other variables."""
    debug, data, domain = values["debug"], values["data_dir"], values["platform_base_domain"]
    derived: dict[str, Any] = {
        "allowed_hosts": tuple(dict.fromkeys((domain, f".{domain}", "localhost", ".localhost", "127.0.0.1", "[::1]"))),
        "public_url": "http://localhost:9000" if debug else f"https://{domain}",
        "log_format": "console" if debug else "json",
        "db_pool_max": values["web_threads"] + 4,
        "storage_url": f"file://{data / 'files'}",
        "email_url": f"filemail://{data / 'mail'}" if debug else "smtp://localhost:25",
        "default_from_email": f"no-reply@{domain}",
        "audit_anchor_path": data / "audit-anchors.jsonl",
    }
    for attribute, value in derived.items():
        if values[attribute] in ("", (), 0, Path()):
            values[attribute] = value
    if not source.get("HTTPS_ONLY"):
        values["https_only"] = not debug
    values["booking_limits"] = {**BOOKING_LIMITS, **values["booking_limits"]}
    values["clerk_jwt_key"] = values["clerk_jwt_key"].replace("\\n", "\n")


def fill_secrets(values: dict[str, Any]) -> None:
    """Fill missing secrets from `DATA_DIR`. Raises ImproperlyConfigured where they have to be given."""
    wanted = set(development.SECRETS) if values["debug"] else set()
    if values["database_is_embedded"]:
        wanted |= development.KEPT_BESIDE_THE_DATABASE
    missing = {attribute for attribute in development.SECRETS if not values[attribute]}
    required = (missing - wanted) & ({"secret_key"} | development.KEPT_BESIDE_THE_DATABASE)
    if required:
        raise ImproperlyConfigured(
            "With DEBUG off these have to be set: "
            + ", ".join(sorted(attribute.upper() for attribute in required))
            + ". For development set DEBUG=on or use `make run`; `python -m restartix.development` prints new secrets."
        )
    if missing & wanted:
        made = development.secrets_in(values["data_dir"])
        for attribute in missing & wanted:
            values[attribute] = (made[attribute],) if isinstance(values[attribute], tuple) else made[attribute]
    if values["debug"] and not (values["clerk_jwks_url"] or values["clerk_jwt_key"]):
        values["development_issuer_key"] = development.issuer_key_in(values["data_dir"])
        values["clerk_issuer"] = values["clerk_issuer"] or development.ISSUER


def refuse_stand_ins(values: Mapping[str, Any]) -> None:
    """Raise ImproperlyConfigured if a stand-in is asked for while `DEBUG` is off, or a value is out of bounds."""
    problems = [
        f"{name.removesuffix('_seconds').upper()} has to be at least 1" for name in POSITIVE if values[name] < 1
    ]
    if values["webhook_allow_private"] and not values["debug"]:
        problems.append("WEBHOOK_ALLOW_PRIVATE is refused with DEBUG off: webhooks could reach this machine")
    if not values["debug"] and not values["clerk_api_url"].startswith("https://"):
        problems.append("CLERK_API_URL has to begin with https:// with DEBUG off: the secret key goes there")
    if not values["debug"] and not values["daily_api_url"].startswith("https://"):
        problems.append("DAILY_API_URL has to begin with https:// with DEBUG off: clinics' keys go there")
    unknown_limits = sorted(set(values["booking_limits"]) - set(BOOKING_LIMITS))
    if unknown_limits:
        problems.append(f"BOOKING_LIMITS: unknown {', '.join(unknown_limits)}")
    if problems:
        raise ImproperlyConfigured("The environment is refused:\n  " + "\n  ".join(problems))
