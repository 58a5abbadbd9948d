"""Usage files: checked and kept, then recorded as a whole or not at all (P9).

A row has to fit as usage recorded by form has to; all rows are judged with what a few
statements read. A row whose key is recorded already, with the same data, changes
nothing, so a file can be sent again. Recording locks the contracts and then their bill
groups, as the run does, and checks once more.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from psycopg import errors as database_errors

from billing.models import BillGroup
from billing.services import audit
from contracts.domain.csv_file import RowError, shown
from contracts.domain.decimals import format_decimal
from contracts.domain.terms import LIVE_STATES, ChargeState
from contracts.domain.usage_csv import UsageRow, parse_usage
from contracts.models import (
    Contract,
    ContractLine,
    ScheduledCharge,
    UsageImport,
    UsageRecord,
)
from contracts.services.uploads import (
    ImportNotDone,
    ImportRefused,
    keep_file,
    new_file,
)
from contracts.services.usage import (
    UsageRefused,
    check_in_force,
    check_period,
    check_same,
    check_usage,
    reopen_period,
)

LINES_SHOWN: Final = 200
INSERTED_AT_ONCE: Final = 2_000


class UsageFileRecorded(ImportNotDone):
    """An upload that was recorded before."""

    def __init__(self, upload: UsageImport) -> None:
        super().__init__(f"{upload} was recorded already. Nothing was changed.")


class UsageFileDisturbed(ImportNotDone):
    """A key of the file that somebody else used while it was recorded."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody recorded usage with a key of this file at the same moment. "
            "Nothing was recorded; try again to see which."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUsage:
    """A row to record, with its line and the charge of its period."""

    row: UsageRow
    line: ContractLine
    charge: ScheduledCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUsage:
    """What a file would record: new rows, and how many are recorded already."""

    new: tuple[NewUsage, ...]
    repeated: int
    errors: tuple[RowError, ...]

    @property
    def reopened(self) -> tuple[ScheduledCharge, ...]:
        """The periods marked invoiced at zero that become pending again."""
        charges = {
            item.charge.pk: item.charge
            for item in self.new
            if item.charge.state == ChargeState.INVOICED
        }
        return tuple(charges[pk] for pk in sorted(charges))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON, as they are kept with an upload."""
        lines: defaultdict[ContractLine, list[Decimal]] = defaultdict(list)
        for item in self.new:
            lines[item.line].append(item.row.quantity)
        return {
            "records": len(self.new),
            "repeated": self.repeated,
            "reopened": len(self.reopened),
            "contracts": len({line.contract_id for line in lines}),
            "lines": [
                {
                    "contract": line.contract.number,
                    "line": line.position,
                    "product": line.product.name,
                    "records": len(quantities),
                    "quantity": format_decimal(sum(quantities, Decimal(0))),
                }
                for line, quantities in list(lines.items())[:LINES_SHOWN]
            ],
            "more_lines": max(len(lines) - LINES_SHOWN, 0),
        }


def check_usage_file(content: bytes) -> CheckedUsage:
    """Check a usage file against what is stored, without writing (P9)."""
    parsed = parse_usage(content)
    facts = _Facts(parsed.rows)
    errors = list(parsed.errors)
    new: list[NewUsage] = []
    seen: dict[str, UsageRow] = {}
    repeated = 0
    for row in parsed.rows:
        judged = _judge(row, facts, seen.get(row.idempotency_key))
        seen.setdefault(row.idempotency_key, row)
        if isinstance(judged, RowError):
            errors.append(judged)
        elif judged is None:
            repeated += 1
        else:
            new.append(judged)
    errors.sort(key=lambda error: error.line)
    return CheckedUsage(new=tuple(new), repeated=repeated, errors=tuple(errors))


@transaction.atomic
def upload_usage(
    *, content: bytes, file_name: str, actor: AbstractBaseUser | None
) -> UsageImport:
    """Check a usage file and keep it: ready to record, or refused with its errors."""
    checked = check_usage_file(content)
    return keep_file(
        new_file(UsageImport, content, file_name, actor),
        errors=checked.errors,
        summary=checked.as_dict(),
    )


@transaction.atomic
def record_usage_file(
    *, upload: UsageImport, actor: AbstractBaseUser | None
) -> CheckedUsage:
    """Record a checked usage file: all of it or nothing (P9).

    Returns what was recorded. Raises `UsageFileRecorded` and `ImportRefused`.
    """
    upload = UsageImport.objects.select_for_update(no_key=True).get(pk=upload.pk)
    if upload.state == UsageImport.State.RECORDED:
        raise UsageFileRecorded(upload)
    recorded = import_usage(
        content=bytes(upload.content), file_name=upload.file_name, actor=actor
    )
    UsageImport.objects.filter(pk=upload.pk).update(
        state=UsageImport.State.RECORDED,
        recorded_at=Now(),
        summary=recorded.as_dict(),
    )
    return recorded


@transaction.atomic
def import_usage(
    *, content: bytes, file_name: str, actor: AbstractBaseUser | None
) -> CheckedUsage:
    """Record the rows of a usage file that are not recorded yet (P9).

    All of them or none; returns what was recorded. Raises `ImportRefused` and
    `UsageFileDisturbed`.
    """
    _lock(check_usage_file(content).new)
    checked = check_usage_file(content)
    if checked.errors:
        raise ImportRefused(checked.errors)
    for charge in checked.reopened:
        reopen_period(charge, actor)
    _write(checked.new, actor)
    audit.record(
        "usage.imported",
        actor=actor,
        subject=shown(file_name),
        after={
            "records": len(checked.new),
            "repeated": checked.repeated,
            "reopened": len(checked.reopened),
        },
    )
    return checked


def _write(new: Sequence[NewUsage], actor: AbstractBaseUser | None) -> None:
    records = [
        UsageRecord(
            line=item.line,
            usage_date=item.row.usage_date,
            quantity=item.row.quantity,
            idempotency_key=item.row.idempotency_key,
            recorded_by_id=actor.pk if actor else None,
        )
        for item in new
    ]
    try:
        UsageRecord.objects.bulk_create(records, batch_size=INSERTED_AT_ONCE)
    except IntegrityError as fault:
        if isinstance(fault.__cause__, database_errors.UniqueViolation):
            raise UsageFileDisturbed from fault
        raise


def _lock(new: Sequence[NewUsage]) -> None:
    contracts = {item.line.contract_id for item in new}
    groups = {item.charge.bill_group_id for item in new}
    for model, ids in ((Contract, contracts), (BillGroup, groups)):
        rows = model._default_manager.filter(pk__in=ids).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


class _Facts:
    """What is stored about the rows of a file, read in four statements."""

    def __init__(self, rows: Sequence[UsageRow]) -> None:
        numbers = {row.contract_number for row in rows}
        lines = (
            ContractLine.objects.filter(contract__number__in=numbers)
            .select_related("contract", "product")
            .order_by("pk")
        )
        self.contracts: set[str] = set()
        self.lines: dict[tuple[str, int], ContractLine] = {}
        for line in lines:
            self.contracts.add(line.contract.number)
            self.lines[line.contract.number, line.position] = line
        named = {(row.contract_number, row.position) for row in rows}
        wanted = {line.pk for place, line in self.lines.items() if place in named}
        self._charges = _live_charges(wanted, rows)
        self.recorded: Mapping[str, UsageRecord] = {
            record.idempotency_key: record
            for record in UsageRecord.objects.filter(
                idempotency_key__in={row.idempotency_key for row in rows}
            ).select_related("line__contract", "line__product")
        }

    def charge_on(self, line: ContractLine, day: date) -> ScheduledCharge | None:
        """Return the live charge that stands for a day of a line."""
        charges = self._charges.get(line.pk, [])
        place = bisect_right(charges, day, key=lambda charge: charge.period_start)
        charge = charges[place - 1] if place else None
        return charge if charge is not None and day <= charge.period_end else None


def _live_charges(
    line_ids: Collection[int], rows: Sequence[UsageRow]
) -> dict[int, list[ScheduledCharge]]:
    charges: defaultdict[int, list[ScheduledCharge]] = defaultdict(list)
    if not line_ids:
        return charges
    days = [row.usage_date for row in rows]
    for charge in (
        ScheduledCharge.objects.filter(
            contract_line__in=line_ids,
            period_start__lte=max(days),
            period_end__gte=min(days),
            state__in=LIVE_STATES,
            late_for__isnull=True,
        )
        .select_related("contract", "bill_group", "invoice_line__invoice")
        .order_by("contract_line_id", "period_start")
    ):
        charges[charge.contract_line_id].append(charge)
    return charges


def _judge(
    row: UsageRow, facts: _Facts, earlier: UsageRow | None
) -> NewUsage | RowError | None:
    """Return what to record, or what is wrong; None: it is recorded already."""
    if row.contract_number not in facts.contracts:
        return _error(row, "contract_number", "There is no contract with this number.")
    line = facts.lines.get((row.contract_number, row.position))
    if line is None:
        return _error(row, "line", f"{row.contract_number} has no such line.")
    if earlier is not None:
        if _data(earlier) == _data(row):
            return None
        return _error(
            row,
            "idempotency_key",
            f"Line {earlier.line} has the same key with other data. Give each record "
            "a key of its own.",
        )
    column = "line"
    try:
        check_usage(line, row.quantity, row.idempotency_key)
        column = "idempotency_key"
        recorded = facts.recorded.get(row.idempotency_key)
        if recorded is not None:
            check_same(recorded, line.pk, row.usage_date, row.quantity)
            return None
        column = "contract_number"
        check_in_force(line.contract)
        column = "usage_date"
        charge = check_period(
            line, row.usage_date, facts.charge_on(line, row.usage_date)
        )
    except UsageRefused as refused:
        return _error(row, column, str(refused))
    return NewUsage(row=row, line=line, charge=charge)


def _data(row: UsageRow) -> tuple[str, int, date, Decimal]:
    return (row.contract_number, row.position, row.usage_date, row.quantity)


def _error(row: UsageRow, column: str, message: str) -> RowError:
    values = {
        "contract_number": row.contract_number,
        "line": str(row.position),
        "usage_date": row.usage_date.isoformat(),
        "idempotency_key": row.idempotency_key,
    }
    return RowError(
        line=row.line, column=column, value=shown(values[column]), message=message
    )
