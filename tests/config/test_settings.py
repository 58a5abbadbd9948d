"""What the settings promise, whatever the environment says."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
KEY = "pA7fK2mQ9xZ4vB8nR1tY6wE3uI5oL0sD" * 2


def test_background_work_is_never_delivered_while_it_may_still_run() -> None:
    cluster: dict[str, Any] = settings.Q_CLUSTER
    waiting = cluster["queue_limit"] / cluster["workers"]

    assert cluster["retry"] > cluster["timeout"] * (1 + waiting)
    assert cluster["max_attempts"] == 1
    assert cluster["ack_failures"] is True
    assert cluster["catch_up"] is False
    assert cluster["bulk"] == 1
    assert cluster["save_limit"] == 0


def read(site_url: str, *names: str) -> list[str]:
    """Return settings of a production process."""
    code = "from config import settings as s\n" + "".join(
        f"print(s.{name})\n" for name in names
    )
    environment = {**os.environ, "SITE_URL": site_url, "SECRET_KEY": KEY, "DEBUG": ""}
    environment["DATABASE_URL"] = "postgresql://me@db.example/books"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


HTTPS_SETTINGS = (
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_HSTS_SECONDS",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "STATIC_STORAGE",
)
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


@pytest.mark.parametrize(
    ("site_url", "expected"),
    [
        pytest.param(
            "https://billing.example",
            ["True", "True", "True", "31536000"],
            id="https",
        ),
        pytest.param(
            "http://127.0.0.1:8000", ["False", "False", "False", "0"], id="http"
        ),
    ],
)
def test_address_decides_what_https_needs(site_url: str, expected: list[str]) -> None:
    *https, hosts, origins, storage = read(site_url, *HTTPS_SETTINGS)

    assert https == expected
    assert hosts == str([urlsplit(site_url).hostname, *LOOPBACK])
    assert origins == str([site_url])
    assert storage.endswith("CompressedManifestStaticFilesStorage")
