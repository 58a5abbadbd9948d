"""Statements of an account, one for each legal entity and currency; nothing is written.

Sums of currencies are never added, and what one legal entity is owed is none of
another's. A statement is drawn from the books and kept nowhere: asked again it says the
same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from billing.domain.dates import day_text
from billing.models import Account, BillGroup, LegalEntity
from invoicing.domain.aging import OpenItem, age_items
from invoicing.domain.statement import (
    Booking,
    Standing,
    Statement,
    draw_statement,
    due_after,
)
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.balances import entries_left
from invoicing.queries.bookings import bookings_since

Ledger = tuple[int, str]


class NotARange(ValueError):
    """Dates that no statement can be drawn for; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatement:
    """The statement of what one legal entity is owed in one currency.

    `items` are the invoices that were open on the last day, oldest due first, `ages`
    what is due of them in each bucket of `AGES`. `bill_group` is the only one it is of.
    """

    account: Account
    bill_group: BillGroup | None
    legal_entity: LegalEntity
    currency: str
    statement: Statement
    items: tuple[OpenItem, ...]
    ages: tuple[Decimal, ...]

    @property
    def overdue(self) -> Decimal:
        """What was past its due date on the last day."""
        return sum(self.ages[1:], Decimal(0))


def account_statements(
    *,
    account: Account,
    first: date,
    last: date,
    today: date,
    bill_group: BillGroup | None = None,
) -> tuple[LedgerStatement, ...]:
    """Return the statements of an account, or of one of its bill groups.

    Both dates are inclusive. In a number of queries that doesn't grow with the rows.
    Raises `NotARange`.
    """
    if last < first:
        raise NotARange(
            f"The range ends on {day_text(last)}, before it begins. Turn the dates."
        )
    if last > today:
        raise NotARange(
            f"{day_text(last)} has not come yet. A statement ends today at the latest."
        )
    groups = _groups(account, bill_group)
    ledger_of = {group.pk: (group.legal_entity_id, group.currency) for group in groups}
    entities = {group.legal_entity_id: group.legal_entity for group in groups}
    booked = defaultdict[Ledger, list[Booking]](list)
    for one in bookings_since(ledger_of, first):
        booked[ledger_of[one.bill_group_id]].append(one.booking)
    invoices = defaultdict[Ledger, list[Invoice]](list)
    for invoice in _invoices(ledger_of, booked.values()):
        invoices[ledger_of[invoice.bill_group_id]].append(invoice)
    held = _held_now(groups)
    statements = []
    for ledger in sorted(set(ledger_of.values())):
        due_now = {one.pk: one.amount_due for one in invoices[ledger]}
        due = sum(due_now.values(), Decimal(0))
        items = _open_items(
            invoices[ledger], due_after(booked[ledger], last=last, due_now=due_now)
        )
        statements.append(
            LedgerStatement(
                account=account,
                bill_group=bill_group,
                legal_entity=entities[ledger[0]],
                currency=ledger[1],
                statement=draw_statement(
                    booked[ledger],
                    first=first,
                    last=last,
                    now=Standing(due=due, held=held.get(ledger, Decimal(0))),
                ),
                items=items,
                ages=age_items(items, on=last),
            )
        )
    return tuple(statements)


def _groups(account: Account, bill_group: BillGroup | None) -> list[BillGroup]:
    groups: QuerySet[BillGroup] = BillGroup.objects.filter(account=account)
    if bill_group is not None:
        groups = groups.filter(pk=bill_group.pk)
    return list(groups.select_related("legal_entity").order_by("pk"))


def _invoices(
    group_ids: Collection[int], booked: Iterable[Iterable[Booking]]
) -> list[Invoice]:
    """Return what is open now, and what something was booked on since."""
    moved = {one.invoice_id for some in booked for one in some if one.invoice_id}
    columns = (
        *("number", "status", "issue_date", "due_date", "bill_date"),
        *("total", "amount_due", "bill_group_id", "sequence"),
    )
    invoices = Invoice.objects.filter(bill_group__in=list(group_ids)).only(*columns)
    is_open = invoices.filter(status=InvoiceStatus.OPEN).order_by()
    return list(is_open.union(invoices.filter(pk__in=moved).order_by()))


def _held_now(groups: Collection[BillGroup]) -> dict[Ledger, Decimal]:
    rows = entries_left(groups).order_by().values_list("bill_group__legal_entity_id")
    return {
        (entity_id, currency): left
        for entity_id, currency, left in rows.values_list(
            "bill_group__legal_entity_id", "currency"
        ).annotate(sum_left=Sum("left"))
    }


def _open_items(
    invoices: Iterable[Invoice], due: Mapping[int, Decimal]
) -> tuple[OpenItem, ...]:
    items = (
        OpenItem(
            invoice_id=one.pk,
            number=one.number or "",
            issue_date=one.issue_date or one.bill_date,
            due_date=one.due_date or one.bill_date,
            total=one.total,
            due=due[one.pk],
        )
        for one in invoices
        if one.pk in due
    )
    return tuple(sorted(items, key=lambda item: (item.due_date, item.invoice_id)))
