"""Replacements tried to the end, with their papers and what the customer pays (A4-A7).

The caller undoes everything: ids of what was only tried stand for nothing afterwards.
Money is in the currency of the bill group whose invoices these are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Sum

from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditNoteStatus
from invoicing.models import BalanceEntry, CreditNote, Invoice, InvoiceLine
from invoicing.services.corrections import (
    GIVEN_FREELY,
    Finished,
    finish_replacements,
)
from invoicing.services.drafts import BillGroupNotActive, NotADraft
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly
from invoicing.services.replacements import Replaced

NOT_FINISHED: Final = (
    NotCreditable,
    NotADraft,
    BillGroupNotActive,
    PeriodClosed,
    IssueDateTooEarly,
)
PREVIEW_REASON: Final = "Preview"
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A line of a paper; `mark` is changed, added, gone or empty beside the other."""

    line: InvoiceLine
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An invoice beside what replaces it, and what issuing and crediting come to.

    `finished` is None where finishing is refused. `pays` is what the customer still has
    to pay for both; while a credit waits for approval it is an estimate.
    """

    invoice: Invoice
    draft: Invoice | None
    old_lines: tuple[PaperLine, ...]
    new_lines: tuple[PaperLine, ...]
    finished: Finished | None
    pays: Decimal

    @property
    def new_total(self) -> Decimal:
        """The total of the replacement; zero where nothing is left."""
        return self.draft.total if self.draft else ZERO

    @property
    def difference(self) -> Decimal:
        """What the replacement bills more, or less."""
        return self.new_total - self.invoice.total

    @property
    def received(self) -> Decimal:
        """What came in for the old invoice, by payment or from the balance."""
        return _moved(self.invoice)

    @property
    def waits(self) -> bool:
        """Whether the credit needs a second person first (A7, A9)."""
        credit = self.finished.credit if self.finished else None
        return credit is not None and credit.status == CreditNoteStatus.TO_APPROVE


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionReview:
    """Replacements with their money; `refusal` says why they can't be finished now.

    `to_balance` is what the credit balance of the customer grows by.
    """

    replacements: tuple[Replacement, ...]
    refusal: str
    to_balance: Decimal
    goodwill: tuple[CreditNote, ...]

    @property
    def old_total(self) -> Decimal:
        """What the replaced invoices billed."""
        return sum((one.invoice.total for one in self.replacements), ZERO)

    @property
    def new_total(self) -> Decimal:
        """What the replacements bill."""
        return sum((one.new_total for one in self.replacements), ZERO)

    @property
    def difference(self) -> Decimal:
        """What the replacements bill more, or less."""
        return self.new_total - self.old_total

    @property
    def covered(self) -> Decimal:
        """What of the replacements needs no new payment."""
        return self.new_total - self.pays

    @property
    def old_due(self) -> Decimal:
        """What was still to be paid before."""
        return sum((one.invoice.amount_due for one in self.replacements), ZERO)

    @property
    def pays(self) -> Decimal:
        """What is still to be paid after all."""
        return sum((one.pays for one in self.replacements), ZERO)

    @property
    def credited(self) -> Decimal:
        """What the credit notes of the old invoices come to."""
        notes = (one.finished.credit for one in self.replacements if one.finished)
        return sum((note.total for note in notes if note), ZERO)

    @property
    def waits(self) -> bool:
        """Whether any credit needs a second person first (A7, A9)."""
        return any(one.waits for one in self.replacements)


def try_to_finish(
    replaced: Iterable[Replaced],
    *,
    actor: AbstractBaseUser | None,
    today: date,
    give_again: Collection[int] = (),
) -> CorrectionReview:
    """Finish replacements, to look at what comes of it; the caller undoes it all.

    Why they can't be finished is in the answer.
    """
    replaced = tuple(replaced)
    ids = [one.invoice.pk for one in replaced]
    papers = _papers(replaced)
    goodwill = CreditNote.objects.filter(
        invoice__in=ids,
        status=CreditNoteStatus.ISSUED,
        reason_code__in=GIVEN_FREELY,
    ).select_related("invoice")
    listed = tuple(goodwill.order_by("sequence"))
    balance = _balance(replaced)
    finished: tuple[Finished, ...] = ()
    refusal = ""
    try:
        finished = finish_replacements(
            replaced=replaced,
            reason=PREVIEW_REASON,
            actor=actor,
            today=today,
            give_again=give_again,
        )
    except NOT_FINISHED as refused:
        refusal = str(refused)
    due = _due_after(finished)
    return CorrectionReview(
        replacements=tuple(
            _replacement(one, papers, done, due)
            for one, done in zip(
                replaced, finished or [None] * len(replaced), strict=True
            )
        ),
        refusal=refusal,
        to_balance=max(_balance(replaced) - balance, ZERO),
        goodwill=listed,
    )


def _replacement(
    one: Replaced,
    papers: dict[int, list[InvoiceLine]],
    finished: Finished | None,
    due: dict[int, Decimal],
) -> Replacement:
    old = papers.get(one.invoice.pk, [])
    new = papers.get(one.draft.pk, []) if one.draft else []
    if finished is not None and finished.issued is not None:
        pays = due[finished.issued.pk]
    else:
        total = one.draft.total if one.draft else ZERO
        pays = max(total - _moved(one.invoice), ZERO)
    return Replacement(
        invoice=one.invoice,
        draft=one.draft,
        old_lines=_marked(old, new, changed="", missing="gone"),
        new_lines=_marked(new, old, changed="changed", missing="added"),
        finished=finished,
        pays=pays,
    )


def _moved(invoice: Invoice) -> Decimal:
    """Return the money that came in for an invoice and was not given back."""
    return invoice.paid + invoice.balance_applied - invoice.credited_paid


def _due_after(finished: Iterable[Finished]) -> dict[int, Decimal]:
    issued = [one.issued.pk for one in finished if one.issued is not None]
    return dict(Invoice.objects.filter(pk__in=issued).values_list("pk", "amount_due"))


def _balance(replaced: Iterable[Replaced]) -> Decimal:
    groups = {one.invoice.bill_group_id for one in replaced}
    left = BalanceEntry.objects.filter(bill_group__in=groups, left__gt=0)
    return left.aggregate(sum=Sum("left", default=ZERO))["sum"] or ZERO


def _papers(replaced: Iterable[Replaced]) -> dict[int, list[InvoiceLine]]:
    ids = [
        document.pk
        for one in replaced
        for document in (one.invoice, one.draft)
        if document
    ]
    lines: defaultdict[int, list[InvoiceLine]] = defaultdict(list)
    for line in (
        InvoiceLine.objects.filter(invoice__in=ids)
        .select_related("charge")
        .order_by("invoice_id", "position")
    ):
        lines[line.invoice_id].append(line)
    return lines


def _marked(
    lines: Iterable[InvoiceLine],
    others: Iterable[InvoiceLine],
    *,
    changed: str,
    missing: str,
) -> tuple[PaperLine, ...]:
    same = {_terms(line) for line in others}
    known = {_lineage(line) for line in others}
    return tuple(
        PaperLine(
            line=line,
            mark=""
            if _terms(line) in same
            else changed
            if _lineage(line) in known
            else missing,
        )
        for line in lines
    )


def _lineage(line: InvoiceLine) -> int:
    return line.charge.contract_line_id if line.charge else -line.pk


def _terms(line: InvoiceLine) -> tuple[object, ...]:
    return (
        _lineage(line),
        line.period_start,
        line.period_end,
        line.quantity,
        line.unit_price,
        line.discount_percent,
        line.amount,
        line.tax_percent,
    )
