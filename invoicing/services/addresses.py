"""Edit the address of one invoice: a new revision, the old paper kept (D1-D3).

Number and amounts stay; so it is allowed on paid invoices and in closed months. An
address that could change the tax is refused: the country of the customer decides which
tax applies, in federal countries their region too. A draft has no paper yet, so its
address is simply changed.
"""

from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.domain.address import Address
from billing.models import BillGroup
from billing.queries import invoicing_settings
from billing.services.audit import record
from billing.services.reasons import given
from invoicing.domain.states import DeliveryKind, DeliveryState, InvoiceStatus
from invoicing.models import Delivery, Invoice, InvoiceRevision
from invoicing.services.claims import lock_invoices
from invoicing.services.documents import ensure_revision, render_pdf, store_revision
from invoicing.services.locks import limit_lock_waits, lock_bill_groups

# Sales tax differs between the regions of these countries.
TAXED_BY_REGION: Final = frozenset({"BR", "CA", "IN", "US"})


class AddressStays(ValueError):
    """An address that is not changed; the text says why and what to do."""


def shown_address(invoice: Invoice) -> Address:
    """Return the bill-to on an invoice's current paper (D2)."""
    revision = invoice.current_revision
    return Address(**(revision.bill_to if revision else invoice.bill_to))


def check_address(invoice: Invoice, address: Address) -> None:
    """Raise `AddressStays` unless an invoice can get this address (D2, D3)."""
    if invoice.status == InvoiceStatus.VOID:
        raise AddressStays(f"{invoice} is void and has no paper.")
    if not address.name.strip() or not address.is_given:
        raise AddressStays("An address has a name and at least a street or a city.")
    old = shown_address(invoice)
    if address == old:
        raise AddressStays("The address is the one on the invoice. Nothing is changed.")
    by_region = old.country in TAXED_BY_REGION and old.region != address.region
    if invoice.is_issued and (old.country != address.country or by_region):
        raise AddressStays(
            "This address could change the tax, which an issued invoice keeps. Change "
            "the bill group's address and reissue the invoice instead."
        )
    settings = invoicing_settings(invoice.legal_entity)
    if settings.address_fixed_once_sent and _was_sent(invoice):
        raise AddressStays(
            "The invoice was sent, and Settings keep the address of sent invoices. "
            "Reissue it instead."
        )


def change_invoice_address(
    *,
    invoice: Invoice,
    address: Address,
    reason: str,
    actor: AbstractBaseUser | None,
    also_future: bool = False,
) -> Invoice:
    """Change the address of one invoice; `also_future` changes its bill group's too.

    Of an issued invoice a new revision of the paper is made, and the old one kept. It
    is rendered before the locks are taken, and looked at again under them. Raises
    `ReasonMissing`, `AddressStays`, `PangoMissing` and `GlyphsMissing`.
    """
    reason = given(reason, kept_with="invoice")
    fresh = Invoice.objects.select_related("current_revision", "legal_entity").get(
        pk=invoice.pk
    )
    check_address(fresh, address)
    if not fresh.is_issued:
        return _change(fresh, address, reason, actor, also_future=also_future)
    before = ensure_revision(invoice=fresh)
    fresh.current_revision = InvoiceRevision(
        invoice=fresh, bill_to=address.as_dict(), revision=before.revision + 1
    )
    return _change(
        fresh,
        address,
        reason,
        actor,
        also_future=also_future,
        after=before.revision,
        pdf=render_pdf(fresh),
    )


@transaction.atomic
def _change(
    invoice: Invoice,
    address: Address,
    reason: str,
    actor: AbstractBaseUser | None,
    *,
    also_future: bool,
    after: int = 0,
    pdf: bytes = b"",
) -> Invoice:
    """Store an address; with a paper as the revision that follows `after`."""
    limit_lock_waits()
    lock_bill_groups([invoice.bill_group_id])
    locked = lock_invoices([invoice.pk])[invoice.pk]
    check_address(locked, address)
    old = shown_address(locked)
    if pdf:
        stored = locked.current_revision
        if stored is None or stored.revision != after:
            raise AddressStays(
                "Someone else changed the address meanwhile. Look at it again."
            )
        store_revision(
            invoice=locked,
            revision=after + 1,
            bill_to=address.as_dict(),
            pdf=pdf,
            reason=reason,
            actor=actor,
        )
    else:
        locked.bill_to = address.as_dict()
        locked.save(update_fields=["bill_to"])
    record(
        "invoice.address_changed",
        actor=actor,
        subject=str(locked),
        account_id=locked.account_id,
        bill_group_id=locked.bill_group_id,
        invoice_id=locked.pk,
        before=old.as_dict(),
        after=address.as_dict(),
        reason=reason,
    )
    if also_future:
        _change_group(locked, address, reason, actor)
    locked.refresh_from_db()
    return locked


def _change_group(
    invoice: Invoice, address: Address, reason: str, actor: AbstractBaseUser | None
) -> None:
    """Have future invoices of the bill group go to the address too (D2)."""
    group = BillGroup.objects.select_related("account").get(pk=invoice.bill_group_id)
    before = group.bill_to_address.as_dict()
    group.bill_to = address.name
    group.address_line1, group.address_line2 = address.line1, address.line2
    group.city, group.region = address.city, address.region
    group.postal_code, group.country = address.postal_code, address.country
    group.save()
    record(
        "bill_group.changed",
        actor=actor,
        subject=group.public_id,
        account_id=group.account_id,
        bill_group_id=group.pk,
        before=before,
        after=address.as_dict(),
        reason=reason,
    )


def _was_sent(invoice: Invoice) -> bool:
    return Delivery.objects.filter(
        invoice=invoice, kind=DeliveryKind.EMAIL, state=DeliveryState.SENT
    ).exists()
