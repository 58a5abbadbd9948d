"""The examples in docstrings are true."""

import doctest
import importlib
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("config", "customfields", "billing", "contracts", "invoicing")
MODULES = [
    ".".join(file.relative_to(settings.BASE_DIR).with_suffix("").parts)
    for app in APPS
    for file in sorted(Path(settings.BASE_DIR, app).rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]
CALCULATORS = [
    "billing.domain.money",
    "billing.domain.period",
    "billing.domain.proration",
    "contracts.domain.rates",
    "contracts.domain.reconcile",
    "contracts.domain.schedule",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("name", CALCULATORS)
def test_calculator_has_an_example(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted
