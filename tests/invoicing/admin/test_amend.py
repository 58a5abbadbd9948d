"""Amending a contract through the admin: terms, review, three ways on (A1-A8)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import AuditEvent
from contracts.display import TIMES
from contracts.models import Amendment, Contract, ScheduledCharge
from contracts.services.usage import record_usage
from invoicing.admin.amend import AmendContract
from invoicing.admin.corrections import FixWrongInvoice
from invoicing.domain.states import CreditReason, SeriesKind
from invoicing.models import CreditLimit, CreditNote, Invoice, NumberSeries
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold
from tests.factories import ProductFactory
from tests.staff import client_of, company, draft_contract

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, MAR_10 = date(2026, 1, 1), date(2026, 3, 10)
NO_NEW_LINES = {
    "new-TOTAL_FORMS": "0",
    "new-INITIAL_FORMS": "0",
    "new-MIN_NUM_FORMS": "0",
    "new-MAX_NUM_FORMS": "50",
}


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


def sell(**fields: Any) -> Contract:
    """A month of 20.00, in January, invoiced."""
    values: dict[str, Any] = {
        "today": date(2025, 12, 31),
        "start_date": JAN_1,
        "end_date": date(2026, 1, 31),
        "lines": [{"quantity": D(2), "unit_price": D(10)}],
        "bill_group__legal_entity": company(),
    }
    made = sold(**(values | fields))
    NumberSeries.objects.get_or_create(
        legal_entity=made.bill_group.legal_entity,
        kind=SeriesKind.CREDIT_NOTE,
        defaults={"prefix": "CN-"},
    )
    run_invoicing(as_of=JAN_1)
    return Contract.objects.get(pk=made.pk)


@pytest.fixture
def contract() -> Contract:
    return sell()


def asked(contract: Contract, **answers: Any) -> dict[str, Any]:
    """Return the form's answers; those of the first line by their bare names."""
    contract.refresh_from_db()
    line = contract.lines.order_by("position")[0]
    of_line = {
        f"line_{line.pk}_{name}": answers.pop(name)
        for name in ("quantity", "unit_price", "tiers", "included_quantity", "ends")
        if name in answers
    }
    values = {
        "version": contract.version,
        "effective_date": str(contract.start_date),
        "reason": "Agreed 10",
    }
    return NO_NEW_LINES | values | of_line | answers


def review(client: Client, contract: Contract, **answers: Any) -> Any:
    return client.post(AmendContract.url(contract.pk), asked(contract, **answers))


def confirm(client: Client, contract: Contract, way: str, **answers: Any) -> Any:
    page = review(client, contract, **answers)
    fields = asked(contract, **answers) | {
        "_confirm": way,
        "_reviewed": page.context["review"].fingerprint,
    }
    return client.post(AmendContract.url(contract.pk), fields, follow=True)


def pay(contract: Contract, amount: str) -> None:
    record_payment(
        bill_group=contract.bill_group,
        amount=D(amount),
        received_on=JAN_1,
        reference="",
        actor=None,
        today=MAR_10,
    )


def issued() -> list[Invoice]:
    return list(Invoice.objects.exclude(number=None).order_by("sequence"))


def in_order() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


