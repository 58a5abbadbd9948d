"""Reviewing drafts: the work list, old beside new, and on to the next (G14, G17)."""

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

from billing.models import BillGroup, InvoicingSettings, LegalEntity
from contracts.models import ScheduledCharge
from invoicing.admin.drafts import DraftReview
from invoicing.admin.issue import IssueDraft
from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

TENTH = date(2026, 3, 10)
DRAFTS = "/admin/invoicing/drafts/"


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def entity() -> LegalEntity:
    made = company()
    InvoicingSettings.objects.create(legal_entity=made, review_before_issue=True)
    return made


def drafts_of(entity: LegalEntity, *, today: date = date(2026, 1, 1)) -> BillGroup:
    """Make a bill group with an issued invoice and two drafts to come."""
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, today=today)
    return group


@pytest.fixture
def drafts(entity: LegalEntity) -> list[Invoice]:
    """February is held for its jump, March is for review."""
    group = drafts_of(entity)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        ScheduledCharge.objects.filter(
            bill_group=group, bill_date=date(2026, 2, 1)
        ).update(amount=Decimal(1200), unit_price=Decimal(1200))
        cursor.execute("SET LOCAL session_replication_role = origin")
    run_invoicing(as_of=TENTH)
    return list(Invoice.objects.filter(status="DRAFT").order_by("bill_date"))


def confirm(client: Client, url: str) -> Any:
    review = client.get(url).context["review"]
    return client.post(
        url, {"_confirm": "1", "_reviewed": review.fingerprint}, follow=True
    )


def test_work_list_says_why_and_how_many_times_the_last(drafts: list[Invoice]) -> None:
    """G14."""
    page = client_of("Auditor").get(DRAFTS)

    held, review = page.context["rows"]
    assert (held["draft"], review["draft"]) == tuple(drafts)
    assert held["times"] == "12.0 times"
    assert b"more than 10 times the last invoice" in page.content
    assert b"Settings ask for a review before issue." in page.content
    assert [view["count"] for view in page.context["views"]] == [2, 1, 1, 0]
    assert b"Issue drafts" not in page.content


@pytest.mark.parametrize(("which", "place"), [("held", 0), ("review", 1)])
def test_work_list_keeps_held_and_plain_drafts_apart(
    drafts: list[Invoice], which: str, place: int
) -> None:
    """G14, G17."""
    page = client_of("Auditor").get(DRAFTS, {"list": which})

    assert [row["draft"] for row in page.context["rows"]] == [drafts[place]]


def test_review_shows_old_and_new_line_by_line(drafts: list[Invoice]) -> None:
    """G14."""
    page = client_of("Auditor").get(DraftReview.url(drafts[0].pk))

    (line,) = page.context["lines"]
    assert (line.before, line.after) == (Decimal(100), Decimal(1200))
    assert page.context["difference"] == 1100
    assert page.context["before"] == Invoice.objects.get(status="OPEN")
    assert [s.pk for s in page.context["siblings"]] == [drafts[1].pk]


def test_review_leads_back_and_forth_within_its_list(drafts: list[Invoice]) -> None:
    client = client_of("Auditor")

    first = client.get(DraftReview.url(drafts[0].pk)).context
    second = client.get(DraftReview.url(drafts[1].pk)).context
    alone = client.get(DraftReview.url(drafts[1].pk), {"list": "review"}).context

    assert (first["place"].number, first["place"].count) == (1, 2)
    assert first["next_url"] == f"{DraftReview.url(drafts[1].pk)}?list=all"
    assert second["previous_url"] == f"{DraftReview.url(drafts[0].pk)}?list=all"
    assert (first["previous_url"], second["next_url"]) == ("", "")
    assert (alone["place"].count, alone["previous_url"]) == (1, "")


def test_issuing_from_the_list_goes_on_to_the_next_draft(drafts: list[Invoice]) -> None:
    """G17."""
    client = client_of("Finance clerk")

    first = confirm(client, f"{IssueDraft.url(drafts[0].pk)}?list=all")
    last = confirm(client, f"{IssueDraft.url(drafts[1].pk)}?list=all")

    assert first.redirect_chain[-1][0] == f"{DraftReview.url(drafts[1].pk)}?list=all"
    assert last.redirect_chain[-1][0] == f"{DRAFTS}?list=all"
    assert b"No draft waits here." in last.content


def test_draft_that_someone_else_issued_says_so(drafts: list[Invoice]) -> None:
    client = client_of("Finance clerk")
    confirm(client, IssueDraft.url(drafts[0].pk))

    page = client.get(DraftReview.url(drafts[0].pk))

    assert b"is no draft any more" in page.content


def test_chosen_drafts_are_issued_together(drafts: list[Invoice]) -> None:
    """G17."""
    client = client_of("Finance clerk")
    page = client.get(DRAFTS)
    fields: dict[str, Any] = {
        "action": "issue_drafts",
        "index": "0",
        "_selected_action": [str(draft.pk) for draft in drafts],
    }

    review = client.post(page.context["bulk_url"], fields).context["review"]
    client.post(
        page.context["bulk_url"],
        fields | {"_confirm": "1", "_reviewed": review.fingerprint},
    )

    assert b"Issue drafts" in page.content
    assert not Invoice.objects.filter(status="DRAFT").exists()


def test_work_list_comes_in_pages(
    drafts: list[Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.admin.drafts.DRAFTS_A_PAGE", 1)
    client = client_of("Auditor")

    first = client.get(DRAFTS).context
    second = client.get(DRAFTS, {"after": first["following"]}).context

    assert [first["rows"][0]["draft"], second["rows"][0]["draft"]] == drafts
    assert second["following"] == ""


@pytest.mark.parametrize("after", ["x", "1.x", f"{2**63}.2026-01-01"])
def test_nonsense_begins_at_the_first_page(drafts: list[Invoice], after: str) -> None:
    page = client_of("Auditor").get(DRAFTS, {"after": after, "list": "nonsense"})

    assert len(page.context["rows"]) == 2


def test_page_of_an_issued_invoice_offers_no_review(drafts: list[Invoice]) -> None:
    client = client_of("Auditor")
    issued = Invoice.objects.get(status="OPEN")

    def page(invoice: Invoice) -> bytes:
        url = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
        content: bytes = client.get(url).content
        return content

    assert DraftReview.url(drafts[0].pk).encode() in page(drafts[0])
    assert DraftReview.url(issued.pk).encode() not in page(issued)


@pytest.mark.parametrize("name", ["list", "review"])
def test_drafts_cost_a_constant_number_of_queries(
    entity: LegalEntity, drafts: list[Invoice], name: str
) -> None:
    client = client_of("Finance clerk")
    url = DRAFTS if name == "list" else DraftReview.url(drafts[0].pk)

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url).status_code == 200
        return len(counted)

    before = queries()
    for _ in range(3):
        drafts_of(entity, today=TENTH)
    run_invoicing(as_of=TENTH)

    assert Invoice.objects.filter(status="DRAFT").count() == 8
    assert queries() == before
    assert before <= 25
