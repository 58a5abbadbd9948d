"""Putting right and stopping: each sentence of the FAQ, through the admin (A-S)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.urls import reverse

from billing.models import AccountingPeriod, BillGroup, DeactivationRequest
from billing.services.bill_groups import (
    ClosedPeriodBillGroup,
    deactivate_bill_group,
)
from contracts.models import Contract
from customfields.models import CustomField
from invoicing.admin.amend import AmendContract
from invoicing.admin.credit import CreditInvoice
from invoicing.admin.deactivation_requests import ApproveDeactivation
from invoicing.admin.finish import FinishReplacement
from invoicing.admin.readdress import EditAddress
from invoicing.admin.stopping import DeactivateBillGroup, RequestDeactivation
from invoicing.models import Invoice
from invoicing.services.addresses import shown_address
from invoicing.services.generation import run_invoicing
from tests.books import broken_invariants
from tests.contracts.test_queries import charge
from tests.factories import BillGroupFactory, ContractLineFactory
from tests.invoicing.admin.test_readdress import ANSWERS
from tests.scenarios.clicks import confirm, refusal
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

JAN_1, FEB_1 = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture(autouse=True)
def midday() -> Iterator[None]:
    with time_machine.travel("2026-02-10T12:00:00Z", tick=False):
        yield


def amendment(contract: Contract) -> dict[str, str]:
    line = contract.lines.get()
    return {
        "version": str(contract.version),
        "effective_date": "2026-01-01",
        "reason": "Agreed 10",
        f"line_{line.pk}_unit_price": "10",
        "new-TOTAL_FORMS": "0",
        "new-INITIAL_FORMS": "0",
    }


def test_a6_20_that_should_be_10_amend_review_credit_the_remainder() -> None:
    contract = active_contract(price=20)
    contract.refresh_from_db()
    client = client_of("Finance clerk")
    wrong = Invoice.objects.get()
    url, answers = AmendContract.url(contract.pk), amendment(contract)
    review = client.post(url, answers).context["review"]

    # Amend only; then review the draft; then issue it and credit the remainder.
    confirmed = {"_confirm": "amend", "_reviewed": review.fingerprint}
    client.post(url, answers | confirmed)
    draft = Invoice.objects.get(status="DRAFT")
    page = client.get(reverse("admin:invoicing_invoice_review", args=[draft.pk]))
    assert (page.status_code, draft.total) == (200, Decimal(10))
    confirm(client, FinishReplacement.url(draft.pk), reason="Agreed 10")

    wrong.refresh_from_db()
    draft.refresh_from_db()
    assert (wrong.status, wrong.amount_due) == ("CREDITED", Decimal(0))
    assert (draft.status, draft.amount_due) == ("OPEN", Decimal(10))
    assert broken_invariants() == []


def test_a5_the_remainder_of_an_invoice_is_credited_in_one_click() -> None:
    active_contract(price=20)
    invoice = Invoice.objects.get()

    confirm(
        client_of("Finance clerk"),
        CreditInvoice.url(invoice.pk),
        what="REMAINDER",
        settlement="BALANCE",
        reason_code="BILLING_ERROR",
        reason="Wrong",
    )

    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due) == ("CREDITED", Decimal(0))


def test_f1_a_custom_field_of_bill_groups_is_defined_in_settings() -> None:
    group = BillGroupFactory.create(legal_entity=company())
    manager = client_of("Finance manager")
    settings = manager.get(reverse("admin:settings")).content.decode()
    assert reverse("admin:customfields_customfield_changelist") in settings

    manager.post(
        reverse("admin:customfields_customfield_add"),
        {
            "object": "BILL_GROUP",
            "key": "ariba_id",
            "label": "Ariba network ID",
            "kind": "TEXT",
            "position": "1",
        },
    )

    assert CustomField.objects.get().object == "BILL_GROUP"
    page = client_of("Finance clerk").get(
        reverse("admin:billing_billgroup_change", args=[group.pk])
    )
    assert "Ariba network ID" in page.content.decode()


def test_d1_the_address_of_a_group_is_for_new_invoices_only() -> None:
    contract = active_contract()
    old = Invoice.objects.get()
    before = shown_address(old).line1

    BillGroup.objects.filter(pk=contract.bill_group_id).update(
        address_line1="New Street 2", city="Springfield", country="US"
    )
    run_invoicing(as_of=FEB_1)

    new = Invoice.objects.latest("bill_date")
    old.refresh_from_db()
    assert shown_address(old).line1 == before
    assert shown_address(new).line1 == "New Street 2"


def test_d2_the_address_of_an_invoice_is_changed_on_the_invoice() -> None:
    active_contract()
    invoice = Invoice.objects.get()

    confirm(client_of("Finance clerk"), EditAddress.url(invoice.pk), **ANSWERS)

    invoice.refresh_from_db()
    assert shown_address(invoice).line1 == "New Street 2"
    assert not BillGroup.objects.get().has_address


def test_s3_support_finds_a_group_by_its_id_and_deactivates_it() -> None:
    contract = active_contract()
    group = contract.bill_group
    support = client_of("Support")

    found = support.get(reverse("admin:search"), {"q": group.public_id}, follow=True)
    assert found.status_code == 200
    confirm(support, DeactivateBillGroup.url(group.pk), reason="Asked")
    run_invoicing(as_of=FEB_1)

    contract.refresh_from_db()
    assert BillGroup.objects.get().status == "INACTIVE"
    assert contract.status == "ACTIVE"
    assert Invoice.objects.count() == 1  # that of the activation


def test_s3_finance_requests_and_support_approves() -> None:
    group = active_contract().bill_group
    url = RequestDeactivation.url(group.pk)

    confirm(client_of("Finance clerk"), url, reason="They moved")
    request = DeactivationRequest.objects.get()
    assert BillGroup.objects.get().status == "ACTIVE"

    approve = ApproveDeactivation.url(request.pk)
    assert client_of("Finance clerk").post(approve).status_code == 403
    confirm(client_of("Support"), approve, reason="They moved")
    assert BillGroup.objects.get().status == "INACTIVE"


class TestClosedPeriods:
    """S4: a closed-period bill group can't be deactivated, through any door."""

    @pytest.fixture
    def group(self) -> BillGroup:
        made: BillGroup = BillGroupFactory.create(legal_entity=company())
        line = ContractLineFactory.create(contract__bill_group=made)
        charge(line, date(2026, 1, 1), date(2026, 1, 31), state="INVOICED")
        AccountingPeriod.objects.create(
            legal_entity=made.legal_entity, month=JAN_1, state="CLOSED"
        )
        return made

    @pytest.mark.parametrize("role", ["Support", "Administrator"])
    def test_s4_not_on_its_page_nor_by_raw_http(
        self, group: BillGroup, role: str
    ) -> None:
        url = DeactivateBillGroup.url(group.pk)

        said = refusal(client_of(role), url, reason="Asked")

        assert "January 2026" in said
        assert BillGroup.objects.get().status == "ACTIVE"

    def test_s4_not_from_the_list(self, group: BillGroup) -> None:
        client = client_of("Support")
        url = reverse("admin:billing_billgroup_changelist")
        asked = {"action": "deactivate_several", "_selected_action": str(group.pk)}
        review = client.post(url, asked).context["review"]

        confirmed = {"_confirm": "1", "_reviewed": review.fingerprint, "reason": "x"}
        page = client.post(url, asked | confirmed, follow=True)

        assert "January 2026" in page.content.decode()
        assert BillGroup.objects.get().status == "ACTIVE"

    def test_s4_not_through_the_form(self, group: BillGroup) -> None:
        url = reverse("admin:billing_billgroup_change", args=[group.pk])

        client_of("Administrator").post(url, {"status": "INACTIVE"})

        assert BillGroup.objects.get().status == "ACTIVE"

    def test_s4_not_by_the_service(self, group: BillGroup) -> None:
        with pytest.raises(ClosedPeriodBillGroup, match="January 2026"):
            deactivate_bill_group(
                bill_group=group, reason="x", actor=None, today=date(2026, 2, 10)
            )

    def test_s4_not_by_a_statement_as_a_command_would(self, group: BillGroup) -> None:
        with pytest.raises(DatabaseError, match="January 2026"), transaction.atomic():
            BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")
