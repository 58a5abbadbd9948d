"""End contracts: cancel them, undo it, and close what has run out (S1, S2).

What follows for documents is up to `invoicing.services.lifecycle`, which alone cancels
and holds the locks.
"""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from billing.domain.dates import day_text
from billing.models import LegalEntity
from billing.services.audit import record
from contracts.domain.terms import ChargeState, ContractStatus
from contracts.models import Contract, ScheduledCharge

ONE_DAY = timedelta(days=1)
OPEN_STATES = (ChargeState.PENDING, ChargeState.DRAFTED)


class CancellationRefused(ValueError):
    """A contract is not canceled, or its cancellation not undone; the text says why."""


def set_last_day(*, contract: Contract, last_day: date) -> None:
    """Store the last day of service of a locked contract (S1).

    The day before the start means never served. Raises `CancellationRefused`.
    """
    if contract.status != ContractStatus.ACTIVE:
        raise CancellationRefused(
            f"Contract {contract.number} is {contract.get_status_display().lower()}; "
            "only an active one can be canceled."
        )
    if contract.last_day is not None:
        raise CancellationRefused(
            f"Contract {contract.number} cancels on {day_text(contract.last_day)} "
            "already. Undo that first to choose another day."
        )
    never_served = contract.start_date - ONE_DAY
    if last_day < never_served:
        raise CancellationRefused(
            f"The last day of service can't be {day_text(last_day)}: "
            f"{day_text(never_served)}, the day before the start, already means never "
            "served."
        )
    if contract.end_date is not None and last_day > contract.end_date:
        raise CancellationRefused(
            f"{day_text(last_day)} lies after the end of the contract, "
            f"{day_text(contract.end_date)}. It ends by itself then."
        )
    Contract.objects.filter(pk=contract.pk).update(
        last_day=last_day, version=F("version") + 1
    )


def clear_last_day(*, contract: Contract, today: date) -> None:
    """Take the last day of service of a locked contract back (S2).

    Raises `CancellationRefused` for one that has no cancellation, or after the day.
    """
    if contract.last_day is None:
        raise CancellationRefused(f"Contract {contract.number} is not being canceled.")
    if contract.status != ContractStatus.ACTIVE or contract.last_day < today:
        raise CancellationRefused(
            f"Contract {contract.number} ended on {day_text(contract.last_day)}. A "
            "cancellation is undone until that day."
        )
    Contract.objects.filter(pk=contract.pk).update(
        last_day=None, version=F("version") + 1
    )


def close_contracts(*, as_of: date, legal_entity: LegalEntity) -> int:
    """Set what has run out to canceled or ended (S2); returns how many contracts.

    That is a contract whose last day has passed with no charge pending or on a draft.
    """
    contracts = Contract.objects.filter(bill_group__legal_entity=legal_entity)
    return _close_among(contracts, as_of)


def close_contract(*, contract: Contract, as_of: date) -> None:
    """Set one contract to canceled or ended, if it has run out (S2)."""
    _close_among(Contract.objects.filter(pk=contract.pk), as_of)


def _close_among(contracts: QuerySet[Contract], as_of: date) -> int:
    closed = 0
    for status, ended in (
        (ContractStatus.CANCELED, contracts.filter(last_day__lt=as_of)),
        (
            ContractStatus.ENDED,
            contracts.filter(last_day=None, end_date__lt=as_of),
        ),
    ):
        closed += _close(ended, status)
    return closed


@transaction.atomic
def _close(ended: QuerySet[Contract], status: ContractStatus) -> int:
    is_open = ScheduledCharge.objects.filter(
        contract=OuterRef("pk"), state__in=OPEN_STATES
    )
    contracts = list(
        ended.filter(~Exists(is_open), status=ContractStatus.ACTIVE)
        .select_related("bill_group")
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
    )
    for contract in contracts:
        Contract.objects.filter(pk=contract.pk).update(
            status=status, version=F("version") + 1
        )
        record(
            f"contract.{status.lower()}",
            actor=None,
            subject=contract.number,
            account_id=contract.bill_group.account_id,
            bill_group_id=contract.bill_group_id,
            contract_id=contract.pk,
            before={"status": ContractStatus.ACTIVE},
            after={"status": status},
        )
    return len(contracts)
