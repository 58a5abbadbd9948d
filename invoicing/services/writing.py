"""Write documents with a handful of set-based statements, one transaction for all.

A batch of a thousand bill groups and one invoice by hand take the same way. The order
matters: charges first, with a guard on their state; lines, audit, deliveries and
decisions next, checked at once where they can be; numbers last; then the invoices, to
which the earlier rows already point (their keys are deferred to the commit).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from billing.models import LegalEntity
from contracts.domain.terms import ChargeState
from contracts.services.rows import meanwhile, next_ids
from invoicing.domain.document import Document, DocumentLine
from invoicing.domain.eligibility import Outcome
from invoicing.models import Invoice, InvoiceRun
from invoicing.queries.claims import groups_with_balance
from invoicing.queries.paper_fields import read_paper_fields
from invoicing.queries.pending import id_array
from invoicing.services.assessment import Assessment
from invoicing.services.balance import NewInvoice, use_at_issue
from invoicing.services.papers import Paper, copy_invoices, copy_lines, invoice_rows
from invoicing.services.portal_entries import copy_submissions
from invoicing.services.trail import copy_audit, copy_decisions, copy_deliveries

CHECKED_KEYS = """
SELECT string_agg(quote_ident(conname), ', ')
FROM pg_constraint
WHERE contype = 'f' AND condeferrable
  AND conrelid IN ('invoicing_invoiceline'::regclass, 'invoicing_delivery'::regclass,
                   'invoicing_rundecision'::regclass,
                   'invoicing_portalsubmission'::regclass)
  AND confrelid <> 'invoicing_invoice'::regclass
