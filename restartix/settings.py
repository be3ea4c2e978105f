"""Django's settings, in the order in which a request meets things; environments differ by `environment.py` only."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import environ
from csp.constants import NONE, SELF

from restartix.environment import ROOT, env
from restartix.kernel import logs

# -- the process -------------------------------------------------------------------------------------------------------

BASE_DIR = ROOT
DEBUG = env.debug
SECRET_KEY = env.secret_key
ALLOWED_HOSTS = list(env.allowed_hosts)
PLATFORM_BASE_DOMAIN = env.platform_base_domain
PUBLIC_URL = env.public_url
ROOT_URLCONF = "restartix.urls"
WSGI_APPLICATION = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "restartix.apps.RestartixConfig",
    "apps.organizations",
    "apps.profiles",
    "apps.forms",
    "apps.exercises",
    "apps.scheduling",
    "apps.treatment_plans",
    "apps.documents",
    "apps.telemetry",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "restartix.kernel.admin.apps.BackOfficeConfig",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
]

# -- on the way in -----------------------------------------------------------------------------------------------------

MIDDLEWARE = [
    "restartix.kernel.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "restartix.kernel.api.origins.ClinicOrigins",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

#: What requests under /v1 and /webhooks pass instead, after the first of the above.
API_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "restartix.kernel.api.origins.ClinicOrigins",
]

APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
USE_X_FORWARDED_HOST = False
if env.trusted_proxy_count:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.https_only
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_HSTS_SECONDS = 31536000 if env.https_only else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.https_only
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
CSRF_TRUSTED_ORIGINS = list(env.csrf_trusted_origins)
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS = list(env.cors_allowed_origins)
CORS_URLS_REGEX = r"^/v1/.*$"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "last-event-id",
    "x-hold-token", "x-manage-token", "x-organization-id", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Location", "Retry-After", "X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Idempotency-Replayed", "X-Impersonation-ID", "Content-Disposition",
]  # fmt: skip

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# -- who is calling ----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "organizations.User"
# an e-mail is unique among live users, by a partial index
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
ENCRYPTION_KEYS = list(env.encryption_keys)
DNS_NAMESERVERS = list(env.dns_nameservers)
RESTARTIX_ORIGINS = "apps.organizations.selectors.hosts.is_verified"
RESTARTIX_IDENTITY = "apps.profiles.selectors.identity.enter"
RESTARTIX_ISSUERS = ["apps.profiles.selectors.signing.issuer"]
RESTARTIX_WORKPLACES = "apps.organizations.selectors.staff.workplaces_of"
RESTARTIX_TRAIL = "apps.organizations.selectors.trail.changes_of"
RESTARTIX_SAVED_VIEWS = "apps.organizations.services.saved_views"
DATA_DIR = env.data_dir
CLERK_JWKS_URL = env.clerk_jwks_url
CLERK_JWT_KEY = env.clerk_jwt_key
CLERK_ISSUER = env.clerk_issuer
CLERK_AUTHORIZED_PARTIES = list(env.clerk_authorized_parties)
CLERK_WEBHOOK_SECRET = list(env.clerk_webhook_secret)
CLERK_SECRET_KEY = env.clerk_secret_key
CLERK_API_URL = env.clerk_api_url
DAILY_API_URL = env.daily_api_url
DEVELOPMENT_ISSUER = DEBUG and not (env.clerk_jwks_url or env.clerk_jwt_key)
TRUSTED_PROXY_COUNT = env.trusted_proxy_count

# -- the API -----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": [],  # operations write their own bytes: kernel.api.answers
    "DEFAULT_PARSER_CLASSES": [],  # and read them: kernel.api.bodies
    "DEFAULT_SCHEMA_CLASS": "restartix.kernel.api.schema.OperationSchema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "RestartiX API",
    "VERSION": "1",
    "DESCRIPTION": "Physiotherapy and rehabilitation clinics: people, appointments, exercises, documents.",
    "LICENSE": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": ["restartix.kernel.api.schema.document.complete"],
    "SERVERS": [{"url": "/", "description": "This server"}],
}
RATE_LIMIT_USER = env.rate_limit_user
RATE_LIMIT_PUBLIC = env.rate_limit_public
BOOKING_LIMITS = env.booking_limits
REDIS_URL = env.redis_url

# -- rows --------------------------------------------------------------------------------------------------------------


def _database(url: str, *, application: bool) -> dict[str, Any]:
    parsed: dict[str, Any] = dict(environ.Env.db_url_config(url, engine="django.db.backends.postgresql"))
    options: dict[str, Any] = {"server_side_binding": True, "prepare_threshold": 1, "connect_timeout": 5}
    if application:
        milliseconds = {
            "lock_timeout": env.db_lock_timeout,
            "statement_timeout": env.db_statement_timeout,
            "idle_in_transaction_session_timeout": env.db_idle_timeout,
        }
        options["options"] = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in milliseconds.items())
        options["pool"] = {
            "min_size": env.db_pool_min,
            "max_size": env.db_pool_max,
            "timeout": env.db_pool_timeout,
        }
    return {**parsed, "OPTIONS": {**parsed.get("OPTIONS", {}), **options}, "ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 0}


DATABASES = {
    "default": _database(env.database_url, application=True),
    "owner": _database(env.database_owner_url, application=False),
    "platform": _database(env.database_platform_url, application=False),
}
DATABASE_ROUTERS = ["restartix.kernel.databases.OwnerMigrates"]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.redis_url,
        "KEY_PREFIX": "restartix",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [env.redis_url], "prefix": "restartix"},
    }
}

# -- files, mail -------------------------------------------------------------------------------------------------------


def _storage(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": parts.path}}
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    options = {
        "bucket_name": parts.netloc,
        "endpoint_url": query.get("endpoint"),
        "region_name": query.get("region"),
        "access_key": env.aws_access_key_id or None,
        "secret_key": env.aws_secret_access_key or None,
        "querystring_expire": 900,
        "file_overwrite": False,
        "default_acl": None,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


#: Stored files are read through our own signed addresses, not the store's.
STORES_LOCALLY = urlsplit(env.storage_url).scheme == "file"
STORAGES = {
    "default": _storage(env.storage_url),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = env.data_dir / "static"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
DEFAULT_FROM_EMAIL = env.default_from_email
vars().update(environ.Env.email_url_config(env.email_url))
if urlsplit(env.email_url).scheme == "filemail":
    EMAIL_FILE_PATH = urlsplit(env.email_url).path  # the parser of addresses drops the first slash

# -- languages, time ---------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ro"
LANGUAGES = [("ro", "Română"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = ["restartix.kernel.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- pages -------------------------------------------------------------------------------------------------------------

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# -- logs --------------------------------------------------------------------------------------------------------------

LOGGING = logs.configuration(level=env.log_level, form=env.log_format)
