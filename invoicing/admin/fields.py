"""Edit an invoice's own custom fields, before and after it is issued (F2)."""

from typing import Any

from billing.admin.edit_fields import EditFields
from config.adminsite.actions import object_action
from customfields.domain.definition import FieldObject
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice


@object_action
class EditInvoiceFields(EditFields):
    """Change the custom fields of an invoice; its paper stays as it is (M3)."""

    model = Invoice
    permission = "invoicing.edit_invoice_fields"
    custom_fields_object = FieldObject.INVOICE
    stays = (
        "The paper stays as it is: what is printed on it was copied from account, bill "
        "group and contracts when it was generated."
    )

    def refusal(self, subject: Any) -> str:
        """Not of a draft that was thrown away."""
        if subject.status == InvoiceStatus.VOID:
            return f"{subject} was thrown away."
        return super().refusal(subject)
