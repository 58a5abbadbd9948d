"""The demo company loads once, through the real import and the real nights."""

from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from contracts.models import Contract, ScheduledCharge
from invoicing.models import Invoice
from tests.books import broken_invariants


@pytest.mark.django_db
@pytest.mark.parametrize("today", ["2026-11-22", "2028-02-29", "2027-12-31"])
def test_demo_loads_on_any_day_and_only_once(
    today: str, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    with time_machine.travel(f"{today}T12:00:00+00:00", tick=False):
        first = StringIO()
        call_command("demo", stdout=first)
        invoices = Invoice.objects.count()
        second = StringIO()
        call_command("demo", stdout=second)

    assert invoices > 25
    assert Invoice.objects.count() == invoices
    assert Contract.objects.count() == 14
    assert ScheduledCharge.objects.filter(state="EXTERNAL").exists()
    assert Invoice.objects.filter(status="DRAFT").exclude(held_reason="").exists()
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
    assert broken_invariants() == []
