"""Drafts that wait for a review, in the order in which they are worked off."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When

from invoicing.domain.states import ISSUED, InvoiceStatus
from invoicing.models import Invoice, InvoiceLine

ZERO: Final = Decimal(0)


class WorkList(StrEnum):
    """Which drafts: all, replacements (A6), held by a safety bound (G14), others (G17).

    But for all, each draft is in one of them.
    """

    ALL = "all"
    HELD = "held"
    REVIEW = "review"
    REPLACING = "replacing"


_REPLACING: Final = Q(replaces__isnull=False)
_HELD: Final = ~_REPLACING & ~Q(held_reason="")
_IN_LIST: Final = {
    WorkList.HELD: _HELD,
    WorkList.REVIEW: ~_REPLACING & Q(held_reason=""),
    WorkList.REPLACING: _REPLACING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a draft stands in its work list: `number` of `count`; its neighbours."""

    number: int
    count: int
    before: int | None
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """A contract line on a draft beside the same line on the invoice before."""

    contract_number: str
    product_name: str
    description: str
    first: date
    last: date
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal:
        """What the draft bills more, or less."""
        return (self.after or ZERO) - (self.before or ZERO)


def drafts(which: WorkList) -> QuerySet[Invoice]:
    """Return the drafts of a work list, the oldest bill date first."""
    rows = Invoice.objects.filter(_IN_LIST.get(which, Q()), status=InvoiceStatus.DRAFT)
    return rows.order_by("bill_date", "pk")


def drafts_after(
    rows: QuerySet[Invoice], bill_date: date, pk: int
) -> QuerySet[Invoice]:
    """Return the drafts behind a place in the order of `drafts`."""
    return rows.filter(Q(bill_date__gt=bill_date) | Q(bill_date=bill_date, pk__gt=pk))


def draft_totals() -> list[tuple[str, WorkList, int, Decimal]]:
    """Return by currency and list how many drafts wait, and what they come to."""
    of_list = Case(
        *(When(condition, then=Value(which)) for which, condition in _IN_LIST.items())
    )
    rows = (
        Invoice.objects.filter(status=InvoiceStatus.DRAFT)
        .order_by()
        .annotate(of_list=of_list)
        .values_list("currency", "of_list")
        .annotate(count=Count("pk"), sum=Sum("total"))
        .order_by("currency", "of_list")
    )
    return [
        (currency, WorkList(which), count, total)
        for currency, which, count, total in rows
    ]


def place_of(draft: Invoice, which: WorkList) -> Place:
    """Return where a draft stands in a work list, and what is before and after it."""
    rows = drafts(which)
    earlier = rows.filter(
        Q(bill_date__lt=draft.bill_date) | Q(bill_date=draft.bill_date, pk__lt=draft.pk)
    )
    later = drafts_after(rows, draft.bill_date, draft.pk)
    behind = later.count()
    ahead = earlier.count()
    return Place(
        number=ahead + 1,
        count=ahead + behind + 1,
        before=earlier.reverse().values_list("pk", flat=True).first(),
        following=later.values_list("pk", flat=True).first(),
    )


def invoices_before(rows: Collection[Invoice]) -> dict[int, Invoice]:
    """Return by draft what its amounts are compared with.

    Of a replacement it is the invoice it replaces, else the last one issued to the bill
    group; a draft without either is left out.
    """
    last = {
        invoice.bill_group_id: invoice
        for invoice in Invoice.objects.filter(
            bill_group__in={draft.bill_group_id for draft in rows},
            status__in=ISSUED,
        )
        .order_by("bill_group_id", "-sequence")
        .distinct("bill_group_id")
    }
    replaced = Invoice.objects.in_bulk(
        [draft.replaces_id for draft in rows if draft.replaces_id is not None]
    )
    found = {}
    for draft in rows:
        before = replaced.get(draft.replaces_id or 0) or last.get(draft.bill_group_id)
        if before is not None:
            found[draft.pk] = before
    return found


def compared_lines(draft: Invoice, before: Invoice | None) -> list[ComparedLine]:
    """Return the contract lines of a draft and of the invoice before, side by side."""
    invoices = [draft.pk] if before is None else [draft.pk, before.pk]
    lines = (
        InvoiceLine.objects.filter(invoice__in=invoices)
        .select_related("charge")
        .order_by("position")
    )
    old: defaultdict[int, list[InvoiceLine]] = defaultdict(list)
    new: defaultdict[int, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        # A line without its charge belongs to a discarded draft, which is not compared.
        key = line.charge.contract_line_id if line.charge else -line.pk
        (new if line.invoice_id == draft.pk else old)[key].append(line)
    return [
        _compared(new.get(key, ()), old.get(key, ()))
        for key in dict.fromkeys([*new, *old])
    ]


def _compared(new: Iterable[InvoiceLine], old: Iterable[InvoiceLine]) -> ComparedLine:
    after, before = list(new), list(old)
    shown = after or before
    return ComparedLine(
        contract_number=shown[0].contract_number,
        product_name=shown[0].product_name,
        description=shown[0].description,
        first=min(line.period_start for line in shown),
        last=max(line.period_end for line in shown),
        before=sum((line.amount for line in before), ZERO) if before else None,
        after=sum((line.amount for line in after), ZERO) if after else None,
    )
