"""The least that Django needs to answer: no middleware, one lasting connection a thread, prepared statements."""

from __future__ import annotations

import os

import environ

SECRET_KEY = "bench"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.benchmarks.plain.views"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
USE_TZ = True
LOGGING_CONFIG = None
DATABASES = {
    "default": {
        **environ.Env.db_url_config(os.environ["BENCH_DATABASE_URL"], engine="django.db.backends.postgresql"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 1},
    }
}
