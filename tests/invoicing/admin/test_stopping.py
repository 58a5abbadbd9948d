"""Stopping bill groups through the admin: page, list, requests (S3, S4, S5)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import (
    AccountingPeriod,
    AuditEvent,
    BillGroup,
    DeactivationRequest,
    InvoicingSettings,
)
from billing.services.bill_groups import request_deactivation
from contracts.models import ScheduledCharge
from invoicing.admin.deactivation_requests import (
    ApproveDeactivation,
    DeclineDeactivation,
)
from invoicing.admin.stopping import (
    CancelBillGroup,
    DeactivateBillGroup,
    RequestDeactivation,
)
from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.contracts.test_queries import charge
from tests.factories import BillGroupFactory, ContractLineFactory
from tests.staff import active_contract, client_of, company, person

pytestmark = pytest.mark.django_db

LIST = "/admin/billing/billgroup/"
REQUESTS = "/admin/billing/deactivationrequest/"
CLOSED = "all it was billed for lies in closed periods, the last one January 2026"


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """One invoice of January; 11 charges of 100.00 are pending, two of them due."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


@pytest.fixture
def closed_group() -> BillGroup:
    """All that it was billed for lies in January, which is closed."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    line = ContractLineFactory.create(contract__bill_group=made)
    charge(line, date(2026, 1, 1), date(2026, 1, 31), state="INVOICED")
    AccountingPeriod.objects.create(
        legal_entity=made.legal_entity, month=date(2026, 1, 1), state="CLOSED"
    )
    return made


def confirm(client: Client, url: str, **answers: Any) -> Any:
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(url, fields, follow=True)


def chosen(action: str, rows: list[BillGroup], **fields: str) -> dict[str, Any]:
    return {
        "action": action,
        "index": "0",
        "_selected_action": [str(row.pk) for row in rows],
        **fields,
    }


def confirm_chosen(
    client: Client, action: str, rows: list[BillGroup], **answers: str
) -> Any:
    review = client.post(LIST, chosen(action, rows)).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(LIST, chosen(action, rows, **fields), follow=True)


def status_of(group: BillGroup) -> str:
    return BillGroup.objects.values_list("status", flat=True).get(pk=group.pk)


def test_s3_review_shows_what_will_wait_before_anything_is_written(
    group: BillGroup,
) -> None:
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=date(2026, 2, 1))

    page = client_of("Support").get(DeactivateBillGroup.url(group.pk))

    figures = {f.label: (f.value, f.note) for f in page.context["review"].figures}
    assert figures["Bill group"][0] == group.public_id
    assert figures["Charges that wait"] == ("10", "10 pending invoices, 1 due now")
    assert figures["Value that waits, USD"] == ("1,000.00 USD", "before tax")
    assert figures["Drafts"] == ("1", "100.00 USD with tax")
    assert status_of(group) == "ACTIVE"


@pytest.mark.parametrize(
    ("role", "in_the_open"), [("Support", True), ("Finance manager", False)]
)
def test_s3_what_is_all_that_support_does_stands_in_the_open(
    group: BillGroup,
    role: str,
    in_the_open: bool,  # noqa: FBT001 (a case of the table)
) -> None:
    """Beside other actions what stops a bill group stands in a menu."""
    page = client_of(role).get(
        reverse("admin:billing_billgroup_change", args=[group.pk])
    )

    shown = {action.tone for action in page.context["object_buttons"]}
    assert ("danger" in shown) is in_the_open
    assert bool(page.context["menu_buttons"]) is not in_the_open


def test_s3_support_deactivates_with_a_reason_and_charges_wait(
    group: BillGroup,
) -> None:
    client = client_of("Support")

    confirm(client, DeactivateBillGroup.url(group.pk))
    assert status_of(group) == "ACTIVE"
    page = confirm(client, DeactivateBillGroup.url(group.pk), reason="Fraud?")
    run_invoicing(as_of=date(2026, 3, 10))

    assert b"is inactive. Its charges stay pending" in page.content
    assert status_of(group) == "INACTIVE"
    assert AuditEvent.objects.get(code="bill_group.deactivated").reason == "Fraud?"
    assert Invoice.objects.count() == 1
    assert ScheduledCharge.objects.filter(state="PENDING").count() == 11


@pytest.mark.parametrize("role", ["Finance clerk", "Finance manager", "Auditor"])
def test_s3_only_support_deactivates(group: BillGroup, role: str) -> None:
    client = client_of(role)

    page = client.get(reverse("admin:billing_billgroup_change", args=[group.pk]))
    answer = client.post(DeactivateBillGroup.url(group.pk), {"_confirm": "1"})
    client.post(LIST, chosen("deactivate_several", [group], _confirm="1", reason="x"))

    assert DeactivateBillGroup.url(group.pk).encode() not in page.content
    assert answer.status_code == 403
    assert status_of(group) == "ACTIVE"


@pytest.mark.parametrize("role", ["Support", "Administrator"])
def test_s4_closed_period_group_is_refused_on_its_page_and_by_post(
    closed_group: BillGroup, role: str
) -> None:
    client = client_of(role)
    url = DeactivateBillGroup.url(closed_group.pk)

    answers = [
        client.get(url),
        client.post(url, {"reason": "Fraud?"}),
        client.post(url, {"_confirm": "1", "_reviewed": "x", "reason": "Fraud?"}),
    ]

    for answer in answers:
        assert answer.status_code == 409
        assert CLOSED in answer.context["review"].refusal
        assert b"closed periods, the last one January 2026" in answer.content
        assert b"_confirm" not in answer.content
    assert status_of(closed_group) == "ACTIVE"


@pytest.mark.parametrize("role", ["Support", "Administrator"])
def test_s4_closed_period_group_is_refused_in_the_list(
    closed_group: BillGroup, role: str
) -> None:
    group = BillGroupFactory.create(legal_entity=closed_group.legal_entity)
    client = client_of(role)

    alone = client.post(LIST, chosen("deactivate_several", [closed_group]))
    page = confirm_chosen(
        client, "deactivate_several", [closed_group, group], reason="Fraud?"
    )

    assert CLOSED in alone.context["review"].refusal
    assert b"closed periods, the last one January 2026" in page.content
    assert b"1 bill group deactivated." in page.content
    assert (status_of(closed_group), status_of(group)) == ("ACTIVE", "INACTIVE")


def test_s4_the_form_of_the_group_does_not_change_its_status(
    closed_group: BillGroup,
) -> None:
    client = client_of("Administrator")
    url = reverse("admin:billing_billgroup_change", args=[closed_group.pk])

    client.post(
        url,
        {
            "name": "Renamed",
            "invoicing": "AUTOMATIC",
            "net_terms": "30",
            "delivery": "EMAIL",
            "status": "INACTIVE",
        },
    )

    closed_group.refresh_from_db()
    assert (closed_group.name, closed_group.status) == ("Renamed", "ACTIVE")


def test_s4_it_is_not_asked_for_either(closed_group: BillGroup) -> None:
    page = client_of("Finance clerk").get(RequestDeactivation.url(closed_group.pk))

    assert page.status_code == 409
    assert CLOSED in page.context["review"].refusal


def test_s3_several_are_deactivated_and_others_said(group: BillGroup) -> None:
    other = BillGroupFactory.create(status="INACTIVE")
    client = client_of("Support")

    review = client.post(LIST, chosen("deactivate_several", [group, other])).context[
        "review"
    ]
    page = confirm_chosen(client, "deactivate_several", [group, other], reason="Why")

    assert review.warnings == ("1 of the chosen are stopped already.",)
    assert "1 bill group: nothing is generated" in review.sentence
    assert b"is inactive already" in page.content
    assert status_of(group) == "INACTIVE"


def test_manager_cancels_when_no_contract_is_active(group: BillGroup) -> None:
    empty = BillGroupFactory.create(legal_entity=group.legal_entity)
    client = client_of("Finance manager")

    refused = client.get(CancelBillGroup.url(group.pk))
    page = confirm(client, CancelBillGroup.url(empty.pk), reason="Merged")

    assert refused.status_code == 409
    assert "is active on it" in refused.context["review"].refusal
    assert b"is canceled." in page.content
    assert (status_of(group), status_of(empty)) == ("ACTIVE", "CANCELED")


def test_several_are_canceled_but_those_with_an_active_contract(
    group: BillGroup,
) -> None:
    empty = BillGroupFactory.create(legal_entity=group.legal_entity)

    page = confirm_chosen(
        client_of("Finance manager"), "cancel_several", [group, empty], reason="Merged"
    )

    assert b"is active on it" in page.content
    assert (status_of(group), status_of(empty)) == ("ACTIVE", "CANCELED")


def test_s5_manual_group_is_never_generated_automatically(group: BillGroup) -> None:
    BillGroup.objects.filter(pk=group.pk).update(invoicing="MANUAL")

    run_invoicing(as_of=date(2026, 3, 10))

    assert Invoice.objects.count() == 1
    assert b"Due, by hand only" in client_of("Finance clerk").get("/admin/").content


class TestRequests:
    def test_s3_finance_asks_and_it_waits_in_supports_work_list(
        self, group: BillGroup
    ) -> None:
        finance, support = client_of("Finance clerk"), client_of("Support")

        page = confirm(finance, RequestDeactivation.url(group.pk), reason="Moved away")

        asked = DeactivationRequest.objects.get()
        today = support.get("/admin/")
        listed = support.get(REQUESTS, {"state__exact": "REQUESTED"})
        assert b"waits for support" in page.content
        assert b"Deactivation requests" in today.content
        assert b"Moved away" in today.content
        assert b'1<span class="visually-hidden"> deactivation requests' in today.content
        assert group.public_id.encode() in listed.content
        assert [w.label for w in finance.get("/admin/").context["work"]].count(
            "Deactivation requests"
        ) == 0
        assert finance.get(RequestDeactivation.url(group.pk)).status_code == 409
        assert asked.reason == "Moved away"

    def test_s3_approving_deactivates_with_the_reason_of_finance(
        self, group: BillGroup
    ) -> None:
        asked = request_deactivation(
            bill_group=group, reason="Moved away", actor=person("Finance clerk")
        )
        client = client_of("Support")
        url = ApproveDeactivation.url(asked.pk)

        form = client.get(url)
        confirm(client, url, reason="Moved away")

        asked.refresh_from_db()
        assert form.context["form"].initial == {"reason": "Moved away"}
        assert "Moved away" in form.context["review"].warnings[0]
        assert (asked.state, status_of(group)) == ("APPROVED", "INACTIVE")
        assert client.get(url).status_code == 409

    def test_s3_declining_needs_a_reason_and_leaves_it_active(
        self, group: BillGroup
    ) -> None:
        asked = request_deactivation(bill_group=group, reason="Moved", actor=None)
        client = client_of("Support")
        url = DeclineDeactivation.url(asked.pk)

        confirm(client, url)
        asked.refresh_from_db()
        assert asked.state == "REQUESTED"
        page = confirm(client, url, reason="Still used")

        asked.refresh_from_db()
        assert (asked.state, status_of(group)) == ("DECLINED", "ACTIVE")
        assert b"stays active" in page.content
        entry = AuditEvent.objects.get(code="bill_group.deactivation_declined")
        assert entry.reason == "Still used"

    def test_list_and_review_cost_a_constant_number_of_queries(
        self, group: BillGroup
    ) -> None:
        request_deactivation(bill_group=group, reason="Moved", actor=None)
        client = client_of("Support")
        urls = (REQUESTS, DeactivateBillGroup.url(group.pk))

        def queries(url: str) -> int:
            client.get(url)
            with CaptureQueriesContext(connection) as counted:
                client.get(url)
            return len(counted)

        before = [queries(url) for url in urls]
        for _ in range(3):
            other: BillGroup = BillGroupFactory.create(legal_entity=group.legal_entity)
            request_deactivation(bill_group=other, reason="Moved", actor=None)
            active_contract(group)

        assert [queries(url) for url in urls] == before

    def test_several_are_asked_for_once(self, group: BillGroup) -> None:
        other = BillGroupFactory.create(legal_entity=group.legal_entity)
        request_deactivation(bill_group=group, reason="Moved", actor=None)

        page = confirm_chosen(
            client_of("Finance clerk"),
            "request_deactivation",
            [group, other],
            reason="Merged",
        )

        assert b"was requested already" in page.content
        assert DeactivationRequest.objects.filter(bill_group=other).count() == 1
