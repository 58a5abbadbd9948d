"""Send a document again, and what becomes of sendings when it changes (D2, A9, M7).

A person sends an issued invoice or credit note again when its address was edited, its
mail failed for good or the customer lost it: the paper as it stands now, to whom they
say. Mails of it that wait or have failed are replaced by this one. A credit note that
is voided gets its void paper; whoever was mailed the other is mailed this one too.
"""

from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now

from billing.domain.bill_group import DeliveryMethod
from billing.models import BillGroup
from billing.services.audit import record
from billing.services.reasons import given
from invoicing.domain.states import DeliveryKind, DeliveryState
from invoicing.models import CreditNote, Delivery, Invoice
from invoicing.queries.deliveries import deliveries_of, invoice_of
from invoicing.queries.pending import mail_recipient
from invoicing.services.claims import lock_invoices
from invoicing.services.locks import limit_lock_waits

MAILED: Final = (DeliveryMethod.EMAIL, DeliveryMethod.BOTH)


class NotSentAgain(ValueError):
    """A document that is not sent again; the text says why and what to do."""


def check_sendable(document: Invoice | CreditNote) -> None:
    """Raise `NotSentAgain` unless a document can be mailed again now."""
    if document.issue_date is None:
        raise NotSentAgain(f"{document} was not issued, so there is nothing to send.")
    group = invoice_of(document).bill_group
    if group.delivery not in MAILED:
        raise NotSentAgain(
            f"{group.public_id} gets no mail: its delivery is "
            f"{group.get_delivery_display().lower()}. Download the PDF, or change the "
            "delivery of the bill group first."
        )
    for paper in deliveries_of(document).filter(kind=DeliveryKind.PDF):
        if paper.recipient and paper.state == DeliveryState.QUEUED:
            raise NotSentAgain(
                "Its paper is not made yet; the mail follows it by itself."
            )
        if paper.recipient and paper.state == DeliveryState.FAILED:
            raise NotSentAgain(
                "Its paper could not be made. Try that delivery again: the mail "
                "follows it by itself."
            )


@transaction.atomic
def send_again(
    *,
    document: Invoice | CreditNote,
    recipient: str,
    reason: str,
    actor: AbstractBaseUser | None,
) -> Delivery:
    """Queue the paper of an issued document, as it stands, to be mailed once more.

    Mails of it that wait or have failed are replaced. Raises `ReasonMissing` and
    `NotSentAgain`.
    """
    reason = given(reason, kept_with="document")
    try:
        validate_email(recipient)
    except ValidationError as fault:
        raise NotSentAgain(f"{recipient!r} is no mail address.") from fault
    limit_lock_waits()
    locked = _lock(document)
    check_sendable(locked)
    mails = _lock_deliveries(locked).filter(kind=DeliveryKind.EMAIL)
    if mails.filter(_in_hand()).exists():
        raise NotSentAgain("It is being mailed right now. Look again in a minute.")
    before = mails.order_by("sending").last()
    _replace(mails)
    sent = Delivery.objects.create(
        **_owner(locked),
        kind=DeliveryKind.EMAIL,
        sending=_next_sending(locked),
        recipient=recipient,
    )
    invoice = invoice_of(locked)
    record(
        "delivery.sent_again",
        actor=actor,
        subject=str(locked),
        account_id=invoice.account_id,
        bill_group_id=invoice.bill_group_id,
        invoice_id=invoice.pk,
        before={"recipient": before.recipient, "state": before.state}
        if before
        else None,
        after={
            "recipient": recipient,
            "state": DeliveryState.QUEUED.value,
            "sending": sent.sending,
        },
        reason=reason,
    )
    return sent


def send_void_paper(note: CreditNote, group: BillGroup) -> Delivery:
    """Ask for the paper of a credit note that was just voided (A9).

    The caller has locked the note. It is mailed to whoever was mailed the other.
    """
    deliveries = _lock_deliveries(note)
    mails = deliveries.filter(kind=DeliveryKind.EMAIL)
    was_mailed = mails.filter(Q(state=DeliveryState.SENT) | _in_hand()).exists()
    _replace(deliveries)
    return Delivery.objects.create(
        credit_note=note,
        kind=DeliveryKind.PDF,
        sending=_next_sending(note),
        recipient=mail_recipient(group) if was_mailed else "",
    )


def _lock(document: Invoice | CreditNote) -> Invoice | CreditNote:
    """Lock a document; returns it as it is now."""
    if isinstance(document, CreditNote):
        notes = CreditNote.objects.select_for_update(no_key=True, of=("self",))
        return notes.get(pk=document.pk)
    return lock_invoices([document.pk])[document.pk]


def _lock_deliveries(document: Invoice | CreditNote) -> QuerySet[Delivery]:
    deliveries = deliveries_of(document)
    list(deliveries.order_by("pk").select_for_update(no_key=True))
    return deliveries


def _in_hand() -> Q:
    """Select what a worker is at this moment."""
    return Q(state=DeliveryState.QUEUED, leased_until__gte=Now())


def _replace(deliveries: QuerySet[Delivery]) -> None:
    """Close what waits or has failed, but for what a worker is at."""
    deliveries.filter(state__in=[DeliveryState.QUEUED, DeliveryState.FAILED]).exclude(
        leased_until__gte=Now()
    ).update(state=DeliveryState.REPLACED)


def _next_sending(document: Invoice | CreditNote) -> int:
    last = deliveries_of(document).aggregate(last=Max("sending"))["last"]
    return int(last or 0) + 1


def _owner(document: Invoice | CreditNote) -> dict[str, Invoice | CreditNote]:
    if isinstance(document, CreditNote):
        return {"credit_note": document}
    return {"invoice": document}
