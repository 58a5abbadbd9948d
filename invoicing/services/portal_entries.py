"""How documents come into the portal worklist: in the transaction of their issue (F3).

An invoice enters it when its bill group is delivered by portal on that day. A credit
note does then too, and wherever its invoice is in a worklist: nobody should upload one
without the other. Drafts never do.
"""

from collections.abc import Sequence
from datetime import date

from django.contrib.auth.models import AbstractBaseUser

from billing.models import BillGroup
from billing.services.audit import actor_fields, record
from contracts.services.rows import copy_cells
from invoicing.domain.portal import PortalState
from invoicing.models import CreditNote, Invoice, PortalStep, PortalSubmission
from invoicing.services.papers import Paper

SUBMISSION_COLUMNS = ("invoice_id", "bill_group_id", "portal_id", "issue_date")


def copy_submissions(papers: Sequence[Paper], *, issue_date: date) -> None:
    """Insert one submission for each issued document of a portal's bill group."""
    rows = [
        (
            paper.invoice_id,
            paper.assessment.group.bill_group_id,
            paper.assessment.group.portal_id,
            issue_date,
        )
        for paper in papers
        if not paper.is_draft and paper.assessment.group.portal_id is not None
    ]
    if rows:
        copy_cells(PortalSubmission, SUBMISSION_COLUMNS, rows)


def enter_invoice(invoice: Invoice, group: BillGroup, *, issue_date: date) -> None:
    """Put a draft that is being issued into the worklist of its group's portal."""
    if group.is_by_portal and group.portal_id is not None:
        PortalSubmission.objects.create(
            invoice=invoice,
            bill_group=group,
            portal_id=group.portal_id,
            issue_date=issue_date,
        )


def enter_credit_note(note: CreditNote, group: BillGroup, *, issue_date: date) -> None:
    """Put a credit note that is being issued where its invoice is uploaded."""
    of_invoice = PortalSubmission.objects.filter(
        invoice_id=note.invoice_id, credit_note=None
    ).first()
    portal_id = of_invoice.portal_id if of_invoice else None
    if portal_id is None and group.is_by_portal:
        portal_id = group.portal_id
    if portal_id is not None:
        PortalSubmission.objects.create(
            invoice_id=note.invoice_id,
            credit_note=note,
            bill_group=group,
            portal_id=portal_id,
            issue_date=issue_date,
        )


def withdraw_voided(
    note: CreditNote, *, actor: AbstractBaseUser | None, today: date
) -> None:
    """Take a voided credit note out of the worklist, unless it is in the portal."""
    waiting = (
        PortalSubmission.objects.select_for_update(no_key=True, of=("self",))
        .filter(credit_note=note, state=PortalState.TO_SUBMIT)
        .first()
    )
    if waiting is None:
        return
    reason = f"{note} was voided before it was submitted."
    PortalStep.objects.create(
        submission=waiting,
        state=PortalState.WITHDRAWN.value,
        on=today,
        note=reason,
        made_by_name=actor_fields(actor)["actor_name"],
    )
    waiting.state = PortalState.WITHDRAWN.value
    waiting.step_date = today
    waiting.save(update_fields=["state", "step_date"])
    record(
        "portal.withdrawn",
        actor=actor,
        subject=str(note)[:200],
        account_id=note.invoice.account_id,
        bill_group_id=note.invoice.bill_group_id,
        invoice_id=note.invoice_id,
        before={"state": PortalState.TO_SUBMIT.value},
        after={"state": PortalState.WITHDRAWN.value},
        reason=reason,
    )
