"""Settings, read from the environment (and from .env beside manage.py).

Every value that could be wrong is checked here and refused in one sentence that
names the fix. Settings never start anything: ./run does, and exports what it made.
"""

from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from psycopg import IsolationLevel

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")


def value(name: str, *, default: str = "") -> str:
    """Read a value without the blanks around it."""
    return str(env.str(name, default=default)).strip()


def flag(name: str, *, default: bool) -> bool:
    """Read a yes/no value; anything ambiguous is refused, not taken for no."""
    text = value(name).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if text:
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to true or false.")
    return default


def whole_number(name: str, *, default: int, at_least: int = 0) -> int:
    """Read a whole number."""
    text = value(name, default=str(default))
    if not text.isdecimal() or int(text) < at_least:
        raise ImproperlyConfigured(
            f"{name} is {text!r}: set it to a whole number from {at_least} up."
        )
    return int(text)


def secret_key(*, debug: bool) -> str:
    """Return the signing key: SECRET_KEY, or the one that ./run keeps in var/."""
    key = value("SECRET_KEY")
    kept = VAR_DIR / "secret_key"
    if not key and kept.is_file():
        key = kept.read_text(encoding="ascii").strip()
    if debug:
        return key or DEBUG_KEY
    if not key:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: start with ./run, which makes one, or set it to "
            "at least 50 random characters."
        )
    if key == DEBUG_KEY or len(key) < 50 or len(set(key)) < 5:
        raise ImproperlyConfigured(
            "SECRET_KEY can be guessed: set it to at least 50 random characters, "
            "such as `python -c 'import secrets; print(secrets.token_urlsafe(50))'` "
            "prints."
        )
    return key


def database() -> dict[str, Any]:
    """Return the connection that DATABASE_URL names; PostgreSQL only."""
    url = value("DATABASE_URL")
    if not url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set: use ./run, which starts its own PostgreSQL, or "
            "set it to postgresql://user:password@host:5432/name."
        )
    try:
        if urlsplit(url).scheme not in {"postgres", "postgresql"}:
            raise ValueError  # noqa: TRY301 (one sentence for all that is wrong)
        config: dict[str, Any] = env.db_url_config(url)
        name = config["NAME"]
    except (ValueError, KeyError):
        name = ""
    if not name:
        raise ImproperlyConfigured(
            "DATABASE_URL does not name a PostgreSQL database: set it to "
            "postgresql://user:password@host:5432/name, with special characters "
            "in the password percent-encoded."
        )
    options = config.pop("OPTIONS", {})
    return config | {
        # A socket's folder can only stand behind the question mark.
        "HOST": options.pop("host", config["HOST"]),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "isolation_level": IsolationLevel.READ_COMMITTED,
            "options": "-c lock_timeout=5s",
            **options,
        },
    }


def site_url() -> str:
    """Return the address that people type, without a slash at its end."""
    url = value("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ImproperlyConfigured(
            f"SITE_URL is {url!r}: set it to the address that people type, such as "
            "https://billing.example.com."
        )
    return url


def email() -> dict[str, Any]:
    """Return Django's email settings; without EMAIL_URL mail becomes files."""
    url = value("EMAIL_URL")
    if not url:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": VAR_DIR / "mail",
        }
    try:
        config: dict[str, Any] = env.email_url_config(url)
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            "EMAIL_URL is not understood: set it to "
            "smtp+tls://user:password@host:587, with special characters in the "
            "password percent-encoded."
        ) from error
    return {"EMAIL_TIMEOUT": 30} | config


def email_address(name: str, *, default: str) -> str:
    """Read a sender's address, with or without a name before it."""
    text = value(name, default=default)
    if "@" not in parseaddr(text)[1]:
        raise ImproperlyConfigured(
            f"{name} is {text!r}: set it to an address such as "
            "Billing <billing@example.com>."
        )
    return text


DEBUG_KEY = "only-for-debugging-" + "0123456789" * 4
DEBUG = flag("DEBUG", default=False)
SECRET_KEY = secret_key(debug=DEBUG)

SITE_URL = site_url()
ALLOWED_HOSTS = [
    str(urlsplit(SITE_URL).hostname),
    *("127.0.0.1", "localhost", "[::1]"),
    *env.list("ALLOWED_HOSTS", default=[]),
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "config.adminsite.apps.AdminSiteConfig",
    "config.adminsite.apps.DuebookAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_filters",
    "django_q",
    "customfields",
    "billing",
    "contracts",
    "invoicing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Nothing is cached: lists are fast without it, and django-q2 would write its
# statistics to a shared cache twice a second.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

globals().update(email())
DEFAULT_FROM_EMAIL = email_address(
    "DEFAULT_FROM_EMAIL", default="Duebook <billing@localhost>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# An address with https:// switches everything on that needs it. gunicorn tells
# Django of the https in front of it (X-Forwarded-Proto, from 127.0.0.1 only).
HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = (
    whole_number("SECURE_HSTS_SECONDS", default=31_536_000) if HTTPS else 0
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # HSTS preloading is a promise for a company's whole domain, not for one site.
    "security.W021",
]

WORKERS = whole_number("WORKERS", default=2, at_least=1)

# django-q2 delivers at least once, and its defaults redeliver running work. The
# retry clock starts when a task leaves the queue table, so retry exceeds
# timeout * (1 + queue_limit / workers) with a margin. save_limit 0 keeps every
# result: any other number locks them all after each task.
Q_CLUSTER = {
    "name": "duebook",
    "orm": "default",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "poll": 0.5,
    "timeout": 1800,
    "retry": 5400,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 0,
    "recycle": 500,
    "label": "Background work",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
