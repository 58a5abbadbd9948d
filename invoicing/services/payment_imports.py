"""Files of payments: checked and kept, then recorded as a whole or not at all (M4).

Recording locks the bill groups in the order of their ids and checks once more. The same
file is recorded once; the same payment once, told by its reference.
"""

from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models.functions import Now

from billing.services import audit
from contracts.services.uploads import (
    ImportNotDone,
    ImportRefused,
    digest,
    keep_file,
    new_file,
    taken_before,
)
from invoicing.models import PaymentImport
from invoicing.services.locks import limit_lock_waits, lock_bill_groups
from invoicing.services.payment_check import CheckedPayments, check_payments
from invoicing.services.payments import record_payment

# One file after the other: two uploads of one file can't both find it new.
SERIALIZE: Final = "SELECT pg_advisory_xact_lock(hashtext('invoicing.payment_import'))"


class PaymentFileRecorded(ImportNotDone):
    """The same file was recorded before."""

    def __init__(self, before: PaymentImport) -> None:
        at = before.recorded_at or before.uploaded_at
        super().__init__(taken_before(before, at=at, deed="recorded"))


@transaction.atomic
def upload_payments(
    *, content: bytes, file_name: str, actor: AbstractBaseUser | None, today: date
) -> PaymentImport:
    """Check a payments file and keep it: ready to record, or refused with its errors.

    Raises `PaymentFileRecorded` for one that was recorded before.
    """
    _refuse_second(content)
    checked = check_payments(content, today=today)
    upload = new_file(PaymentImport, content, file_name, actor)
    upload.sha256 = digest(content)
    return keep_file(upload, errors=checked.errors, summary=checked.as_dict())


@transaction.atomic
def record_payments(
    *, upload: PaymentImport, actor: AbstractBaseUser | None, today: date
) -> CheckedPayments:
    """Record a checked payments file: all of it or nothing (M4).

    Returns what was recorded. Raises `PaymentFileRecorded` and `ImportRefused`.
    """
    with connection.cursor() as cursor:
        cursor.execute(SERIALIZE)
    content = bytes(upload.content)
    _refuse_second(content)
    limit_lock_waits()
    found = check_payments(content, today=today)
    lock_bill_groups({item.group.pk for item in found.new})
    checked = check_payments(content, today=today)
    if checked.errors:
        raise ImportRefused(checked.errors)
    for item in checked.new:
        record_payment(
            bill_group=item.group,
            amount=item.row.amount,
            received_on=item.row.received_on,
            reference=item.row.reference,
            actor=actor,
            today=today,
            chosen=item.chosen,
        )
    PaymentImport.objects.filter(pk=upload.pk).update(
        state=PaymentImport.State.RECORDED,
        recorded_at=Now(),
        errors=[],
        summary=checked.as_dict(),
    )
    audit.record(
        "payment_import.applied",
        actor=actor,
        subject=str(upload),
        after={"payments": len(checked.new), "sha256": upload.sha256},
    )
    return checked


@transaction.atomic
def import_payments(
    *, content: bytes, file_name: str, actor: AbstractBaseUser | None, today: date
) -> CheckedPayments:
    """Upload and record a payments file at once; keeps nothing of one with errors.

    Raises `PaymentFileRecorded` and `ImportRefused`.
    """
    upload = upload_payments(
        content=content, file_name=file_name, actor=actor, today=today
    )
    return record_payments(upload=upload, actor=actor, today=today)


def _refuse_second(content: bytes) -> None:
    before = PaymentImport.objects.filter(
        sha256=digest(content), state=PaymentImport.State.RECORDED
    ).first()
    if before is not None:
        raise PaymentFileRecorded(before)
