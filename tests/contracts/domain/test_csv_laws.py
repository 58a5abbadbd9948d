"""Laws of contract files: written and read back the same; never anything but errors."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.bill_group import DeliveryMethod, InvoicingMode
from contracts.domain.csv_columns import KNOWN
from contracts.domain.csv_contracts import (
    ParsedBillGroup,
    ParsedContract,
    ParsedFile,
    ParsedLine,
)
from contracts.domain.csv_rows import parse_contracts
from contracts.domain.csv_terms import parsed_terms
from contracts.domain.decimals import format_decimal
from contracts.domain.terms import ChargeType, Proration, Timing, check_terms
from tests.contracts.domain.contract_csv import USAGE, contract_csv, row

TEXTS = st.sampled_from(
    [
        "Acme",
        "Müller & Söhne, GmbH",
        'Screen 17"',
        "'x'",
        '"',
        "=1+1",
        "a;b|c",
        "株式会社",
    ]
)


def days(first: date) -> st.SearchStrategy[date]:
    return st.integers(0, 2000).map(lambda number: first + timedelta(days=number))


def decimals(limit: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, limit * 1000).map(lambda number: Decimal(number) / 1000)


@st.composite
def lines(draw: st.DrawFn, number: int, months: list[int]) -> ParsedLine:
    kind = draw(st.sampled_from(ChargeType))
    is_usage, is_one_time = kind is ChargeType.USAGE, kind is ChargeType.ONE_TIME
    tiers = draw(st.sampled_from(["", "volume 5:2;*:1.5"])) if is_usage else ""
    timings = {
        ChargeType.USAGE: [Timing.ARREARS],
        ChargeType.ONE_TIME: [Timing.ADVANCE],
    }
    start = draw(st.none() | days(date(2026, 1, 1)))
    end = draw(st.none() | days(start or date(2026, 1, 1)))
    return ParsedLine(
        row=0,
        product=f"{draw(TEXTS)} {number}",
        description=draw(st.just("") | TEXTS),
        charge_type=kind,
        quantity=None if is_usage else draw(decimals(1000)),
        unit_price=None if tiers else draw(decimals(100_000)),
        discount_percent=draw(decimals(100)),
        months=None if is_one_time else draw(st.sampled_from(months)),
        timing=draw(st.sampled_from(timings.get(kind, list(Timing)))),
        proration=draw(st.sampled_from(Proration)),
        start=start,
        end=None if is_one_time else end,
        tax_percent=draw(st.none() | decimals(100)),
        included_quantity=draw(decimals(10)) if is_usage else Decimal(0),
        tiers=tiers,
    )


@st.composite
def groups(draw: st.DrawFn, number: int) -> ParsedBillGroup:
    optional = st.just("") | TEXTS
    return ParsedBillGroup(
        row=0,
        account_number=f"A-{number // 2}",
        account_name=f"Account {number // 2}",
        name=f"{draw(TEXTS)} {number}",
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        invoicing=draw(st.none() | st.sampled_from(InvoicingMode)),
        net_terms=draw(st.none() | st.integers(0, 365)),
        po_number=draw(optional),
        delivery=draw(st.none() | st.sampled_from(DeliveryMethod)),
        portal=draw(optional),
        bill_to=draw(optional),
        email=draw(st.sampled_from(["", "a@b.com"])),
        address_line1=draw(optional),
        address_line2=draw(optional),
        city=draw(optional),
        region=draw(optional),
        postal_code=draw(st.sampled_from(["", "01234", "SW1A 1AA"])),
        country=draw(st.sampled_from(["", "DE", "US"])),
    )


@st.composite
def contracts(draw: st.DrawFn) -> tuple[ParsedContract, ...]:
    some_groups = [draw(groups(number)) for number in range(draw(st.integers(1, 3)))]
    return tuple(
        draw(contracts_in(f"C-{number}", draw(st.sampled_from(some_groups))))
        for number in range(draw(st.integers(1, 3)))
    )


@st.composite
def contracts_in(
    draw: st.DrawFn, number: str, group: ParsedBillGroup
) -> ParsedContract:
    bill_month = draw(st.none() | st.integers(1, 12))
    months = [1, 2, 3, 4, 6, 12] if bill_month else [1, 3, 5, 18, 60]
    note = draw(st.just("") | TEXTS)
    return ParsedContract(
        row=0,
        number=number,
        bill_group=group,
        start=date(2026, 1, 1),
        end=draw(st.none() | days(date(2040, 1, 1))),
        bill_day=draw(st.none() | st.integers(1, 31)),
        bill_month=bill_month,
        custom_fields={"note": note} if note else {},
        lines=tuple(
            draw(lines(index, months)) for index in range(draw(st.integers(1, 3)))
        ),
    )


def written(value: object) -> str:
    if value is None:
        return ""
    return format_decimal(value) if isinstance(value, Decimal) else str(value).lower()


def rows_of(contract: ParsedContract) -> Iterator[dict[str, str]]:
    group = contract.bill_group
    head = {
        **{
            name: getattr(group, name)
            for name in ParsedBillGroup._fields
            if name in KNOWN
        },
        "bill_group": group.name,
        "contract_number": contract.number,
        "start_date": str(contract.start),
        "end_date": written(contract.end),
        "bill_day": written(contract.bill_day),
        "bill_month": written(contract.bill_month),
        "invoicing": written(group.invoicing),
        "delivery": written(group.delivery),
        "net_terms": written(group.net_terms),
        "cf:note": contract.custom_fields.get("note", ""),
    }
    for line in contract.lines:
        yield {
            **head,
            "product": line.product,
            "description": line.description,
            "charge_type": written(line.charge_type),
            "quantity": written(line.quantity),
            "unit_price": written(line.unit_price),
            "discount_percent": written(line.discount_percent),
            "frequency": "" if line.months is None else f"every:{line.months}",
            "timing": written(line.timing),
            "proration": written(line.proration),
            "line_start_date": written(line.start),
            "line_end_date": written(line.end),
            "tax_rate": written(line.tax_percent),
            "included_quantity": written(line.included_quantity),
            "tiers": line.tiers,
        }


def without_rows(contract: ParsedContract) -> ParsedContract:
    return contract._replace(
        row=0,
        bill_group=contract.bill_group._replace(row=0),
        lines=tuple(line._replace(row=0) for line in contract.lines),
    )


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(contracts())
def test_i5_written_contracts_read_back_the_same(
    sold: tuple[ParsedContract, ...],
) -> None:
    data = contract_csv(*(cells for contract in sold for cells in rows_of(contract)))

    parsed = parse_contracts(data)

    assert parsed.errors == ()
    assert tuple(without_rows(contract) for contract in parsed.contracts) == sold


CELLS = st.sampled_from(
    [
        *("", "0", "1", "31", "99.5", "1,5", "-1", "999999999999", "2026-01-31"),
        *("2026-12-31", "2125-01-01", "1900-01-01", "EUR", "JPY", "recurring", "usage"),
        *("one_time", "advance", "arrears", "daily", "none", "every:7", "annual", "DE"),
        *("volume *:1", "A-1", "a@b.com", "manual", "\u202e", "x" * 600, '"', "\n"),
    ]
)


def refused_or_plannable(parsed: ParsedFile) -> bool:
    for contract in parsed.contracts:
        check_terms(parsed_terms(contract, count(1)))
    return bool(parsed.errors) != bool(parsed.contracts)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*KNOWN, "cf:x", "y"]), CELLS)))
def test_any_cells_give_contracts_that_can_be_planned_or_errors(
    cells: list[dict[str, str]],
) -> None:
    data = contract_csv(*(row(**some) for some in cells), columns=[*KNOWN, "cf:x"])

    assert refused_or_plannable(parse_contracts(data))


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.integers(0, 600),
    st.sampled_from(
        [contract_csv(row(), row(product="Support")), contract_csv(row(**USAGE)), b""]
    ),
)
def test_any_bytes_give_contracts_or_errors(
    noise: bytes, position: int, data: bytes
) -> None:
    parsed = parse_contracts(data[:position] + noise + data[position:])

    assert refused_or_plannable(parsed)
    assert all(error.message.endswith(".") for error in parsed.errors)
    assert all("\0" not in error.value + error.message for error in parsed.errors)