@pytest.mark.parametrize(
    ("paid", "pays", "to_balance"),
    [
        pytest.param("0", D(10), D(0), id="unpaid"),
        pytest.param("5", D(5), D(0), id="part_paid"),
        pytest.param("20", D(0), D(10), id="paid"),
    ],
)
def test_a6_20_dollars_that_should_be_10_from_the_invoice_to_the_end(
    contract: Contract, paid: str, pays: Decimal, to_balance: Decimal
) -> None:
    """A1-A7: wrong invoice, contract, review, one click."""
    if D(paid):
        pay(contract, paid)
    (wrong,) = issued()
    client = client_of("Finance clerk")

    form = client.get(FixWrongInvoice.url(wrong.pk), follow=True)
    assert form.redirect_chain[0][0] == (
        f"{AmendContract.url(contract.pk)}?first-day=2026-01-01&invoice={wrong.pk}"
    )
    assert form.context["details"]["wrong"] == wrong
    url = reverse("admin:invoicing_invoice_change", args=[wrong.pk])
    assert f'To put right: <b><a href="{url}">{wrong}</a></b>'.encode() in form.content
    assert b"Now 2 \xc3\x97 10.00, monthly" in form.content
    looked = review(client, contract, quantity="1")
    page = confirm(client, contract, "fix", quantity="1")

    correction = looked.context["details"]["correction"]
    assert (correction.pays, correction.to_balance) == (pays, to_balance)
    assert (correction.old_total, correction.new_total) == (D(20), D(10))
    wrong, right = issued()
    assert (wrong.status, wrong.amount_due) == ("CREDITED", D(0))
    assert (right.total, right.amount_due) == (D(10), pays)
    assert f"Invoice {right.number}".encode() in page.content
    assert in_order()


def test_a1_nothing_is_written_before_confirming(contract: Contract) -> None:
    before = (issued()[0].status, AuditEvent.objects.count())

    page = review(client_of("Finance clerk"), contract, quantity="1")

    assert page.status_code == 200
    assert b"Nothing is written yet" in page.content
    assert not Amendment.objects.exists()
    assert not Invoice.objects.filter(status="DRAFT").exists()
    assert (issued()[0].status, AuditEvent.objects.count()) == before


def test_a4_review_shows_old_and_new_line_by_line_and_the_net(
    contract: Contract,
) -> None:
    page = review(client_of("Finance clerk"), contract, quantity="1")

    (one,) = page.context["details"]["papers"]
    assert [(row.line.amount, row.mark) for row in one.old_lines] == [(D(20), "")]
    assert [(row.line.amount, row.mark) for row in one.new_lines] == [
        (D(10), "changed")
    ]
    assert one.difference == D(-10)
    (term,) = page.context["details"]["terms"]
    assert (term.was, term.becomes, term.mark) == (
        f"2 {TIMES} 10.00",
        f"1 {TIMES} 10.00",
        "changed",
    )
    value = [figure.value for figure in page.context["review"].figures][:2]
    assert value == ["20.00 USD", "10.00 USD"]


def test_a7_amend_only_leaves_a_draft_and_a_visible_task(contract: Contract) -> None:
    client = client_of("Finance clerk")

    page = confirm(client, contract, "amend", quantity="1")

    assert b"1 draft to review; 1 invoice superseded" in page.content
    assert [invoice.status for invoice in issued()] == ["OPEN"]
    work = {item.label: item for item in client.get("/admin/").context["work"]}
    assert work["Superseded, not credited"].count == 1
    assert work["Superseded, not credited"].amounts == {"USD": D(20)}
    assert work["Replacement drafts"].count == 1
    corrections = client.get(reverse("admin:invoicing_corrections"))
    (row,) = corrections.context["rows"]
    assert row["button"] == "Issue and credit"
    assert in_order()


def test_a2_pending_invoices_are_shown_before_and_after() -> None:
    contract = sell(end_date=date(2026, 4, 30))

    page = review(client_of("Finance clerk"), contract, unit_price="11")

    pending = page.context["details"]["pending"]
    assert [(one.bill_date.month, one.before, one.after) for one in pending] == [
        (2, D(20), D(22)),
        (3, D(20), D(22)),
        (4, D(20), D(22)),
    ]


def test_a1_added_and_ended_lines_are_marked(contract: Contract) -> None:
    new = {
        "new-TOTAL_FORMS": "1",
        "new-0-product": str(ProductFactory.create(name="Sandbox").pk),
        "new-0-charge_type": "RECURRING",
        "new-0-frequency_months": "1",
        "new-0-timing": "ADVANCE",
        "new-0-quantity": "1",
        "new-0-unit_price": "7",
        "new-0-discount_percent": "0",
        "new-0-included_quantity": "0",
        "new-0-proration": "DAILY",
    }
    client = client_of("Finance clerk")

    page = review(client, contract, ends="on", **new)
    confirm(client, contract, "fix", ends="on", **new)

    marks = [row.mark for row in page.context["details"]["terms"]]
    assert marks == ["ended", "added"]
    (one,) = page.context["details"]["papers"]
    assert [row.mark for row in one.old_lines] == ["gone"]
    assert [row.mark for row in one.new_lines] == ["added"]
    assert [invoice.total for invoice in issued()] == [D(20), D(7)]
    assert in_order()


