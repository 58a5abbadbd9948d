"""Store an amendment: what it changes, and the terms before and after (A1, A8).

What follows from it for charges and invoices is up to `invoicing.services.lifecycle`,
which alone calls this module and holds the locks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import F, Max

from billing.domain.dates import day_text
from billing.services.reasons import given
from contracts.domain.changes import Change, value_on
from contracts.domain.decimals import format_decimal
from contracts.domain.rating import InvalidTiers, parse_tiers
from contracts.domain.term_changes import LineEdit, NewLine, TermChanges
from contracts.domain.terms import (
    ChargeType,
    ContractStatus,
    ContractTerms,
    LineTerms,
    UnplannableTerms,
    check_terms,
)
from contracts.models import Amendment, Contract, ContractLine, LineChange
from contracts.queries import terms_of
from contracts.queries.terms import changes_of

ONE_DAY = timedelta(days=1)


class AmendmentRefused(ValueError):
    """A contract is not amended; the text says why and what to do (A8)."""


class StaleTerms(AmendmentRefused):
    """Someone else changed the contract since its terms were read (A8)."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(
            f"Contract {contract.number} was changed by someone else meanwhile. Look "
            "at its terms again, then amend them."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """The tiers and included quantity of a usage line, and what changes them."""

    tiers: str
    included_quantity: Decimal
    changes: tuple[Change, ...]

    def tiers_on(self, day: date) -> str:
        """Return the tiers of a day; empty: a price per unit."""
        return value_on(day, self.tiers, self.changes, lambda c: c.tiers)

    def included_on(self, day: date) -> Decimal:
        """Return the quantity that costs nothing on a day."""
        return value_on(
            day, self.included_quantity, self.changes, lambda c: c.included_quantity
        )

    def as_json(self, day: date) -> dict[str, str]:
        """Return both as they are on a day."""
        return {
            "tiers": self.tiers_on(day),
            "included_quantity": format_decimal(self.included_on(day)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAmendment:
    """An amendment with the terms on both sides of it."""

    amendment: Amendment
    before: ContractTerms
    after: ContractTerms


def store_amendment(
    *,
    contract: Contract,
    changes: TermChanges,
    effective_date: date,
    reason: str,
    actor: AbstractBaseUser | None,
) -> StoredAmendment:
    """Store what changes on a locked contract; its charges stay as they are.

    Raises `ReasonMissing` and `AmendmentRefused`.
    """
    reason = given(reason, kept_with="amendment")
    _check(contract, changes, effective_date)
    before = terms_of(contract)
    amendment = Amendment.objects.create(
        contract=contract,
        effective_date=effective_date,
        reason=reason,
        terms_before=terms_as_json(before, tariffs_of(contract)),
        made_by_id=None if actor is None else actor.pk,
    )
    lines = {line.pk: line for line in contract.lines.all()}
    for edit in changes.edits:
        _save(_line_change(amendment, edit, lines))
    position = contract.lines.aggregate(last=Max("position"))["last"] or 0
    for number, new in enumerate(changes.new_lines, start=position + 1):
        _save(_line(amendment, new, position=number))
    Contract.objects.filter(pk=contract.pk).update(version=F("version") + 1)
    after = terms_of(contract)
    try:
        check_terms(after)
    except UnplannableTerms as fault:
        raise AmendmentRefused(f"{fault} Nothing was changed.") from fault
    amendment.terms_after = terms_as_json(after, tariffs_of(contract))
    amendment.save(update_fields=["terms_after"])
    return StoredAmendment(amendment=amendment, before=before, after=after)


def _check(contract: Contract, changes: TermChanges, effective_date: date) -> None:
    if contract.status == ContractStatus.DRAFT:
        raise AmendmentRefused(
            f"Contract {contract.number} is a draft: edit it as it is, nothing was "
            "planned yet."
        )
    if changes.version != contract.version:
        raise StaleTerms(contract)
    if not changes.new_lines and all(edit.changes_nothing for edit in changes.edits):
        raise AmendmentRefused("Nothing is changed. Change a line, or add one.")
    last_day = contract.last_day or contract.end_date
    if effective_date < contract.start_date or (
        last_day is not None and effective_date > last_day
    ):
        through = f" to {day_text(last_day)}" if last_day else ", without end"
        raise AmendmentRefused(
            f"{day_text(effective_date)} lies outside the term of the contract, "
            f"{day_text(contract.start_date)}{through}. Choose a day inside it."
        )


def _line_change(
    amendment: Amendment, edit: LineEdit, lines: dict[int, ContractLine]
) -> LineChange:
    line = lines.get(edit.line_id)
    if line is None:
        raise AmendmentRefused("A changed line is not on this contract.")
    if edit.changes_nothing:
        raise AmendmentRefused(f"Nothing is changed of the line {line.product}.")
    if line.charge_type == ChargeType.USAGE and edit.quantity is not None:
        raise AmendmentRefused(
            f"The line {line.product} is billed by usage: it has no quantity."
        )
    if line.charge_type != ChargeType.USAGE and (
        edit.tiers is not None or edit.included_quantity is not None
    ):
        raise AmendmentRefused(
            f"The line {line.product} is not billed by usage: it has no tiers and "
            "includes nothing."
        )
    return LineChange(
        amendment=amendment,
        line=line,
        quantity=edit.quantity,
        unit_price=edit.unit_price,
        discount_percent=edit.discount_percent,
        included_quantity=edit.included_quantity,
        tiers=edit.tiers,
        last_day=amendment.effective_date - ONE_DAY if edit.ends else None,
    )


def _line(amendment: Amendment, new: NewLine, *, position: int) -> ContractLine:
    return ContractLine(
        contract=amendment.contract,
        position=position,
        product_id=new.product_id,
        description=new.description,
        charge_type=new.charge_type.value,
        timing=new.timing.value,
        frequency_months=new.frequency_months,
        quantity=new.quantity,
        unit_price=new.unit_price,
        discount_percent=new.discount_percent,
        included_quantity=new.included_quantity,
        tiers=new.tiers,
        proration=new.proration.value,
        tax_rate_id=new.tax_rate_id,
        start_date=amendment.effective_date,
        end_date=new.end_date,
        added_by=amendment,
    )


def _save(row: LineChange | ContractLine) -> None:
    """Store a row; what its columns don't take is refused in a sentence."""
    line = row if isinstance(row, ContractLine) else row.line
    try:
        row.clean_fields(
            exclude=[
                "tiers",
                *(f.name for f in row._meta.fields if getattr(row, f.attname) is None),
            ]
        )
        row.validate_constraints()
        if row.tiers:
            parse_tiers(row.tiers)
    except ValidationError as fault:
        raise AmendmentRefused(f"{line.product}: {' '.join(fault.messages)}") from fault
    except InvalidTiers as fault:
        raise AmendmentRefused(f"{line.product}: {fault}") from fault
    row.save()


def tariffs_of(contract: Contract) -> dict[int, Tariffs]:
    """Return how usage lines are rated on a day, by line id (P9)."""
    changes = changes_of(LineChange.objects.filter(line__contract=contract))
    return {
        line.pk: Tariffs(
            tiers=line.tiers,
            included_quantity=line.included_quantity,
            changes=tuple(changes.get(line.pk, ())),
        )
        for line in contract.lines.filter(charge_type=ChargeType.USAGE)
    }


def terms_as_json(
    terms: ContractTerms, tariffs: Mapping[int, Tariffs]
) -> dict[str, Any]:
    """Return terms with every stretch of every line, as they are kept (A1)."""
    return {
        "last_day": terms.last_day.isoformat() if terms.last_day else None,
        "lines": [
            _line_as_json(line, tariffs.get(line.line_id)) for line in terms.lines
        ],
    }


def _line_as_json(line: LineTerms, tariffs: Tariffs | None) -> dict[str, Any]:
    return {
        "line": line.line_id,
        "start": line.start.isoformat(),
        "last_day": line.last_day.isoformat() if line.last_day else None,
        "stretches": [
            {
                "from": stretch.from_date.isoformat(),
                "quantity": format_decimal(stretch.rates.quantity),
                "unit_price": format_decimal(stretch.rates.unit_price),
                "discount_percent": format_decimal(stretch.rates.discount_percent),
                **(tariffs.as_json(stretch.from_date) if tariffs else {}),
            }
            for stretch in line.stretches
        ],
    }