"""


ZERO = Decimal(0)
DECIDED_AT_ONCE = 200

MARK_CHARGES = """
UPDATE contracts_scheduledcharge SET state = %s
WHERE id = ANY (%s::bigint[]) AND state = 'PENDING'
"""
STORE_RATING = """
UPDATE contracts_scheduledcharge c
SET quantity = rated.quantity, amount = rated.amount
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS rated (id, quantity, amount)
WHERE c.id = rated.id AND c.amount IS NULL
"""


class ChargesChanged(RuntimeError):
    """Charges were no longer pending when they were to be billed.

    The locks keep this from happening; if it does, the transaction is undone.
    """


@dataclass(slots=True)
class Written:
    """What one transaction wrote: counts, and totals by currency.

    `totals` are of issued invoices; `rules` counts what was not issued by its rule.
    """

    issued: int = 0
    drafted: int = 0
    zero: int = 0
    held: int = 0
    invoice_ids: list[int] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    draft_totals: dict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    rules: Counter[str] = field(default_factory=Counter)


def write_assessments(
    assessments: Iterable[Assessment],
    *,
    legal_entity: LegalEntity,
    issue_date: date,
    run: InvoiceRun | None,
    actor: AbstractBaseUser | None,
    before_numbers: Callable[[Written], object] = lambda written: None,
) -> Written:
    """Write what was decided; the caller holds the locks and the transaction.

    Documents are dated `issue_date`. `before_numbers` is the caller's own last write:
    once numbers are taken, nothing but the invoices follows. Raises
    `IssueDateTooEarly` (M8) and `ChargesChanged`.
    """
    decided = _marked(assessments)
    papers = _papers(a for a in decided if a.decision.generate)
    zeros = [a for a in decided if a.decision.outcome is Outcome.ZERO]
    held = [a for a in decided if a.decision.outcome is Outcome.HOLD]
    written = _summary(papers, zeros, held)

    copy_lines(papers)
    copy_audit(papers, zeros, actor=actor)
    copy_deliveries(papers)
    copy_submissions(papers, issue_date=issue_date)
    copy_decisions(papers, zeros, held, run=run)
    applied = _use_balance(papers, issue_date=issue_date, actor=actor)
    before_numbers(written)
    if papers:
        fields = read_paper_fields(
            [(p.assessment.group.bill_group_id, p.assessment.document) for p in papers]
        )
        with _keys_checked():
            rows = invoice_rows(
                papers,
                legal_entity=legal_entity,
                issue_date=issue_date,
                run=run,
                applied=applied,
                fields=fields,
            )
        copy_invoices(rows, legal_entity=legal_entity, issue_date=issue_date)
    return written


def _use_balance(
    papers: Sequence[Paper], *, issue_date: date, actor: AbstractBaseUser | None
) -> dict[int, Decimal]:
    issued = [paper for paper in papers if not paper.is_draft]
    with_balance = groups_with_balance(
        paper.assessment.group.bill_group_id for paper in issued
    )
    new = [
        NewInvoice(
            invoice_id=paper.invoice_id,
            bill_group_id=paper.assessment.group.bill_group_id,
            due_date=paper.due_on(issue_date),
            total=paper.assessment.document.totals.total,
        )
        for paper in issued
        if paper.assessment.group.bill_group_id in with_balance
    ]
    return use_at_issue(new, today=issue_date, actor=actor)


def _summary(
    papers: Sequence[Paper], zeros: Sequence[Assessment], held: Sequence[Assessment]
) -> Written:
    written = Written(zero=len(zeros), held=len(held))
    written.rules.update(a.decision.rule for a in (*zeros, *held))
    for paper in papers:
        written.invoice_ids.append(paper.invoice_id)
        document = paper.assessment.document
        if paper.is_draft:
            written.drafted += 1
            written.draft_totals[document.currency] += document.totals.total
            written.rules[paper.assessment.decision.rule] += 1
        else:
            written.issued += 1
            written.totals[document.currency] += document.totals.total
    return written


def _papers(assessments: Iterable[Assessment]) -> list[Paper]:
    """Give each document its id, oldest bill date first."""
    ordered = sorted(assessments, key=lambda a: (a.bill_date, a.group.bill_group_id))
    if not ordered:
        return []
    ids = next_ids(Invoice, len(ordered))
    return [
        Paper(invoice_id, assessment, assessment.decision.draft)
        for invoice_id, assessment in zip(ids, ordered, strict=True)
    ]


def _marked(assessments: Iterable[Assessment]) -> list[Assessment]:
    """Return what was decided, the charges of what is billed out of pending.

    Those of one portion are marked while the next one is being decided.
    """
    rest = iter(assessments)
    decided: list[Assessment] = []
    portion = list(islice(rest, DECIDED_AT_ONCE))
    while portion:
        decided.extend(portion)
        with _charges_marked(_billed(portion)):
            portion = list(islice(rest, DECIDED_AT_ONCE))
    return decided


def _billed(assessments: Iterable[Assessment]) -> list[tuple[ChargeState, Document]]:
    """Return documents with the state of their charges; those that bill zero too."""
    return [
        (
            ChargeState.DRAFTED if a.decision.draft else ChargeState.INVOICED,
            a.document,
        )
        for a in assessments
        if a.decision.generate or a.decision.outcome is Outcome.ZERO
    ]


def mark_charges(billed: Sequence[tuple[ChargeState, Document]]) -> None:
    """Move the charges of documents from pending to a state (P9, G10).

    Usage keeps what it was rated at; what bills zero without a quantity is invoiced at
    zero. Raises `ChargesChanged`.
    """
    with _charges_marked(billed):
        pass


@contextmanager
def _charges_marked(billed: Sequence[tuple[ChargeState, Document]]) -> Iterator[None]:
    """Mark charges during the block, which leaves the database alone."""
    documents = [document for _, document in billed]
    zero_ids = [
        charge.charge_id for document in documents for charge in document.zero_charges
    ]
    by_state: dict[ChargeState, list[int]] = defaultdict(list)
    by_state[ChargeState.INVOICED].extend(zero_ids)
    for state, document in billed:
        by_state[state].extend(line.charge.charge_id for line in document.lines)
    marks = [
        (MARK_CHARGES, [state.value, id_array(ids)])
        for state, ids in by_state.items()
        if ids
    ]

    rated = [line for document in documents for line in document.lines if line.usage]
    ratings = [_rating(rated, zero_ids)] if rated or zero_ids else []
    with meanwhile(*ratings, *marks) as cursors:
        yield
    marked = sum(cursor.rowcount for cursor in cursors[len(ratings) :])
    expected = sum(map(len, by_state.values()))
    if marked != expected:
        raise ChargesChanged(f"{expected - marked} charges were not pending any more.")


def _rating(
    rated: Sequence[DocumentLine], zero_ids: Sequence[int]
) -> tuple[str, list[Any]]:
    return STORE_RATING, [
        [line.charge.charge_id for line in rated] + list(zero_ids),
        [line.quantity for line in rated] + [ZERO] * len(zero_ids),
        [line.amount for line in rated] + [ZERO] * len(zero_ids),
    ]


@contextmanager
def _keys_checked() -> Iterator[None]:
    """Check now, during the block, what the commit would: no series is held yet."""
    with connection.cursor() as cursor:
        cursor.execute(CHECKED_KEYS)
        (names,) = cursor.fetchone()
    with meanwhile((f"SET CONSTRAINTS {names} IMMEDIATE", [])):
        yield
