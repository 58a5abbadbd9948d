"""Edit the custom fields of a contract in force, whose form is closed (F2)."""

from typing import Any

from billing.admin.edit_fields import EditFields
from config.adminsite.actions import object_action
from contracts.domain.terms import ContractStatus
from contracts.models import Contract
from customfields.domain.definition import FieldObject


@object_action
class EditContractFields(EditFields):
    """Change the custom fields of a contract; a draft has them on its form."""

    model = Contract
    permission = "contracts.edit_contract_fields"
    custom_fields_object = FieldObject.CONTRACT
    stays = (
        "The terms stay as they are. New invoices print the fields that are shown on "
        "them as they are then; invoices that are there keep theirs."
    )

    def refusal(self, subject: Any) -> str:
        """Not of a draft: it has a form."""
        if subject.status == ContractStatus.DRAFT:
            return f"{subject} is a draft: its fields stand on its form."
        return super().refusal(subject)
