"""Tax rates that a file names by their percent, held against those of Settings."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from billing.models import TaxRate, TaxRateStep
from contracts.domain.csv_contracts import ParsedContract
from contracts.domain.csv_file import RowError
from contracts.domain.decimals import format_decimal

# A tax rate that a file names by its percent holds since ever.
TAX_RATE_SINCE: Final = date(1900, 1, 1)


def tax_rate_name(percent: Decimal) -> str:
    """Return the name of the tax rate that a file names by its percent.

    >>> tax_rate_name(Decimal("19.0"))
    '19 %'
    """
    return f"{format_decimal(percent)} %"


def tax_rate_ids(percents: set[Decimal]) -> dict[Decimal | None, int]:
    """Return the ids of tax rates by percent; those not there yet are made."""
    names = {percent: tax_rate_name(percent) for percent in percents}
    known = dict(
        TaxRate.objects.filter(name__in=names.values()).values_list("name", "pk")
    )
    ids: dict[Decimal | None, int] = {}
    for percent, name in names.items():
        if name not in known:
            rate = TaxRate.objects.create(name=name)
            TaxRateStep.objects.create(
                tax_rate=rate, valid_from=TAX_RATE_SINCE, percent=percent
            )
            known[name] = rate.pk
        ids[percent] = known[name]
    return ids


def changed_tax_rates(contracts: Sequence[ParsedContract]) -> Iterator[RowError]:
    """Yield the rows whose tax percent is not what the rate of that name means (I5).

    A rate that an import made can be changed in Settings later; the file's percent
    would then silently bill another one.
    """
    changed = _changed(
        {
            line.tax_percent
            for contract in contracts
            for line in contract.lines
            if line.tax_percent is not None
        }
    )
    if not changed:
        return
    for contract in contracts:
        for line in contract.lines:
            if line.tax_percent in changed:
                name = tax_rate_name(line.tax_percent)
                yield RowError(
                    line=line.row,
                    column="tax_rate",
                    value=format_decimal(line.tax_percent),
                    message=f"The tax rate “{name}” of Settings is not "
                    f"{format_decimal(line.tax_percent)} percent on every day. Rename "
                    "or mend it there, then import again.",
                )


def _changed(percents: set[Decimal]) -> set[Decimal]:
    """Return the percents whose rate exists and means anything else, on any day."""
    by_name = {tax_rate_name(percent): percent for percent in percents}
    rates = TaxRate.objects.filter(name__in=by_name).prefetch_related("steps")
    changed = set()
    for rate in rates:
        steps = list(rate.steps.all())
        since = min((step.valid_from for step in steps), default=None)
        percent = by_name[rate.name]
        same = all(step.percent == percent for step in steps)
        if since is None or since > TAX_RATE_SINCE or not same:
            changed.add(percent)
    return changed
