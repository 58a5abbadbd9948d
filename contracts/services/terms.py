"""Set the terms of contracts in force.

What touches a contract and its invoices goes through `invoicing.services.lifecycle`;
nobody else calls this module.
"""

from datetime import date

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup
from billing.services import audit
from contracts.domain.terms import ContractStatus, UnplannableTerms
from contracts.models import Contract
from contracts.services.locks import lock_contract
from contracts.services.schedule import reconcile_contracts


class ActivationRefused(ValueError):
    """A contract can't be activated; the text says why and what to do."""


class ContractNotDraft(ActivationRefused):
    """A contract that was activated already."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(
            f"Contract {contract.number} is {contract.get_status_display().lower()}; "
            "only a draft can be activated. Nothing was changed."
        )


class BillGroupIsCanceled(ActivationRefused):
    """A contract of a bill group that finance has ended."""

    def __init__(self, contract: Contract, bill_group: BillGroup) -> None:
        super().__init__(
            f"Contract {contract.number} is billed through {bill_group}, which is "
            "canceled. Set the bill group to Active first, or choose another one."
        )


class ContractUnplannable(ActivationRefused):
    """A contract from whose terms no charges can be planned."""

    def __init__(self, contract: Contract, fault: UnplannableTerms) -> None:
        super().__init__(
            f"Contract {contract.number} can't be planned. {fault} Correct it, then "
            "activate it again."
        )


@transaction.atomic
def activate(
    *, contract: Contract, actor: AbstractBaseUser | None, today: date
) -> Contract:
    """Set a draft contract in force and plan its charges (P1).

    Returns the contract as it is stored now. Raises `ContractNotDraft`,
    `BillGroupIsCanceled` and `ContractUnplannable`.
    """
    contract, bill_group = lock_contract(contract)
    if contract.status != ContractStatus.DRAFT:
        raise ContractNotDraft(contract)
    if bill_group.status == BillGroupStatus.CANCELED:
        raise BillGroupIsCanceled(contract, bill_group)

    Contract.objects.filter(pk=contract.pk).update(
        status=ContractStatus.ACTIVE, activated_on=today, version=F("version") + 1
    )
    try:
        planned = reconcile_contracts(contract_ids=[contract.pk], today=today)
    except UnplannableTerms as fault:
        raise ContractUnplannable(contract, fault) from fault

    audit.record(
        "contract.activated",
        actor=actor,
        subject=contract.number,
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        contract_id=contract.pk,
        before={"status": ContractStatus.DRAFT},
        after={
            "status": ContractStatus.ACTIVE,
            "activated_on": today.isoformat(),
            "charges": len(planned[contract.pk].create),
        },
    )
    contract.refresh_from_db()
    return contract
