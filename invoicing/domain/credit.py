"""What a credit takes from an invoice, and where its money goes (A5, A9).

T is the invoice's total with tax, P what was paid, K the balance applied to it, and
C = C_due + C_paid what was credited before: C_due lowered what is due, C_paid gave paid
money back. Then T - P - K - C_due is due, and T - C can still be credited.

A credit of X, whole or partial, lowers the due first (part one); the rest gives back
money that had come in (part two) and becomes balance or is refunded. Part two never
exceeds P + K - C_paid, because X never exceeds T - C.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from invoicing.domain.states import InvoiceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an issued invoice claims, and what became of it, in its currency."""

    total: Decimal
    paid: Decimal
    balance_applied: Decimal
    credited_due: Decimal
    credited_paid: Decimal

    @property
    def credited(self) -> Decimal:
        """What was credited before: C."""
        return self.credited_due + self.credited_paid

    @property
    def due(self) -> Decimal:
        """What the customer still has to pay."""
        return self.total - self.paid - self.balance_applied - self.credited_due

    @property
    def creditable(self) -> Decimal:
        """The most that can still be credited: T - C."""
        return self.total - self.credited

    @property
    def status(self) -> InvoiceStatus:
        """OPEN while something is due; then CREDITED if all was credited, else PAID.

        An invoice of zero was never credited: it is PAID (M9).
        """
        if self.due:
            return InvoiceStatus.OPEN
        is_credited = self.total and self.credited == self.total
        return InvoiceStatus.CREDITED if is_credited else InvoiceStatus.PAID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditParts:
    """A credit of an invoice: what lowers its due, and what gives paid money back."""

    due_part: Decimal
    paid_part: Decimal

    @property
    def total(self) -> Decimal:
        """The whole credit: X."""
        return self.due_part + self.paid_part


class NotCreditable(ValueError):
    """A credit that the invoice does not admit; the text says what remains."""


def credit_parts(claim: Claim, amount: Decimal) -> CreditParts:
    """Split a credit of `amount`, tax included, into its two parts (A5).

    Raises `NotCreditable` for nothing, for a negative amount, and for more than
    remains.

    >>> claim = Claim(total=Decimal(20), paid=Decimal(5), balance_applied=Decimal(0),
    ...               credited_due=Decimal(0), credited_paid=Decimal(0))
    >>> parts = credit_parts(claim, Decimal(20))
    >>> parts.due_part, parts.paid_part
    (Decimal('15'), Decimal('5'))
    """
    if claim.creditable <= 0:
        raise NotCreditable("Nothing is left to credit: all of it was credited.")
    if not amount.is_finite() or amount <= 0:
        raise NotCreditable("A credit is more than zero. Enter what to credit.")
    if amount > claim.creditable:
        raise NotCreditable(
            f"Only {claim.creditable} can still be credited, not {amount}."
        )
    due_part = min(amount, claim.due)
    return CreditParts(due_part=due_part, paid_part=amount - due_part)


def remainder(claim: Claim, *, with_paid: bool) -> Decimal:
    """Return what *Credit the remainder* takes: all that is left, or the due only.

    What was paid comes back where a replacement claims it, or on a tick (A5).
    """
    return claim.creditable if with_paid else claim.due


def after_credit(claim: Claim, parts: CreditParts) -> Claim:
    """Return the claim once it is credited.

    >>> claim = Claim(total=Decimal(20), paid=Decimal(5), balance_applied=Decimal(0),
    ...               credited_due=Decimal(0), credited_paid=Decimal(0))
    >>> after_credit(claim, credit_parts(claim, Decimal(20))).status.value
    'CREDITED'
    """
    return replace(
        claim,
        credited_due=claim.credited_due + parts.due_part,
        credited_paid=claim.credited_paid + parts.paid_part,
    )


def after_voided_credit(claim: Claim, parts: CreditParts) -> Claim:
    """Return the claim once one of its credits is voided: it is as if never made (A9).

    What was paid or applied to the invoice meanwhile must have been taken back; the
    due can't be negative.
    """
    return replace(
        claim,
        credited_due=claim.credited_due - parts.due_part,
        credited_paid=claim.credited_paid - parts.paid_part,
    )
