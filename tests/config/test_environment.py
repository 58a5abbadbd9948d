"""Settings that could be wrong are refused in one sentence that names the fix."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

RANDOM_KEY = "pA7fK2mQ9xZ4vB8nR1tY6wE3uI5oL0sD" * 2


@pytest.fixture(autouse=True)
def no_key_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "VAR_DIR", tmp_path)


def read_flag() -> object:
    return environment.flag("DEBUG", default=False)


def read_number() -> object:
    return environment.whole_number("WORKERS", default=2, at_least=1)


def read_key() -> object:
    return environment.secret_key(debug=False)


def read_sender() -> object:
    return environment.email_address("DEFAULT_FROM_EMAIL", default="a@example.com")


@pytest.mark.parametrize(
    ("read", "name", "text", "fix"),
    [
        pytest.param(read_flag, "DEBUG", "maybe", "true or false", id="flag"),
        pytest.param(read_number, "WORKERS", "two", "from 1 up", id="word"),
        pytest.param(read_number, "WORKERS", "0", "from 1 up", id="no_worker"),
        pytest.param(read_number, "WORKERS", "-1", "from 1 up", id="negative"),
        pytest.param(read_key, "SECRET_KEY", "", "./run", id="no_key"),
        pytest.param(read_key, "SECRET_KEY", "short", "at least 50", id="short_key"),
        pytest.param(read_key, "SECRET_KEY", "ab" * 40, "at least 50", id="dull_key"),
        pytest.param(
            read_key, "SECRET_KEY", environment.DEBUG_KEY, "at least 50", id="known_key"
        ),
        pytest.param(environment.database, "DATABASE_URL", "", "./run", id="none"),
        pytest.param(
            environment.database,
            "DATABASE_URL",
            "sqlite:///x",
            "postgresql://",
            id="lite",
        ),
        pytest.param(
            environment.database,
            "DATABASE_URL",
            "duebook",
            "postgresql://",
            id="a_name",
        ),
        pytest.param(
            environment.database,
            "DATABASE_URL",
            "postgresql://user@host:port/duebook",
            "postgresql://",
            id="port_in_letters",
        ),
        pytest.param(
            environment.database,
            "DATABASE_URL",
            "postgresql://user@host/",
            "postgresql://",
            id="no_name",
        ),
        pytest.param(
            environment.site_url,
            "SITE_URL",
            "billing.example",
            "https://",
            id="no_scheme",
        ),
        pytest.param(
            environment.site_url,
            "SITE_URL",
            "https://x.example/a",
            "https://",
            id="path",
        ),
        pytest.param(
            environment.email, "EMAIL_URL", "mail.example", "smtp+tls://", id="no_mail"
        ),
        pytest.param(
            environment.email, "EMAIL_URL", "smtp://h:x", "smtp+tls://", id="mail_port"
        ),
        pytest.param(
            read_sender, "DEFAULT_FROM_EMAIL", "Billing", "<billing@", id="sender"
        ),
        pytest.param(environment.log_level, "LOG_LEVEL", "LOUD", "WARNING", id="level"),
    ],
)
def test_odd_value_is_refused_with_the_fix(
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[], object],
    name: str,
    text: str,
    fix: str,
) -> None:
    monkeypatch.setenv(name, text)

    with pytest.raises(ImproperlyConfigured) as refused:
        read()

    sentence = str(refused.value)
    assert sentence.startswith(name)
    assert fix in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_key_that_run_made_is_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(RANDOM_KEY)

    assert environment.secret_key(debug=False) == RANDOM_KEY


def test_known_key_serves_debugging_only() -> None:
    assert environment.secret_key(debug=True) == environment.DEBUG_KEY


def test_database_is_read_committed_checked_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from psycopg import IsolationLevel

    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss@db.example:5433/books")

    config = environment.database()

    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["HOST"], config["PORT"]) == ("db.example", 5433)
    assert (config["USER"], config["PASSWORD"]) == ("me", "p@ss")
    assert config["NAME"] == "books"
    assert config["CONN_MAX_AGE"] == 600
    assert config["CONN_HEALTH_CHECKS"] is True
    assert config["OPTIONS"]["isolation_level"] is IsolationLevel.READ_COMMITTED
    assert "lock_timeout" in config["OPTIONS"]["options"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@:5432/books?host=%2Frun%2FS",
        "postgresql://me@%2Frun%2FS:5432/books",
        "postgresql://me:p%40ss@%2Frun%2FS/books",
    ],
)
def test_socket_folder_is_the_host(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    config = environment.database()

    assert config["HOST"] == "/run/S"
    assert "host" not in config["OPTIONS"]


def test_mail_becomes_files_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMAIL_URL", "")

    assert environment.email()["EMAIL_FILE_PATH"] == tmp_path / "mail"


def test_mail_server_is_read_from_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://me:p%40ss@mail.example:587")

    config = environment.email()

    assert config["EMAIL_HOST"] == "mail.example"
    assert config["EMAIL_HOST_PASSWORD"] == "p@ss"
    assert config["EMAIL_USE_TLS"] is True
