"""I1, I5: a contract file is read whole, or everything that is wrong is named."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest

from billing.domain.bill_group import DeliveryMethod, InvoicingMode
from contracts.domain.csv_columns import KNOWN
from contracts.domain.csv_contracts import (
    ParsedBillGroup,
    ParsedContract,
    ParsedLine,
)
from contracts.domain.csv_rows import parse_contracts
from contracts.domain.terms import ChargeType, Proration, Timing
from tests.contracts.domain.contract_csv import (
    USAGE,
    contract_csv,
    contracts_of,
    errors_of,
    places,
    row,
)

FULL = {
    "account_number": "A-1",
    "account_name": "Müller & Söhne, GmbH",
    "bill_group": "Main",
    "contract_number": "C-1",
    "start_date": "2026-01-31",
    "end_date": "2028-12-31",
    "bill_day": "31",
    "bill_month": "1",
    "currency": "CHF",
    "product": 'Screen 17" "HD"',
    "description": "Rent, per month",
    "charge_type": "recurring",
    "quantity": "3",
    "unit_price": "19.990000",
    "discount_percent": "12.5",
    "frequency": "quarterly",
    "timing": "arrears",
    "proration": "none",
    "line_start_date": "2026-02-01",
    "line_end_date": "2027-12-31",
    "invoicing": "manual",
    "net_terms": "45",
    "po_number": "PO 7/8",
    "delivery": "both",
    "portal": "Ariba",
    "bill_to": "Müller Holding",
    "email": "rechnung@mueller.example",
    "address_line1": "Weg 1",
    "address_line2": "Haus B",
    "city": "Zürich",
    "region": "ZH",
    "postal_code": "8001",
    "country": "CH",
    "tax_rate": "8.1",
    "included_quantity": "",
    "tiers": "",
    "cf:cost_center": "K 12",
    "cf:note": "",
}


def test_i5_every_column_is_read() -> None:
    (contract,) = contracts_of(FULL)

    assert set(FULL) >= set(KNOWN)
    assert contract == ParsedContract(
        row=2,
        number="C-1",
        bill_group=ParsedBillGroup(
            row=2,
            account_number="A-1",
            account_name="Müller & Söhne, GmbH",
            name="Main",
            currency="CHF",
            invoicing=InvoicingMode.MANUAL,
            net_terms=45,
            po_number="PO 7/8",
            delivery=DeliveryMethod.BOTH,
            portal="Ariba",
            bill_to="Müller Holding",
            email="rechnung@mueller.example",
            address_line1="Weg 1",
            address_line2="Haus B",
            city="Zürich",
            region="ZH",
            postal_code="8001",
            country="CH",
        ),
        start=date(2026, 1, 31),
        end=date(2028, 12, 31),
        bill_day=31,
        bill_month=1,
        custom_fields={"cost_center": "K 12"},
        lines=(
            ParsedLine(
                row=2,
                product='Screen 17" "HD"',
                description="Rent, per month",
                charge_type=ChargeType.RECURRING,
                quantity=Decimal(3),
                unit_price=Decimal("19.99"),
                discount_percent=Decimal("12.5"),
                months=3,
                timing=Timing.ARREARS,
                proration=Proration.NONE,
                start=date(2026, 2, 1),
                end=date(2027, 12, 31),
                tax_percent=Decimal("8.1"),
                included_quantity=Decimal(0),
                tiers="",
            ),
        ),
    )


def test_i5_required_columns_are_enough() -> None:
    (contract,) = contracts_of(row())

    group = contract.bill_group
    assert (contract.end, contract.bill_day, contract.bill_month) == (None, None, None)
    assert (group.invoicing, group.delivery, group.net_terms) == (None, None, None)
    assert group.po_number == group.email == group.country == ""
    assert contract.custom_fields == {}


def test_rows_of_a_contract_may_stand_anywhere() -> None:
    contracts = contracts_of(
        row(),
        row(contract_number="C-2"),
        row(product="Support"),
        row(contract_number="C-2", **USAGE),
    )

    assert [
        (contract.row, contract.number, [line.row for line in contract.lines])
        for contract in contracts
    ] == [(2, "C-1", [2, 4]), (3, "C-2", [3, 5])]


def test_contracts_share_the_object_of_their_bill_group() -> None:
    first, second, other = contracts_of(
        row(),
        row(contract_number="C-2"),
        row(contract_number="C-3", bill_group="Other"),
    )

    assert first.bill_group is second.bill_group
    assert first.bill_group is not other.bill_group


def test_file_object_is_read() -> None:
    data = contract_csv(row())

    assert parse_contracts(BytesIO(data)) == parse_contracts(data)


def test_byte_order_mark_and_line_ends_change_nothing() -> None:
    data = contract_csv(row(), row(contract_number="C-2"))

    assert parse_contracts(b"\xef\xbb\xbf" + data) == parse_contracts(data)
    assert parse_contracts(data.replace(b"\r\n", b"\n")) == parse_contracts(data)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\n,\n", "empty", id="blank_rows"),
        pytest.param(contract_csv(columns=list(row())), "no rows", id="header_only"),
        pytest.param(
            contract_csv(columns=list(row())) + b",,\n \n", "no rows", id="header_blank"
        ),
    ],
)
def test_file_without_rows_is_refused(data: bytes, complaint: str) -> None:
    (error,) = parse_contracts(data).errors

    assert (error.line, error.column) == (1, "")
    assert complaint in error.message


def test_header_with_an_unclosed_quote_is_refused_without_reading_on() -> None:
    data = contract_csv(row()).replace(b"product", b'"product')

    (error,) = parse_contracts(data).errors

    assert error.line == 1


@pytest.mark.parametrize(
    ("line", "cells"), [("A-1,Acme", 2), ("A-1" + ",x" * 20, 21)], ids=["few", "many"]
)
def test_row_with_another_number_of_cells_is_named(line: str, cells: int) -> None:
    data = contract_csv(row()) + f"{line}\r\n".encode()

    (error,) = parse_contracts(data).errors

    assert (error.line, error.column, error.value) == (3, "", line)
    assert f"has {cells} cells, the header 10" in error.message


def test_repeated_row_is_named_with_the_row_it_repeats() -> None:
    (error,) = errors_of(row(), row(contract_number="C-2"), row())

    assert (error.line, error.column) == (4, "product")
    assert "repeats line 2" in error.message


def test_like_rows_of_different_contracts_or_descriptions_are_no_repetition() -> None:
    contracts_of(
        row(description=""),
        row(description="Second site"),
        row(description="", contract_number="C-2"),
    )


def test_every_faulty_row_is_named_and_no_contract_given() -> None:
    parsed = parse_contracts(
        contract_csv(
            row(),
            row(contract_number="C-2", quantity="1,5"),
            row(contract_number="C-3"),
            row(contract_number="C-4", start_date="31.01.2026", unit_price=""),
            row(contract_number=""),
        )
    )

    assert places(parsed.errors) == [
        (3, "quantity"),
        (5, "start_date"),
        (5, "unit_price"),
        (6, "contract_number"),
    ]
    assert parsed.contracts == ()


def test_faults_above_and_below_an_unclosed_quote_are_named_too() -> None:
    data = contract_csv(row(quantity="x"), row(), row(unit_price="x"))
    lines = data.splitlines(keepends=True)
    lines[2] = lines[2].replace(b"Licence", b'"Licence')

    errors = parse_contracts(b"".join(lines)).errors

    assert places(errors) == [(2, "quantity"), (3, "product"), (4, "unit_price")]


def test_faulty_contract_number_leaves_nothing_to_repeat() -> None:
    errors = errors_of(row(contract_number=""), row(contract_number=""))

    assert places(errors) == [(2, "contract_number"), (3, "contract_number")]


def test_contract_has_as_many_lines_as_can_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contracts.domain.csv_rows.MAX_LINES", 2)
    lines = [row(), row(product="Support")]
    contracts_of(*lines)

    (error,) = errors_of(*lines, row(product="One more"))

    assert (error.line, error.column) == (4, "contract_number")
    assert "more than 2 lines" in error.message


def test_beyond_very_many_errors_each_row_is_still_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contracts.domain.csv_rows._ENOUGH_ERRORS", 5)
    faulty = row(start_date="x", quantity="x", unit_price="x")

    errors = errors_of(*[faulty] * 5)

    assert [error.line for error in errors] == [2, 2, 2, 3, 3, 4, 5, 6]
