"""Stop a bill group, set it to Active and close a month, as staff does it.

Each page on the way is free of serious accessibility faults and console errors, wide
and narrow.
"""

from datetime import date, timedelta

import pytest

from billing.models import AccountingPeriod, BillGroup
from billing.services.bill_groups import deactivate_bill_group, request_deactivation
from config.clock import today_in
from invoicing.models import Invoice
from tests.browser.conftest import Staff
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_staff_requests_resumes_and_closes(staff: Staff) -> None:
    """S3, G4, M6."""
    entity = company()
    today = today_in(entity.time_zone)
    group: BillGroup = BillGroupFactory.create(legal_entity=entity, name="Hamburg")
    active_contract(group, today=date(today.year, 1, 1))
    page_of_group = f"/admin/billing/billgroup/{group.pk}/change/"
    staff.open(page_of_group)
    staff.accept()

    staff.page.get_by_text("More", exact=True).click()
    staff.press("Request deactivation…")
    staff.accept()
    assert "Value that waits, USD" in staff.text
    staff.fill("Reason", "Moved away")
    staff.press("Ask support to deactivate it")
    assert "waits for support" in staff.text
    staff.accept()
    staff.press("See the request")
    staff.accept()
    assert "Moved away" in staff.text
    staff.open("/admin/billing/deactivationrequest/")
    staff.accept()

    deactivate_bill_group(
        bill_group=group, reason="Moved away", actor=None, today=today
    )
    made = Invoice.objects.count()
    staff.open(page_of_group)
    staff.press("Set to Active")
    staff.accept()
    choices = staff.page.locator(".missed select")
    missed = choices.count()
    for place in range(missed):
        staff.page.locator(".missed select").nth(place).select_option("BILL")
    staff.press("Review" if missed else "Set the bill group to Active")
    if missed:
        staff.accept()
        staff.press("Set the bill group to Active")
    assert "is active." in staff.text
    staff.accept()
    assert Invoice.objects.count() == made + missed

    staff.open("/admin/invoicing/periods/")
    staff.accept()
    staff.page.get_by_role("link", name="Close").first.click()
    staff.page.wait_for_load_state("load")
    staff.accept()
    staff.press("Close the month")
    assert "is closed for" in staff.text
    staff.accept()
    last_month = today.replace(day=1) - timedelta(days=1)
    assert AccountingPeriod.objects.get().month == last_month.replace(day=1)
    staff.press(f"Reopen {last_month:%B %Y} of {entity}")
    staff.accept()


def test_reviews_of_stopping_fit_the_screen(staff: Staff) -> None:
    """S3, S4."""
    entity = company()
    today = today_in(entity.time_zone)
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, today=date(today.year, 1, 1))
    asked = request_deactivation(bill_group=group, reason="Moved away", actor=None)
    ended: BillGroup = BillGroupFactory.create(legal_entity=entity)

    for path in (
        f"billgroup/{ended.pk}/cancel/",
        f"deactivationrequest/{asked.pk}/change/",
        f"legalentity/{entity.pk}/close-month/",
    ):
        staff.open(f"/admin/billing/{path}")
        staff.accept()

    staff.open("/admin/billing/billgroup/")
    first = staff.page.locator(".action-select").first
    if first.is_visible():  # a narrow list has no boxes
        first.check()
        staff.press("Request deactivation")
    staff.accept()
