"""What keeps a month from being closed, and what is left pending when it is (M6).

The rule stands in the database, in `invoicing_closing_obstacles`, whose trigger refuses
to close a month over it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Count, Q, Sum

from billing.domain.dates import month_end
from billing.models import BillGroup, LegalEntity
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.models import Invoice

DRAFT: Final = "DRAFT"
PENDING: Final = "PENDING"
SUPERSEDED: Final = "SUPERSEDED"
STOPPED: Final = "STOPPED"
KINDS: Final = (DRAFT, PENDING, SUPERSEDED, STOPPED)

OBSTACLES = """
SELECT kind, bill_group_id, bill_date, invoice_id
FROM invoicing_closing_obstacles(%s, %s)
ORDER BY kind, bill_date, bill_group_id, invoice_id
"""


class Obstacle(NamedTuple):
    """A draft, a pending invoice or a superseded invoice with something to credit.

    `kind` is DRAFT, PENDING, SUPERSEDED, or STOPPED for a pending invoice that a person
    stopped (G1-G4), which does not keep a month from being closed.
    """

    kind: str
    bill_group_id: int
    bill_date: date
    invoice_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRow:
    """One of what is open, as a page names it.

    `amount` is what a draft comes to, what a superseded invoice still claims, or what a
    pending one bills before tax without its `unrated` usage charges.
    """

    bill_group: BillGroup
    bill_date: date
    invoice: Invoice | None
    amount: Decimal
    unrated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """All that is open when a month is to be closed, by kind.

    `rows` are the first ones of each kind, `sums` what the pending ones bill before
    tax, by currency.
    """

    counts: Mapping[str, int]
    rows: Mapping[str, tuple[ClosingRow, ...]]
    sums: Mapping[str, Mapping[str, Decimal]]

    @property
    def in_the_way(self) -> int:
        """How many of them keep the month from being closed (M6)."""
        return sum(self.counts[kind] for kind in KINDS if kind != STOPPED)


def closing_checklist(
    legal_entity: LegalEntity, month: date, *, most: int
) -> Checklist:
    """Return what is open up to a month's end, at most so many rows of each kind.

    `month` is its first day.
    """
    found = _open(legal_entity, month)
    shown = [one for kind in KINDS for one in _first(found, kind, most)]
    pending = _pending_amounts(legal_entity, month) if found else {}
    groups = BillGroup.objects.select_related("account").in_bulk(
        {one.bill_group_id for one in shown}
    )
    invoices = Invoice.objects.in_bulk({one.invoice_id for one in shown})
    sums: dict[str, defaultdict[str, Decimal]] = {
        kind: defaultdict(Decimal) for kind in (PENDING, STOPPED)
    }
    for one in found:
        if one.kind in sums:
            currency, amount, _ = pending[one.bill_group_id, one.bill_date]
            sums[one.kind][currency] += amount
    return Checklist(
        counts=Counter(one.kind for one in found),
        rows={
            kind: tuple(
                _row(
                    one,
                    groups[one.bill_group_id],
                    invoices.get(one.invoice_id),
                    pending,
                )
                for one in _first(found, kind, most)
            )
            for kind in KINDS
        },
        sums=sums,
    )


def _open(legal_entity: LegalEntity, month: date) -> list[Obstacle]:
    with connection.cursor() as cursor:
        cursor.execute(OBSTACLES, [legal_entity.pk, month])
        return [Obstacle._make(row) for row in cursor.fetchall()]


def _first(found: "list[Obstacle]", kind: str, most: int) -> "list[Obstacle]":
    return [one for one in found if one.kind == kind][:most]


_Amounts = dict[tuple[int, date], tuple[str, Decimal, int]]


def _pending_amounts(legal_entity: LegalEntity, month: date) -> _Amounts:
    """Return currency, amount and unrated charges of each pending invoice."""
    rows = (
        ScheduledCharge.objects.filter(
            bill_group__legal_entity=legal_entity,
            state=ChargeState.PENDING,
            bill_date__lte=month_end(month),
        )
        .order_by()
        .values("bill_group_id", "bill_date", "bill_group__currency")
        .annotate(
            sum=Sum("amount", default=Decimal(0)),
            unrated=Count("pk", filter=Q(amount=None)),
        )
    )
    return {
        (row["bill_group_id"], row["bill_date"]): (
            row["bill_group__currency"],
            row["sum"],
            row["unrated"],
        )
        for row in rows
    }


def _row(
    one: Obstacle, group: BillGroup, invoice: Invoice | None, pending: _Amounts
) -> ClosingRow:
    unrated = 0
    if invoice is None:
        _, amount, unrated = pending[one.bill_group_id, one.bill_date]
    elif one.kind == SUPERSEDED:
        amount = invoice.total - invoice.credited_due - invoice.credited_paid
    else:
        amount = invoice.total
    return ClosingRow(
        bill_group=group,
        bill_date=one.bill_date,
        invoice=invoice,
        amount=amount,
        unrated=unrated,
    )
