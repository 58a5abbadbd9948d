"""What a credit would do to its invoice, before anyone confirms it (A5, A9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from invoicing.domain.credit import Claim, CreditParts, after_credit, credit_parts
from invoicing.domain.credit_lines import CreditSums
from invoicing.models import Invoice
from invoicing.queries.claims import claim_of
from invoicing.queries.credit_notes import credit_limit, unapproved_credits
from invoicing.services.credits import NotIssued, credited_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPreview:
    """A credit as it would be made now; amounts in the invoice's currency.

    `unapproved` is what was credited of the invoice before without an approval; with a
    `limit` of None no credit waits for anyone.
    """

    sums: CreditSums
    parts: CreditParts
    before: Claim
    after: Claim
    limit: Decimal | None
    unapproved: Decimal

    @property
    def waits(self) -> bool:
        """Whether a second person has to approve it."""
        return self.limit is not None and self.unapproved + self.sums.total > self.limit


def preview_credit(
    *, invoice: Invoice, lines: Mapping[int, Decimal] | None, with_paid: bool
) -> CreditPreview:
    """Return what crediting the remainder (`lines` None) or chosen lines would do.

    Reads the invoice anew. Raises `NotIssued` and `NotCreditable`.
    """
    invoice = Invoice.objects.get(pk=invoice.pk)
    if not invoice.is_issued:
        raise NotIssued(invoice)
    sums = credited_sums(invoice, lines=lines, with_paid=with_paid)
    before = claim_of(invoice)
    parts = credit_parts(before, sums.total)
    return CreditPreview(
        sums=sums,
        parts=parts,
        before=before,
        after=after_credit(before, parts),
        limit=credit_limit(invoice.legal_entity_id, invoice.currency),
        unapproved=unapproved_credits(invoice.pk),
    )
