"""The QR code that fills in a credit transfer in a customer's banking app.

Source: EPC069-12, version 2.1 of the European Payments Council: UTF-8, version 002 (the
BIC may be left out), euros only, at most 331 bytes, error correction M, at most
version 13 of QR. What does not fit is not printed: a wrong code is worse than none.
"""

from decimal import Decimal
from io import BytesIO
from typing import Final

import segno
from stdnum import bic as bics
from stdnum import iban as ibans

LEAST: Final = Decimal("0.01")
MOST: Final = Decimal("999999999.99")
LONGEST_NAME: Final = 70
LONGEST_REMITTANCE: Final = 140
MOST_BYTES: Final = 331


def giro_code(
    *,
    name: str,
    iban: str,
    bic: str,
    amount: Decimal,
    currency: str,
    remittance: str,
) -> str:
    r"""Return the text of the code, or "" where the standard allows none.

    `amount` is in `currency`, rounded; `remittance` is what the payer is to state.

    >>> print(giro_code(name="Nordhaven GmbH", iban="DE89370400440532013000", bic="",
    ...     amount=Decimal("16350.60"), currency="EUR", remittance="NH-1"))
    BCD
    002
    1
    SCT
    <BLANKLINE>
    Nordhaven GmbH
    DE89370400440532013000
    EUR16350.60
    <BLANKLINE>
    <BLANKLINE>
    NH-1
    """
    holder = _one_line(name)[:LONGEST_NAME].strip()
    reference = _one_line(remittance)
    account, bank = ibans.compact(iban), bics.compact(bic)
    if currency != "EUR" or not LEAST <= amount <= MOST:
        return ""
    if not holder or not reference or len(reference) > LONGEST_REMITTANCE:
        return ""
    if not ibans.is_valid(account):
        return ""
    text = "\n".join(
        (
            "BCD",
            "002",
            "1",
            "SCT",
            bank if bics.is_valid(bank) else "",
            holder,
            account,
            f"EUR{amount:.2f}",
            "",
            "",
            reference,
        )
    )
    return text if len(text.encode()) <= MOST_BYTES else ""


def qr_picture(text: str) -> bytes:
    """Return a text's QR code as a PNG of four pixels a module, without its border."""
    code = segno.make_qr(text, error="m", boost_error=False, encoding="utf-8")
    picture = BytesIO()
    code.save(picture, kind="png", scale=4, border=0)
    return picture.getvalue()


def _one_line(text: str) -> str:
    return " ".join(text.split())
