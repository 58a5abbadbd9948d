"""Parked bill groups and failed deliveries: shown with why, tried again (G13, M7)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import AuditEvent, BillGroup, LegalEntity
from billing.services.reasons import ReasonMissing
from invoicing.domain.document import TaxPercentMissing
from invoicing.models import Delivery, Invoice, InvoiceRun, ParkedBillGroup
from invoicing.services.generation import run_invoicing
from invoicing.services.parking import (
    park_bill_group,
    release_bill_group,
    release_bill_groups,
)
from tests.factories import BillGroupFactory, tax_rate
from tests.staff import active_contract, client_of, company, person

pytestmark = pytest.mark.django_db

TENTH = date(2026, 3, 10)
PARKED = "/admin/invoicing/parkedbillgroup/"
DELIVERIES = "/admin/invoicing/delivery/"


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def entity() -> LegalEntity:
    return company()


def group_of(entity: LegalEntity) -> BillGroup:
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, today=TENTH)
    return group


def parked_group(
    entity: LegalEntity, reason: str = "The tax rate has no percent."
) -> ParkedBillGroup:
    return park_bill_group(bill_group=group_of(entity), reason=reason, run=None)


def chosen(action: str, rows: list[Any], **fields: str) -> dict[str, Any]:
    return {
        "action": action,
        "index": "0",
        "_selected_action": [str(row.pk) for row in rows],
        **fields,
    }


def confirm(
    client: Client, url: str, action: str, rows: list[Any], **answers: str
) -> Any:
    review = client.post(url, chosen(action, rows)).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(url, chosen(action, rows, **fields), follow=True)


def test_several_are_released_with_one_reason_in_the_audit(entity: LegalEntity) -> None:
    """G13, M5."""
    rows = [parked_group(entity), parked_group(entity)]

    page = confirm(
        client_of("Finance manager"),
        PARKED,
        "release_several",
        rows,
        reason="The rate has its percent again.",
    )

    assert b"2 bill groups released; the next run takes them." in page.content
    assert not ParkedBillGroup.objects.filter(released_at=None).exists()
    events = AuditEvent.objects.filter(code="bill_group.released")
    assert {(e.bill_group_id, e.reason) for e in events} == {
        (row.bill_group_id, "The rate has its percent again.") for row in rows
    }


def test_several_are_not_released_without_a_reason(entity: LegalEntity) -> None:
    """G13."""
    rows = [parked_group(entity)]

    page = confirm(client_of("Finance manager"), PARKED, "release_several", rows)

    assert b"This field is required." in page.content
    assert b"the figures have changed" not in page.content
    assert ParkedBillGroup.objects.filter(released_at=None).count() == 1


@pytest.mark.parametrize("reason", ["", "  "])
def test_service_insists_on_a_reason(entity: LegalEntity, reason: str) -> None:
    """G13."""
    group = parked_group(entity).bill_group

    with pytest.raises(ReasonMissing):
        release_bill_groups(bill_groups=[group], reason=reason, actor=None)

    assert ParkedBillGroup.objects.filter(released_at=None).count() == 1


def test_one_released_meanwhile_does_not_stop_the_others(entity: LegalEntity) -> None:
    first, second = parked_group(entity), parked_group(entity)
    release_bill_group(bill_group=first.bill_group, reason="Mended.", actor=None)

    done = release_bill_groups(
        bill_groups=[first.bill_group, second.bill_group],
        reason="Mended.",
        actor=person("Finance manager"),
    )

    assert [row.pk for row in done.released] == [second.pk]
    assert done.refused[0][1].endswith("is not parked.")


def test_clerk_may_not_release(entity: LegalEntity) -> None:
    rows = [parked_group(entity)]

    page = client_of("Finance clerk").post(
        PARKED, chosen("release_several", rows, _confirm="1", reason="x"), follow=True
    )

    assert ParkedBillGroup.objects.filter(released_at=None).count() == 1
    assert b"Release these" not in page.content


def test_list_says_what_came_of_each_release(entity: LegalEntity) -> None:
    """G13: retried only when someone releases it."""
    waits, tried, again = (parked_group(entity) for _ in range(3))
    for row in (tried, again):
        release_bill_group(bill_group=row.bill_group, reason="Mended.", actor=None)
    park_bill_group(bill_group=again.bill_group, reason="It broke again.", run=None)
    untried = parked_group(entity)
    run_invoicing(as_of=TENTH)
    release_bill_group(bill_group=untried.bill_group, reason="Mended.", actor=None)

    page = client_of("Auditor").get(PARKED)

    texts = {
        row.pk: page.context["cl"].model_admin.shown_retry(row)
        for row in page.context["cl"].result_list
    }
    number = Invoice.objects.filter(bill_group=tried.bill_group).order_by("sequence")[1]
    assert texts[waits.pk] == "waits for a release"
    assert str(number) in texts[tried.pk]
    assert "parked again" in texts[again.pk]
    assert texts[untried.pk] == "the next run takes it"


def test_parked_page_says_what_came_of_its_release(entity: LegalEntity) -> None:
    row = parked_group(entity)
    release_bill_group(bill_group=row.bill_group, reason="Mended.", actor=None)
    run_invoicing(as_of=TENTH)

    page = client_of("Auditor").get(
        reverse("admin:invoicing_parkedbillgroup_change", args=[row.pk])
    )

    assert b"tried again" in page.content


def test_parked_of_one_run_are_listed_by_its_address(entity: LegalEntity) -> None:
    parked_group(entity)
    (run,) = run_invoicing(as_of=TENTH)
    assert isinstance(run, InvoiceRun)
    of_run = park_bill_group(bill_group=group_of(entity), reason="It broke.", run=run)
    client = client_of("Auditor")

    page = client.get(PARKED, {"run": run.pk})

    assert list(page.context["cl"].result_list) == [of_run]
    assert client.get(PARKED, {"run": "x"}, follow=True).status_code == 200


def test_parked_list_costs_a_constant_number_of_queries(entity: LegalEntity) -> None:
    client = client_of("Auditor")

    def released() -> None:
        row = parked_group(entity)
        release_bill_group(bill_group=row.bill_group, reason="Mended.", actor=None)
        park_bill_group(bill_group=row.bill_group, reason="Again.", run=None)
        other = parked_group(entity)
        release_bill_group(bill_group=other.bill_group, reason="Mended.", actor=None)
        run_invoicing(as_of=TENTH)

    def queries() -> int:
        client.get(PARKED)
        with CaptureQueriesContext(connection) as counted:
            client.get(PARKED)
        return len(counted)

    released()
    before = queries()
    released()

    assert queries() == before


def failed(entity: LegalEntity, error: str) -> Delivery:
    delivery: Delivery = Delivery.objects.get(
        invoice__bill_group=group_of(entity), kind="PDF"
    )
    Delivery.objects.filter(pk=delivery.pk).update(state="FAILED", last_error=error)
    return delivery


def test_list_of_deliveries_says_what_went_wrong(entity: LegalEntity) -> None:
    """M7."""
    failed(entity, "Mailbox full.")

    page = client_of("Auditor").get(DELIVERIES, {"state__exact": "FAILED"})

    assert b"Mailbox full." in page.content
    assert b"not until tried again" in page.content
    assert b"Try again" not in page.content


def test_failed_deliveries_are_tried_again_together(entity: LegalEntity) -> None:
    """M7."""
    rows = [failed(entity, "Mailbox full."), failed(entity, "Mailbox full.")]
    queued = Delivery.objects.get(invoice__bill_group=group_of(entity), kind="PDF")
    client = client_of("Finance clerk")
    review = client.post(
        DELIVERIES, chosen("retry_deliveries", [*rows, queued])
    ).context["review"]

    page = confirm(client, DELIVERIES, "retry_deliveries", [*rows, queued])

    assert review.warnings == (
        "2 failed with: Mailbox full.",
        "1 of the chosen have not failed and stay so.",
    )
    assert b"2 deliveries queued again." in page.content
    assert not Delivery.objects.filter(state="FAILED").exists()
    assert AuditEvent.objects.filter(code="delivery.retried").count() == 2


def test_auditor_may_not_try_deliveries_again(entity: LegalEntity) -> None:
    rows = [failed(entity, "Mailbox full.")]

    client_of("Auditor").post(
        DELIVERIES, chosen("retry_deliveries", rows, _confirm="1"), follow=True
    )

    assert Delivery.objects.filter(state="FAILED").count() == 1


def test_g13_reason_leads_to_the_tax_rate_that_mends_it(entity: LegalEntity) -> None:
    rate = tax_rate("19", name="VAT 13.5 %")
    parked = parked_group(entity, str(TaxPercentMissing(rate.name, TENTH)))
    link = reverse("admin:billing_taxrate_change", args=[rate.pk]).encode()
    client = client_of("Finance manager")

    listed = client.get(PARKED)
    shown = client.get(
        reverse("admin:invoicing_parkedbillgroup_change", args=[parked.pk])
    )

    assert link in listed.content
    assert link in shown.content
