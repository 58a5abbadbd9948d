"""The demo company loads once, on any day, through the real import and nights."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from contracts.models import Contract
from invoicing.management.demo import company
from invoicing.management.demo.company import load_demo
from invoicing.models import Invoice
from tests.books import broken_invariants


@pytest.mark.django_db
def test_demo_loads_once_on_a_leap_day_and_says_who_can_sign_in(
    settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    with time_machine.travel("2024-02-29T12:00:00+00:00", tick=False):
        first = StringIO()
        call_command("demo", stdout=first)
        _assert_as_it_should_be(date(2024, 2, 29))
        invoices = Invoice.objects.count()
        second = StringIO()
        call_command("demo", stdout=second)

    assert Invoice.objects.count() == invoices
    assert "nothing was changed" in second.getvalue()
    assert set(User.objects.values_list("username", flat=True)) == {
        "clerk",
        "manager",
        "support",
        "auditor",
        "admin",
    }
    password = (tmp_path / "demo-password").read_text()
    assert password in first.getvalue()
    assert password in second.getvalue()
    assert User.objects.get(username="clerk").check_password(password)


@pytest.mark.django_db
def test_demo_is_as_it_should_be_on_the_last_day_of_a_year() -> None:
    """A 31st too; a leap day is above, the first day after February below."""
    today = date(2025, 12, 31)

    load_demo(actor=User.objects.create(username="demo"), today=today)

    _assert_as_it_should_be(today)


def _assert_as_it_should_be(today: date) -> None:
    issued = Invoice.objects.exclude(number=None)
    held = Invoice.objects.filter(status="DRAFT").exclude(held_reason="")
    assert issued.count() > 400
    assert not issued.filter(issue_date__gt=today).exists()
    assert [draft.bill_group.name for draft in held] == ["Transport"]
    assert broken_invariants() == []


@pytest.mark.django_db(transaction=True)
def test_interrupted_demo_leaves_nothing_and_starts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actor, today = User.objects.create(username="demo"), date(2026, 3, 1)

    def stop(**usage: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(company, "record_usage", stop)
        with pytest.raises(KeyboardInterrupt):
            load_demo(actor=actor, today=today)

    assert not Contract.objects.exists()
    assert load_demo(actor=actor, today=today)
    assert not load_demo(actor=actor, today=today)
    _assert_as_it_should_be(today)
