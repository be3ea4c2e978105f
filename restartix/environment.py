"""Every environment variable, once: name, type, default, unit, meaning.

`from restartix.environment import env` gives one frozen object; nothing else in the project reads `os.environ` for
configuration. `.env.example` and `docs/operate/environment.md` are written from this file by
`manage.py environment_docs`. Any variable can also be given as `NAME_FILE`, the path of a file that holds its value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import environ

from restartix import derived
from restartix.variables import Rate, Variable, unknown_names, values_of

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, repr=False)
class Environment:
    """The settings of this process, read once."""

    debug: Annotated[
        bool,
        Variable(
            "DEBUG",
            "development stand-ins (made-up secrets, own token issuer) are allowed; never on a public server",
            default="off",
            derived="off; on under `make run` and `manage.py up` unless `SECRET_KEY` is set",
            section="The process",
        ),
    ]
    secret_key: Annotated[
        str,
        Variable(
            "SECRET_KEY",
            "signs sessions, links and management tokens",
            derived="made and kept in `DATA_DIR` in development; required otherwise",
            secret=True,
        ),
    ]
    data_dir: Annotated[
        Path, Variable("DATA_DIR", "embedded servers, local files, development keys, geo database", default=".data")
    ]
    env_file: Annotated[
        str, Variable("RESTARTIX_ENV_FILE", "file of `NAME=value` lines read at start; empty reads none", ".env")
    ]
    no_bootstrap: Annotated[bool, Variable("RESTARTIX_NO_BOOTSTRAP", "`manage.py` makes no `.venv`", default="off")]
    allowed_hosts: Annotated[
        tuple[str, ...],
        Variable(
            "ALLOWED_HOSTS",
            "host names that this server answers to; a leading dot includes subdomains",
            derived="`PLATFORM_BASE_DOMAIN`, its subdomains and the loopback names",
        ),
    ]
    platform_base_domain: Annotated[
        str, Variable("PLATFORM_BASE_DOMAIN", "clinics live at `<slug>.` this domain", default="localhost")
    ]
    public_url: Annotated[
        str,
        Variable(
            "PUBLIC_URL",
            "address of this server as the outside sees it, for links in e-mail and calendars, without a final slash",
            derived="`http://localhost:9000` in development, else `https://` + `PLATFORM_BASE_DOMAIN`",
        ),
    ]
    https_only: Annotated[
        bool, Variable("HTTPS_ONLY", "secure cookies, redirect to https, HSTS", derived="on when `DEBUG` is off")
    ]
    trusted_proxy_count: Annotated[
        int, Variable("TRUSTED_PROXY_COUNT", "how many right-most `X-Forwarded-For` hops are ours", "0", unit="hops")
    ]
    cors_allowed_origins: Annotated[
        tuple[str, ...], Variable("CORS_ALLOWED_ORIGINS", "origins of single-page apps that may call the API")
    ]
    csrf_trusted_origins: Annotated[
        tuple[str, ...],
        Variable("CSRF_TRUSTED_ORIGINS", "origins that may post forms of the back office through a proxy"),
    ]
    log_level: Annotated[str, Variable("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", default="INFO")]
    log_format: Annotated[
        str, Variable("LOG_FORMAT", "`json` or `console`", derived="`console` when `DEBUG` is on, else `json`")
    ]

    web_threads: Annotated[
        int,
        Variable(
            "WEB_THREADS",
            "requests that one web process works on at once",
            "8",
            unit="threads",
            section="Web and worker processes",
        ),
    ]
    web_shutdown_notice: Annotated[
        float,
        Variable(
            "WEB_SHUTDOWN_NOTICE",
            "how long after SIGTERM a web process still accepts connections while `/healthz/ready` is 503; "
            "longer than the proxy's check interval behind a load balancer",
            "0.3",
            unit="seconds",
        ),
    ]
    web_shutdown_grace: Annotated[
        int, Variable("WEB_SHUTDOWN_GRACE", "how long requests in flight may take to finish", "30", unit="seconds")
    ]
    worker_threads: Annotated[
        int, Variable("WORKER_THREADS", "tasks that the embedded worker works on at once", "4", unit="threads")
    ]
    task_time_limit: Annotated[
        int, Variable("TASK_TIME_LIMIT", "a background task is ended after this", "600", unit="seconds")
    ]
    worker_ready_file: Annotated[
        str, Variable("RESTARTIX_READY_FILE", "file that a worker touches once it takes tasks; set by `manage.py up`")
    ]

    database_url: Annotated[
        str,
        Variable(
            "DATABASE_URL",
            "PostgreSQL as the application role",
            derived="embedded PostgreSQL",
            secret=True,
            section="Database",
        ),
    ]
    database_owner_url: Annotated[
        str,
        Variable(
            "DATABASE_OWNER_URL",
            "the role that owns the tables; used by `migrate` only",
            derived="embedded PostgreSQL; `DATABASE_URL` where only that is set",
            secret=True,
        ),
    ]
    database_platform_url: Annotated[
        str,
        Variable(
            "DATABASE_PLATFORM_URL",
            "the role of platform jobs, not bound by row-level security",
            derived="embedded PostgreSQL; `DATABASE_URL` where only that is set",
            secret=True,
        ),
    ]
    embedded: Annotated[
        tuple[str, ...],
        Variable("RESTARTIX_EMBEDDED", "`database`, `broker`: which servers `manage.py` started itself; set by it"),
    ]
    db_pool_min: Annotated[
        int, Variable("DB_POOL_MIN", "connections that a web process keeps open", "1", unit="connections")
    ]
    db_pool_max: Annotated[
        int,
        Variable(
            "DB_POOL_MAX", "connections that a process opens at most", "0", "`WEB_THREADS` + 4", unit="connections"
        ),
    ]
    db_pool_timeout: Annotated[
        float, Variable("DB_POOL_TIMEOUT", "wait for a free connection before answering 503", "5", unit="seconds")
    ]
    db_lock_timeout: Annotated[
        float, Variable("DB_LOCK_TIMEOUT", "the application role waits for a lock at most so long", "2", unit="seconds")
    ]
    db_statement_timeout: Annotated[
        float, Variable("DB_STATEMENT_TIMEOUT", "a statement of the application role may take", "5", unit="seconds")
    ]
    db_idle_timeout: Annotated[
        float, Variable("DB_IDLE_TIMEOUT", "a transaction of the application role may idle", "10", unit="seconds")
    ]

    redis_url: Annotated[
        str,
        Variable(
            "REDIS_URL",
            "broker, cache, channel layer: Redis 6.2 or Valkey",
            derived="embedded Valkey",
            secret=True,
            section="Broker, storage, mail",
        ),
    ]
    storage_url: Annotated[
        str,
        Variable(
            "STORAGE_URL",
            "`file:///path` or `s3://bucket?endpoint=https://host&region=name`",
            derived="`file://` below `DATA_DIR`",
        ),
    ]
    aws_access_key_id: Annotated[str, Variable("AWS_ACCESS_KEY_ID", "key of the S3-compatible store", secret=True)]
    aws_secret_access_key: Annotated[
        str, Variable("AWS_SECRET_ACCESS_KEY", "secret of the S3-compatible store", secret=True)
    ]
    email_url: Annotated[
        str,
        Variable(
            "EMAIL_URL",
            "`smtp+tls://user:password@host:587`, `smtp://host:25`, or `filemail:///path`",
            derived="`filemail://` below `DATA_DIR` in development, else `smtp://localhost:25`",
            secret=True,
        ),
    ]
    default_from_email: Annotated[
        str,
        Variable(
            "DEFAULT_FROM_EMAIL", "sender of e-mail that no clinic sends", derived="`no-reply@` `PLATFORM_BASE_DOMAIN`"
        ),
    ]
    dns_nameservers: Annotated[
        tuple[str, ...],
        Variable("DNS_NAMESERVERS", "`host:port` of the resolvers that verify domains", derived="the system's"),
    ]

    clerk_jwks_url: Annotated[
        str,
        Variable(
            "CLERK_JWKS_URL", "key set of the identity provider", derived="development issuer", section="Who is calling"
        ),
    ]
    clerk_jwt_key: Annotated[
        str, Variable("CLERK_JWT_KEY", "its public key instead of a key set: PEM, `\\n` for line ends")
    ]
    clerk_issuer: Annotated[
        str, Variable("CLERK_ISSUER", "`iss` that session tokens must carry", derived="development issuer")
    ]
    clerk_authorized_parties: Annotated[
        tuple[str, ...],
        Variable("CLERK_AUTHORIZED_PARTIES", "origins that a session token's `azp` may name; empty accepts any"),
    ]
    clerk_webhook_secret: Annotated[
        tuple[str, ...],
        Variable(
            "CLERK_WEBHOOK_SECRET",
            "`whsec_...` of the identity provider's webhook, several during rotation",
            derived="made in development; without it `/webhooks/clerk` refuses everything",
            secret=True,
        ),
    ]
    clerk_secret_key: Annotated[
        str, Variable("CLERK_SECRET_KEY", "`sk_...`: makes accounts at the identity provider for patients", secret=True)
    ]
    clerk_api_url: Annotated[
        str, Variable("CLERK_API_URL", "where accounts are made", default="https://api.clerk.com/v1")
    ]
    telemetry_service_token: Annotated[
        tuple[str, ...],
        Variable(
            "TELEMETRY_SERVICE_TOKEN",
            "`name=token` of each service that may use `/v1/audit/ingest`, or one bare token; 32 characters or more",
            derived="made in development; without it ingest refuses everything",
            secret=True,
        ),
    ]

    encryption_keys: Annotated[
        tuple[str, ...],
        Variable(
            "ENCRYPTION_KEYS",
            "`version:base64 of 32 bytes`, newest first: the first encrypts, all decrypt; version 1-255",
            derived="made and kept in `DATA_DIR` beside the embedded database; required with `DATABASE_URL`",
            secret=True,
            section="Keys",
        ),
    ]
    telemetry_hash_key: Annotated[
        tuple[str, ...],
        Variable(
            "TELEMETRY_HASH_KEY",
            "`number:base64 of 32 bytes`, newest first: hides who a telemetry row is about",
            derived="made and kept in `DATA_DIR` beside the embedded database; required with `DATABASE_URL`",
            secret=True,
        ),
    ]
    audit_anchor_path: Annotated[
        Path,
        Variable(
            "AUDIT_ANCHOR_PATH",
            "heads of the audit chains are appended here; best on a write-once place",
            derived="`audit-anchors.jsonl` in `DATA_DIR`",
        ),
    ]
    pdf_tsa_url: Annotated[str, Variable("PDF_TSA_URL", "RFC 3161 time stamp server for signed documents")]

    rate_limit_user: Annotated[
        Rate, Variable("RATE_LIMIT_USER", "requests of one signed-in user", default="1000/m", section="Limits")
    ]
    rate_limit_public: Annotated[
        Rate, Variable("RATE_LIMIT_PUBLIC", "requests of one address on public endpoints", default="100/m")
    ]
    booking_limits: Annotated[
        Mapping[str, Rate],
        Variable(
            "BOOKING_LIMITS",
            'tighter limits of the booking operations, such as `{"hold": "1000/m"}`; keys: '
            + ", ".join(f"{key} ({rate})" for key, rate in derived.BOOKING_LIMITS.items()),
            default="{}",
        ),
    ]
    hold_limit_client: Annotated[
        int, Variable("HOLD_LIMIT_CLIENT", "live holds of one `client_id`", default="3", unit="holds")
    ]
    hold_limit_ip: Annotated[int, Variable("HOLD_LIMIT_IP", "live holds of one address", default="10", unit="holds")]
    hold_ttl_seconds: Annotated[
        int, Variable("HOLD_TTL", "a hold lives so long when no stream is ever opened", default="300", unit="seconds")
    ]
    hold_lease_seconds: Annotated[int, Variable("HOLD_LEASE", "a renewal reaches so far", default="30", unit="seconds")]
    hold_renew_seconds: Annotated[
        int, Variable("HOLD_RENEW", "an open stream renews its hold this often", default="10", unit="seconds")
    ]
    hold_cap_seconds: Annotated[
        int, Variable("HOLD_CAP", "no hold lives longer, whatever is open", default="900", unit="seconds")
    ]

    webhook_allow_private: Annotated[
        bool,
        Variable(
            "WEBHOOK_ALLOW_PRIVATE",
            "development and tests only: deliver to loopback over http; refused with `DEBUG` off",
            default="off",
            section="Outside services",
        ),
    ]
    webhook_allowed_private_hosts: Annotated[
        tuple[str, ...],
        Variable("WEBHOOK_ALLOWED_PRIVATE_HOSTS", "hosts that webhooks may reach although they are private"),
    ]
    daily_api_url: Annotated[
        str, Variable("DAILY_API_URL", "where video rooms are made, with each clinic's key", "https://api.daily.co/v1")
    ]
    maxmind_account_id: Annotated[str, Variable("MAXMIND_ACCOUNT_ID", "account for geo and privacy updates")]
    maxmind_license_key: Annotated[str, Variable("MAXMIND_LICENSE_KEY", "licence key of that account", secret=True)]
    maxmind_base_url: Annotated[
        str, Variable("MAXMIND_BASE_URL", "address of the service, for tests and mirrors", derived="the real service")
    ]
    geo_max_age_days: Annotated[
        int, Variable("GEO_MAX_AGE_DAYS", "an older geo database is not served; 0 = no limit", "30", unit="days")
    ]

    #: Whether the database is the embedded one: no `DATABASE_URL` is set, or by `manage.py` only.
    database_is_embedded: bool = False
    #: Whether the broker is the embedded one: no `REDIS_URL` is set, or by `manage.py` only.
    redis_is_embedded: bool = False
    #: Private key (PEM) of the development token issuer; None when `DEBUG` is off or an identity provider is set.
    development_issuer_key: Path | None = None

    def __repr__(self) -> str:
        """Show where it belongs, and no secret."""
        return f"<Environment DEBUG={self.debug} DATA_DIR={self.data_dir}>"

    @classmethod
    def read(cls, source: Mapping[str, str]) -> Environment:
        """Read `source`; make the development secrets where they are allowed and missing.

        Raises ImproperlyConfigured naming every variable that is wrong or missing.
        """
        values = values_of(cls, source)
        values["data_dir"] = (ROOT / values["data_dir"].expanduser()).resolve()
        values["database_is_embedded"] = not values["database_url"] or "database" in values["embedded"]
        values["redis_is_embedded"] = not values["redis_url"] or "broker" in values["embedded"]
        derived.name_servers(values)
        derived.fill_defaults(values, source)
        derived.fill_secrets(values)
        derived.refuse_stand_ins(values)
        return cls(**values)


def read_file() -> None:
    """Read the environment file, if there is one; what the process's environment says already stays."""
    path = ROOT / os.environ.get("RESTARTIX_ENV_FILE", ".env")
    if path.is_file():
        environ.Env.read_env(path)


def load() -> Environment:
    """Read the environment file and the process's environment."""
    read_file()
    return Environment.read(os.environ)


def unknown() -> list[str]:
    """Return the names in the process's environment that begin with `RESTARTIX_` and mean nothing here."""
    return unknown_names(Environment, os.environ)


env: Environment


def __getattr__(name: str) -> Environment:
    """Read the environment at first use of `env`, so that a launcher can complete it before settings load."""
    if name != "env":
        raise AttributeError(name)
    environment: Environment = globals().setdefault("env", load())
    return environment