def test_a3_where_nothing_is_left_the_old_one_is_only_credited(
    contract: Contract,
) -> None:
    client = client_of("Finance clerk")

    page = review(client, contract, ends="on")
    confirm(client, contract, "fix", ends="on")

    assert b"No replacement" in page.content
    assert [invoice.status for invoice in issued()] == ["CREDITED"]
    assert in_order()


def test_a3_invoice_credited_in_full_is_replaced_on_a_tick(contract: Contract) -> None:
    (wrong,) = issued()
    credit_invoice(invoice=wrong, reason="Gift", actor=None, today=MAR_10)
    client = client_of("Finance clerk")

    left = review(client, contract, quantity="1")
    ticked = review(client, contract, quantity="1", replace_credited=[wrong.pk])

    assert left.context["details"]["credited"] == [wrong]
    assert left.context["details"]["papers"] == ()
    (one,) = ticked.context["details"]["papers"]
    assert (one.invoice, one.pays) == (wrong, D(10))


def test_a3_goodwill_is_given_again_on_a_tick(contract: Contract) -> None:
    (wrong,) = issued()
    gift = credit_invoice(
        invoice=wrong,
        reason="Sorry",
        actor=None,
        today=MAR_10,
        amount=D(3),
        reason_code=CreditReason.GOODWILL,
    )
    client = client_of("Finance clerk")

    page = review(client, contract, quantity="1")
    confirm(client, contract, "fix", quantity="1", give_again=[gift.pk])

    assert page.context["details"]["correction"].goodwill == (gift,)
    assert page.context["details"]["correction"].pays == D(10)
    assert issued()[1].amount_due == D(7)
    assert in_order()


def test_a3_charge_billed_elsewhere_is_listed_with_its_difference() -> None:
    contract = sell(end_date=date(2026, 4, 30))
    ScheduledCharge.objects.filter(period_start=date(2026, 3, 1)).update(
        state="EXTERNAL", external_number="OLD-7"
    )

    page = review(client_of("Finance clerk"), contract, quantity="1")

    (outside,) = page.context["details"]["outside"]
    assert outside.difference == D(-10)
    assert b"OLD-7" in page.content
    assert b"correct the outside invoice outside" in page.content


def test_a7_credit_above_the_limit_waits_and_the_page_says_so(
    contract: Contract,
) -> None:
    CreditLimit.objects.create(
        legal_entity=contract.bill_group.legal_entity, currency="USD", amount=D(10)
    )
    client = client_of("Finance clerk")

    looked = review(client, contract, quantity="1")
    page = confirm(client, contract, "fix", quantity="1")

    assert b"waits for a second person" in looked.content
    assert looked.context["details"]["correction"].pays == D(10)
    assert b"waiting for a second person" in page.content
    assert CreditNote.objects.get().status == "TO_APPROVE"
    assert len(issued()) == 1
    (row,) = client.get(reverse("admin:invoicing_corrections")).context["rows"]
    assert row["step"] == "Its credit waits for a second person's approval"


def test_page_with_old_figures_says_that_something_changed(
    contract: Contract,
) -> None:
    """A4."""
    client = client_of("Finance clerk")
    seen = review(client, contract, quantity="1").context["review"].fingerprint
    pay(contract, "5")

    page = client.post(
        AmendContract.url(contract.pk),
        asked(contract, quantity="1") | {"_confirm": "fix", "_reviewed": seen},
    )

    assert b"something changed since you saw this page" in page.content
    assert not Amendment.objects.exists()


