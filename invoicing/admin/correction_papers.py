"""What the review pages of corrections share: figures in words, papers side by side."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from billing.display import money_text
from invoicing.services.correction_trial import CorrectionReview

PAPERS: Final = "admin/invoicing/includes/correction.html"


def money(amount: Decimal, currency: str) -> str:
    """Write an amount with its code, for sentences."""
    return f"{money_text(amount, currency)} {currency}"


def finish_sentence(correction: CorrectionReview, currency: str) -> str:
    """Say what issuing the replacements and crediting the old invoices comes to."""
    if correction.refusal:
        return f"Issuing and crediting is not possible now: {correction.refusal}"
    drafts = sum(1 for one in correction.replacements if one.draft)
    said = []
    if correction.credited:
        said.append(f"credit of {money(correction.credited, currency)}")
    if drafts:
        said.append(
            f"{'a new invoice' if drafts == 1 else f'{drafts} new invoices'} "
            f"of {money(correction.new_total, currency)}"
        )
    text = ", ".join(said) or "nothing to issue"
    text = text[:1].upper() + text[1:]
    pays = f"the customer still pays {money(correction.pays, currency)}"
    if correction.to_balance:
        pays += (
            f", and {money(correction.to_balance, currency)} goes to the credit balance"
        )
    if correction.waits:
        return (
            f"{text}: the credit is above the limit and waits for a "
            f"second person, and the replacement with it. Then {pays}."
        )
    return f"{text}; {pays}."


def signed(amount: Decimal, currency: str) -> str:
    """Write a difference, with its sign."""
    plus = "+" if amount > 0 else ""
    return f"{plus}{money(amount, currency)}"


def papers_context(correction: CorrectionReview, currency: str) -> dict[str, Any]:
    """Return what the papers of a correction show."""
    return {
        "correction": correction,
        "papers": correction.replacements,
        "currency": currency,
    }


def waiting(correction: CorrectionReview) -> Iterator[str]:
    """Say that a credit needs a second person first (A7, A9)."""
    if correction.waits:
        yield (
            "The credit is above the limit: it waits for a second person. Approving it "
            "issues the replacement and the credit together; until then the "
            "replacement stays a draft."
        )


def fine_print(correction: CorrectionReview) -> Iterator[str]:
    """Yield the figures of each replacement, so that a stale page is noticed."""
    for one in correction.replacements:
        yield f"{one.invoice.pk} {one.invoice.amount_due} {one.new_total} {one.pays}"
