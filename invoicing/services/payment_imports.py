"""Files of payments: checked and kept, then recorded as a whole or not at all (M4).

Recording locks the bill groups in the order of their ids and checks once more. The same
file is recorded once; the same payment once, told by its reference.
"""

import hashlib
from dataclasses import asdict
from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models.functions import Now

from billing.display import instant_text
from billing.services import audit
from contracts.domain.csv_file import RowError
from invoicing.models import PaymentImport
from invoicing.services.locks import limit_lock_waits, lock_bill_groups
from invoicing.services.payment_check import CheckedPayments, check_payments
from invoicing.services.payments import record_payment

MAX_FILE_NAME: Final = 200
# One file after the other: two uploads of one file can't both find it new.
SERIALIZE: Final = "SELECT pg_advisory_xact_lock(hashtext('invoicing.payment_import'))"


class PaymentsNotRecorded(ValueError):
    """A payments file of which nothing was recorded; the text says why."""


class PaymentFileRefused(PaymentsNotRecorded):
    """A file with errors; `errors` name every row that is wrong."""

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        self.errors = errors
        rows = len({error.line for error in errors})
        super().__init__(
            f"The file has errors in {rows} {'row' if rows == 1 else 'rows'}. Nothing "
            f"was recorded. The first: line {errors[0].line}, {errors[0].message}"
        )


class PaymentFileRecorded(PaymentsNotRecorded):
    """The same file was recorded before."""

    def __init__(self, before: PaymentImport) -> None:
        super().__init__(
            f"This file was recorded on {instant_text(before.recorded_at)} as "
            f"“{before}”. Nothing was changed."
        )


@transaction.atomic
def upload_payments(
    *, content: bytes, file_name: str, actor: AbstractBaseUser | None, today: date
) -> PaymentImport:
    """Check a payments file and keep it: ready to record, or refused with its errors.

    Raises `PaymentFileRecorded` for one that was recorded before.
    """
    _refuse_second(content)
    checked = check_payments(content, today=today)
    states = PaymentImport.State
    return PaymentImport.objects.create(
        file_name=file_name[-MAX_FILE_NAME:],
        content=content,
        sha256=_digest(content),
        state=states.REFUSED if checked.errors else states.CHECKED,
        errors=[asdict(error) for error in checked.errors],
        summary={} if checked.errors else checked.as_dict(),
        uploaded_by_id=actor.pk if actor else None,
    )


@transaction.atomic
def record_payments(
    *, upload: PaymentImport, actor: AbstractBaseUser | None, today: date
) -> CheckedPayments:
    """Record a checked payments file: all of it or nothing (M4).

    Returns what was recorded. Raises `PaymentFileRecorded` and `PaymentFileRefused`.
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
        raise PaymentFileRefused(checked.errors)
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

    Raises `PaymentFileRecorded` and `PaymentFileRefused`.
    """
    upload = upload_payments(
        content=content, file_name=file_name, actor=actor, today=today
    )
    return record_payments(upload=upload, actor=actor, today=today)


def _refuse_second(content: bytes) -> None:
    before = PaymentImport.objects.filter(
        sha256=_digest(content), state=PaymentImport.State.RECORDED
    ).first()
    if before is not None:
        raise PaymentFileRecorded(before)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