def test_a8_terms_amended_by_someone_else_are_refused(contract: Contract) -> None:
    client = client_of("Finance clerk")
    mine = asked(contract, quantity="1")
    confirm(client, contract, "amend", quantity="3")

    page = client.post(AmendContract.url(contract.pk), mine)

    assert page.status_code == 409
    assert b"changed by someone else meanwhile" in page.content


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        pytest.param({}, b"Nothing is changed.", id="nothing"),
        pytest.param(
            {"quantity": "1", "effective_date": "2025-12-31"},
            b"lies outside the term of the contract",
            id="before_the_start",
        ),
        pytest.param(
            {"quantity": "1", "effective_date": "2026-02-01"},
            b"lies outside the term of the contract",
            id="after_the_end",
        ),
        pytest.param({"quantity": "-1"}, b"greater than or equal to 0", id="negative"),
        pytest.param(
            {"quantity": "1", "reason": ""}, b"This field is required", id="no_reason"
        ),
    ],
)
def test_a8_what_is_refused_says_why(
    contract: Contract, answers: dict[str, str], sentence: bytes
) -> None:
    page = review(client_of("Finance clerk"), contract, **answers)

    assert sentence in page.content
    assert not Amendment.objects.exists()


def test_a8_draft_contract_is_not_amended() -> None:
    draft = draft_contract()

    page = client_of("Finance clerk").get(AmendContract.url(draft.pk))

    assert page.status_code == 409
    assert b"is a draft: edit it as it is" in page.content


def test_a1_usage_line_gets_new_tiers_and_keeps_them_in_the_amendment() -> None:
    contract = sell(
        lines=[
            {
                "charge_type": "USAGE",
                "timing": "ARREARS",
                "quantity": None,
                "unit_price": D("0.10"),
            }
        ]
    )
    line = contract.lines.get()
    record_usage(
        line=line,
        usage_date=date(2026, 1, 5),
        quantity=D(100),
        idempotency_key="k",
        actor=None,
    )
    run_invoicing(as_of=date(2026, 2, 1))
    client = client_of("Finance clerk")

    page = review(client, contract, tiers="volume *:0.05", included_quantity="20")
    confirm(client, contract, "fix", tiers="volume *:0.05", included_quantity="20")

    (term,) = page.context["details"]["terms"]
    assert (term.was, term.becomes) == ("0.10 each", "volume *:0.05, 20 included")
    kept = Amendment.objects.get().terms_after["lines"][0]["stretches"][0]
    assert (kept["tiers"], kept["included_quantity"]) == ("volume *:0.05", "20")
    assert [invoice.total for invoice in issued()] == [D(10), D(4)]
    assert in_order()


def test_a1_contract_page_tells_who_when_why_and_the_terms(contract: Contract) -> None:
    client = client_of("Finance clerk")
    confirm(client, contract, "fix", quantity="1")

    page = client.get(reverse("admin:contracts_contract_change", args=[contract.pk]))

    text = page.content.decode()
    assert "Amendment 1" in text
    assert "Agreed 10" in text
    assert f"<del>2 {TIMES} 10.00</del>" in text
    assert str(Amendment.objects.get().made_by) in text


def test_back_to_the_terms_keeps_what_was_typed(contract: Contract) -> None:
    page = review(client_of("Finance clerk"), contract, quantity="1", _back="1")

    assert page.context["is_asking"]
    assert b'value="1"' in page.content


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_only_finance_amends(contract: Contract, role: str) -> None:
    client = client_of(role)
    url = reverse("admin:contracts_contract_change", args=[contract.pk])

    assert AmendContract.url(contract.pk).encode() not in client.get(url).content
    assert client.get(AmendContract.url(contract.pk)).status_code == 403


def test_review_costs_a_constant_number_of_queries_for_each_line() -> None:
    one = sell()
    many = sell(lines=[{"quantity": D(2), "unit_price": D(10)} for _ in range(9)])
    client = client_of("Finance clerk")

    def queries(contract: Contract) -> int:
        client.get(AmendContract.url(contract.pk))
        with CaptureQueriesContext(connection) as captured:
            client.get(AmendContract.url(contract.pk))
        return len(captured)

    assert queries(one) == queries(many) <= 30
