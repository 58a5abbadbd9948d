"""Generating, issuing, running, importing and releasing through the admin."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.models import AccountingPeriod, AuditEvent, BillGroup, InvoicingSettings
from contracts.models import Contract, ContractImport
from invoicing.admin.activation import ActivateContract
from invoicing.admin.delivery import RetryDelivery
from invoicing.admin.generate import GenerateAllDue, GenerateNextInvoice
from invoicing.admin.imports import ImportContracts, UploadContracts
from invoicing.admin.issue import IssueDraft
from invoicing.admin.parked import ReleaseParked
from invoicing.admin.run_now import RunNow
from invoicing.models import Delivery, Invoice, InvoiceRun, ParkedBillGroup
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory, ContractLineFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

CSV = (
    "account_number,account_name,bill_group,contract_number,start_date,currency,"
    "product,charge_type,quantity,unit_price\n"
    "ACC-1,Halden,Hamburg,C-1,2026-03-10,EUR,Platform,recurring,10,20.00\n"
    "ACC-1,Halden,Hamburg,C-2,2026-01-10,EUR,Platform,recurring,1,50.00\n"
)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


@pytest.fixture
def drafts(group: BillGroup) -> list[Invoice]:
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=date(2026, 3, 10))
    return list(Invoice.objects.filter(status="DRAFT").order_by("bill_date"))


def confirm(client: Client, url: str, **answers: Any) -> Any:
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(url, fields, follow=True)


def test_all_due_makes_one_invoice_a_bill_date(group: BillGroup) -> None:
    """G9."""
    client = client_of("Finance clerk")
    review = client.get(GenerateAllDue.url(group.pk)).context["review"]

    page = confirm(client, GenerateAllDue.url(group.pk))

    assert "2 invoices of 200.00 USD together" in review.sentence
    assert b"2 invoices issued: 200.00 USD." in page.content
    assert list(
        Invoice.objects.order_by("bill_date").values_list("bill_date", flat=True)
    ) == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def test_generating_before_the_bill_date_warns_first(group: BillGroup) -> None:
    """G9."""
    client = client_of("Finance clerk")
    confirm(client, GenerateAllDue.url(group.pk))

    page = client.get(GenerateNextInvoice.url(group.pk))

    assert b"Its bill date, 1 Apr 2026, has not come yet." in page.content
    assert page.context["review"].refusal == ""


@pytest.mark.parametrize("status", ["INACTIVE", "CANCELED"])
@pytest.mark.parametrize("action", [GenerateNextInvoice, GenerateAllDue])
def test_group_that_is_not_active_is_refused(
    group: BillGroup, action: Any, status: str
) -> None:
    """G2."""
    if status == "CANCELED":
        group.contracts.update(status="CANCELED")
    BillGroup.objects.filter(pk=group.pk).update(status=status)

    page = client_of("Finance clerk").post(action.url(group.pk), {"_confirm": "1"})

    assert page.status_code == 409
    assert b"Active first" in page.content
    assert Invoice.objects.count() == 1


def test_draft_is_issued_after_its_review(drafts: list[Invoice]) -> None:
    """G17."""
    client = client_of("Finance clerk")

    page = confirm(client, IssueDraft.url(drafts[0].pk))

    drafts[0].refresh_from_db()
    assert drafts[0].number == "INV-000002"
    assert b"INV-000002 issued to" in page.content
    assert f"{drafts[0].total:.2f} {drafts[0].currency} with tax." in (
        page.content.decode()
    )


def test_held_draft_says_why_on_list_page_and_review(drafts: list[Invoice]) -> None:
    """G14."""
    Invoice.objects.filter(pk=drafts[0].pk).update(held_reason="Ten times the last.")
    client = client_of("Finance clerk")

    assert b"Held for review" in client.get("/admin/invoicing/invoice/").content
    for url in (
        reverse("admin:invoicing_invoice_change", args=[drafts[0].pk]),
        IssueDraft.url(drafts[0].pk),
    ):
        assert b"Ten times the last." in client.get(url).content
    assert b"Ten times the last." in client.get("/admin/").content


def bulk(client: Client, invoices: list[Invoice], **fields: str) -> Any:
    return client.post(
        reverse("admin:invoicing_invoice_changelist"),
        {
            "action": "issue_drafts",
            "index": "0",
            "_selected_action": [str(invoice.pk) for invoice in invoices],
            **fields,
        },
        follow=True,
    )


def test_drafts_are_issued_together_in_the_order_of_their_bill_dates(
    drafts: list[Invoice],
) -> None:
    """G17, M2."""
    client = client_of("Finance clerk")
    chosen = list(reversed(Invoice.objects.all()))

    review = bulk(client, chosen)
    assert Invoice.objects.filter(status="DRAFT").count() == 2
    page = bulk(
        client, chosen, _confirm="1", _reviewed=review.context["review"].fingerprint
    )

    assert b"2 invoices issued." in page.content
    assert b"1 of the chosen are no drafts" in review.content
    numbers = Invoice.objects.order_by("bill_date").values_list("number", flat=True)
    assert list(numbers) == ["INV-000001", "INV-000002", "INV-000003"]


def test_bulk_action_is_refused_to_those_who_may_not(drafts: list[Invoice]) -> None:
    client = client_of("Auditor")

    page = bulk(client, drafts, _confirm="1")

    assert Invoice.objects.filter(status="DRAFT").count() == 2
    assert page.status_code == 403


def test_refused_draft_does_not_stop_the_others(drafts: list[Invoice]) -> None:
    """A2: a run's draft can't be issued while its group is not active."""
    other = BillGroupFactory.create(legal_entity=drafts[0].legal_entity)
    active_contract(other, today=date(2026, 3, 9))
    run_invoicing(as_of=date(2026, 3, 10))
    chosen = list(Invoice.objects.filter(status="DRAFT"))
    BillGroup.objects.filter(pk=drafts[0].bill_group_id).update(status="INACTIVE")
    client = client_of("Finance clerk")
    review = bulk(client, chosen).context["review"]

    page = bulk(client, chosen, _confirm="1", _reviewed=review.fingerprint)

    assert b"is inactive" in page.content
    assert Invoice.objects.filter(status="DRAFT", bill_group=other).count() == 0


def test_run_is_started_by_hand_and_shows_what_it_did(group: BillGroup) -> None:
    """G12."""
    client = client_of("Finance clerk")

    page = confirm(client, RunNow.url())

    run = InvoiceRun.objects.get()
    assert run.started_by is not None
    assert b"2 invoices" in page.content
    assert page.redirect_chain[-1][0].endswith(f"/invoicerun/{run.pk}/change/")
    assert Invoice.objects.filter(run=run).count() == 2


def test_much_to_do_is_handed_to_the_workers(
    group: BillGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_q.models import OrmQ

    monkeypatch.setattr("invoicing.services.run_now.AT_ONCE", 0)

    page = confirm(client_of("Finance clerk"), RunNow.url())

    assert InvoiceRun.objects.get().state == "RUNNING"
    assert b"The run has started" in page.content
    assert b'http-equiv="refresh"' in page.content
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("as_of", ["nonsense", "2026-02-30"])
def test_dry_run_says_what_is_no_date(group: BillGroup, as_of: str) -> None:
    page = client_of("Auditor").get(
        reverse("admin:invoicing_dry_run"),
        {"as_of": as_of, "legal_entity": str(group.legal_entity_id)},
    )

    assert b"Enter a valid date." in page.content


def test_parked_group_is_released_with_a_reason(group: BillGroup) -> None:
    """G13."""
    parked = ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")
    client = client_of("Finance manager")
    url = ReleaseParked.url(parked.pk)

    confirm(client, url)
    assert ParkedBillGroup.objects.get().released_at is None
    confirm(client, url, reason="The tax rate has its percent again.")

    assert ParkedBillGroup.objects.get().released_at is not None
    event = AuditEvent.objects.get(code="bill_group.released")
    assert event.reason == "The tax rate has its percent again."


def test_failed_delivery_is_tried_again(group: BillGroup) -> None:
    """M7."""
    Delivery.objects.update(state="FAILED", last_error="Mailbox full.")
    delivery = Delivery.objects.order_by("pk")[0]
    client = client_of("Finance clerk")

    assert b"Mailbox full." in client.get(RetryDelivery.url(delivery.pk)).content
    confirm(client, RetryDelivery.url(delivery.pk))

    delivery.refresh_from_db()
    assert delivery.state == "QUEUED"


class TestImport:
    def upload(self, client: Client, content: str) -> Any:
        entity = company()
        url = UploadContracts.url()
        review = client.get(url).context["review"]
        return client.post(
            url,
            {
                "_confirm": "1",
                "_reviewed": review.fingerprint,
                "legal_entity": entity.pk,
                "file": SimpleUploadedFile("contracts.csv", content.encode()),
            },
            follow=True,
        )

    def test_faulty_file_is_shown_row_by_row_and_offers_no_import(self) -> None:
        """I1."""
        client = client_of("Finance clerk")

        page = self.upload(client, CSV.replace("20.00", "twenty"))

        upload = ContractImport.objects.get()
        assert upload.state == "REFUSED"
        assert b"twenty" in page.content
        assert b"unit_price" in page.content
        assert client.get(ImportContracts.url(upload.pk)).status_code == 409
        assert not Contract.objects.exists()

    def test_file_in_order_is_previewed_then_imported(self) -> None:
        """I1, I2, I4."""
        client = client_of("Finance clerk")

        page = self.upload(client, CSV)
        upload = ContractImport.objects.get()
        assert upload.state == "CHECKED"
        assert not Contract.objects.exists()
        assert b"Charges in the past" in page.content
        url = ImportContracts.url(upload.pk)
        sentence = client.get(url).context["review"].sentence
        done = confirm(client, url, import_date="2026-03-10")

        assert "2 contracts activated, 1 invoice made at once (200.00 EUR)" in sentence
        assert b"2 contracts imported, 1 invoice made." in done.content
        assert Contract.objects.filter(status="ACTIVE").count() == 2
        assert client.get(url).status_code == 409

    def test_another_import_date_is_reviewed_before_anything_is_written(self) -> None:
        """I2, I3."""
        client = client_of("Finance clerk")
        self.upload(client, CSV)
        url = ImportContracts.url(ContractImport.objects.get().pk)

        page = confirm(client, url, import_date="2026-01-10")

        assert page.status_code == 200
        assert b"the figures have changed" in page.content
        assert not Contract.objects.exists()
        assert "0 charges taken" in page.context["review"].sentence

    def test_m6_import_date_in_a_closed_month_is_refused_before_the_click(self) -> None:
        client = client_of("Finance clerk")
        self.upload(client, CSV)
        AccountingPeriod.objects.create(
            legal_entity=company(), month="2026-02-01", state="CLOSED"
        )
        url = ImportContracts.url(ContractImport.objects.get().pk)

        review = confirm(client, url, import_date="2026-02-28").context["review"]

        assert "closed through 28 Feb 2026" in review.refusal
        assert not Contract.objects.exists()

    def test_import_date_in_the_future_is_refused(self) -> None:
        client = client_of("Finance clerk")
        self.upload(client, CSV)
        url = ImportContracts.url(ContractImport.objects.get().pk)

        page = confirm(client, url, import_date="2026-03-11")

        assert b"lies in the future" in page.content
        assert not Contract.objects.exists()

    @pytest.mark.parametrize(
        "content", ["", "\x00", "PK\x03\x04", '"unclosed\n'], ids=repr
    )
    def test_any_other_file_is_refused_with_a_sentence(self, content: str) -> None:
        client = client_of("Finance clerk")

        page = self.upload(client, content)

        assert page.status_code == 200
        assert not Contract.objects.exists()


def test_m6_activation_in_a_closed_month_is_refused_before_the_click() -> None:
    contract = ContractLineFactory.create(
        contract__bill_group=BillGroupFactory.create(legal_entity=company())
    ).contract
    AccountingPeriod.objects.create(
        legal_entity=company(), month="2026-03-01", state="CLOSED"
    )

    page = client_of("Finance clerk").get(ActivateContract.url(contract.pk))

    assert page.status_code == 409
    assert "closed through 31 Mar 2026" in page.context["review"].refusal


@pytest.mark.parametrize(
    "query",
    [
        {"status": "OPEN"},
        {"issue_date_after": "2026-01-01", "issue_date_before": "2026-12-31"},
        {"total_min": "50", "total_max": "150"},
        {"currency": "usd"},
        {"q": "INV-000001"},
        {"q": "1"},
        {"o": "-5"},
    ],
    ids="-".join,
)
def test_list_is_filtered(group: BillGroup, query: dict[str, str]) -> None:
    page = client_of("Auditor").get("/admin/invoicing/invoice/", query)

    assert page.status_code == 200
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(
    "query",
    [
        {"status": "PAID"},
        {"issue_date_after": "2027-01-01"},
        {"total_min": "500"},
        {"currency": "EUR"},
        {"bill_group": "BG-999999"},
        {"account": "nobody"},
        {"q": "nothing"},
        {"total_min": "much"},
        {"run": "7"},
    ],
    ids=lambda query: "-".join(f"{k}_{v}" for k, v in query.items()),
)
def test_filter_that_finds_nothing_says_so(
    group: BillGroup, query: dict[str, str]
) -> None:
    page = client_of("Auditor").get("/admin/invoicing/invoice/", query)

    assert page.status_code == 200
    assert b"Nothing matches." in page.content


def test_totals_of_the_list_are_kept_apart_by_currency(group: BillGroup) -> None:
    euro = BillGroupFactory.create(legal_entity=group.legal_entity, currency="EUR")
    active_contract(euro, today=date(2026, 3, 10), price=7)

    page = client_of("Auditor").get("/admin/invoicing/invoice/")

    assert [
        (t["currency"], t["count"], t["total"]) for t in page.context["totals"]
    ] == [
        ("EUR", 1, 7),
        ("USD", 1, 100),
    ]


def test_pdf_is_sent_as_a_file_for_the_browser(group: BillGroup) -> None:
    """M7."""
    invoice = Invoice.objects.get()

    answer = client_of("Auditor").get(
        reverse("admin:invoicing_invoice_pdf", args=[invoice.pk])
    )

    assert answer.headers["Content-Type"] == "application/pdf"
    assert 'filename="INV-000001.pdf"' in answer.headers["Content-Disposition"]
    assert answer.content.startswith(b"%PDF-")


def test_pending_page_goes_on_where_it_stopped(
    group: BillGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.admin.pending.PER_PAGE", 1)
    client = client_of("Auditor")
    url = reverse("admin:invoicing_pending")

    first = client.get(url, {"through": "2026-12-31"})
    second = client.get(
        url, {"through": "2026-12-31", "after": first.context["following"]}
    )

    assert first.context["rows"][0]["row"].bill_date == date(2026, 2, 1)
    assert second.context["rows"][0]["row"].bill_date == date(2026, 3, 1)
    assert first.context["totals"][0].invoices == 11
