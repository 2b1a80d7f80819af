"""Django's settings, derived from `jhalak.options`. What an operator may choose stands there, not
here.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from jhalak.options import options
from jhalak.site.static_version import static_version

OPTIONS = options()
SITE = Path(__file__).parent


def _secret_key(folder: Path) -> str:
    """The installation's secret, made on first use; two processes that race agree on one file."""
    file = folder / "secret.key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".secret.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, file)  # fails when another process was first: then its key counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()


def _database(url: str, folder: Path) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "jhalak.db",
            "CONN_MAX_AGE": None,
            # A file, which threads of a test share as processes do: in memory nobody waits.
            "TEST": {"NAME": str(folder / "test.db")},
            "OPTIONS": {
                # IMMEDIATE: a transaction that will write says so at its start, so that two
                # writers queue instead of failing half-way with "database is locked".
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=268435456;"
                ),
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = _secret_key(OPTIONS.folder)
DEBUG = False
ALLOWED_HOSTS = OPTIONS.hosts.split()
SECURE_PROXY_SSL_HEADER = (
    "HTTP_X_FORWARDED_PROTO",
    "https",
)  # the front sets it, and drops a client's
ROOT_URLCONF = "jhalak.site.urls"
WSGI_APPLICATION = "jhalak.site.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": _database(OPTIONS.database_url, OPTIONS.folder)}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "jhalak.records",
    "jhalak.people",
    "jhalak.videos",
    "jhalak.social",
    "jhalak.safety",
    "jhalak.viewing",
    "jhalak.rights",
    "jhalak.site",
]
MIDDLEWARE = [
    "jhalak.site.middleware.security",
    "jhalak.people.sessions.SessionMiddleware",
    "jhalak.people.middleware.viewer",
    "jhalak.site.middleware.language",
    "jhalak.site.middleware.readable",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SITE / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": ["jhalak.site.pages.context"],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "jhalak.site.spans",
            ],
        },
    }
]

AUTH_USER_MODEL = "people.Person"
PASSWORD_HASHERS = [
    "jhalak.people.passwords.Argon2",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("handle", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "jhalak.people.sessions"
SESSION_COOKIE_NAME = "jhalak_session"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = OPTIONS.https

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("hi", _("Hindi"))]
LANGUAGE_COOKIE_NAME = "jhalak_language"
LOCALE_PATHS = [SITE / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = f"/static/{static_version()}/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"jhalak": {"level": OPTIONS.log_level}},
}
