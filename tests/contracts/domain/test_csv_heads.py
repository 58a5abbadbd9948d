"""What rows say of one account, bill group or contract must agree."""

import pytest

from tests.contracts.domain.contract_csv import contracts_of, errors_of, places, row

CONTRACT_CELLS = {
    "start_date": ("2026-01-01", "2026-02-01"),
    "end_date": ("2026-12-31", ""),
    "bill_day": ("1", "15"),
    "bill_month": ("", "4"),
    "cf:cost_center": ("K1", "K2"),
}
GROUP_CELLS = {
    "invoicing": ("automatic", "manual"),
    "net_terms": ("30", "14"),
    "po_number": ("PO-1", "PO-2"),
    "delivery": ("email", "portal"),
    "portal": ("Ariba", "Coupa"),
    "bill_to": ("Acme", "Acme Holding"),
    "email": ("a@acme.example", "b@acme.example"),
    "address_line1": ("Street 1", "Street 2"),
    "address_line2": ("", "Floor 2"),
    "city": ("Ely", "Bath"),
    "region": ("X", "Y"),
    "postal_code": ("1", "2"),
    "country": ("DE", "AT"),
}


def support(**cells: str) -> dict[str, str]:
    return row(product="Support", **cells)


@pytest.mark.parametrize(
    ("column", "values"), CONTRACT_CELLS.items(), ids=CONTRACT_CELLS
)
def test_rows_of_a_contract_must_agree(column: str, values: tuple[str, str]) -> None:
    first, second = values

    (error,) = errors_of(row(**{column: first}), support(**{column: second}))

    assert (error.line, error.column, error.value) == (3, column, second)
    assert error.message.startswith("Line 2 ")
    assert "for the same contract" in error.message


@pytest.mark.parametrize(("column", "values"), GROUP_CELLS.items(), ids=GROUP_CELLS)
def test_rows_of_a_bill_group_must_agree_across_contracts(
    column: str, values: tuple[str, str]
) -> None:
    first, second = values

    (error,) = errors_of(
        row(**{column: first}), row(contract_number="C-2", **{column: second})
    )

    assert (error.line, error.column, error.value) == (3, column, second)
    assert error.message.startswith("Line 2 ")
    assert "for the same bill group" in error.message


def test_rows_of_an_account_must_agree_across_bill_groups() -> None:
    (error,) = errors_of(
        row(),
        row(bill_group="Other", contract_number="C-2", account_name="Acme Inc"),
    )

    assert (error.line, error.column) == (3, "account_name")
    assert error.message == (
        "Line 2 says “Acme Ltd” for the same account. Correct one of the two."
    )


def test_m1_bill_group_has_one_currency() -> None:
    (error,) = errors_of(row(), row(contract_number="C-2", currency="USD"))

    assert (error.line, error.column, error.value) == (3, "currency", "USD")
    assert error.message == (
        "Line 2 is in EUR, but a bill group has one currency. Correct one of the two, "
        "or name another bill group."
    )


def test_accounts_may_name_their_bill_groups_alike() -> None:
    contracts = contracts_of(
        row(),
        row(
            account_number="A-2",
            account_name="Beta",
            contract_number="C-2",
            currency="USD",
            net_terms="14",
        ),
    )

    assert [contract.currency for contract in contracts] == ["EUR", "USD"]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        pytest.param(
            {"account_number": "A-2", "account_name": "Beta"},
            "account_number",
            id="account",
        ),
        pytest.param({"bill_group": "Other"}, "bill_group", id="bill_group"),
    ],
)
def test_contract_lies_in_one_bill_group(cells: dict[str, str], column: str) -> None:
    (error,) = errors_of(row(), support(**cells))

    assert (error.line, error.column) == (3, column)
    assert "for the same contract" in error.message


def test_every_row_that_contradicts_is_named_with_the_first_it_contradicts() -> None:
    errors = errors_of(
        row(net_terms="30"),
        support(net_terms="14"),
        row(product="Hosting", net_terms="14"),
        row(product="Training", net_terms="30"),
    )

    assert places(errors) == [(3, "net_terms"), (4, "net_terms")]
    assert all("Line 2 says “30”" in error.message for error in errors)


def test_blank_cell_contradicts_a_filled_one() -> None:
    (error,) = errors_of(row(net_terms=""), support(net_terms="30"))

    assert error.message == (
        "Line 2 leaves this blank for the same bill group. Correct one of the two."
    )


def test_cell_that_cannot_be_read_is_named_in_every_row_and_contradicts_none() -> None:
    errors = errors_of(
        row(email="acme"), support(email="acme"), row(product="X", email="a@b.com")
    )

    assert places(errors) == [(2, "email"), (3, "email")]


def test_words_are_shown_as_they_are_written_in_files() -> None:
    (error,) = errors_of(row(delivery="portal"), support(delivery="none"))

    assert "says “portal”" in error.message


def test_one_value_written_in_two_ways_agrees() -> None:
    contracts_of(row(net_terms="30"), support(net_terms=" 030 "))


def test_many_contracts_are_remembered_well_beyond_the_remembered_cells() -> None:
    rows = [
        row(
            contract_number=f"C-{number}",
            account_number=f"A-{number}",
            net_terms=str(number % 30),
        )
        for number in range(2_500)
    ]
    again = [{**cells, "product": "Support"} for cells in rows]

    contracts = contracts_of(*rows, *again)

    assert [contract.number for contract in contracts] == [
        cells["contract_number"] for cells in rows
    ]
    assert all(len(contract.lines) == 2 for contract in contracts)
