"""The rows of invoices and their lines, as they are copied into the tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from billing.models import LegalEntity
from contracts.domain.decimals import format_decimal
from contracts.services.rows import NULL, cell, copy_cells, or_null
from invoicing.domain.document import Document, DocumentLine
from invoicing.domain.eligibility import Outcome
from invoicing.domain.states import InvoiceStatus, SeriesKind
from invoicing.domain.totals import TaxLine, due_date, status_at_issue
from invoicing.models import Invoice, InvoiceLine, InvoiceRun
from invoicing.queries.paper_fields import PaperFields
from invoicing.services.assessment import Assessment
from invoicing.services.numbering import take_numbers

INVOICE_COLUMNS = (
    "id",
    "legal_entity_id",
    "account_id",
    "bill_group_id",
    "run_id",
    "status",
    "issue_date",
    "bill_date",
    "due_date",
    "net_terms",
    "currency",
    "subtotal",
    "tax",
    "total",
    "taxes",
    "full_price_subtotal",
    "bill_to",
    "seller",
    "po_number",
    "tax_id",
    "language",
    "printed_fields",
    "custom_fields",
    "held_reason",
    "balance_applied",
    "sequence",
    "number",
)
TOGETHER = " / "
UNNUMBERED = (NULL, NULL)
# Seller, printed fields and own fields, as cells.
Copies = tuple[str, str, str]
ZERO = Decimal(0)
LINE_COLUMNS = (
    "invoice_id",
    "charge_id",
    "position",
    "contract_number",
    "product_name",
    "description",
    "period_start",
    "period_end",
    "quantity",
    "unit_price",
    "discount_percent",
    "amount",
    "tax_name",
    "tax_percent",
    "detail",
)


class Paper(NamedTuple):
    """An assessment that becomes an invoice, with the id it will have."""

    invoice_id: int
    assessment: Assessment
    is_draft: bool

    def due_on(self, issue_date: date) -> date:
        """Return when it is due if it is issued that day (M8)."""
        bill_date = self.assessment.document.bill_date
        return due_date(issue_date, bill_date, self.assessment.group.net_terms)


def copy_lines(papers: Sequence[Paper]) -> None:
    """Insert the lines of documents, ahead of the documents themselves."""
    copy_cells(
        InvoiceLine,
        LINE_COLUMNS,
        (
            _line_row(paper.invoice_id, position, line)
            for paper in papers
            for position, line in enumerate(paper.assessment.document.lines, start=1)
        ),
    )


def _line_row(invoice_id: int, position: int, line: DocumentLine) -> tuple[Any, ...]:
    charge = line.charge
    return (
        invoice_id,
        charge.charge_id,
        position,
        cell(charge.contract_number),
        cell(charge.product_name),
        cell(charge.description),
        charge.period_start,
        charge.period_end,
        line.quantity,
        or_null(charge.unit_price),
        charge.discount_percent,
        line.amount,
        cell(line.tax_name),
        or_null(line.tax_percent),
        _detail(line),
    )


def _detail(line: DocumentLine) -> str:
    return "[]" if line.usage is None else json.dumps(usage_parts(line))


def usage_parts(line: DocumentLine) -> list[dict[str, str]]:
    """Return how usage was rated, part by part, as a line stores it (P9)."""
    return [
        {
            "quantity": str(part.quantity),
            "unit_price": str(part.unit_price),
            "amount": str(part.amount),
        }
        for part in (line.usage.parts if line.usage else ())
    ]


def tax_names(
    named: Iterable[tuple[Decimal | None, str]],
) -> dict[Decimal | None, str]:
    """Return the names of tax rates by percent; rates of one percent stand together.

    Each may be another ground in law for it: reverse charge and export, 0 % both.

    >>> tax_names([(Decimal(0), "Reverse charge"), (Decimal(0), "Export")])
    {Decimal('0'): 'Reverse charge / Export'}
    """
    names: dict[Decimal | None, str] = {}
    for percent, name in named:
        known = names.setdefault(percent, name)
        if name != known and name not in known.split(TOGETHER):
            names[percent] = f"{known}{TOGETHER}{name}"
    return names


def tax_rows(
    taxes: Iterable[TaxLine], names: Mapping[Decimal | None, str]
) -> list[dict[str, str]]:
    """Return the tax of each rate as a document stores it; `names` are by percent."""
    rows: list[dict[str, str]] = json.loads(_tax_text(taxes, names))
    return rows


def _tax_text(taxes: Iterable[TaxLine], names: Mapping[Decimal | None, str]) -> str:
    """Return `tax_rows` as JSON, by hand: in half the time, once for each invoice."""
    rows = [
        f'{{"name": {json.dumps(names[tax.percent])}, '
        f'"percent": "{format_decimal(tax.percent)}", '
        f'"taxable": "{tax.taxable!s}", "tax": "{tax.tax!s}"}}'
        for tax in taxes
    ]
    return f"[{', '.join(rows)}]"


class InvoiceRows(NamedTuple):
    """The rows of drafts, and of issued invoices, that lack only their numbers."""

    drafts: list[tuple[Any, ...]]
    issued: list[tuple[Any, ...]]


def invoice_rows(
    papers: Sequence[Paper],
    *,
    legal_entity: LegalEntity,
    issue_date: date,
    run: InvoiceRun | None,
    applied: Mapping[int, Decimal],
    fields: PaperFields,
) -> InvoiceRows:
    """Return the rows of documents; `applied` is the balance used by invoice id (M4).

    `fields` are the custom fields they print. Reads and writes nothing.
    """
    seller = cell(json.dumps(seller_of(legal_entity)))
    own = cell(fields.own)
    copied = [
        (paper, (seller, cell(printed), own))
        for paper, printed in zip(papers, fields.printed, strict=True)
    ]
    drafts = [
        (*_invoice_row(paper, run=run, copies=copies), ZERO)
        for paper, copies in copied
        if paper.is_draft
    ]
    issued = [
        _issued_row(paper, run, copies, issue_date, applied.get(paper.invoice_id, ZERO))
        for paper, copies in copied
        if not paper.is_draft
    ]
    return InvoiceRows(drafts, issued)


def copy_invoices(
    rows: InvoiceRows, *, legal_entity: LegalEntity, issue_date: date
) -> None:
    """Insert documents; issued ones take their numbers here, as late as can be."""
    numbered = [(*row, *UNNUMBERED) for row in rows.drafts]
    if rows.issued:
        numbers = take_numbers(
            legal_entity=legal_entity,
            kind=SeriesKind.INVOICE,
            count=len(rows.issued),
            issue_date=issue_date,
        )
        numbered.extend(
            (*row, number.sequence, number.text)
            for row, number in zip(rows.issued, numbers, strict=True)
        )
    copy_cells(Invoice, INVOICE_COLUMNS, numbered)


def _issued_row(
    paper: Paper,
    run: InvoiceRun | None,
    copies: Copies,
    issue_date: date,
    applied: Decimal,
) -> tuple[Any, ...]:
    status = status_at_issue(paper.assessment.document.totals.total - applied)
    row = _invoice_row(
        paper, run=run, copies=copies, status=status, issue_date=issue_date
    )
    return (*row, applied)


def _invoice_row(
    paper: Paper,
    *,
    run: InvoiceRun | None,
    copies: Copies,
    status: InvoiceStatus = InvoiceStatus.DRAFT,
    issue_date: date | None = None,
) -> tuple[Any, ...]:
    """Return an invoice but for balance and number; a draft has no issue date."""
    group, document = paper.assessment.group, paper.assessment.document
    decision = paper.assessment.decision
    due_on = paper.due_on(issue_date) if issue_date else None
    held = decision.outcome is Outcome.DRAFT_HELD
    seller, printed_fields, custom_fields = copies
    return (
        paper.invoice_id,
        group.legal_entity_id,
        group.account_id,
        group.bill_group_id,
        run.pk if run else NULL,
        status.value,
        or_null(issue_date),
        document.bill_date,
        or_null(due_on),
        group.net_terms,
        document.currency,
        document.totals.subtotal,
        document.totals.tax,
        document.totals.total,
        cell(_taxes(document)),
        document.full_price_subtotal,
        cell(group.bill_to),
        seller,
        cell(group.po_number),
        cell(group.tax_id),
        cell(group.language),
        printed_fields,
        custom_fields,
        cell(decision.sentence) if held else "",
    )


def _taxes(document: Document) -> str:
    names = tax_names((line.tax_percent, line.tax_name) for line in document.lines)
    return _tax_text(document.totals.taxes, names)


def seller_of(legal_entity: LegalEntity) -> dict[str, str]:
    """Return what an invoice stores of the company that issues it."""
    return {
        **legal_entity.address_for(legal_entity.name).as_dict(),
        "tax_id": legal_entity.tax_id,
        "email": legal_entity.email,
        "iban": legal_entity.iban,
        "bic": legal_entity.bic,
        "payment_instructions": legal_entity.payment_instructions,
        "logo": legal_entity.logo_id or "",
    }
