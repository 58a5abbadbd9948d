"""Reads of what waits to be invoiced, in sets: charges, bill groups, last invoices.

The run reads millions of these rows, hence plain values instead of model instances.
The raw SQL relies on the partial indexes of pending charges.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Min

from billing.domain.address import Address
from billing.domain.bill_group import DeliveryMethod
from billing.models import BillGroup, LegalEntity, TaxRate
from contracts.domain.terms import ChargeState, ChargeType, Timing
from contracts.models import ContractLine, ScheduledCharge
from invoicing.domain.document import PendingCharge, TaxSteps

# In the order of the fields of PendingCharge.
PENDING_CHARGES = """
SELECT c.id, c.contract_id, k.number, c.bill_group_id, c.bill_date, c.period_start,
       c.period_end, c.in_advance, c.quantity, c.unit_price, c.discount_percent,
       c.amount, p.name, CASE WHEN c.late_for_id IS NULL THEN l.description
           ELSE left(concat_ws('. ', 'Late usage', nullif(l.description, '')), 500) END,
       l.tax_rate_id
FROM contracts_scheduledcharge c
JOIN contracts_contractline l ON l.id = c.contract_line_id
JOIN contracts_contract k ON k.id = c.contract_id
JOIN contracts_product p ON p.id = l.product_id
WHERE c.state = 'PENDING' AND {condition}
ORDER BY c.bill_group_id, c.bill_date, k.number, l.position, c.period_start, c.id
"""
OF_GROUPS_THROUGH = "c.bill_group_id = ANY (%s::bigint[]) AND c.bill_date <= %s"
OLDEST_OF_GROUPS = """c.bill_group_id = ANY (%s::bigint[]) AND c.bill_date = (
    SELECT min(o.bill_date) FROM contracts_scheduledcharge o
    WHERE o.state = 'PENDING' AND o.bill_group_id = c.bill_group_id)"""
OLDEST_OF_CONTRACTS = """c.contract_id = ANY (%s::bigint[]) AND c.bill_date = (
    SELECT min(o.bill_date) FROM contracts_scheduledcharge o
    WHERE o.state = 'PENDING' AND o.contract_id = c.contract_id)"""

LAST_INVOICES = """
SELECT g.id, last.full_price_subtotal
FROM unnest(%s::bigint[]) AS g (id)
CROSS JOIN LATERAL (
    SELECT i.full_price_subtotal FROM invoicing_invoice i
    WHERE i.bill_group_id = g.id AND i.status IN ('OPEN', 'PAID', 'CREDITED')
    ORDER BY i.sequence DESC LIMIT 1
) AS last
"""


GROUP_PROFILES = """
SELECT g.id, g.legal_entity_id, g.account_id, a.number, g.currency, g.status,
       g.invoicing = 'MANUAL', g.awaiting_manual_invoice, g.net_terms, g.po_number,
       a.tax_id, a.language,
       g.delivery, g.email, a.email, g.bill_to, a.name,
       g.address_line1, g.address_line2, g.city, g.region, g.postal_code, g.country,
       a.address_line1, a.address_line2, a.city, a.region, a.postal_code, a.country,
       CASE WHEN g.delivery IN ('PORTAL', 'BOTH') THEN g.portal_id END
FROM billing_billgroup g
JOIN billing_account a ON a.id = g.account_id
WHERE g.id = ANY (%s::bigint[])
"""

PARKED_REASONS = """
SELECT bill_group_id, reason FROM invoicing_parkedbillgroup
WHERE released_at IS NULL AND bill_group_id = ANY (%s::bigint[])
"""

LAST_DECISIONS = """
SELECT DISTINCT ON (bill_group_id, bill_date) bill_group_id, bill_date, rule, sentence
FROM invoicing_rundecision
WHERE bill_group_id = ANY (%s::bigint[]) AND bill_date = ANY (%s)
ORDER BY bill_group_id, bill_date, id DESC
"""


READ_BY_KEY = """
SELECT set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true),
       set_config('jit', 'off', true)
"""


def id_array(ids: Iterable[int]) -> str:
    """Return ids as the text of an array: a tenth of what a list costs to adapt."""
    return f"{{{','.join(map(str, ids))}}}"


# Umlauts as they are: escaped ones would have to be escaped once more to be copied.
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode
# What is stored of an address (`Address.as_dict`), a quoted text for each part.
_ADDRESS: Final = f"{{{', '.join(f'{_quoted(part)}: %s' for part in Address._fields)}}}"


class GroupProfile(NamedTuple):
    """What decisions and documents take from a bill group and its account.

    `bill_to` is the address as JSON text, ready to be stored; `portal_id` the portal's
    where it is delivered by portal (F3).
    """

    bill_group_id: int
    legal_entity_id: int
    account_id: int
    account_number: str
    currency: str
    status: str
    is_manual: bool
    awaiting_manual_invoice: bool
    net_terms: int
    po_number: str
    tax_id: str
    language: str
    mail_to: str
    bill_to: str
    portal_id: int | None


def read_by_key() -> None:
    """Have this transaction look up what it joins, row by row.

    A batch needs a thousandth of each table. Left to its estimates the planner reads
    whole tables for it until they have millions of rows, in every batch.
    """
    with connection.cursor() as cursor:
        cursor.execute(READ_BY_KEY)


def due_bill_groups(legal_entity: LegalEntity, *, through: date) -> list[int]:
    """Return the ids of the bill groups with a charge pending by a bill date."""
    rows = (
        ScheduledCharge.objects.filter(
            state=ChargeState.PENDING,
            bill_date__lte=through,
            bill_group__legal_entity=legal_entity,
        )
        .order_by("bill_group_id")
        .values_list("bill_group_id", flat=True)
        .distinct()
    )
    return list(rows)


def oldest_pending_date(bill_group_id: int) -> date | None:
    """Return the bill date of a bill group's oldest pending charge."""
    oldest: date | None = ScheduledCharge.objects.filter(
        state=ChargeState.PENDING, bill_group_id=bill_group_id
    ).aggregate(oldest=Min("bill_date"))["oldest"]
    return oldest


