"""What audit codes mean, in words (M5). One place for all of them."""

from enum import StrEnum
from typing import Final


class EventKind(StrEnum):
    """What an entry is about, to look at one kind alone."""

    MONEY = "money"
    TERMS = "terms"
    PEOPLE = "people"
    PAPERS = "papers"
    SETTINGS = "settings"


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
    "usage.taken_back": "Usage taken back",
    "usage.imported": "Usage file recorded",
    "account.fields_changed": "Custom fields of the account changed",
    "bill_group.fields_changed": "Custom fields of the bill group changed",
    "contract.fields_changed": "Custom fields of the contract changed",
    "invoice.fields_changed": "Custom fields of the invoice changed",
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
    "contracts.imported": "Contract file imported",
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
    "action.refused": "Refused: not permitted",
    "credit_note.paper_stored": "Paper of the credit note stored",
    "delivery.sent_again": "Queued to be mailed again",
    "invoice.payment_undone": "Payment taken off the invoice",
    "invoice.balance_undone": "Credit balance taken off the invoice",
}

_TONES: Final = {
    "bill_group.parked": "red",
    "bill_group.deactivated": "red",
    "delivery.failed": "red",
    "invoice.payment_undone": "red",
    "invoice.balance_undone": "red",
    "invoice.issued": "now",
    "portal.accepted": "green",
    "portal.disputed": "red",
    "bill_group.reactivated": "green",
    "bill_group.released": "green",
    "contract.activated": "green",
    "contract.imported": "green",
    "action.refused": "red",
}

_KINDS: Final = {
    "account": EventKind.PEOPLE,
    "bill_group": EventKind.PEOPLE,
    "charge": EventKind.TERMS,
    "charges": EventKind.TERMS,
    "contract": EventKind.TERMS,
    "contracts": EventKind.TERMS,
    "usage": EventKind.TERMS,
    "credit_note": EventKind.MONEY,
    "payment": EventKind.MONEY,
    "payment_import": EventKind.MONEY,
    "delivery": EventKind.PAPERS,
    "invoice": EventKind.PAPERS,
    "portal": EventKind.PAPERS,
}
_OF_MONEY: Final = frozenset(
    {
        *("invoice.balance_applied", "invoice.paid", "invoice.part_paid"),
        *("invoice.payment_undone", "invoice.balance_undone"),
    }
)

# What comes by the hundred and is told in one line: one of them, and many.
ROUTINE: Final = {
    "delivery.sent": ("mail sent", "mails sent"),
    "invoice.paper_stored": ("paper stored", "papers stored"),
}


def event_kind(code: str) -> EventKind:
    """Return what an audit code is about.

    >>> event_kind("invoice.paid").value, event_kind("invoice.issued").value
    ('money', 'papers')
    """
    if code in _OF_MONEY:
        return EventKind.MONEY
    return _KINDS.get(code.partition(".")[0], EventKind.SETTINGS)


def codes_of(kind: EventKind) -> list[str]:
    """Return the audit codes that are about one kind of thing."""
    return [code for code in _SENTENCES if event_kind(code) is kind]


def event_sentence(code: str) -> str:
    """Return what an audit code means; the code in words where it is new.

    >>> event_sentence("invoice.issued"), event_sentence("thing.was_done")
    ('Invoice issued', 'Thing was done')
    """
    return _SENTENCES.get(code) or code.replace(".", " ").replace("_", " ").capitalize()


def event_tone(code: str) -> str:
    """Return the class of an entry in a timeline."""
    return _TONES.get(code, "")
