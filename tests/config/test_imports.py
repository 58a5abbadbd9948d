"""The directions of DESIGN section 4 are kept: planted violations are found."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("config", "customfields", "billing", "contracts", "invoicing")
LAYERS = ("admin", "services", "domain", "models")


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=house,
        env={"PYTHONPATH": str(house)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small house of empty rooms, under the rules of the real one."""
    house = tmp_path_factory.mktemp("house")
    (house / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for app in APPS:
        for layer in ("", *LAYERS):
            folder = house / app / layer
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
            (folder / "room.py").touch()
        (house / app / "queries.py").touch()
    (house / "contracts" / "services" / "terms.py").touch()
    (house / "invoicing" / "services" / "lifecycle.py").touch()
    return house


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("invoicing.services.room", "billing.models.room", True),
        ("contracts.admin.room", "invoicing.services.room", True),
        ("billing.admin.room", "invoicing.queries", True),
        ("billing.admin.room", "invoicing.models.room", False),
        ("contracts.services.room", "invoicing.services.room", False),
        ("billing.models.room", "contracts.models.room", False),
        ("config.room", "billing.models.room", False),
        ("customfields.models.room", "billing.models.room", False),
        ("billing.models.room", "billing.services.room", False),
        ("billing.services.room", "billing.admin.room", False),
        ("invoicing.services.lifecycle", "contracts.services.terms", True),
        ("invoicing.services.room", "contracts.services.terms", False),
        ("contracts.services.room", "contracts.services.terms", False),
        ("billing.domain.room", "django.db", False),
        ("billing.domain.room", "config.room", False),
    ],
)
def test_import_is_judged(
    house: Path, importer: str, imported: str, *, allowed: bool
) -> None:
    room = house / Path(*importer.split(".")).with_suffix(".py")
    room.write_text(f"import {imported}\n")

    try:
        judged = lint(house)
    finally:
        room.write_text("")

    assert (judged.returncode == 0) is allowed, judged.stdout + judged.stderr
