"""Deliveries: papers are rendered and mails sent, each once, however often it fails.

The issuing transaction writes one PDF delivery for each invoice and each credit note,
with the address to mail it to or none (G11); when the paper is there, the mail becomes
a delivery of its own. Later sendings are asked for in `sending`. A worker claims one
delivery at a time: it raises `attempts` and takes a lease, and commits that before it
begins, so that a delivery that kills its workers comes to its end too. The work is done
outside any transaction. What fails is tried again after 1, 5, 15, 60 and 240 minutes,
then it has failed until someone retries it. What only an installation cures (Pango, a
font) costs no attempt: it waits 15 minutes at a time and says what to install. None of
this ever touches the document (M7).

All times are the database's, so that the clocks of worker machines don't matter.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.services import audit
from invoicing.domain.states import DeliveryKind, DeliveryState
from invoicing.models import CreditNote, Delivery
from invoicing.queries.deliveries import invoice_of
from invoicing.services.credit_documents import ensure_credit_paper
from invoicing.services.documents import ensure_revision
from invoicing.services.mail import (
    credit_note_message,
    invoice_message,
    refusal_sentence,
)
from invoicing.services.rendering import GlyphsMissing, PangoMissing

LEASE = timedelta(minutes=15)
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
MOST_ATTEMPTS = len(PAUSES) + 1
UNTIL_INSTALLED = timedelta(minutes=15)

logger = logging.getLogger(__name__)


class DeliveryNotFailed(ValueError):
    """Only a delivery that has failed for good can be retried by hand."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(
            f"{delivery} has not failed: it is done, or tried again by itself."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRetry:
    """What became of several: those queued again, and a sentence for each other."""

    queued: tuple[Delivery, ...]
    refused: tuple[str, ...]


class MailNotSent(RuntimeError):
    """A mail that the server did not take; the text says why."""


def deliver_next() -> Delivery | None:
    """Claim the delivery that has waited longest and do it; None if none is due.

    What goes wrong with it is recorded on it, whatever it is, and never raised: the
    next one waits (M7).
    """
    delivery = claim_delivery()
    if delivery is None:
        return None
    try:
        if delivery.kind == DeliveryKind.PDF:
            _make_paper(delivery)
        else:
            _send_mail(delivery)
    except PangoMissing as fault:
        _wait_for_pango(delivery, str(fault))
    except GlyphsMissing as fault:
        _wait_for_font(delivery, str(fault))
    except MailNotSent as fault:
        _record_failure(delivery, str(fault))
    except Exception as fault:  # whatever it is, it must not stop the others (M7)
        logger.exception("%s failed", delivery)
        _record_failure(delivery, f"It failed with {type(fault).__name__}: {fault}")
    return delivery


def claim_delivery() -> Delivery | None:
    """Lease the due delivery that has waited longest, its attempts raised, and commit.

    One that has used up its attempts without a word has killed its workers: it is
    recorded as failed here.
    """
    while True:
        with transaction.atomic():
            delivery = (
                Delivery.objects.filter(
                    Q(leased_until__isnull=True) | Q(leased_until__lt=Now()),
                    state=DeliveryState.QUEUED,
                    not_before__lte=Now(),
                )
                .order_by("not_before", "id")
                .select_for_update(skip_locked=True, no_key=True)
                .first()
            )
            if delivery is None:
                return None
            if delivery.attempts < MOST_ATTEMPTS:
                Delivery.objects.filter(pk=delivery.pk).update(
                    attempts=F("attempts") + 1, leased_until=Now() + LEASE
                )
                delivery.attempts += 1
                return delivery
        _record_failure(
            delivery, f"{MOST_ATTEMPTS} times its worker was stopped in the middle."
        )


@transaction.atomic
def retry_delivery(*, delivery: Delivery, actor: AbstractBaseUser) -> Delivery:
    """Queue a failed delivery again, with all its attempts.

    Raises `DeliveryNotFailed`.
    """
    locked = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
    if locked.state != DeliveryState.FAILED:
        raise DeliveryNotFailed(locked)
    Delivery.objects.filter(pk=locked.pk).update(
        state=DeliveryState.QUEUED, attempts=0, not_before=Now(), leased_until=None
    )
    _audit("delivery.retried", locked, to=DeliveryState.QUEUED, actor=actor)
    locked.refresh_from_db()
    return locked


