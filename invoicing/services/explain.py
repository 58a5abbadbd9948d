"""*Why is there no invoice?*: the run's own decision, in sentences (G16)."""

from dataclasses import dataclass
from datetime import date

from billing.domain.dates import day_text
from billing.models import BillGroup
from billing.queries import invoicing_settings
from contracts.queries import coming_charges
from invoicing.domain.eligibility import Decision, Gate, Remedy
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.pending import oldest_pending_date
from invoicing.services.assessment import (
    Assessment,
    decide_without_charges,
    due_horizon,
)
from invoicing.services.parking import reason_to_park
from invoicing.services.rehearsal import assess_extended


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the night of a day does for a bill group's pending invoices.

    It speaks of the first that is made that night, or else of the oldest one.

    `assessment` is None when nothing is pending, or when it can't be worked out;
    `drafts` are the drafts that wait for review.
    """

    bill_group: BillGroup
    on: date
    will_generate: bool
    rule: str
    sentence: str
    remedy: Remedy
    gates: tuple[Gate, ...]
    expected_date: date | None
    assessment: Assessment | None
    drafts: tuple[Invoice, ...]


def explain_invoice(*, bill_group: BillGroup, on: date) -> Explanation:
    """Say whether the nightly run of a day makes an invoice, and why (G16).

    Reads what the run reads, with what the night's extension of plans would add (P1),
    and asks what the run asks; writes nothing.
    """
    drafts = tuple(
        Invoice.objects.filter(
            bill_group=bill_group, status=InvoiceStatus.DRAFT
        ).order_by("bill_date", "pk")
    )
    try:
        decision, assessment = _decide(bill_group, on)
    except Exception as fault:  # noqa: BLE001 (the run parks on any fault)
        would_park = f"The run would park the bill group: {reason_to_park(fault)}"
        return Explanation(
            bill_group=bill_group,
            on=on,
            will_generate=False,
            rule="G13",
            sentence=_with_drafts(would_park, drafts),
            remedy=Remedy.CONTRACTS,
            gates=(),
            expected_date=None,
            assessment=None,
            drafts=drafts,
        )
    return Explanation(
        bill_group=bill_group,
        on=on,
        will_generate=decision.generate,
        rule=decision.rule,
        sentence=_with_drafts(decision.sentence, drafts),
        remedy=decision.remedy,
        gates=decision.gates,
        expected_date=decision.expected_date,
        assessment=assessment,
        drafts=drafts,
    )


def _decide(bill_group: BillGroup, on: date) -> tuple[Decision, Assessment | None]:
    legal_entity = bill_group.legal_entity
    coming = coming_charges([bill_group.pk], as_of=on, through=date.max)
    bill_dates = {c.charge.bill_date for c in coming}
    if (stored := oldest_pending_date(bill_group.pk)) is not None:
        bill_dates.add(stored)
    if not bill_dates:
        decision = decide_without_charges(
            bill_group.pk, legal_entity=legal_entity, as_of=on
        )
        return decision, None
    horizon = due_horizon(invoicing_settings(legal_entity), on)
    assessments = assess_extended(
        [bill_group.pk],
        legal_entity=legal_entity,
        as_of=on,
        through=max(min(bill_dates), horizon),
        coming=coming,
    )
    due = [a for a in assessments if a.decision.facts.due_from <= on]
    made = (a for a in due if a.decision.generate)
    chosen = next(made, due[0] if due else assessments[0])
    return chosen.decision, chosen


def _with_drafts(sentence: str, drafts: tuple[Invoice, ...]) -> str:
    if not drafts:
        return sentence
    dates = ", ".join(day_text(draft.bill_date) for draft in drafts)
    noun = "A draft waits" if len(drafts) == 1 else f"{len(drafts)} drafts wait"
    return f"{noun} for review (bill date {dates}): issue or discard. {sentence}"
