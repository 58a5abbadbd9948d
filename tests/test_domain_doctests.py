"""The examples in the domain's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import billing.domain
import contracts.domain

PACKAGES = (billing.domain, contracts.domain)
MODULES = [
    f"{package.__name__}.{module.name}"
    for package in PACKAGES
    for module in pkgutil.iter_modules(package.__path__)
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

    assert not results.failed


@pytest.mark.parametrize("name", CALCULATORS)
def test_calculator_has_an_example(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted
