"""The lock files install on any machine, and say nothing about this one."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


def pins(name: str) -> set[str]:
    text = (ROOT / name).read_text()
    return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_lock_holds_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    requirements = re.split(r"\n(?=[a-z])", text)

    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text
    assert "/" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_development_lock_holds_the_other_one() -> None:
    assert pins(RUNTIME) < pins(DEVELOPMENT)
