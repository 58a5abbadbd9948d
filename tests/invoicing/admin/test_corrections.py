"""Discarding, reissuing and finishing through the pages of invoices (A6, A11, A12)."""

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

from billing.models import AuditEvent, InvoicingSettings
from contracts.models import Contract, ScheduledCharge
from invoicing.admin.amend import AmendContract
from invoicing.admin.corrections import DiscardDraft, FixWrongInvoice, ReissueInvoice
from invoicing.admin.finish import FinishReplacement
from invoicing.domain.states import CreditReason
from invoicing.models import CreditLimit, CreditNote, Invoice, NumberSeries
from invoicing.services.corrections import reissue_invoice
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from tests.books import sold
from tests.invoicing.admin.test_amend import (
    MAR_10,
    in_order,
    issued,
    pay,
    sell,
)
from tests.invoicing.admin.test_amend import (
    confirm as amend,
)
from tests.staff import client_of

pytestmark = pytest.mark.django_db

D = Decimal


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    return sell()


def confirm(client: Client, url: str, **answers: Any) -> Any:
    """Look, then confirm what was seen; ticks are looked at again first."""
    seen = client.post(url, answers).context["review"].fingerprint
    fields = {"_confirm": "1", "_reviewed": seen, **answers}
    return client.post(url, fields, follow=True)


def replacement(contract: Contract) -> Invoice:
    amend(client_of("Finance clerk"), contract, "amend", quantity="1")
    return Invoice.objects.get(status="DRAFT")


def states(contract: Contract) -> list[str]:
    charges = ScheduledCharge.objects.filter(contract=contract).order_by("pk")
    return list(charges.values_list("state", flat=True))


def test_a6_finishing_issues_the_draft_and_credits_the_old_one(
    contract: Contract,
) -> None:
    pay(contract, "5")
    draft = replacement(contract)
    client = client_of("Finance clerk")

    looked = client.get(FinishReplacement.url(draft.pk))
    page = confirm(client, FinishReplacement.url(draft.pk), reason="Agreed 10")

    assert looked.context["form"]["reason"].value() == "Agreed 10"
    assert "still pays 5.00 USD" in looked.context["review"].sentence
    assert b"5.00 USD is due on it" in page.content
    wrong, right = issued()
    assert (wrong.status, right.amount_due) == ("CREDITED", D(5))
    assert in_order()


def test_a6_replacement_waits_in_one_list_and_owes_nothing_yet(
    contract: Contract,
) -> None:
    draft = replacement(contract)
    client = client_of("Finance clerk")

    work = {item.label: item.count for item in client.get("/admin/").context["work"]}
    lists = client.get(reverse("admin:invoicing_drafts")).context["views"]
    invoices = client.get(reverse("admin:invoicing_invoice_changelist"))

    assert work["Replacement drafts"] == 1
    assert "Drafts to review" not in work
    assert [one["count"] for one in lists] == [1, 0, 0, 1]
    owed = invoices.context["cl"].model_admin.shown_amount_due(draft)
    assert "0.00" in owed


def test_a6_the_form_names_no_invoice_that_does_not_bill_the_contract(
    contract: Contract,
) -> None:
    (other,) = issued()
    url = AmendContract.url(sell().pk)

    for named in (str(other.pk), "9" * 30, "x", ""):
        page = client_of("Finance clerk").get(url, {"invoice": named})
        assert b"To put right" not in page.content


def test_a3_finishing_gives_goodwill_again_if_ticked(contract: Contract) -> None:
    (wrong,) = issued()
    gift = credit_invoice(
        invoice=wrong,
        reason="Sorry",
        actor=None,
        today=MAR_10,
        amount=D(3),
        reason_code=CreditReason.GOODWILL,
    )
    draft = replacement(contract)

    confirm(
        client_of("Finance clerk"),
        FinishReplacement.url(draft.pk),
        reason="Agreed 10",
        give_again=[gift.pk],
    )

    assert issued()[1].amount_due == D(7)
    assert in_order()


