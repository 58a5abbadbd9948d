"""The locks of contracts: contract, then bill group, then charges (DESIGN section 5).

Rows are read again in a statement after their lock.
"""

from billing.models import BillGroup
from contracts.models import Contract, ScheduledCharge


def lock_contract(contract: Contract) -> tuple[Contract, BillGroup]:
    """Lock a contract and its bill group; returns both as they are stored now."""
    locked = Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    bill_group = BillGroup.objects.select_for_update(no_key=True).get(
        pk=locked.bill_group_id
    )
    return locked, bill_group


def lock_charge(charge: ScheduledCharge) -> ScheduledCharge:
    """Lock a charge after its contract and bill group; returns it as it is now."""
    lock_contract(charge.contract)
    return (
        ScheduledCharge.objects.select_for_update(no_key=True, of=("self",))
        .select_related("contract", "contract_line__product", "bill_group")
        .get(pk=charge.pk)
    )
