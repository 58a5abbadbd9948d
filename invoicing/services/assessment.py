"""What would become of each pending invoice, without writing anything.

The run, the dry run, the buttons, activation and the explanation all assess with
these functions and `decide`: they read the same rows and can't disagree (G15, G16).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from billing.domain.bill_group import BillGroupStatus
from billing.models import InvoicingSettings, LegalEntity
from billing.queries import invoicing_settings
from contracts.queries import usage_of_charges
from invoicing.domain.document import Document, PendingCharge, Taxes, Usage, compose
from invoicing.domain.eligibility import Decision, Facts, Outcome, Trigger, decide
from invoicing.queries.pending import (
    GroupProfile,
    charges_through,
    contracts_billed_elsewhere,
    contracts_in_arrears,
    group_profiles,
    last_comparison_totals,
    oldest_charges,
    oldest_charges_of_contracts,
    parked_reasons,
    read_by_key,
    tax_steps,
)

# Gates that only a person lifts; they are asked before a document is worked out.
PERSON_ACTS_FIRST = frozenset({"G1", "G2", "G3", "G4", "G13"})
NO_USAGE: Final[Usage] = MappingProxyType({})

_bill_group_id = attrgetter("bill_group_id")
_bill_date = attrgetter("bill_date")


class Assessment(NamedTuple):
    """One pending invoice: its bill group, what it comes to, and what is decided."""

    group: GroupProfile
    charges: tuple[PendingCharge, ...]
    document: Document
    decision: Decision

    @property
    def bill_date(self) -> date:
        """The bill date that its charges share."""
        return self.document.bill_date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What was read for all bill groups of an assessment."""

    settings: InvoicingSettings
    trigger: Trigger
    as_of: date
    common_facts: partial[Facts]
    groups: dict[int, GroupProfile]
    parked: dict[int, str]
    usage: Usage
    taxes: Taxes


def due_horizon(settings: InvoicingSettings, as_of: date) -> date:
    """Return the last bill date that can be due on a night (G7)."""
    return as_of - timedelta(days=settings.bill_date_offset)


def assess_due(
    bill_group_ids: Collection[int], *, legal_entity: LegalEntity, as_of: date
) -> Iterator[Assessment]:
    """Assess every bill date that is due on a night, oldest first in each group.

    All is read before this returns; each is decided when its turn comes.
    """
    read_by_key()
    settings = invoicing_settings(legal_entity)
    charges = charges_through(bill_group_ids, through=due_horizon(settings, as_of))
    assessments = _assess(
        charges, settings=settings, trigger=Trigger.NIGHTLY, as_of=as_of
    )
    return (a for a in assessments if a.decision.facts.due_from <= as_of)


def assess_pending(
    bill_group_ids: Collection[int],
    *,
    legal_entity: LegalEntity,
    as_of: date,
    through: date,
) -> list[Assessment]:
    """Assess bill groups' pending invoices to a bill date as the night of `as_of`."""
    settings = invoicing_settings(legal_entity)
    charges = charges_through(bill_group_ids, through=through)
    return list(
        _assess(charges, settings=settings, trigger=Trigger.NIGHTLY, as_of=as_of)
    )


def assess_night(
    charges: list[PendingCharge],
    *,
    legal_entity: LegalEntity,
    as_of: date,
    coming_usage: Usage,
) -> list[Assessment]:
    """Assess charges in the order of `charges_through` as the night of `as_of`.

    `coming_usage` rates those that are not stored yet: the night would add them (P1).
    """
    return list(
        _assess(
            charges,
            settings=invoicing_settings(legal_entity),
            trigger=Trigger.NIGHTLY,
            as_of=as_of,
            coming_usage=coming_usage,
        )
    )


def decide_without_charges(
    bill_group_id: int, *, legal_entity: LegalEntity, as_of: date
) -> Decision:
    """Decide for a night about a bill group with nothing pending."""
    context = _read(
        [],
        settings=invoicing_settings(legal_entity),
        trigger=Trigger.NIGHTLY,
        as_of=as_of,
        group_ids={bill_group_id},
    )
    return decide(_facts(context, context.groups[bill_group_id]))


