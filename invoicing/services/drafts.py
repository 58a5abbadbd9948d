"""Drafts that a run made for review, and their issue (G14, G17)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup
from billing.services.audit import record
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.states import DeliveryKind, InvoiceStatus, SeriesKind
from invoicing.domain.totals import due_date, status_at_issue
from invoicing.models import Delivery, Invoice
from invoicing.queries.pending import mail_recipient
from invoicing.services.balance import apply_balance
from invoicing.services.locks import (
    limit_lock_waits,
    lock_bill_groups,
    lock_open_books,
)
from invoicing.services.numbering import take_numbers
from invoicing.services.portal_entries import enter_invoice


class NotADraft(ValueError):
    """An invoice that is no draft (any more) was to be issued."""


class BillGroupNotActive(ValueError):
    """A run's draft was to be issued while its bill group is not active (A2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkIssue:
    """What became of several drafts: the issued ones, and why others were not."""

    issued: tuple[Invoice, ...]
    refused: tuple[tuple[Invoice, str], ...]


@transaction.atomic
def issue_draft(
    *, invoice: Invoice, actor: AbstractBaseUser | None, today: date
) -> Invoice:
    """Give a reviewed draft its number and date, and ask for its paper.

    Balance of its bill group is used for it at once (M4).

    Raises `NotADraft`, `BillGroupNotActive`, `PeriodClosed`, `IssueDateTooEarly`.
    """
    limit_lock_waits()
    lock_open_books(invoice.legal_entity, issue_date=today)
    lock_bill_groups([invoice.bill_group_id])
    charges = ScheduledCharge.objects.filter(invoice_line__invoice=invoice)
    list(charges.order_by("pk").select_for_update(no_key=True, of=("self",)))
    draft = (
        Invoice.objects.select_for_update(no_key=True, of=("self",))
        .select_related("legal_entity")
        .get(pk=invoice.pk)
    )
    if draft.status != InvoiceStatus.DRAFT:
        raise NotADraft(f"{draft} is no draft any more: it is {draft.status.lower()}.")
    group = BillGroup.objects.select_related("account").get(pk=draft.bill_group_id)
    if group.status != BillGroupStatus.ACTIVE and draft.replaces_id is None:
        raise BillGroupNotActive(
            f"The bill group {group.public_id} is {group.status.lower()}. Set it to "
            "Active first, then issue the draft."
        )

    ScheduledCharge.objects.filter(
        invoice_line__invoice=draft, state=ChargeState.DRAFTED
    ).update(state=ChargeState.INVOICED)
    Delivery.objects.create(
        invoice=draft, kind=DeliveryKind.PDF, recipient=mail_recipient(group)
    )
    enter_invoice(draft, group, issue_date=today)
    (number,) = take_numbers(
        legal_entity=draft.legal_entity,
        kind=SeriesKind.INVOICE,
        count=1,
        issue_date=today,
    )
    draft.status = status_at_issue(draft.total)
    draft.sequence = number.sequence
    draft.number = number.text
    draft.issue_date = today
    draft.due_date = due_date(today, draft.bill_date, draft.net_terms)
    draft.save(update_fields=["status", "sequence", "number", "issue_date", "due_date"])
    record(
        "invoice.issued",
        actor=actor,
        subject=group.public_id,
        account_id=draft.account_id,
        bill_group_id=draft.bill_group_id,
        invoice_id=draft.pk,
        before={"status": InvoiceStatus.DRAFT, "held": draft.held_reason},
        after={
            "status": draft.status,
            "number": draft.number,
            "total": str(draft.total),
            "currency": draft.currency,
        },
    )
    if apply_balance(
        bill_group=group, today=today, actor=actor, issued_with=[draft.pk]
    ):
        draft.refresh_from_db()
    return draft


def issue_drafts(
    *, invoices: Iterable[Invoice], actor: AbstractBaseUser | None, today: date
) -> BulkIssue:
    """Issue several drafts, oldest bill date first, each in its own transaction."""
    issued: list[Invoice] = []
    refused: list[tuple[Invoice, str]] = []
    for invoice in sorted(invoices, key=lambda draft: (draft.bill_date, draft.pk)):
        try:
            issued.append(issue_draft(invoice=invoice, actor=actor, today=today))
        except ValueError as refusal:
            refused.append((invoice, str(refusal)))
    return BulkIssue(issued=tuple(issued), refused=tuple(refused))
