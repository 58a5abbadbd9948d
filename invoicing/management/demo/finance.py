"""What the demo's finance people do with what was billed: through the real services."""

from datetime import date
from decimal import Decimal

from django.db.models import Sum

from billing.models import AccountingPeriod, LegalEntity
from billing.services.periods import close_period
from contracts.domain.term_changes import LineEdit, TermChanges
from contracts.models import Contract
from invoicing.domain.states import CreditReason
from invoicing.management.demo.files import month
from invoicing.management.demo.scene import (
    Scene,
    contract_numbered,
    group_named,
    last_invoice,
)
from invoicing.models import Invoice, Payment
from invoicing.services.addresses import change_invoice_address, shown_address
from invoicing.services.canceling import Unused
from invoicing.services.corrections import finish_replacement, reissue_invoice
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.lifecycle import (
    amend_contract,
    cancel_contract,
    fix_contract,
    preview_cancellation,
)
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment

OLDEST_MONTHS = (-12, -11, -10, -9)


def pay_twice(scene: Scene) -> None:
    """Have all that is due paid and one invoice again: the next one uses the rest."""
    group = group_named("Dijon")
    due = Invoice.objects.filter(bill_group=group, status="OPEN").aggregate(
        sum=Sum("amount_due", default=Decimal(0))
    )
    last = last_invoice("Dijon", before=scene.day)
    record_payment(
        bill_group=group,
        amount=due["sum"] + last.total,
        received_on=scene.day,
        reference=f"Transfer {last.number} paid twice",
        actor=scene.actor,
        today=scene.day,
    )


def return_debit(scene: Scene) -> None:
    """Take the last payment of a customer back, as its bank did (M4)."""
    take_back_payment(
        payment=Payment.objects.filter(bill_group=group_named("Namur")).latest("pk"),
        reason="The customer's bank returned the transfer.",
        actor=scene.actor,
        today=scene.day,
    )


def fix_price(scene: Scene) -> None:
    """Mend what was sold at 10 and entered at 20: replaced and credited (A3, A7)."""
    contract = contract_numbered("C-2061")
    fix_contract(
        contract=contract,
        changes=_changes(contract, "Proof archive", unit_price=Decimal(10)),
        effective_date=contract.start_date,
        reason="Sold at 10 a month, entered as 20.",
        actor=scene.actor,
        today=scene.day,
    )


def amend_last_month(scene: Scene) -> None:
    """Lower a quantity from last month on; its replacement draft stays (A3)."""
    contract = contract_numbered("C-2050")
    amend_contract(
        contract=contract,
        changes=_changes(contract, "Fleet platform", quantity=Decimal(19)),
        effective_date=month(scene.today, -1),
        reason="Two robots were returned last month.",
        actor=scene.actor,
        today=scene.day,
    )


def amend_next_month(scene: Scene) -> None:
    """Raise a quantity from next month on; nothing that was billed changes (A1)."""
    contract = contract_numbered("C-2001")
    amend_contract(
        contract=contract,
        changes=_changes(contract, "Fleet platform", quantity=Decimal(48)),
        effective_date=month(scene.today, 1),
        reason="Eight more robots from next month on.",
        actor=scene.actor,
        today=scene.day,
    )


def credit_outage(scene: Scene) -> None:
    """Credit a service issue on one chosen line (A9)."""
    invoice = last_invoice("Hamburg plant", before=scene.day)
    line = invoice.lines.get(product_name="Premium support")
    credit_invoice(
        invoice=invoice,
        lines={line.pk: Decimal(200)},
        reason="Support could not be reached for two days.",
        reason_code=CreditReason.SERVICE_ISSUE,
        actor=scene.actor,
        today=scene.day,
    )


def ask_for_credit(scene: Scene) -> None:
    """Ask for a credit above the limit: it waits for a second person (A9)."""
    credit_invoice(
        invoice=last_invoice("Werk Bielefeld", before=scene.day),
        amount=Decimal(2500),
        reason="Agreed with the customer after the delayed rollout.",
        reason_code=CreditReason.GOODWILL,
        actor=scene.actor,
        today=scene.day,
    )


def void_credit(scene: Scene) -> None:
    """Credit the wrong customer's invoice, notice it and void the credit note (A9)."""
    note = credit_invoice(
        invoice=last_invoice("Werk Chemnitz", before=scene.day),
        amount=Decimal(119),
        reason="One hour of support was not given.",
        actor=scene.actor,
        today=scene.day,
    )
    void_credit_note(
        note=note,
        reason="It was meant for another customer.",
        actor=scene.actor,
        today=scene.day,
    )


def cancel_last_month(scene: Scene) -> None:
    """End a contract on a day last month and credit the days after it (S1)."""
    contract, last_day = contract_numbered("C-2042"), month(scene.today, -1, day=15)
    reason = "The customer moved to its own system."
    preview = preview_cancellation(
        contract=contract,
        last_day=last_day,
        reason=reason,
        unused={},
        actor=scene.actor,
        today=scene.day,
    )
    cancel_contract(
        contract=contract,
        last_day=last_day,
        reason=reason,
        unused={one.charge.pk: Unused.DAYS for one in preview.charges if one.invoice},
        actor=scene.actor,
        today=scene.day,
    )


def cancel_later(scene: Scene) -> None:
    """End a contract on a day to come; until then it can be undone (S1, S2)."""
    cancel_contract(
        contract=contract_numbered("C-2047"),
        last_day=month(scene.today, 2, day=31),
        reason="The customer closes the bench hall.",
        unused={},
        actor=scene.actor,
        today=scene.day,
    )


def edit_address(scene: Scene) -> None:
    """Change the address on one issued invoice: a second revision of it (D2)."""
    invoice = last_invoice("Estates", before=scene.day)
    change_invoice_address(
        invoice=invoice,
        address=shown_address(invoice)._replace(
            line1="Derriford Road 20", postal_code="PL6 8DH"
        ),
        reason="The estates office moved to the Derriford site.",
        actor=scene.actor,
    )


def reissue_with_new_po(scene: Scene) -> None:
    """Give an invoice in the portal the customer's new PO number (A12, F3)."""
    group = group_named("Technology department")
    group.po_number = "PO-2026-207"
    group.save(update_fields=["po_number"])
    reason = "The customer replaced PO-2026-131 by PO-2026-207."
    invoice = last_invoice("Technology department", before=month(scene.today, -1))
    reissue_invoice(invoice=invoice, reason=reason, actor=scene.actor, today=scene.day)
    finish_replacement(
        invoice=invoice, reason=reason, actor=scene.actor, today=scene.day
    )


def close_oldest_months(scene: Scene) -> None:
    """Close the first months of the books (M6)."""
    for seller in LegalEntity.objects.order_by("pk"):
        for months in OLDEST_MONTHS:
            _close(seller, month(scene.today, months), scene)


def _close(seller: LegalEntity, first_day: date, scene: Scene) -> None:
    period = AccountingPeriod(legal_entity=seller, month=first_day)
    close_period(period=period, actor=scene.actor)


def _changes(
    contract: Contract,
    product: str,
    *,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
) -> TermChanges:
    line = contract.lines.get(product__name=product)
    edit = LineEdit(line_id=line.pk, quantity=quantity, unit_price=unit_price)
    return TermChanges(version=contract.version, edits=(edit,))
