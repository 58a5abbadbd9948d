"""What audit codes mean, in words (M5). One place for all of them."""

from typing import Final

_SENTENCES: Final = {
    "account.added": "Account added",
    "account.changed": "Account changed",
    "bill_group.added": "Bill group added",
    "bill_group.canceled": "Bill group canceled",
    "bill_group.changed": "Bill group changed",
    "bill_group.deactivated": "Bill group deactivated",
    "bill_group.deactivation_declined": "Deactivation declined",
    "bill_group.deactivation_requested": "Deactivation requested",
    "bill_group.manual_invoice_made": "First invoice after reactivation made by hand",
    "bill_group.parked": "Bill group parked by the run",
    "bill_group.reactivated": "Bill group set back to Active",
    "bill_group.released": "Bill group released",
    "charge.external_number": "Outside invoice number noted",
    "charge.released": "Charge billed elsewhere released",
    "charge.reopened": "Charge reopened for usage",
    "usage.recorded_late": "Late usage recorded",
    "usage.imported": "Usage file recorded",
    "charges.skipped": "Charges skipped",
    "charges.billed_at_zero": "Charges marked invoiced at zero",
    "contract.activated": "Contract activated",
    "contract.added": "Contract drafted",
    "contract.amended": "Contract amended",
    "contract.canceled": "Contract canceled: nothing is left to bill",
    "contract.cancellation": "Contract canceled as of its last day",
    "contract.cancellation_undone": "Cancellation undone",
    "contract.changed": "Draft contract changed",
    "contract.ended": "Contract ended: nothing is left to bill",
    "contract.imported": "Contract imported",
    "contract.removed": "Draft contract removed",
    "credit_limit.added": "Credit limit set",
    "credit_limit.changed": "Credit limit changed",
    "credit_note.declined": "Credit declined",
    "credit_note.issued": "Credit note issued",
    "credit_note.requested": "Credit waits for approval",
    "credit_note.voided": "Credit note voided",
    "delivery.failed": "Delivery failed for good",
    "delivery.retried": "Delivery queued again",
    "delivery.sent": "Mail sent",
    "invoice.address_changed": "Address of the invoice changed",
    "invoice.balance_applied": "Credit balance applied",
    "invoice.discarded": "Draft discarded",
    "invoice.draft_rebuilt": "Draft rebuilt at the new terms",
    "invoice.drafted": "Draft made for review",
    "invoice.issued": "Invoice issued",
    "invoice.kept_as_billed": "Invoice kept as billed",
    "invoice.paid": "Invoice paid",
    "invoice.paper_stored": "Paper stored",
    "invoice.part_paid": "Invoice paid in part",
    "invoice.replacement_drafted": "Replacement drafted",
    "invoice.superseded": "Invoice superseded",
    "invoicing_settings.added": "Invoicing settings added",
    "invoicing_settings.changed": "Invoicing settings changed",
    "legal_entity.added": "Legal entity added",
    "legal_entity.changed": "Legal entity changed",
    "number_series.added": "Number series added",
    "number_series.changed": "Number series changed",
    "payment.recorded": "Payment recorded",
    "payment.taken_back": "Payment taken back",
    "payment_import.applied": "Payment file recorded",
    "period.closed": "Month closed",
    "period.reopened": "Month reopened",
    "portal.accepted": "Accepted by the portal",
    "portal.disputed": "Disputed in the portal",
    "portal.submitted": "Submitted to the portal",
    "portal.withdrawn": "Taken out of the portal worklist",
    "portal_profile.added": "Portal added",
    "portal_profile.changed": "Portal changed",
    "product.added": "Product added",
    "product.changed": "Product changed",
    "tax_rate.added": "Tax rate added",
    "tax_rate.changed": "Tax rate changed",
}

_TONES: Final = {
    "bill_group.parked": "red",
    "bill_group.deactivated": "red",
    "delivery.failed": "red",
    "invoice.issued": "now",
    "portal.accepted": "green",
    "portal.disputed": "red",
    "bill_group.reactivated": "green",
    "bill_group.released": "green",
    "contract.activated": "green",
    "contract.ended": "Contract ended: nothing is left to bill",
    "contract.imported": "green",
}


def event_sentence(code: str) -> str:
    """Return what an audit code means; the code in words where it is new.

    >>> event_sentence("invoice.issued"), event_sentence("thing.was_done")
    ('Invoice issued', 'Thing was done')
    """
    return _SENTENCES.get(code) or code.replace(".", " ").replace("_", " ").capitalize()


def event_tone(code: str) -> str:
    """Return the class of an entry in a timeline."""
    return _TONES.get(code, "")