def retry_deliveries(
    *, deliveries: Iterable[Delivery], actor: AbstractBaseUser
) -> BulkRetry:
    """Queue several failed deliveries again, each in its own transaction, by id."""
    queued: list[Delivery] = []
    refused: list[str] = []
    for delivery in sorted(deliveries, key=lambda one: one.pk):
        try:
            queued.append(retry_delivery(delivery=delivery, actor=actor))
        except DeliveryNotFailed as refusal:
            refused.append(str(refusal))
    return BulkRetry(queued=tuple(queued), refused=tuple(refused))


def _make_paper(delivery: Delivery) -> None:
    document = delivery.document
    if isinstance(document, CreditNote):
        ensure_credit_paper(note=document)
    else:
        ensure_revision(invoice=document)
    with transaction.atomic():
        if not _close(delivery, DeliveryState.SENT):
            return
        if delivery.recipient:
            Delivery.objects.create(
                invoice_id=delivery.invoice_id,
                credit_note_id=delivery.credit_note_id,
                kind=DeliveryKind.EMAIL,
                sending=delivery.sending,
                recipient=delivery.recipient,
            )


def _send_mail(delivery: Delivery) -> None:
    message = _message(delivery)
    try:
        message.send()
    except Exception as fault:
        sentence = refusal_sentence(fault, recipient=delivery.recipient)
        raise MailNotSent(sentence) from fault
    with transaction.atomic():
        if _close(delivery, DeliveryState.SENT):
            _audit("delivery.sent", delivery, to=DeliveryState.SENT)


def _message(delivery: Delivery) -> EmailMessage:
    """Return the mail with the paper as it stands now: an old one is never sent."""
    document = delivery.document
    recipient, sending = delivery.recipient, delivery.sending
    if isinstance(document, CreditNote):
        paper = ensure_credit_paper(note=document)
        return credit_note_message(
            document, paper, recipient=recipient, sending=sending
        )
    revision = ensure_revision(invoice=document)
    return invoice_message(document, revision, recipient=recipient, sending=sending)


def _record_failure(delivery: Delivery, sentence: str) -> None:
    if delivery.attempts < MOST_ATTEMPTS:
        _mine(delivery).update(
            not_before=Now() + PAUSES[delivery.attempts - 1],
            leased_until=None,
            last_error=sentence,
        )
        return
    with transaction.atomic():
        if _close(delivery, DeliveryState.FAILED, last_error=sentence):
            _audit(
                "delivery.failed", delivery, to=DeliveryState.FAILED, reason=sentence
            )


def _wait_for_pango(delivery: Delivery, sentence: str) -> None:
    """Give a paper back untried, and let all papers wait until Pango is there."""
    _mine(delivery).update(attempts=F("attempts") - 1, leased_until=None)
    Delivery.objects.filter(
        kind=DeliveryKind.PDF,
        state=DeliveryState.QUEUED,
        leased_until__isnull=True,
        not_before__lte=Now(),
    ).update(not_before=Now() + UNTIL_INSTALLED, last_error=sentence)
    logger.error(sentence)


def _wait_for_font(delivery: Delivery, sentence: str) -> None:
    """Give one paper back untried until a font is there; the others have theirs."""
    _mine(delivery).update(
        attempts=F("attempts") - 1,
        leased_until=None,
        not_before=Now() + UNTIL_INSTALLED,
        last_error=sentence,
    )
    logger.error(sentence)


def _mine(delivery: Delivery) -> models.QuerySet[Delivery]:
    """Return the delivery as long as nobody else has claimed it since we did."""
    return Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.QUEUED, attempts=delivery.attempts
    )


def _close(delivery: Delivery, state: DeliveryState, *, last_error: str = "") -> bool:
    """Set the final state unless another worker has taken the delivery over."""
    return bool(
        _mine(delivery).update(
            state=state,
            done_at=Now() if state == DeliveryState.SENT else None,
            leased_until=None,
            last_error=last_error,
        )
    )


def _audit(
    code: str,
    delivery: Delivery,
    *,
    to: DeliveryState,
    actor: AbstractBaseUser | None = None,
    reason: str = "",
) -> None:
    invoice = invoice_of(delivery.document)
    audit.record(
        code,
        actor=actor,
        subject=str(delivery.document),
        account_id=invoice.account_id,
        bill_group_id=invoice.bill_group_id,
        invoice_id=invoice.pk,
        before={"state": delivery.state},
        after={
            "state": to.value,
            "kind": delivery.kind,
            "recipient": delivery.recipient,
            "attempts": delivery.attempts,
        },
        reason=reason,
    )
