"""The steps of documents through a customer's portal: submitted, accepted, disputed.

Every step names its day, is kept as history and leaves one audit entry (M5). Several
documents take a step in one transaction; one that can't is left out with the reason.
Paid is no step: it follows the invoice (see `domain.portal`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.services.audit import actor_fields, record
from billing.services.reasons import given
from customfields.domain.kinds import InvalidValue, Kind, is_blank, parse
from invoicing.domain.portal import (
    PortalState,
    StepDateImpossible,
    StepNotPossible,
    check_step,
    check_step_date,
)
from invoicing.models import PortalFile, PortalStep, PortalSubmission
from invoicing.services.locks import limit_lock_waits
from invoicing.services.portal_files import CheckedFile

LONGEST_REFERENCE: Final = 100
LONGEST_NOTE: Final = 2_000


class StepIncomplete(ValueError):
    """A step without what it must say, or with what nothing can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """The documents that took a step, and a sentence for each that could not."""

    done: tuple[PortalSubmission, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What somebody notes of several documents."""

    to: PortalState
    on: date
    reference: str = ""
    note: str = ""
    file: CheckedFile | None = None


def submit_documents(
    *,
    submissions: Collection[PortalSubmission],
    reference: str,
    on: date,
    actor: AbstractBaseUser,
    today: date,
    note: str = "",
    file: CheckedFile | None = None,
) -> StepTaken:
    """Note that documents were uploaded, with the portal's reference.

    Raises `StepIncomplete`.
    """
    said = checked_reference(reference)
    if not said:
        raise StepIncomplete(
            "Give the reference: the number that the portal shows for the upload."
        )
    step = _Step(
        to=PortalState.SUBMITTED,
        on=on,
        reference=said,
        note=checked_note(note),
        file=file,
    )
    return _take(step, submissions, actor=actor, today=today)


def accept_documents(
    *,
    submissions: Collection[PortalSubmission],
    on: date,
    actor: AbstractBaseUser,
    today: date,
    reference: str = "",
    note: str = "",
    file: CheckedFile | None = None,
) -> StepTaken:
    """Note that the portal, or the customer in it, accepted documents.

    Raises `StepIncomplete`.
    """
    step = _Step(
        to=PortalState.ACCEPTED,
        on=on,
        reference=checked_reference(reference),
        note=checked_note(note),
        file=file,
    )
    return _take(step, submissions, actor=actor, today=today)


def dispute_documents(
    *,
    submissions: Collection[PortalSubmission],
    reason: str,
    on: date,
    actor: AbstractBaseUser,
    today: date,
    file: CheckedFile | None = None,
) -> StepTaken:
    """Note that the portal or the customer rejected documents, and why.

    Raises `ReasonMissing` and `StepIncomplete`.
    """
    step = _Step(
        to=PortalState.DISPUTED,
        on=on,
        note=given(checked_note(reason), kept_with="document"),
        file=file,
    )
    return _take(step, submissions, actor=actor, today=today)


def withdraw_documents(
    *,
    submissions: Collection[PortalSubmission],
    reason: str,
    on: date,
    actor: AbstractBaseUser,
    today: date,
) -> StepTaken:
    """Take documents out of the worklist that are not uploaded (any more), and why.

    Raises `ReasonMissing` and `StepIncomplete`.
    """
    step = _Step(
        to=PortalState.WITHDRAWN,
        on=on,
        note=given(checked_note(reason), kept_with="document"),
    )
    return _take(step, submissions, actor=actor, today=today)


def checked_reference(text: str) -> str:
    """Return a portal's reference as it is stored; raises `StepIncomplete`."""
    if is_blank(text):
        return ""
    try:
        said = str(parse(Kind.TEXT, text))
    except InvalidValue as fault:
        raise StepIncomplete(f"The reference can't be used. {fault}") from None
    if len(said) > LONGEST_REFERENCE:
        raise StepIncomplete(
            f"The reference has more than {LONGEST_REFERENCE} characters."
        )
    return said


def checked_note(text: str) -> str:
    """Return a note as it is stored; raises `StepIncomplete`."""
    if is_blank(text):
        return ""
    try:
        said = str(parse(Kind.LONG_TEXT, text))
    except InvalidValue as fault:
        raise StepIncomplete(f"The note can't be used. {fault}") from None
    if len(said) > LONGEST_NOTE:
        raise StepIncomplete(f"The note has more than {LONGEST_NOTE:,} characters.")
    return said


@transaction.atomic
def _take(
    step: _Step,
    submissions: Collection[PortalSubmission],
    *,
    actor: AbstractBaseUser,
    today: date,
) -> StepTaken:
    """Lock the documents by id, and have those take the step that can."""
    limit_lock_waits()
    locked = (
        PortalSubmission.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=[submission.pk for submission in submissions])
        .order_by("pk")
    )
    list(locked.values_list("pk", flat=True))
    able: list[PortalSubmission] = []
    refused: list[str] = []
    for submission in locked.select_related("invoice", "credit_note"):
        try:
            _check(step, submission, today=today)
        except (StepNotPossible, StepDateImpossible) as refusal:
            refused.append(str(refusal))
        else:
            able.append(submission)
    if able:
        _store(step, able, actor)
    return StepTaken(done=tuple(able), refused=tuple(refused))


def _check(step: _Step, submission: PortalSubmission, *, today: date) -> None:
    check_step(
        str(submission),
        now=submission.standing,
        to=step.to,
        is_void=submission.is_void,
    )
    check_step_date(
        str(submission),
        step.on,
        issued=submission.issue_date,
        last=submission.step_date,
        today=today,
    )


def _store(
    step: _Step, submissions: list[PortalSubmission], actor: AbstractBaseUser
) -> None:
    by = str(actor_fields(actor)["actor_name"])
    file = _stored_file(step.file, by) if step.file else None
    PortalStep.objects.bulk_create(
        PortalStep(
            submission=submission,
            state=step.to.value,
            on=step.on,
            reference=step.reference,
            note=step.note,
            file=file,
            made_by_name=by,
        )
        for submission in submissions
    )
    for submission in submissions:
        before = {"state": submission.state, "reference": submission.reference}
        submission.state = step.to.value
        submission.step_date = step.on
        submission.reference = step.reference or submission.reference
        _audit(step, submission, before, file, actor)
    PortalSubmission.objects.bulk_update(
        submissions, ["state", "step_date", "reference"]
    )


def _audit(
    step: _Step,
    submission: PortalSubmission,
    before: dict[str, str],
    file: PortalFile | None,
    actor: AbstractBaseUser,
) -> None:
    after = {
        "state": submission.state,
        "reference": submission.reference,
        "on": step.on.isoformat(),
        "document": str(submission),
    }
    if file is not None:
        after |= {"file": file.name, "sha256": file.sha256}
    record(
        f"portal.{step.to.value.lower()}",
        actor=actor,
        subject=str(submission)[:200],
        account_id=submission.invoice.account_id,
        bill_group_id=submission.bill_group_id,
        invoice_id=submission.invoice_id,
        before=before,
        after=after,
        reason=step.note,
    )


def _stored_file(file: CheckedFile, by: str) -> PortalFile:
    return PortalFile.objects.create(
        name=file.name,
        content_type=file.content_type,
        content=file.content,
        sha256=file.sha256,
        uploaded_by_name=by,
    )
