"""Contract imports: a file is checked and kept, then imported once, as a whole (I1).

Whoever imports holds one lock for all imports: two people can't import at once, so a
checked file still fits while it is written.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg import errors

from billing.display import day_text
from billing.models import BillGroup, LegalEntity
from contracts.domain.csv_contracts import ParsedContract
from contracts.domain.csv_file import RowError, shown
from contracts.domain.csv_rows import parse_contracts
from contracts.models import ContractImport, ContractLine
from contracts.services.import_audit import PlacedContract
from contracts.services.import_check import CheckedFile, check_file, check_parsed
from contracts.services.import_facts import StoredFacts, read_facts
from contracts.services.import_fields import custom_keys
from contracts.services.import_rows import ImportWriter
from contracts.services.rows import next_ids
from contracts.services.uploads import (
    ImportNotDone,
    ImportRefused,
    digest,
    new_file,
    taken_before,
)

# Any number that nothing else locks; the lock ends with the transaction.
IMPORT_LOCK: Final = 4_917_203


class ImportRunning(ImportNotDone):
    """Somebody else is importing at this moment."""

    def __init__(self) -> None:
        super().__init__(
            "Another import is running. Nothing was imported here; try again when it "
            "has finished."
        )


class ImportDisturbed(ImportNotDone):
    """What the file makes was made by somebody else while it was imported."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody entered an account, bill group or contract of this file at the "
            "same moment. Nothing was imported; try again to see which."
        )


class ImportDateInFuture(ImportNotDone):
    """An import date that has not come."""

    def __init__(self, import_date: date, today: date) -> None:
        super().__init__(
            f"The import date {day_text(import_date)} lies in the future; today is "
            f"{day_text(today)}. "
            "Nothing was imported. Import on that day, or as of today or earlier."
        )


class BillGroupsInUse(ImportNotDone):
    """Known bill groups of the file that somebody else holds for too long."""

    def __init__(self) -> None:
        super().__init__(
            "Bill groups of this file are being invoiced at this moment. Nothing was "
            "imported; try again in a minute."
        )


def new_upload(
    *,
    content: bytes,
    file_name: str,
    legal_entity: LegalEntity,
    actor: AbstractBaseUser | None,
) -> ContractImport:
    """Return a contract import of a file, neither checked nor stored yet."""
    upload = new_file(ContractImport, content, file_name, actor)
    upload.legal_entity = legal_entity
    upload.sha256 = digest(content)
    return upload


def check_upload(upload: ContractImport) -> CheckedFile:
    """Check an uploaded file against what is stored, without writing (I1, I5)."""
    refusal = _imported_before(upload)
    if refusal is not None:
        return CheckedFile.refused(upload.legal_entity, refusal)
    return check_file(bytes(upload.content), legal_entity=upload.legal_entity)


@transaction.atomic
def apply_import(
    *,
    upload: ContractImport,
    actor: AbstractBaseUser | None,
    import_date: date,
    today: date,
) -> tuple[PlacedContract, ...]:
    """Import a file: everything in it, activated, or nothing (I1, I4).

    The file is checked again. Charges with a bill date before `import_date` are billed
    elsewhere (I2). An upload that is not stored yet is stored with the import. Raises
    `ImportNotDone` in one of its kinds.
    """
    if import_date > today:
        raise ImportDateInFuture(import_date, today)
    _lock_imports()
    refusal = _imported_before(upload)
    if refusal is not None:
        raise ImportRefused((refusal,))
    content = bytes(upload.content)
    parsed = parse_contracts(content)
    facts = _locked_facts(parsed.contracts)
    lines = sum(len(contract.lines) for contract in parsed.contracts)
    checked = check_parsed(
        parsed,
        facts=facts,
        keys=custom_keys(content),
        legal_entity=upload.legal_entity,
        line_ids=iter(next_ids(ContractLine, lines)),
    )
    if checked.errors:
        raise ImportRefused(checked.errors)

    _mark_imported(upload, import_date)
    writer = ImportWriter(
        checked, contract_import=upload, actor=actor, import_date=import_date
    )
    try:
        return tuple(writer.write())
    except IntegrityError as fault:
        if isinstance(fault.__cause__, errors.UniqueViolation):
            raise ImportDisturbed from fault
        raise


def _lock_imports() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORT_LOCK])
        if cursor.fetchone() != (True,):
            raise ImportRunning


def _locked_facts(contracts: Sequence[ParsedContract]) -> StoredFacts:
    """Read what is stored, with the bill groups that the file adds to locked."""
    facts = read_facts(contracts)
    if not facts.bill_groups:
        return facts
    ids = [group.pk for group in facts.bill_groups.values()]
    rows = BillGroup.objects.filter(pk__in=ids).order_by("pk")
    try:
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    except OperationalError as fault:
        if isinstance(fault.__cause__, errors.LockNotAvailable):
            raise BillGroupsInUse from fault
        raise
    return read_facts(contracts)


def _imported_before(upload: ContractImport) -> RowError | None:
    """Return the error of a file that was imported already (I1)."""
    earlier = (
        ContractImport.objects.filter(
            sha256=upload.sha256, state=ContractImport.State.IMPORTED
        )
        .select_related("uploaded_by")
        .defer("content")
        .first()
    )
    if earlier is None or earlier.imported_at is None:
        return None
    return RowError(
        line=1,
        column="",
        value=shown(upload.file_name),
        message=taken_before(
            earlier,
            at=earlier.imported_at,
            deed="imported",
            time_zone=upload.legal_entity.time_zone,
            more=f", with the import date {day_text(earlier.import_date)}",
        ),
    )


def _mark_imported(upload: ContractImport, import_date: date) -> None:
    if upload._state.adding:
        upload.state = ContractImport.State.CHECKED
        upload.save()
    ContractImport.objects.filter(pk=upload.pk).update(
        state=ContractImport.State.IMPORTED, import_date=import_date, imported_at=Now()
    )
    upload.refresh_from_db(fields=["state", "import_date", "imported_at"])