def assess_by_hand(
    bill_group_id: int, *, legal_entity: LegalEntity, as_of: date
) -> list[Assessment]:
    """Assess for a person what has come due, or else the oldest pending invoice (G9).

    Oldest first; empty when nothing is pending.
    """
    settings = invoicing_settings(legal_entity)
    through = max(as_of, due_horizon(settings, as_of))
    charges = charges_through([bill_group_id], through=through)
    return list(
        _assess(
            charges or oldest_charges([bill_group_id]),
            settings=settings,
            trigger=Trigger.BY_HAND,
            as_of=as_of,
        )
    )


def assess_first_invoices(
    contract_ids: Collection[int], *, legal_entity: LegalEntity, as_of: date
) -> list[Assessment]:
    """Assess each contract's first invoice at its activation (G5, G6, G8)."""
    settings = invoicing_settings(legal_entity)
    charges = sorted(
        oldest_charges_of_contracts(contract_ids),
        key=lambda charge: (charge.bill_date, charge.contract_id),
    )
    in_arrears = contracts_in_arrears(contract_ids)
    elsewhere = contracts_billed_elsewhere(contract_ids)
    context = _read(charges, settings=settings, trigger=Trigger.ACTIVATION, as_of=as_of)
    last = last_comparison_totals(context.groups)
    assessments = []
    for contract_id, of_contract in groupby(charges, lambda c: c.contract_id):
        mine = tuple(of_contract)
        group_id = mine[0].bill_group_id
        assessment = _one(
            context, mine, _compose(context, mine), last_total=last.get(group_id)
        )
        facts = assessment.decision.facts._replace(
            contract_in_arrears=contract_id in in_arrears,
            has_billed_elsewhere=contract_id in elsewhere,
        )
        assessments.append(assessment._replace(decision=decide(facts)))
    return assessments


def _assess(
    charges: list[PendingCharge],
    *,
    settings: InvoicingSettings,
    trigger: Trigger,
    as_of: date,
    coming_usage: Usage = NO_USAGE,
) -> Iterator[Assessment]:
    """Read at once what decisions take, and return them one after the other."""
    context = _read(charges, settings=settings, trigger=trigger, as_of=as_of)
    if coming_usage:
        context = replace(context, usage={**context.usage, **coming_usage})
    last_totals = last_comparison_totals(context.groups)
    return chain.from_iterable(
        _of_group(context, of_group, last_total=last_totals.get(group_id))
        for group_id, of_group in groupby(charges, _bill_group_id)
    )


def _read(
    charges: list[PendingCharge],
    *,
    settings: InvoicingSettings,
    trigger: Trigger,
    as_of: date,
    group_ids: Collection[int] | None = None,
) -> _Context:
    if group_ids is None:
        group_ids = {charge.bill_group_id for charge in charges}
    unrated = [charge.charge_id for charge in charges if charge.amount is None]
    rate_ids = {c.tax_rate_id for c in charges if c.tax_rate_id is not None}
    return _Context(
        settings=settings,
        trigger=trigger,
        as_of=as_of,
        common_facts=partial(
            Facts,
            trigger=trigger,
            as_of=as_of,
            settings_manual=settings.is_manual,
            offset_days=settings.bill_date_offset,
            first_invoice_on_schedule=settings.first_invoice
            == InvoicingSettings.FirstInvoice.ON_SCHEDULE,
            catch_up_limit=settings.catch_up_limit,
            jump_limit=settings.jump_limit,
            review_before_issue=settings.review_before_issue,
            has_billed_elsewhere=False,
        ),
        groups=group_profiles(group_ids),
        parked=parked_reasons(group_ids),
        usage=usage_of_charges(unrated) if unrated else {},
        taxes=tax_steps(rate_ids) if rate_ids else {},
    )


