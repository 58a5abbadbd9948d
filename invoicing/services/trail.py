"""The rows that tell of documents: audit entries, deliveries and kept decisions."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from billing.models import AuditEvent, public_id
from billing.services.audit import actor_fields
from contracts.domain.terms import ChargeState
from contracts.services.rows import NULL, cell, copy_cells, or_null
from invoicing.domain.states import DeliveryKind
from invoicing.models import Delivery, InvoiceRun, RunDecision
from invoicing.queries.pending import last_decisions
from invoicing.services.assessment import Assessment
from invoicing.services.papers import Paper

AUDIT_COLUMNS = (
    "actor_id",
    "actor_name",
    "code",
    "account_id",
    "bill_group_id",
    "invoice_id",
    "subject",
    "before",
    "after",
    "reason",
)
DELIVERY_COLUMNS = ("invoice_id", "kind", "recipient")
DECISION_COLUMNS = (
    "bill_group_id",
    "bill_date",
    "rule",
    "sentence",
    "invoice_id",
    "run_id",
)


def copy_audit(
    papers: Sequence[Paper],
    zeros: Sequence[Assessment],
    *,
    actor: AbstractBaseUser | None,
) -> None:
    """Insert one audit entry for each document, and for what bills zero (M5)."""
    actor_id, actor_name = actor_fields(actor).values()
    who = (or_null(actor_id), cell(actor_name))
    entries = [
        (
            *who,
            "invoice.drafted" if paper.is_draft else "invoice.issued",
            *_audit_target(paper.assessment, paper.invoice_id),
            '{"charges": "PENDING"}',
            _audit_after(paper),
            cell(paper.assessment.decision.sentence),
        )
        for paper in papers
    ]
    entries.extend(
        (
            *who,
            "charges.billed_at_zero",
            *_audit_target(assessment, None),
            '{"charges": "PENDING"}',
            json.dumps(
                {
                    "charges": "INVOICED",
                    "bill_date": assessment.bill_date.isoformat(),
                    "ids": [charge.charge_id for charge in assessment.charges],
                }
            ),
            cell(assessment.decision.sentence),
        )
        for assessment in zeros
    )
    copy_cells(AuditEvent, AUDIT_COLUMNS, entries)


def _audit_target(assessment: Assessment, invoice_id: int | None) -> tuple[Any, ...]:
    group = assessment.group
    return (
        group.account_id,
        group.bill_group_id,
        or_null(invoice_id),
        public_id(group.bill_group_id),
    )


def _audit_after(paper: Paper) -> str:
    document = paper.assessment.document
    state = ChargeState.DRAFTED if paper.is_draft else ChargeState.INVOICED
    zero = [charge.charge_id for charge in document.zero_charges]
    return (
        f'{{"charges": "{state.value}", "bill_date": "{document.bill_date!s}", '
        f'"total": "{document.totals.total!s}", '
        f'"currency": "{document.currency}", "charges_at_zero": {zero}}}'
    )


def copy_deliveries(papers: Sequence[Paper]) -> None:
    """Ask for the paper of each issued document; it is mailed to its recipient."""
    copy_cells(
        Delivery,
        DELIVERY_COLUMNS,
        (
            (
                paper.invoice_id,
                DeliveryKind.PDF.value,
                cell(paper.assessment.group.mail_to),
            )
            for paper in papers
            if not paper.is_draft
        ),
    )


def copy_decisions(
    papers: Sequence[Paper],
    zeros: Sequence[Assessment],
    held: Sequence[Assessment],
    *,
    run: InvoiceRun | None,
) -> None:
    """Keep what was decided; a held decision only where it changed (G16)."""
    decided: list[tuple[Assessment, int | None]] = [
        (paper.assessment, paper.invoice_id) for paper in papers
    ]
    decided.extend((assessment, None) for assessment in zeros)
    if held and run:
        decided.extend((assessment, None) for assessment in _changed(held))
    run_id = run.pk if run else NULL
    copy_cells(
        RunDecision,
        DECISION_COLUMNS,
        (
            (
                assessment.group.bill_group_id,
                assessment.bill_date,
                assessment.decision.rule,
                cell(assessment.decision.sentence),
                or_null(invoice_id),
                run_id,
            )
            for assessment, invoice_id in decided
        ),
    )


def _changed(held: Sequence[Assessment]) -> list[Assessment]:
    """Return what was decided otherwise, or not at all, when it was last kept."""
    known = last_decisions(
        {a.group.bill_group_id for a in held}, {a.bill_date for a in held}
    )
    return [
        a
        for a in held
        if known.get((a.group.bill_group_id, a.bill_date))
        != (a.decision.rule, a.decision.sentence)
    ]