def test_a7_finishing_above_the_limit_waits(contract: Contract) -> None:
    CreditLimit.objects.create(
        legal_entity=contract.bill_group.legal_entity, currency="USD", amount=D(10)
    )
    draft = replacement(contract)
    client = client_of("Finance clerk")

    page = confirm(client, FinishReplacement.url(draft.pk), reason="Agreed 10")
    again = client.get(FinishReplacement.url(draft.pk))

    assert b"waits for a second person" in page.content
    assert CreditNote.objects.get().issues_replacement
    assert again.status_code == 409
    assert len(issued()) == 1


def test_a7_finishing_is_refused_where_no_document_can_be_dated_today(
    contract: Contract,
) -> None:
    draft = replacement(contract)
    NumberSeries.objects.update(last_issue_date=date(2026, 4, 1))

    page = client_of("Finance clerk").get(FinishReplacement.url(draft.pk))

    assert "1 Apr 2026" in page.context["review"].refusal


@pytest.mark.parametrize(
    ("choice", "state"), [("pending", "PENDING"), ("skip", "SKIPPED")]
)
def test_a11_charges_of_a_discarded_draft_go_where_staff_choose(
    choice: str, state: str
) -> None:
    contract = sold_and_drafted()
    draft = Invoice.objects.get(status="DRAFT")
    client = client_of("Finance clerk")

    looked = client.get(DiscardDraft.url(draft.pk))
    page = confirm(
        client, DiscardDraft.url(draft.pk), reason="Too early", charges=choice
    )

    assert "goes back to pending" in looked.context["review"].sentence
    assert b"Draft discarded" in page.content
    assert states(contract) == [state]
    assert Invoice.objects.get().status == "VOID"
    told = AuditEvent.objects.get(code="invoice.discarded")
    assert (told.before["status"], told.after["status"]) == ("DRAFT", "VOID")
    assert told.after["charges"] == state
    assert in_order()


def sold_and_drafted() -> Contract:
    contract = sold(today=date(2025, 12, 31), end_date=date(2026, 1, 31))
    InvoicingSettings.objects.create(
        legal_entity=contract.bill_group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=date(2026, 1, 1))
    return contract


def test_a11_discarding_a_replacement_says_that_the_old_one_stands(
    contract: Contract,
) -> None:
    draft = replacement(contract)
    client = client_of("Finance clerk")

    looked = client.get(DiscardDraft.url(draft.pk))
    confirm(client, DiscardDraft.url(draft.pk), reason="It was right")

    assert "INV-1 of 20.00 USD stands" in looked.context["review"].sentence.replace(
        issued()[0].number or "", "INV-1"
    )
    assert "charges" not in looked.context["form"].fields
    assert ScheduledCharge.objects.get(state="INVOICED").amount == D(20)
    work = {item.label for item in client.get("/admin/").context["work"] if item.count}
    assert "Superseded, not credited" not in work
    assert in_order()


def test_a12_reissue_shows_the_address_of_today_and_makes_a_draft(
    contract: Contract,
) -> None:
    (wrong,) = issued()
    contract.bill_group.bill_to = "Halden Robotics"
    contract.bill_group.po_number = "PO-77"
    contract.bill_group.save()
    client = client_of("Finance clerk")

    looked = client.get(ReissueInvoice.url(wrong.pk))
    before = Invoice.objects.count()
    page = confirm(client, ReissueInvoice.url(wrong.pk), reason="They moved")

    assert before == 1
    assert b"PO-77" in looked.content
    draft = Invoice.objects.get(status="DRAFT")
    assert (draft.replaces, draft.po_number) == (wrong, "PO-77")
    assert b"Superseded" not in page.content.split(b"It replaces")[0]
    assert in_order()


