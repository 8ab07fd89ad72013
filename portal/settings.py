"""The one settings file. What differs between firms comes from the environment (see .env.example)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal.broker import transport_options
from portal.env import database, envbool, envint, envlist, envsecret, envstr

# Ground
BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = envbool("DEBUG", default=False)
SECRET_KEY = envsecret("SECRET_KEY", "development-only-key-" + "0" * 40 if DEBUG else None)
SITE_URL = envstr("SITE_URL", "http://127.0.0.1:8000" if DEBUG else None).rstrip("/")
ALLOWED_HOSTS = envlist("ALLOWED_HOSTS", urlsplit(SITE_URL).hostname or "")
DATA_DIR = Path(envstr("DATA_DIR", str(BASE_DIR / "data")))
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "csp",
    "portal.accounts",
    "portal.audit",
    "clio_sync",
    "reviews",
]

MIDDLEWARE = [
    # Headers first: also for answers that never reach a view, such as files, redirects and bad hosts.
    "portal.security.headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.uploads.bounded",
    "portal.uploads.names_as_sent",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.accounts.denials.Denials",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.accounts.context.navigation",
                "clio_sync.context.connections_to_mend",
            ],
        },
    },
]

# Database, cache, broker: embedded by default, PostgreSQL and Redis by address
DATABASES = {"default": database(envsecret("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}"))}
CACHE_URL = envsecret("CACHE_URL", "")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
        if CACHE_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}
    ),
}
SWEEP_SECONDS = envint("SWEEP_SECONDS", 5, least=1)
CLIO_CALLERS = envint("CLIO_CALLERS", 6, least=1)
CELERY_BROKER_URL = envsecret("CELERY_BROKER_URL", "filesystem://localhost")
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL, DATA_DIR)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A busy machine forks slowly; after Celery's own four seconds a pool would kill each new child, and the next.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# One that was not heard until the next is nothing to catch up on. Sweeps that pile up behind a backlog
# would ring for the same rows again and again, until no message is heard before it is stale.
_UNTIL_THE_NEXT = {"schedule": float(SWEEP_SECONDS), "options": {"expires": float(SWEEP_SECONDS)}}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-deliveries": {"task": "clio_sync.tasks.sweep", **_UNTIL_THE_NEXT},
    "tend-connections": {
        "task": "clio_sync.tasks.tend_connections",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "clear-expired-sessions": {
        "task": "portal.accounts.tasks.clear_expired_sessions",
        "schedule": 86_400.0,
    },
    "remove-litter-from-clio": {"task": "clio_sync.tasks.remove_litter", "schedule": 86_400.0},
    "sweep-unfinished-files": {"task": "reviews.tasks.sweep_unfinished_files", "schedule": 86_400.0},
    "tell-outcomes": {"task": "reviews.tasks.tell_outcomes", **_UNTIL_THE_NEXT},
}

# Files
STATIC_URL = "static/"
STATIC_ROOT = Path(envstr("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
HASHED_STATIC = envbool("HASHED_STATIC", default=not DEBUG)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if HASHED_STATIC
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
    "blobs": {"BACKEND": "portal.blobs.BlobStorage", "OPTIONS": {"location": DATA_DIR / "blobs"}},
}
MAX_DRAFT_BYTES = envint("MAX_DRAFT_BYTES", 100 * 1024 * 1024, least=1)
FILE_UPLOAD_TEMP_DIR = envstr("FILE_UPLOAD_TEMP_DIR", "") or None
FILE_UPLOAD_PERMISSIONS = 0o600

# Language and time
LANGUAGE_CODE = "en"
TIME_ZONE = envstr("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers get no mail from us
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "login": "portal.accounts.sign_in_forms.SignIn",
    "reauthenticate": "portal.accounts.sign_in_forms.Confirm",
    "reset_password": "portal.accounts.sign_in_forms.ForgotPassword",
    "reset_password_from_key": "portal.accounts.sign_in_forms.ChoosePassword",
    "change_password": "portal.accounts.sign_in_forms.ChangePassword",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = envint("STEP_UP_SECONDS", 900, least=30)
STEP_UP_SECONDS = ACCOUNT_REAUTHENTICATION_TIMEOUT
ALLAUTH_TRUSTED_PROXY_COUNT = envint("TRUSTED_PROXY_COUNT", 0)
SESSION_COOKIE_AGE = envint("SESSION_HOURS", 12, least=1) * 3600

# Mail: never carries client text
EMAIL_HOST = envstr("EMAIL_HOST", "")
EMAIL_PORT = envint("EMAIL_PORT", 587, least=1)
EMAIL_HOST_USER = envstr("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = envsecret("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = envbool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = envstr("DEFAULT_FROM_EMAIL", "Countersign <countersign@localhost>")

# The gate
UNDO_SECONDS = envint("UNDO_SECONDS", 30)
AUDIT_ORIGIN = envstr("AUDIT_ORIGIN", f"{urlsplit(SITE_URL).hostname}/audit/1")


def _token_keys(pairs: list[str]) -> dict[str, bytes]:
    """`id:base64` pairs to keys of 32 bytes; the first encrypts, the others still decrypt."""
    keys: dict[str, bytes] = {}
    for pair in pairs:
        name, _, encoded = pair.partition(":")
        try:
            keys[name] = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ImproperlyConfigured(f"TOKEN_KEYS: the key {name!r} is not base64.") from None
        if len(keys[name]) != 32:
            raise ImproperlyConfigured(f"TOKEN_KEYS: the key {name!r} must be 32 bytes long.")
    if not keys:
        raise ImproperlyConfigured("TOKEN_KEYS holds no key. Make one: see .env.example.")
    return keys


_DEVELOPMENT_KEY = "dev:" + base64.b64encode(b"d" * 32).decode()
TOKEN_KEYS = _token_keys(envsecret("TOKEN_KEYS", _DEVELOPMENT_KEY if DEBUG else None).split(","))

# Clio: one host and one app registration a region (Clio's page "Regions")
CLIO_API_URLS = {
    "us": "https://app.clio.com",
    "ca": "https://ca.app.clio.com",
    "eu": "https://eu.app.clio.com",
    "au": "https://au.app.clio.com",
    "sandbox": envstr("CLIO_SANDBOX_URL", "").rstrip("/"),
}
CLIO_APPS = {
    region: (
        envstr(f"CLIO_{region.upper()}_CLIENT_ID", ""),
        envsecret(f"CLIO_{region.upper()}_CLIENT_SECRET", ""),
    )
    for region in CLIO_API_URLS
}
CLIO_STORAGE_HOSTS = envlist("CLIO_STORAGE_HOSTS")
CLIO_SANDBOX_STORAGE_URL = envstr("CLIO_SANDBOX_STORAGE_URL", "").rstrip("/")

# Security
SECURE_SSL_REDIRECT = HTTPS and envbool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        # The consent redirect after a form post is part of form-action: allow the regions' hosts.
        "form-action": [SELF, *(url for url in CLIO_API_URLS.values() if url)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}

# Logs: one line a record on standard error; httpx would log whole signed addresses at INFO
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": envstr("LOG_LEVEL", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}
