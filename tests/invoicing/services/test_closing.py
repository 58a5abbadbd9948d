"""What keeps a month from being closed (M6)."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import AccountingPeriod, BillGroup, InvoicingSettings
from billing.queries import closed_through
from billing.services.periods import PeriodStays, close_period
from contracts.models import ScheduledCharge
from invoicing.models import Invoice
from invoicing.queries.closing import ClosingRow, closing_checklist
from invoicing.services.credits import credit_invoice
from invoicing.services.drafts import issue_draft
from invoicing.services.generation import run_invoicing
from tests.books import sold
from tests.factories import BillGroupFactory

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


@pytest.fixture
def group() -> BillGroup:
    """A bill group with a contract over two months, 100.00 each, in advance."""
    made: BillGroup = BillGroupFactory.create()
    sold(
        today=date(2025, 12, 31),
        bill_group=made,
        start_date=JAN_1,
        end_date=date(2026, 2, 28),
        lines=[{"unit_price": Decimal(100)}],
    )
    return made


def close_january(group: BillGroup) -> None:
    period = AccountingPeriod(legal_entity=group.legal_entity, month=JAN_1)
    close_period(period=period, actor=None)


def listed(group: BillGroup) -> list[tuple[str, ClosingRow]]:
    """Return what the checklist of January shows, with its kinds."""
    checklist = closing_checklist(group.legal_entity, JAN_1, most=10)
    return [(kind, row) for kind, rows in checklist.rows.items() for row in rows]


def is_closed(group: BillGroup) -> bool:
    return closed_through(group.legal_entity) is not None


def settings_of(group: BillGroup, **values: object) -> None:
    InvoicingSettings.objects.update_or_create(
        legal_entity=group.legal_entity, defaults=values
    )


def test_m6_what_is_pending_is_in_the_way(group: BillGroup) -> None:
    with pytest.raises(PeriodStays) as refusal:
        close_january(group)

    ((kind, pending),) = listed(group)
    assert (kind, pending.bill_group, pending.bill_date) == ("PENDING", group, JAN_1)
    assert str(refusal.value) == (
        "January 2026 can't be closed yet. In the way: drafts 0, pending invoices 1, "
        "superseded invoices not credited 0."
    )


def test_m6_a_month_is_closed_once_its_invoices_are_made(group: BillGroup) -> None:
    run_invoicing(as_of=JAN_1)

    close_january(group)

    assert is_closed(group)
    assert ScheduledCharge.objects.filter(state="PENDING").exists()


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param({"status": "INACTIVE"}, id="G2"),
        pytest.param({"invoicing": "MANUAL"}, id="G3"),
        pytest.param({"awaiting_manual_invoice": True}, id="G4"),
    ],
)
def test_m6_what_a_person_stopped_stays_pending(
    group: BillGroup, stop: dict[str, object]
) -> None:
    BillGroup.objects.update(**stop)

    close_january(group)

    ((kind, stopped),) = listed(group)
    assert is_closed(group)
    assert (kind, stopped.bill_group, stopped.bill_date) == ("STOPPED", group, JAN_1)


def test_m6_manual_settings_stop_everything(group: BillGroup) -> None:
    """G1."""
    settings_of(group, invoicing="MANUAL")

    close_january(group)

    assert is_closed(group)


def test_m6_a_draft_is_in_the_way_until_it_is_issued(group: BillGroup) -> None:
    settings_of(group, review_before_issue=True)
    run_invoicing(as_of=JAN_1)
    draft = Invoice.objects.get()

    with pytest.raises(PeriodStays, match="drafts 1, pending invoices 0"):
        close_january(group)
    issue_draft(invoice=draft, actor=None, today=JAN_1)
    close_january(group)

    assert is_closed(group)


def test_m6_a_superseded_invoice_is_in_the_way_until_it_is_credited(
    group: BillGroup,
) -> None:
    run_invoicing(as_of=JAN_1)
    ScheduledCharge.objects.filter(state="INVOICED").update(state="SUPERSEDED")
    invoice = Invoice.objects.get()

    with pytest.raises(PeriodStays, match="superseded invoices not credited 1"):
        close_january(group)
    credit_invoice(invoice=invoice, reason="Wrong", actor=None, today=JAN_1)
    close_january(group)

    assert is_closed(group)


def test_m6_another_legal_entity_is_not_in_the_way(group: BillGroup) -> None:
    other = BillGroupFactory.create(legal_entity__name="Nordhaven Inc.")

    close_january(other)

    assert is_closed(other)
    assert not is_closed(group)


def test_m6_later_months_are_not_in_the_way(group: BillGroup) -> None:
    run_invoicing(as_of=JAN_1)

    assert listed(group) == []