def test_a12_superseded_invoice_is_neither_fixed_nor_reissued_again(
    contract: Contract,
) -> None:
    (wrong,) = issued()
    reissue_invoice(invoice=wrong, reason="They moved", actor=None, today=MAR_10)
    client = client_of("Finance clerk")

    assert client.get(ReissueInvoice.url(wrong.pk)).status_code == 409
    assert client.get(FixWrongInvoice.url(wrong.pk)).status_code == 409
    page = client.get(reverse("admin:invoicing_invoice_change", args=[wrong.pk]))
    assert b"Superseded, not credited yet." in page.content
    assert ReissueInvoice.url(wrong.pk).encode() not in page.content


def test_a7_invoice_of_two_contracts_asks_which_was_wrong() -> None:
    first = sell()
    contracts = [
        sold(
            today=date(2025, 12, 31),
            bill_group=first.bill_group,
            start_date=date(2026, 2, 1),
            end_date=date(2026, 2, 28),
        )
        for _ in range(2)
    ]
    run_invoicing(as_of=date(2026, 2, 1))
    invoice = Invoice.objects.get(bill_date=date(2026, 2, 1))

    page = client_of("Finance clerk").get(FixWrongInvoice.url(invoice.pk))

    for contract in contracts:
        link = f"{AmendContract.url(contract.pk)}?first-day=2026-02-01"
        assert link.encode() in page.content


def test_a7_fixing_offers_the_first_day_that_the_invoice_bills() -> None:
    """A1: the invoices before it stay; whoever wants them too takes the start."""
    contract = sell(end_date=date(2026, 2, 28))
    run_invoicing(as_of=date(2026, 2, 1))
    february = Invoice.objects.get(bill_date=date(2026, 2, 1))

    page = client_of("Finance clerk").get(FixWrongInvoice.url(february.pk), follow=True)

    asked = page.context["form"]["effective_date"]
    assert page.redirect_chain[-1][0].startswith(AmendContract.url(contract.pk))
    assert asked.value() == date(2026, 2, 1)
    assert "1 Jan 2026: every invoice since then is replaced" in asked.help_text


@pytest.mark.parametrize("first_day", ["", "2026-02-30", "0", "<b>"])
def test_a1_amending_begins_with_the_contract_unless_a_day_is_offered(
    contract: Contract, first_day: str
) -> None:
    page = client_of("Finance clerk").get(
        AmendContract.url(contract.pk), {"first-day": first_day}
    )

    assert page.context["form"]["effective_date"].value() == date(2026, 1, 1)


def test_superseded_without_replacement_is_a_task_too(contract: Contract) -> None:
    """A7."""
    client = client_of("Finance clerk")
    amend(client, contract, "amend", ends="on")

    (row,) = client.get(reverse("admin:invoicing_corrections")).context["rows"]

    assert row["step"] == "Nothing replaces it: credit it"
    assert row["left"] == D(20)


@pytest.mark.parametrize("role", ["Support", "Auditor"])
@pytest.mark.parametrize(
    "action", [DiscardDraft, FinishReplacement, ReissueInvoice, FixWrongInvoice]
)
def test_only_finance_corrects(contract: Contract, action: Any, role: str) -> None:
    draft = replacement(contract)

    assert client_of(role).get(action.url(draft.pk)).status_code == 403
    assert client_of(role).post(action.url(draft.pk)).status_code == 403


def test_pages_of_corrections_cost_a_constant_number_of_queries(
    contract: Contract,
) -> None:
    client = client_of("Finance clerk")
    pages = [
        reverse("admin:invoicing_corrections"),
        reverse("admin:index"),
        reverse("admin:contracts_contract_change", args=[contract.pk]),
    ]

    def queries() -> list[int]:
        counts = []
        for url in pages:
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            counts.append(len(captured))
        return counts

    amend(client, contract, "amend", quantity="1")
    before = queries()
    amend(client, contract, "amend", quantity="3")
    amend(client, sell(), "amend", quantity="1")

    assert queries() == before
    assert max(before) <= 45