def _of_group(
    context: _Context,
    charges: Iterable[PendingCharge],
    *,
    last_total: Decimal | None,
) -> Iterator[Assessment]:
    """Assess the bill dates of one group in order; each is compared with the last.

    What is overdue is counted over all of them, so they fare alike (G14).
    """
    by_date = [tuple(same) for _, same in groupby(charges, _bill_date)]
    pending = [(same, _compose(context, same)) for same in by_date]
    overdue = [
        same
        for same, document in pending
        if document.lines and _is_overdue(context, same)
    ]
    for same, document in pending:
        assessment = _one(
            context, same, document, last_total=last_total, overdue_dates=len(overdue)
        )
        if assessment.decision.outcome is Outcome.GENERATE:
            last_total = document.full_price_subtotal
        yield assessment


def _compose(context: _Context, charges: tuple[PendingCharge, ...]) -> Document:
    """Return what charges come to; nothing where a person must act first anyway.

    A parked group is never worked out: that is what broke (G13). Nor does a fault in
    one stand before its gates: the first that stops it decides.
    """
    group = context.groups[charges[0].bill_group_id]
    if group.bill_group_id in context.parked:
        return _nothing(charges, currency=group.currency)
    try:
        return compose(
            charges, currency=group.currency, usage=context.usage, taxes=context.taxes
        )
    except Exception:
        nothing = _nothing(charges, currency=group.currency)
        stopped_by = decide(_facts(context, group, document=nothing)).stopped_by
        if stopped_by is None or stopped_by.rule not in PERSON_ACTS_FIRST:
            raise
        return nothing


def _nothing(charges: tuple[PendingCharge, ...], *, currency: str) -> Document:
    """Return the document of charges that are not worked out."""
    nothing = compose((), currency=currency, usage={}, taxes={})
    return nothing._replace(bill_date=charges[0].bill_date)


def _is_overdue(context: _Context, charges: tuple[PendingCharge, ...]) -> bool:
    """Tell whether its night has passed; the catch-up bound is the run's alone."""
    if context.trigger is not Trigger.NIGHTLY:
        return False
    offset = context.settings.bill_date_offset
    if offset < 0 and any(not charge.in_advance for charge in charges):
        offset = 0
    return charges[0].bill_date + timedelta(days=offset) < context.as_of


def _one(
    context: _Context,
    charges: tuple[PendingCharge, ...],
    document: Document,
    *,
    last_total: Decimal | None,
    overdue_dates: int = 0,
) -> Assessment:
    group = context.groups[charges[0].bill_group_id]
    facts = _facts(
        context,
        group,
        document=document,
        arrears=[charge.period_end for charge in charges if not charge.in_advance],
        overdue_dates=overdue_dates,
        last_total=last_total,
    )
    return Assessment(
        group=group, charges=charges, document=document, decision=decide(facts)
    )


def _facts(
    context: _Context,
    group: GroupProfile,
    *,
    document: Document | None = None,
    arrears: Sequence[date] = (),
    overdue_dates: int = 0,
    last_total: Decimal | None = None,
) -> Facts:
    """Put together what decides; without a document nothing is pending.

    `arrears` are the last days of the periods that are billed in arrears. What a parked
    group bills is not worked out, so nothing is said of it.
    """
    parked_reason = context.parked.get(group.bill_group_id)
    is_billable = not document or bool(document.lines) or parked_reason is not None
    return context.common_facts(
        bill_date=document.bill_date if document else None,
        currency=group.currency,
        group_status=BillGroupStatus(group.status),
        group_manual=group.is_manual,
        awaiting_manual_invoice=group.awaiting_manual_invoice,
        parked_reason=parked_reason,
        contract_in_arrears=bool(arrears),
        bills_in_arrears=bool(arrears),
        unended_period_last_day=max(arrears, default=None),
        overdue_dates=overdue_dates,
        comparison_total=document.full_price_subtotal if document else None,
        last_comparison_total=last_total,
        billable=is_billable,
    )