def charges_through(
    bill_group_ids: Collection[int], *, through: date
) -> list[PendingCharge]:
    """Return the pending charges of bill groups up to a bill date, oldest first."""
    return _charges(OF_GROUPS_THROUGH, [id_array(bill_group_ids), through])


def oldest_charges(bill_group_ids: Collection[int]) -> list[PendingCharge]:
    """Return the charges of each bill group's oldest pending invoice."""
    return _charges(OLDEST_OF_GROUPS, [id_array(bill_group_ids)])


def oldest_charges_of_contracts(contract_ids: Collection[int]) -> list[PendingCharge]:
    """Return each contract's pending charges with its earliest bill date (G8)."""
    return _charges(OLDEST_OF_CONTRACTS, [id_array(contract_ids)])


def _charges(condition: str, parameters: list[Any]) -> list[PendingCharge]:
    with connection.cursor() as cursor:
        cursor.execute(PENDING_CHARGES.format(condition=condition), parameters)
        return [PendingCharge._make(row) for row in cursor.fetchall()]


def group_profiles(bill_group_ids: Collection[int]) -> dict[int, GroupProfile]:
    """Return the profiles of bill groups by id."""
    with connection.cursor() as cursor:
        cursor.execute(GROUP_PROFILES, [id_array(bill_group_ids)])
        return {row[0]: _profile(row) for row in cursor.fetchall()}


def _profile(row: tuple[Any, ...]) -> GroupProfile:
    delivery, email, account_email, bill_to, account_name = row[12:17]
    name = bill_to or account_name
    address = Address(name, *row[17:23])
    if not address.is_given:
        address = Address(name, *row[23:29])
    mail_to = _mail_to(delivery, email, account_email)
    return GroupProfile._make(
        (*row[:12], mail_to, _ADDRESS % tuple(map(_quoted, address)), row[29])
    )


def mail_recipient(group: BillGroup) -> str:
    """Return where a bill group's invoices are mailed; blank: nowhere (G11)."""
    return _mail_to(group.delivery, group.email, group.account.email)


def _mail_to(delivery: str, email: str, account_email: str) -> str:
    if delivery not in {DeliveryMethod.EMAIL, DeliveryMethod.BOTH}:
        return ""
    return email or account_email


def last_comparison_totals(bill_group_ids: Collection[int]) -> dict[int, Decimal]:
    """Return each bill group's last issued subtotal with stubs at full price (G14)."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_INVOICES, [id_array(bill_group_ids)])
        return dict(cursor.fetchall())


def parked_reasons(bill_group_ids: Collection[int]) -> dict[int, str]:
    """Return why bill groups are parked, for those that are (G13)."""
    with connection.cursor() as cursor:
        cursor.execute(PARKED_REASONS, [id_array(bill_group_ids)])
        return dict(cursor.fetchall())


def tax_steps(tax_rate_ids: Collection[int]) -> dict[int, TaxSteps]:
    """Return tax rates by id with their steps, the newest first."""
    steps: dict[int, list[tuple[date, Decimal]]] = {}
    names: dict[int, str] = {}
    rows = TaxRate.objects.filter(pk__in=list(tax_rate_ids)).order_by(
        "pk", "-steps__valid_from"
    )
    for rate_id, name, valid_from, percent in rows.values_list(
        "pk", "name", "steps__valid_from", "steps__percent"
    ):
        names[rate_id] = name
        of_rate = steps.setdefault(rate_id, [])
        if percent is not None:
            of_rate.append((valid_from, percent))
    return {
        rate_id: TaxSteps(name=names[rate_id], steps=tuple(of_rate))
        for rate_id, of_rate in steps.items()
    }


def contracts_in_arrears(contract_ids: Collection[int]) -> set[int]:
    """Return the contracts with any arrears or usage line (G5)."""
    lines = ContractLine.objects.filter(contract__in=list(contract_ids)).exclude(
        timing=Timing.ADVANCE, charge_type=ChargeType.RECURRING
    )
    return set(
        lines.exclude(charge_type=ChargeType.ONE_TIME).values_list(
            "contract_id", flat=True
        )
    )


def contracts_billed_elsewhere(contract_ids: Collection[int]) -> set[int]:
    """Return the contracts with a charge that another system billed (G8)."""
    return set(
        ScheduledCharge.objects.filter(
            contract__in=list(contract_ids), state=ChargeState.EXTERNAL
        ).values_list("contract_id", flat=True)
    )


def last_decisions(
    bill_group_ids: Collection[int], bill_dates: Collection[date]
) -> Mapping[tuple[int, date], tuple[str, str]]:
    """Return the newest (rule, sentence) kept for each bill group and bill date."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_DECISIONS, [id_array(bill_group_ids), list(bill_dates)])
        return {
            (group_id, bill_date): (rule, sentence)
            for group_id, bill_date, rule, sentence in cursor.fetchall()
        }


def charges_by_id(charge_ids: Collection[int]) -> list[PendingCharge]:
    """Return the pending ones of these charges, in the order of a document's lines."""
    return _charges("c.id = ANY (%s)", [list(charge_ids)])
