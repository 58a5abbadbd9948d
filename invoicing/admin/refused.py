"""What the server refused to people leaves an entry in the audit trail (M5)."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from billing.models import Account, BillGroup
from billing.services.audit import record
from config.adminsite import registry
from config.adminsite.actor import actor_of
from config.adminsite.registry import Refused
from contracts.models import Contract
from invoicing.models import Invoice

ModelType = TypeVar("ModelType", bound=Model)


@transaction.atomic
def note_refusal(request: HttpRequest, refused: Refused) -> None:
    """Record who was refused what, on what, and through which door."""
    subject = refused.subject
    invoice = _found(subject, Invoice, "invoice")
    contract = _found(subject, Contract, "contract")
    groups = (_found(one, BillGroup, "bill_group") for one in (subject, contract))
    group = next(filter(None, groups), None) or (invoice and invoice.bill_group)
    account = _found(subject, Account, "account") or (group and group.account)
    record(
        "action.refused",
        actor=actor_of(request),
        subject=str(subject or refused.action)[:200],
        account_id=account.pk if account else None,
        bill_group_id=group.pk if group else None,
        contract_id=contract.pk if contract else None,
        invoice_id=invoice.pk if invoice else None,
        after={
            "action": refused.action,
            "needs": list(refused.permissions),
            "method": request.method,
            "path": request.path[:500],
        },
        reason=refused.sentence,
    )


def _found(subject: Any, model: type[ModelType], field: str) -> ModelType | None:
    """Return the subject itself where it is of the model, else what its field names."""
    found = subject if isinstance(subject, model) else getattr(subject, field, None)
    return found if isinstance(found, model) else None


registry.refused.append(note_refusal)
