"""What a correction will do: it is done, looked at, and undone.

Every function here ends with its transaction rolled back; nothing else would be as
true. Ids of what was only tried stand for nothing afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Sum

from contracts.domain.term_changes import TermChanges
from contracts.domain.terms import ChargeState, ChargeType
from contracts.models import Contract, ContractLine, ScheduledCharge
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.services.correction_trial import (
    PREVIEW_REASON,
    ZERO,
    CorrectionReview,
    try_to_finish,
)
from invoicing.services.corrections import reissue_invoice
from invoicing.services.lifecycle import Amended, amend_contract
from invoicing.services.replacements import Replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """The pending invoice of a bill date, before and after, without tax.

    None: no pending charge has that bill date. Usage to come counts nothing.
    """

    bill_date: date
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal:
        """What is billed more, or less."""
        return (self.after or ZERO) - (self.before or ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentReview:
    """All that an amendment does, as its review page shows it (A1-A7)."""

    amended: Amended
    line_names: dict[int, str]
    usage_lines: frozenset[int]
    correction: CorrectionReview
    pending: tuple[PendingChange, ...]


def review_amendment(
    *,
    contract: Contract,
    changes: TermChanges,
    effective_date: date,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    replace_credited: Collection[int] = (),
    give_again: Collection[int] = (),
) -> AmendmentReview:
    """Return what amending does, and what finishing it at once comes to (A1-A7).

    Raises what `amend_contract` raises; why it can't be finished is in the answer.
    """
    with transaction.atomic():
        before = _pending(contract)
        amended = amend_contract(
            contract=contract,
            changes=changes,
            effective_date=effective_date,
            reason=reason,
            actor=actor,
            today=today,
            replace_credited=replace_credited,
        )
        after = _pending(contract)
        lines = list(
            ContractLine.objects.filter(contract=contract)
            .select_related("product")
            .order_by("position")
        )
        review = AmendmentReview(
            amended=amended,
            line_names={line.pk: f"{line.position}. {line.product}" for line in lines},
            usage_lines=frozenset(
                line.pk for line in lines if line.charge_type == ChargeType.USAGE
            ),
            correction=try_to_finish(
                amended.corrected.replaced,
                actor=actor,
                today=today,
                give_again=give_again,
            ),
            pending=tuple(
                PendingChange(
                    bill_date=day, before=before.get(day), after=after.get(day)
                )
                for day in sorted({*before, *after})
                if before.get(day) != after.get(day)
            ),
        )
        transaction.set_rollback(True)
    return review


def review_reissue(
    *, invoice: Invoice, actor: AbstractBaseUser | None, today: date
) -> tuple[Replaced, CorrectionReview]:
    """Return what reissuing an invoice does (A12). Raises what it raises."""
    with transaction.atomic():
        replaced = reissue_invoice(
            invoice=invoice, reason=PREVIEW_REASON, actor=actor, today=today
        )
        review = try_to_finish([replaced], actor=actor, today=today)
        transaction.set_rollback(True)
    return replaced, review


def review_finish(
    *,
    invoice: Invoice,
    actor: AbstractBaseUser | None,
    today: date,
    give_again: Collection[int] = (),
) -> CorrectionReview:
    """Return what issuing its replacement and crediting an invoice comes to (A5-A7)."""
    draft = invoice.replacements.filter(status=InvoiceStatus.DRAFT).first()
    with transaction.atomic():
        review = try_to_finish(
            [Replaced(invoice=invoice, draft=draft)],
            actor=actor,
            today=today,
            give_again=give_again,
        )
        transaction.set_rollback(True)
    return review


def _pending(contract: Contract) -> dict[date, Decimal]:
    """Return what a contract's bill group has pending, by bill date."""
    rows = (
        ScheduledCharge.objects.filter(
            bill_group_id=contract.bill_group_id, state=ChargeState.PENDING
        )
        .order_by()
        .values("bill_date")
        .annotate(sum=Sum("amount", default=ZERO))
        .values_list("bill_date", "sum")
    )
    return dict(rows)
