"""The pages around the nightly run on the screen: progress, dry run, drafts, nights.

Each is free of serious accessibility faults and console errors, wide and narrow.
"""

from datetime import date, timedelta

import pytest

from billing.models import BillGroup, InvoicingSettings
from config.clock import today_in
from invoicing.models import Invoice, InvoiceRun, RunBatch
from invoicing.services.batches import claim_batch, finish_run, join_run, work_batch
from invoicing.services.parking import park_bill_group
from tests.browser.conftest import Staff
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def group_of_this_year(today: date) -> BillGroup:
    """Make a bill group whose first invoice was issued in January."""
    group: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(group, today=today)
    return group


def test_progress_moves_by_itself_and_ends_with_the_run(staff: Staff) -> None:
    """G12."""
    entity = company()
    today = today_in(entity.time_zone)
    run = InvoiceRun.objects.create(legal_entity=entity, as_of=today)
    first = RunBatch.objects.create(run=run, bill_groups=[1, 2, 3])
    RunBatch.objects.create(run=run, bill_groups=[4])
    staff.open(f"/admin/invoicing/invoicerun/{run.pk}/change/")
    staff.accept()
    assert "0 of 4 bill groups done" in staff.text

    RunBatch.objects.filter(pk=first.pk).update(is_open=False, attempts=1, generated=3)
    staff.page.get_by_text("3 of 4 bill groups done").wait_for(timeout=10_000)
    assert staff.page.eval_on_selector("progress", "bar => bar.value") == 3

    RunBatch.objects.filter(run=run).update(is_open=False, attempts=1)
    assert finish_run(run)
    staff.page.get_by_text("Finished").first.wait_for(timeout=10_000)
    assert staff.page.locator("[data-progress]").count() == 0
    staff.accept()


def test_pages_around_the_run_fit_the_screen(staff: Staff) -> None:
    entity = company()
    today = today_in(entity.time_zone)
    group_of_this_year(today)
    parked = group_of_this_year(today)
    InvoicingSettings.objects.create(legal_entity=entity, review_before_issue=True)
    park_bill_group(bill_group=parked, reason="The rate has no percent.", run=None)
    run = join_run(legal_entity=entity, as_of=today, actor=None)
    while (batch := claim_batch(run)) is not None:
        work_batch(batch, actor=None)
    assert finish_run(run)
    draft = Invoice.objects.filter(status="DRAFT").order_by("pk").first()
    coming = (today + timedelta(days=70)).isoformat()

    for path in (
        "invoicerun/",
        f"invoicerun/{run.pk}/change/",
        f"invoicerun/{run.pk}/held/?rule=G13",
        f"invoicerun/dry-run/?as_of={coming}",
        f"invoicerun/dry-run/?as_of={coming}&show=new",
        "invoicerun/run-now/",
        "drafts/",
        *([f"invoice/{draft.pk}/review/"] if draft else []),
        "parkedbillgroup/",
        "delivery/",
    ):
        staff.open(f"/admin/invoicing/{path}")
        staff.accept()
