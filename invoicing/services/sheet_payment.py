"""How a paper asks for its money: the claim, the account and the code to pay by."""

from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoicing.domain.giro_code import giro_code, qr_picture
from invoicing.models import Invoice
from invoicing.services.sheet_facts import Fact, filled
from invoicing.services.wording import Writer, plain

ACCOUNT_VALUE: Final = 97  # millimetres beside the code


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A QR code as a PNG in base64, and what it is for."""

    picture: str
    caption: str


def print_claim(write: Writer, invoice: Invoice, due: Decimal) -> str:
    """Return the sentence that says what is to be paid, and by when."""
    if not invoice.total:
        return write.say("There is nothing to pay.")
    if not due:
        return write.say(
            "Your credit balance covers this invoice: there is nothing to pay."
        )
    if invoice.due_date is None:
        return write.say("Nothing is to be paid on a draft.")
    return write.say(
        "Please pay {amount} by {day}.",
        amount=write.money(due),
        day=write.day(invoice.due_date),
    )


def print_account(write: Writer, invoice: Invoice, due: Decimal) -> tuple[Fact, ...]:
    """Return the account to pay to and what to state; nothing where nothing is due."""
    if not due or not invoice.number:
        return ()
    iban = plain(invoice.seller.get("iban", "")).replace(" ", "")
    groups = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    return filled(
        (write.say("Account holder"), invoice.seller.get("name", "") if iban else ""),
        ("IBAN", groups),
        ("BIC", invoice.seller.get("bic", "")),
        (write.say("Reference"), invoice.number),
    )


def print_code(write: Writer, invoice: Invoice, due: Decimal) -> Code | None:
    """Return the code to pay what is due, or None where the standard allows none."""
    text = giro_code(
        name=plain(invoice.seller.get("name", "")),
        iban=plain(invoice.seller.get("iban", "")),
        bic=plain(invoice.seller.get("bic", "")),
        amount=due,
        currency=invoice.currency,
        remittance=invoice.number or "",
    )
    if not text:
        return None
    return Code(
        picture=b64encode(qr_picture(text)).decode(),
        caption=write.say("Scan to pay with your banking app"),
    )
