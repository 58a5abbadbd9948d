"""Reads of the portal worklist: what waits, and what portals ask for, in sets (F3)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from billing.domain.portal import (
    DemandFacts,
    FieldOwner,
    Missing,
    missing_demands,
)
from billing.domain.portal_files import split_source
from billing.models import Account, BillGroup, PortalProfile
from billing.queries import demands_of
from contracts.domain.terms import ContractStatus
from contracts.models import Contract
from customfields.domain.definition import FieldObject
from invoicing.domain.portal import IN_PORTAL, PortalState
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, InvoiceLine, PortalSubmission
from invoicing.queries.search import MOST_GROUPS, invoices_by_number

IS_PAID: Final = Q(
    state__in=IN_PORTAL, credit_note=None, invoice__status=InvoiceStatus.PAID
)
DOCUMENTS_OF_GROUP: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalCounts:
    """How many documents wait for a person, by what they wait for."""

    to_submit: int
    submitted: int
    disputed: int


def that_stand(
    submissions: QuerySet[PortalSubmission], state: PortalState
) -> QuerySet[PortalSubmission]:
    """Return those that stand so: what was noted, but for what is paid."""
    if state is PortalState.PAID:
        return submissions.filter(IS_PAID)
    found = submissions.filter(state=state.value)
    return found.exclude(IS_PAID) if state in IN_PORTAL else found


def to_do(submissions: QuerySet[PortalSubmission]) -> QuerySet[PortalSubmission]:
    """Return what waits for a person: to be submitted, or a dispute to be settled."""
    states = [PortalState.TO_SUBMIT, PortalState.DISPUTED]
    return submissions.filter(state__in=states).exclude(IS_PAID)


def waiting_counts(submissions: QuerySet[PortalSubmission]) -> PortalCounts:
    """Count what waits to be submitted, for an answer, and for a settlement."""
    unpaid = ~Q(credit_note=None, invoice__status=InvoiceStatus.PAID)
    counted = submissions.filter(
        state__in=["TO_SUBMIT", "SUBMITTED", "DISPUTED"]
    ).aggregate(
        to_submit=Count("pk", filter=Q(state="TO_SUBMIT")),
        submitted=Count("pk", filter=Q(state="SUBMITTED") & unpaid),
        disputed=Count("pk", filter=Q(state="DISPUTED") & unpaid),
    )
    return PortalCounts(**counted)


def counts_of_groups(groups: Iterable[BillGroup]) -> dict[int, PortalCounts]:
    """Return what waits of each bill group that has anything in a worklist."""
    unpaid = ~Q(credit_note=None, invoice__status=InvoiceStatus.PAID)
    rows = (
        PortalSubmission.objects.filter(bill_group__in=[group.pk for group in groups])
        .order_by("bill_group")
        .values("bill_group")
        .annotate(
            to_submit=Count("pk", filter=Q(state="TO_SUBMIT")),
            submitted=Count("pk", filter=Q(state="SUBMITTED") & unpaid),
            disputed=Count("pk", filter=Q(state="DISPUTED") & unpaid),
        )
    )
    return {
        row["bill_group"]: PortalCounts(
            to_submit=row["to_submit"],
            submitted=row["submitted"],
            disputed=row["disputed"],
        )
        for row in rows
    }


def search_submissions(
    submissions: QuerySet[PortalSubmission], text: str
) -> QuerySet[PortalSubmission]:
    """Return those of the document with this number, or with this reference."""
    text = text.strip()
    invoices = invoices_by_number(Invoice.objects.all(), text).values_list("pk")
    found = [pk for (pk,) in invoices[:MOST_GROUPS]]
    numbers = {text, text.upper()}
    return submissions.filter(
        Q(invoice__in=found) | Q(credit_note__number__in=numbers) | Q(reference=text)
    )


def missing_of(
    submissions: Collection[PortalSubmission],
) -> dict[int, tuple[Missing, ...]]:
    """Return what each document lacks that its portal asks for, by submission id.

    PO number and tax ids are those on the paper; custom fields of account, bill group
    and contracts are as they are now. A constant number of queries.
    """
    demands = demands_of({row.portal_id: row.portal for row in submissions}.values())
    facts = facts_of_documents(
        submissions, with_contracts=asks_contracts(row.portal for row in submissions)
    )
    return {
        row.pk: missing_demands(demands[row.portal_id], facts[row.pk])
        for row in submissions
    }


def asks_contracts(portals: Iterable[PortalProfile]) -> bool:
    """Tell whether any portal asks for a custom field of contracts, or shows one."""
    return any(
        named is not None and named[0] is FieldObject.CONTRACT
        for portal in portals
        for source in (
            *portal.required_fields,
            *(column.source for column in portal.index_columns),
        )
        for named in (split_source(source),)
    )


def facts_of_documents(
    submissions: Collection[PortalSubmission], *, with_contracts: bool
) -> dict[int, DemandFacts]:
    """Return what documents have of what portals ask for, by submission id."""
    contracts = (
        contracts_on({row.invoice_id for row in submissions}) if with_contracts else {}
    )
    groups = BillGroup.objects.select_related("account").in_bulk(
        {row.bill_group_id for row in submissions}
    )
    return {
        row.pk: DemandFacts(
            po_number=row.invoice.po_number,
            customer_tax_id=row.invoice.tax_id,
            seller_tax_id=str(row.document.seller.get("tax_id", "")),
            owners=(
                *_owners(groups[row.bill_group_id]),
                *contracts.get(row.invoice_id, ()),
                FieldOwner(
                    owner=FieldObject.INVOICE,
                    pk=row.invoice_id,
                    name=str(row.invoice),
                    values=row.invoice.custom_fields,
                ),
            ),
        )
        for row in submissions
    }


def contracts_on(invoice_ids: Collection[int]) -> dict[int, tuple[FieldOwner, ...]]:
    """Return the contracts that invoices bill, by invoice id and contract number."""
    rows = (
        InvoiceLine.objects.filter(invoice__in=list(invoice_ids), charge__isnull=False)
        .order_by("invoice", "charge__contract__number")
        .values_list("invoice", "charge__contract")
        .distinct()
    )
    pairs = list(rows.values_list("invoice", "charge__contract"))
    contracts = Contract.objects.in_bulk({contract_id for _, contract_id in pairs})
    found: defaultdict[int, dict[int, FieldOwner]] = defaultdict(dict)
    for invoice_id, contract_id in pairs:
        found[invoice_id][contract_id] = _contract(contracts[contract_id])
    return {pk: tuple(owners.values()) for pk, owners in found.items()}


def missing_of_group(group: BillGroup) -> tuple[Missing, ...]:
    """Return what a bill group's next documents will lack, before one is made (F3).

    What an invoice's own custom fields say is only known when there is one.
    """
    if not group.is_by_portal or group.portal is None:
        return ()
    contracts = (
        Contract.objects.filter(
            bill_group=group, status__in=[ContractStatus.ACTIVE, ContractStatus.DRAFT]
        ).order_by("number")[:DOCUMENTS_OF_GROUP]
        if asks_contracts([group.portal])
        else ()
    )
    facts = DemandFacts(
        po_number=group.po_number,
        customer_tax_id=group.account.tax_id,
        seller_tax_id=group.legal_entity.tax_id,
        owners=(*_owners(group), *(_contract(contract) for contract in contracts)),
    )
    return missing_demands(demands_of([group.portal])[group.portal.pk], facts)


def _owners(group: BillGroup) -> tuple[FieldOwner, FieldOwner]:
    account: Account = group.account
    return (
        FieldOwner(
            owner=FieldObject.ACCOUNT,
            pk=account.pk,
            name=account.name,
            values=account.custom_fields,
        ),
        FieldOwner(
            owner=FieldObject.BILL_GROUP,
            pk=group.pk,
            name=group.name,
            values=group.custom_fields,
        ),
    )


def _contract(contract: Contract) -> FieldOwner:
    values: Mapping[str, str | bool] = contract.custom_fields
    return FieldOwner(
        owner=FieldObject.CONTRACT,
        pk=contract.pk,
        name=contract.number,
        values=values,
    )
