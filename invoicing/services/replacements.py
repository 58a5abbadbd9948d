"""Replace invoices whose charges are billed otherwise now (A2, A3, A12).

The charges of an issued invoice are superseded and planned anew; what takes their place
goes on a replacement draft, with whatever else is new on its bill date. A draft gives
its charges back and is rebuilt. Usage that is rated anew takes in what was recorded
late (P9): documents with such a late charge are corrected along with it. The caller
holds the locks of the contracts and bill groups, and undoes everything if anything
fails.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from billing.domain.money import round_money
from billing.domain.period import Period
from billing.services.audit import record
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from contracts.services.schedule import reconcile_contracts
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, InvoiceLine
from invoicing.services.claims import lock_invoices
from invoicing.services.draft_writing import discard_empty, write_draft

ON_DOCUMENT = (ChargeState.DRAFTED, ChargeState.INVOICED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """A charge taken off its document, whose days are planned anew."""

    charge_id: int
    contract_id: int
    line_id: int
    late_for_id: int | None
    days: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """An issued invoice and its replacement draft; None where nothing is left (A3)."""

    invoice: Invoice
    draft: Invoice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What became of the documents: replaced, rebuilt, and drafts discarded."""

    replaced: tuple[Replaced, ...]
    rebuilt: tuple[Invoice, ...]
    discarded: tuple[Invoice, ...]


def correct_documents(
    invoice_ids: Collection[int],
    *,
    contract_ids: Collection[int],
    today: date,
    own_bill_to: bool = True,
) -> Corrected:
    """Plan contracts anew, with the charges of these documents free (A2, A3).

    `contract_ids` are planned anew too, whether on a document or not: what they add on
    the bill date of a document goes with it. A replacement keeps bill-to and PO number
    of what it replaces, or with `own_bill_to` off takes those of today (A12).
    """
    documents = list(lock_invoices(_with_late_usage(invoice_ids)).values())
    freed = {document.pk: _free(document) for document in documents}
    all_freed = [one for charges in freed.values() for one in charges]
    involved = {*contract_ids, *(one.contract_id for one in all_freed)}
    _settle_late_usage(all_freed)
    reconcile_contracts(contract_ids=involved, today=today)
    taken: set[int] = set()
    replaced, rebuilt, discarded = [], [], []
    for document in sorted(documents, key=lambda one: (one.bill_date, one.pk)):
        charges = _successors(document, freed[document.pk], involved, taken)
        taken.update(charges)
        if document.status == InvoiceStatus.DRAFT:
            if charges:
                rebuilt.append(write_draft(charges, draft=document))
            else:
                discarded.append(discard_empty(document))
            continue
        draft = None
        if charges:
            draft = write_draft(charges, replaces=document, own_bill_to=own_bill_to)
        replaced.append(Replaced(invoice=document, draft=draft))
    return Corrected(
        replaced=tuple(replaced), rebuilt=tuple(rebuilt), discarded=tuple(discarded)
    )


def _with_late_usage(invoice_ids: Collection[int]) -> set[int]:
    """Return documents and those that bill late usage of periods on them."""
    found = set(invoice_ids)
    while True:
        late = Invoice.objects.filter(
            lines__charge__late_for__invoice_line__invoice__in=found,
            lines__charge__state__in=ON_DOCUMENT,
        ).exclude(pk__in=found)
        more = set(late.values_list("pk", flat=True))
        if not more:
            return found
        found |= more


def _settle_late_usage(freed: Sequence[Freed]) -> None:
    """Keep the late charges of periods that stay; the others are rated with theirs."""
    periods = {one.charge_id for one in freed}
    ScheduledCharge.objects.filter(
        late_for__in=periods, state=ChargeState.PENDING
    ).update(state=ChargeState.CANCELED)
    stay = [one.charge_id for one in freed if one.late_for_id not in {None, *periods}]
    copy_as_pending(
        ScheduledCharge.objects.filter(pk__in=stay, state=ChargeState.SUPERSEDED)
    )


def copy_as_pending(late: QuerySet[ScheduledCharge]) -> None:
    """Bill late charges again whose document is replaced: as new pending ones."""
    for charge in late.order_by("pk"):
        charge.pk = None
        charge.state = ChargeState.PENDING.value
        charge.save(force_insert=True)


def _free(document: Invoice) -> list[Freed]:
    """Take the live charges of a document off it, so that their days are planned."""
    charges = ScheduledCharge.objects.filter(
        invoice_line__invoice=document,
        state__in=ON_DOCUMENT,
    )
    freed = [
        Freed(
            charge_id=charge.pk,
            contract_id=charge.contract_id,
            line_id=charge.contract_line_id,
            late_for_id=charge.late_for_id,
            days=Period.from_inclusive(charge.period_start, charge.period_end),
        )
        for charge in charges.order_by("pk").select_for_update(
            no_key=True, of=("self",)
        )
    ]
    ids = [one.charge_id for one in freed]
    if document.status == InvoiceStatus.DRAFT:
        InvoiceLine.objects.filter(invoice=document).delete()
        ScheduledCharge.objects.filter(pk__in=ids).update(state=ChargeState.PENDING)
    else:
        ScheduledCharge.objects.filter(pk__in=ids).update(state=ChargeState.SUPERSEDED)
    return freed


def _successors(
    document: Invoice,
    freed: Iterable[Freed],
    contract_ids: Collection[int],
    taken: Collection[int],
) -> list[int]:
    """Return the pending charges that belong on a document now.

    They stand on days of its former charges, or are new on its bill date.
    """
    days: defaultdict[int, list[Period]] = defaultdict(list)
    for one in freed:
        days[one.line_id].append(one.days)
    pending: QuerySet[ScheduledCharge] = ScheduledCharge.objects.filter(
        bill_group_id=document.bill_group_id,
        contract__in=contract_ids,
        state=ChargeState.PENDING,
    ).exclude(pk__in=taken)
    return [
        charge.pk
        for charge in pending.order_by("pk")
        if charge.bill_date == document.bill_date or _shares_a_day(charge, days)
    ]


def _shares_a_day(charge: ScheduledCharge, days: Mapping[int, list[Period]]) -> bool:
    period = Period.from_inclusive(charge.period_start, charge.period_end)
    return any(period.overlaps(one) for one in days.get(charge.contract_line_id, ()))


def record_corrections(
    corrected: Corrected, *, actor: AbstractBaseUser | None, reason: str
) -> None:
    """Write an audit entry for each document that was corrected (M5)."""
    for one in corrected.replaced:
        record_correction("invoice.superseded", one.invoice, actor=actor, reason=reason)
        if one.draft is not None:
            record_correction(
                "invoice.replacement_drafted", one.draft, actor=actor, reason=reason
            )
    for draft in corrected.rebuilt:
        record_correction("invoice.draft_rebuilt", draft, actor=actor, reason=reason)
    for draft in corrected.discarded:
        record_correction("invoice.discarded", draft, actor=actor, reason=reason)


def record_correction(
    code: str,
    invoice: Invoice,
    *,
    actor: AbstractBaseUser | None,
    reason: str,
    before: Mapping[str, str] | None = None,
    charges: str = "",
) -> None:
    """Write the audit entry of one corrected document; `charges` are so now."""
    record(
        code,
        actor=actor,
        subject=str(invoice),
        account_id=invoice.account_id,
        bill_group_id=invoice.bill_group_id,
        invoice_id=invoice.pk,
        before=before,
        after={
            **({"charges": charges} if charges else {}),
            "status": invoice.status,
            "total": str(round_money(invoice.total, invoice.currency)),
            "currency": invoice.currency,
        },
        reason=reason,
    )
