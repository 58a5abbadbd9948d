"""A run that can go on for no bill group is over, says why, and can be tried again."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from billing.models import AccountingPeriod, LegalEntity
from invoicing.models import Invoice, InvoiceRun, RunBatch
from invoicing.services import batches
from invoicing.services.batches import RunStopped
from invoicing.services.generation import run_invoicing
from invoicing.services.locks import PeriodClosed
from tests.books import broken_invariants, sold
from tests.factories import LegalEntityFactory

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
JAN_31 = date(2026, 1, 31)


@pytest.fixture
def january() -> AccountingPeriod:
    """Return a closed January to which something is sold afterwards."""
    period = AccountingPeriod.objects.create(
        legal_entity=LegalEntityFactory.create(), month=JAN_1, state="CLOSED"
    )
    sold(today=JAN_1)
    return period


@pytest.mark.parametrize("door", ["command", "service"])
@pytest.mark.usefixtures("january")
def test_m6_run_in_a_closed_month_is_stopped_with_its_reason(door: str) -> None:
    if door == "command":
        with pytest.raises(CommandError, match="closed through 31 Jan 2026"):
            call_command("run_invoicing", "--as-of", "2026-01-31")
    else:
        with pytest.raises(RunStopped, match="closed through 31 Jan 2026"):
            run_invoicing(as_of=JAN_31)

    run = InvoiceRun.objects.get()
    assert run.state == "STOPPED"
    assert run.finished_at is not None
    assert "closed through 31 Jan 2026" in run.stopped_because
    assert not run.batches.filter(is_open=True).exists()
    assert not Invoice.objects.exists()
    assert broken_invariants() == []


def test_m8_run_dated_before_the_last_document_is_stopped() -> None:
    sold(today=JAN_1)
    run_invoicing(as_of=JAN_31)
    sold(today=JAN_1)

    with pytest.raises(CommandError, match="dated 31 Jan 2026"):
        call_command("run_invoicing", "--as-of", "2026-01-30")

    stopped = InvoiceRun.objects.get(as_of="2026-01-30")
    assert stopped.state == "STOPPED"
    assert Invoice.objects.count() == 1


def test_g12_stopped_run_is_tried_again_once_the_cause_is_gone(
    january: AccountingPeriod,
) -> None:
    with pytest.raises(RunStopped):
        run_invoicing(as_of=JAN_31)

    AccountingPeriod.objects.filter(pk=january.pk).update(state="OPEN")
    run_invoicing(as_of=JAN_31)

    states = InvoiceRun.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["STOPPED", "FINISHED"]
    assert Invoice.objects.get().number == "INV-000001"


@pytest.mark.usefixtures("january")
def test_g12_what_a_stopped_run_left_is_taken_by_the_next_night() -> None:
    with pytest.raises(RunStopped):
        run_invoicing(as_of=JAN_31)

    run_invoicing(as_of=date(2026, 2, 1))

    assert list(Invoice.objects.order_by("pk").values_list("bill_date", flat=True)) == [
        JAN_1,
        date(2026, 2, 1),
    ]


def test_g13_what_was_done_before_a_run_was_stopped_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 1)
    for _ in range(3):
        sold(today=JAN_1)

    def closed_meanwhile(legal_entity: LegalEntity, *, issue_date: date) -> None:
        if Invoice.objects.exists():
            raise PeriodClosed(issue_date, JAN_31)

    monkeypatch.setattr(batches, "lock_open_books", closed_meanwhile)

    with pytest.raises(RunStopped):
        run_invoicing(as_of=JAN_31)

    assert Invoice.objects.count() == 1
    done = RunBatch.objects.order_by("pk").values_list(
        "is_open", "attempts", "generated"
    )
    assert list(done) == [(False, 1, 1), (False, 0, 0), (False, 0, 0)]


@pytest.mark.parametrize(
    ("state", "because"), [("STOPPED", ""), ("RUNNING", "Why"), ("FINISHED", "Why")]
)
def test_only_a_stopped_run_says_why(state: str, because: str) -> None:
    with pytest.raises(IntegrityError, match="run_stopped_says_why"):
        InvoiceRun.objects.create(
            legal_entity=LegalEntityFactory.create(),
            as_of=JAN_1,
            state=state,
            stopped_because=because,
            finished_at=None if state == "RUNNING" else "2026-01-01T05:00:00Z",
        )
