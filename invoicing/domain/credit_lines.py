"""The lines and the tax of a credit note (A9).

What a credit takes of a tax rate, it takes of its net amount and of its tax in one
proportion, each counted from what earlier credits left. So the last credit of a rate
takes what is left of both, and no cent stays.

Amounts come in and go out rounded to the currency's minor unit. A line without a rate
bears no tax.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.domain.money import EXACT, round_money
from invoicing.domain.credit import NotCreditable
from invoicing.domain.totals import TaxLine

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditableLine:
    """An invoice line with the net amount that credits left of it."""

    line_id: int
    tax_percent: Decimal | None
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Creditable:
    """What credits left of an invoice: its lines, and the tax of each rate."""

    lines: tuple[CreditableLine, ...]
    tax_left: Mapping[Decimal, Decimal]
    currency: str

    def of_rate(self, percent: Decimal | None) -> tuple[CreditableLine, ...]:
        """Return the lines of one rate; None: those that bear no tax."""
        return tuple(line for line in self.lines if line.tax_percent == percent)

    @property
    def total(self) -> Decimal:
        """All that is left, tax included."""
        return sum((line.left for line in self.lines), _ZERO) + sum(
            self.tax_left.values(), _ZERO
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedLine:
    """What a credit takes of one invoice line, net."""

    line_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSums:
    """A credit note's lines and sums; `taxes` has the highest rate first."""

    lines: tuple[CreditedLine, ...]
    taxes: tuple[TaxLine, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal


def credit_of_lines(
    creditable: Creditable, amounts: Mapping[int, Decimal]
) -> CreditSums:
    """Credit chosen net amounts by line id, with the tax that goes with them.

    Raises `NotCreditable` for a line of another invoice, an amount that is not
    positive or has too many digits, and more than is left of a line.
    """
    lines = {line.line_id: line for line in creditable.lines}
    for line_id, amount in amounts.items():
        if line_id not in lines:
            raise NotCreditable("A chosen line is not on this invoice.")
        _check_amount(amount, lines[line_id].left, creditable.currency)
    if not amounts:
        raise NotCreditable("No line is chosen. Enter an amount for at least one.")
    net: defaultdict[Decimal | None, Decimal] = defaultdict(Decimal)
    for line_id, amount in amounts.items():
        net[lines[line_id].tax_percent] += amount
    tax = {
        percent: _tax_of(creditable, percent, taken)
        for percent, taken in net.items()
        if percent is not None
    }
    ordered = [line.line_id for line in creditable.lines if line.line_id in amounts]
    return _sums(
        [CreditedLine(line_id=key, amount=amounts[key]) for key in ordered],
        net,
        tax,
        creditable.currency,
    )


def credit_of_amount(creditable: Creditable, amount: Decimal) -> CreditSums:
    """Credit an amount with its tax, spread over all that is left in proportion.

    Raises `NotCreditable` for an amount that is not positive, has too many digits, or
    exceeds what is left.

    >>> left = Creditable(
    ...     lines=(CreditableLine(line_id=1, tax_percent=Decimal(19),
    ...                           left=Decimal("10.00")),),
    ...     tax_left={Decimal(19): Decimal("1.90")}, currency="EUR")
    >>> sums = credit_of_amount(left, Decimal("5.00"))
    >>> sums.subtotal, sums.tax, sums.total
    (Decimal('4.20'), Decimal('0.80'), Decimal('5.00'))
    """
    currency = creditable.currency
    _check_amount(amount, creditable.total, currency)
    percents = list(dict.fromkeys(line.tax_percent for line in creditable.lines))
    left = [_left_of_rate(creditable, percent) for percent in percents]
    lines: list[CreditedLine] = []
    net: dict[Decimal | None, Decimal] = {}
    tax: dict[Decimal, Decimal] = {}
    shares = shared(amount, left, currency)
    for percent, share, whole in zip(percents, shares, left, strict=True):
        net[percent] = share
        if percent is not None:
            tax_left = creditable.tax_left[percent]
            tax[percent] = _proportion(tax_left, share, whole, currency)
            net[percent] -= tax[percent]
        lines.extend(_spread(creditable.of_rate(percent), net[percent], currency))
    positions = {line.line_id: at for at, line in enumerate(creditable.lines)}
    lines.sort(key=lambda line: positions[line.line_id])
    return _sums(lines, net, tax, currency)


def shared(
    amount: Decimal, weights: Sequence[Decimal], currency: str
) -> tuple[Decimal, ...]:
    """Split an amount in proportion to weights, rounded; the parts sum to it.

    Parts are differences of rounded running shares, so none exceeds its weight as long
    as the amount does not exceed their sum.

    >>> [str(part) for part in shared(Decimal("1.00"), [Decimal(1)] * 3, "EUR")]
    ['0.33', '0.34', '0.33']
    """
    whole = sum(weights, _ZERO)
    parts = []
    running = given = _ZERO
    for weight in weights:
        running += weight
        through = _proportion(amount, running, whole, currency)
        parts.append(through - given)
        given = through
    return tuple(parts)


def _check_amount(amount: Decimal, left: Decimal, currency: str) -> None:
    if not amount.is_finite() or amount <= 0:
        raise NotCreditable("A credit is more than zero. Enter what to credit.")
    if amount > left:
        raise NotCreditable(f"Only {left} is left to credit there, not {amount}.")
    if round_money(amount, currency) != amount:
        raise NotCreditable(f"{amount} has more digits than {currency}.")


def _left_of_rate(creditable: Creditable, percent: Decimal | None) -> Decimal:
    net = sum((line.left for line in creditable.of_rate(percent)), _ZERO)
    return net if percent is None else net + creditable.tax_left[percent]


def _tax_of(creditable: Creditable, percent: Decimal, net: Decimal) -> Decimal:
    taxable_left = sum((line.left for line in creditable.of_rate(percent)), _ZERO)
    tax_left = creditable.tax_left[percent]
    return _proportion(tax_left, net, taxable_left, creditable.currency)


def _spread(
    lines: Sequence[CreditableLine], net: Decimal, currency: str
) -> Iterator[CreditedLine]:
    parts = shared(net, [line.left for line in lines], currency)
    for line, part in zip(lines, parts, strict=True):
        if part:
            yield CreditedLine(line_id=line.line_id, amount=part)


def _proportion(
    amount: Decimal, part: Decimal, whole: Decimal, currency: str
) -> Decimal:
    """Return amount * part / whole, rounded once; zero of nothing."""
    if not whole:
        return round_money(_ZERO, currency)
    share = EXACT.divide(EXACT.multiply(amount, part), whole)
    return round_money(share, currency)


def _sums(
    lines: Iterable[CreditedLine],
    net: Mapping[Decimal | None, Decimal],
    tax: Mapping[Decimal, Decimal],
    currency: str,
) -> CreditSums:
    subtotal = round_money(sum(net.values(), _ZERO), currency)
    all_tax = round_money(sum(tax.values(), _ZERO), currency)
    return CreditSums(
        lines=tuple(lines),
        taxes=tuple(
            TaxLine(percent=percent, taxable=net[percent], tax=of_rate)
            for percent, of_rate in sorted(tax.items(), reverse=True)
            if of_rate or net[percent]
        ),
        subtotal=subtotal,
        tax=all_tax,
        total=subtotal + all_tax,
    )
