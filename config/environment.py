"""Values from the environment (and from .env beside manage.py), checked.

Whatever could be wrong is refused in one sentence that names the fix.
"""

from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from psycopg import IsolationLevel

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
DEBUG_KEY = "only-for-debugging-" + "0123456789" * 4

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


def names(name: str) -> list[str]:
    """Read a list, separated by commas."""
    return [part.strip() for part in value(name).split(",") if part.strip()]


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
        "HOST": options.pop("host", None) or socket_folder(url) or config["HOST"],
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "isolation_level": IsolationLevel.READ_COMMITTED,
            "options": "-c lock_timeout=5s",
            **options,
        },
    }


def socket_folder(url: str) -> str:
    """Return a folder that stands percent-encoded in the host's place, else nothing."""
    host = urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]
    folder = unquote(host)
    return folder if folder.startswith("/") else ""


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


def log_level() -> str:
    """Return the least grave messages that are written."""
    level = value("LOG_LEVEL", default="INFO").upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ImproperlyConfigured(
            f"LOG_LEVEL is {level!r}: set it to DEBUG, INFO, WARNING or ERROR."
        )
    return level


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
