"""The plan of a contract is seen while it is typed; nothing is written (P1)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import AuditEvent
from contracts.admin.plan_preview import PlanPreview
from contracts.models import Contract, ContractLine, ScheduledCharge
from tests.contracts.admin.test_contract import form, line
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company, draft_contract, person

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/contracts/contract/preview/"
FRAGMENT = {"X-Fragment": "1"}


@pytest.fixture(autouse=True)
def new_year() -> Iterator[None]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        yield


def preview(*lines: dict[str, Any], **fields: Any) -> PlanPreview:
    group = BillGroupFactory.create(legal_entity=company())
    given = form(*lines, **({"bill_group": group.public_id} | fields))
    answer = client_of("Finance clerk").post(PREVIEW, given, headers=FRAGMENT)
    assert answer.status_code == 200
    found: PlanPreview = answer.context["preview"]
    return found


def test_plan_of_what_is_typed_is_shown_and_nothing_is_written() -> None:
    """P1."""
    found = preview(
        line(0),
        line(1, charge_type="ONE_TIME", unit_price="4800"),
        line(2, charge_type="USAGE", quantity="", unit_price="0.1"),
    )

    assert found.problems == ()
    assert (found.charges, found.usage, found.total) == (25, 12, Decimal(6000))
    assert len(found.rows) == 25
    assert not Contract.objects.exists()
    assert not ContractLine.objects.exists()
    assert not ScheduledCharge.objects.exists()
    assert not AuditEvent.objects.filter(code__startswith="contract.").exists()


def test_line_that_is_to_be_deleted_says_nothing() -> None:
    deleted = line(1, unit_price="") | {"lines-1-DELETE": "on"}

    found = preview(line(0), deleted)

    assert (found.problems, found.charges) == ((), 12)


def test_sign_that_the_database_cannot_take_is_refused() -> None:
    found = preview(line(0), bill_group="\x00")

    assert found.problems == ("Bill group: Null characters are not allowed.",)


def test_contract_number_may_still_be_missing() -> None:
    assert preview(line(0), number="").charges == 12


def test_long_plan_is_cut_and_says_how_much_more_there_is() -> None:
    found = preview(line(0), end_date="2035-12-31")

    assert (found.charges, len(found.rows), found.more) == (120, 36, 84)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"bill_group": "BG-999999"}, "Bill group:", id="bill_group"),
        pytest.param({"start_date": ""}, "Start date:", id="no_start"),
        pytest.param({"end_date": "2025-01-01"}, "before", id="end_before_start"),
        pytest.param({"lines-0-product": ""}, "Line 1: Product:", id="no_product"),
        pytest.param(
            {"bill_month": "1", "lines-0-frequency_months": "5"}, "12", id="terms"
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    fields: dict[str, Any], sentence: str
) -> None:
    found = preview(line(0), **fields)

    assert any(sentence in problem for problem in found.problems)
    assert found.charges == 0


def test_without_script_the_preview_is_a_page() -> None:
    group = BillGroupFactory.create(legal_entity=company())

    page = client_of("Finance clerk").post(
        PREVIEW, form(line(0), bill_group=group.public_id)
    )

    assert b"<title>Preview of the plan" in page.content
    assert b"12 charges" in page.content


def test_draft_is_previewed_as_it_is_typed_not_as_it_is_stored() -> None:
    contract = draft_contract()
    stored = contract.lines.get()
    fields = form(
        line(0, unit_price="7") | {"lines-0-id": stored.pk},
        bill_group=contract.bill_group.public_id,
        **{"lines-INITIAL_FORMS": 1},
    )

    answer = client_of("Finance clerk").post(
        f"{PREVIEW}?contract={contract.pk}", fields
    )

    assert answer.context["preview"].total == Decimal(84)
    stored.refresh_from_db()
    assert stored.unit_price == Decimal(100)


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_preview_is_for_those_who_enter_contracts(role: str) -> None:
    assert client_of(role).post(PREVIEW, {}).status_code == 403


def test_contract_in_force_has_no_form_to_preview() -> None:
    contract = active_contract()
    url = f"{PREVIEW}?contract={contract.pk}"

    assert client_of("Finance clerk").post(url, form(line(0))).status_code == 403


def test_preview_is_a_post_with_its_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("Finance clerk"))

    assert client_of("Finance clerk").get(PREVIEW).status_code == 405
    assert strict.post(PREVIEW, form(line(0))).status_code == 403
