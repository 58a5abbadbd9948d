"""Cancel a contract, with what it affects seen before, and undo it (S1, S2)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.domain.terms import ChargeState, ContractStatus
from contracts.models import Contract, ScheduledCharge
from contracts.services.cancellation import CancellationRefused
from invoicing.domain.credit import NotCreditable
from invoicing.services.canceling import Unused, UnusedCharge
from invoicing.services.lifecycle import (
    Canceled,
    cancel_contract,
    preview_cancellation,
    undo_cancellation,
)
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly

UNUSED_CHOICES = (
    (Unused.NOTHING.value, "Leave as billed"),
    (Unused.DAYS.value, "Credit the unused days"),
    (Unused.ALL.value, "Credit all of it"),
)


class CancelForm(forms.Form):
    """The last day of service, the reason, and what becomes of what is paid ahead."""

    last_day = forms.DateField(
        label="Last day of service",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Inclusive. The day before the start means never served.",
    )
    unused = forms.ChoiceField(
        label="Unused days already invoiced",
        choices=UNUSED_CHOICES,
        help_text="For every issued charge with days after it; the next page lets you "
        "choose for each.",
    )
    reason = forms.CharField(
        label="Reason", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )


@object_action
class CancelContract(ObjectAction):
    """End a contract on a day."""

    model = Contract
    slug = "cancel"
    label = "Cancel contract"
    confirm_label = "Cancel the contract"
    permission = "contracts.cancel_contract"
    tone = "danger"
    form_class = CancelForm
    asks_first = True
    refusals = (
        CancellationRefused,
        ReasonMissing,
        NotCreditable,
        PeriodClosed,
        IssueDateTooEarly,
    )

    def refusal(self, subject: Any) -> str:
        """Only active contracts that are not being canceled."""
        if subject.status != ContractStatus.ACTIVE:
            return (
                f"{subject} is {subject.get_status_display().lower()}; only an active "
                "contract can be canceled."
            )
        if subject.last_day is not None:
            return f"{subject} cancels on {day_text(subject.last_day)} already."
        return ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is canceled and cut, and each issued charge with its choice."""
        currency = subject.bill_group.currency
        canceled = preview_cancellation(
            contract=subject,
            last_day=answers["last_day"],
            reason=answers["reason"],
            unused=_choices(request, subject, answers),
            actor=actor_of(request),
            today=_today(subject),
        )
        credited = sum((note.total for note in canceled.credit_notes), Decimal(0))
        waiting = [note for note in canceled.credit_notes if note.number is None]
        return Review(
            sentence=f"Service ends on {day_text(answers['last_day'])}. "
            f"{_money(canceled.dropped, currency)} of planned charges is taken off"
            + (f", {_money(credited, currency)} is credited." if credited else "."),
            figures=(
                Figure(
                    label="Last day of service", value=day_text(answers["last_day"])
                ),
                Figure(
                    label="Taken off, before tax",
                    value=_money(canceled.dropped, currency),
                    note="of pending charges and drafts",
                ),
                Figure(
                    label="Credited, with tax",
                    value=_money(credited, currency),
                    note=count_text(len(canceled.credit_notes), "credit note"),
                ),
            ),
            warnings=_warnings(canceled, currency, waiting=len(waiting)),
            template="admin/contracts/contract/cancel.html",
            context={
                "currency": currency,
                "rows": _rows(request, canceled.charges, answers),
                "choices": UNUSED_CHOICES,
                "rebuilt": canceled.corrected.rebuilt,
                "discarded": canceled.corrected.discarded,
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Cancel it."""
        canceled = cancel_contract(
            contract=subject,
            last_day=answers["last_day"],
            reason=answers["reason"],
            unused=_choices(request, subject, answers),
            actor=actor_of(request),
            today=_today(subject),
        )
        notes = count_text(len(canceled.credit_notes), "credit note")
        return Done(
            message=f"{subject} cancels on {day_text(answers['last_day'])}. "
            + (f"{notes} made. " if canceled.credit_notes else "")
            + "What is due up to that day is still billed.",
            url=reverse("admin:contracts_contract_change", args=[subject.pk]),
        )


class UndoForm(forms.Form):
    """Why a contract goes on."""

    reason = forms.CharField(
        label="Reason", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )


@object_action
class UndoCancellation(ObjectAction):
    """Have a contract go on that was to end."""

    model = Contract
    slug = "undo-cancellation"
    label = "Undo cancellation"
    confirm_label = "Undo the cancellation"
    permission = "contracts.cancel_contract"
    form_class = UndoForm
    refusals = (CancellationRefused,)

    def refusal(self, subject: Any) -> str:
        """Only until the last day of service."""
        if subject.last_day is None or subject.status != ContractStatus.ACTIVE:
            return f"{subject} is not being canceled."
        return ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Say what is planned again."""
        end = day_text(subject.end_date) if subject.end_date else "without end"
        return Review(
            sentence="The charges that the cancellation took off are planned again.",
            figures=(
                Figure(label="Cancels on", value=day_text(subject.last_day)),
                Figure(label="Then again through", value=end),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Undo it."""
        undo_cancellation(
            contract=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=_today(subject),
        )
        return Done(
            message=f"{subject} goes on as it was.",
            url=reverse("admin:contracts_contract_change", args=[subject.pk]),
        )


def _today(contract: Contract) -> date:
    return today_in(contract.bill_group.legal_entity.time_zone)


def _money(amount: Decimal, currency: str) -> str:
    return f"{money_text(amount, currency)} {currency}"


def _field(charge: ScheduledCharge) -> str:
    return f"unused_{charge.pk}"


def _choice(
    request: HttpRequest, charge: ScheduledCharge, answers: Mapping[str, Any]
) -> Unused:
    """Return what was chosen for a charge, or else for all of them."""
    chosen = request.POST.get(_field(charge), answers["unused"])
    return Unused(chosen) if chosen in set(Unused) else Unused(answers["unused"])


def _choices(
    request: HttpRequest, contract: Contract, answers: Mapping[str, Any]
) -> dict[int, Unused]:
    """Return the choice for each issued charge that reaches past the last day."""
    issued = ScheduledCharge.objects.filter(
        contract=contract,
        state=ChargeState.INVOICED,
        period_end__gt=answers["last_day"],
    )
    return {charge.pk: _choice(request, charge, answers) for charge in issued}


def _rows(
    request: HttpRequest,
    charges: tuple[UnusedCharge, ...],
    answers: Mapping[str, Any],
) -> list[dict[str, Any]]:
    return [
        {
            "charge": one.charge,
            "invoice": one.invoice,
            "unused_amount": one.unused_amount,
            "field": _field(one.charge),
            "chosen": _choice(request, one.charge, answers).value,
            "is_issued": one.charge.state == ChargeState.INVOICED,
            "is_outside": one.charge.state == ChargeState.EXTERNAL,
        }
        for one in charges
    ]


def _warnings(canceled: Canceled, currency: str, *, waiting: int) -> tuple[str, ...]:
    """Say what was billed elsewhere, and which credits wait (S1, A9)."""
    warnings = []
    outside: defaultdict[str, list[Decimal]] = defaultdict(list)
    for one in canceled.charges:
        if one.charge.state == ChargeState.EXTERNAL:
            name = one.charge.external_number or "an outside invoice"
            outside[name].append(one.unused_amount or Decimal(0))
    for name, amounts in outside.items():
        warnings.append(
            f"{count_text(len(amounts), 'charge')} on {name} with "
            f"{_money(sum(amounts, Decimal(0)), currency)} of unused days: correct "
            "that outside."
        )
    if waiting:
        warnings.append(
            f"{count_text(waiting, 'credit')} above the limit waits for a second "
            "person's approval."
        )
    return tuple(warnings)
