"""The page of a run: how far it is, what it made, what it did not issue and why."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import (
    AccountingPeriod,
    BillGroup,
    InvoicingSettings,
    LegalEntity,
)
from invoicing.admin.run_pages import NotIssued, RunProgress
from invoicing.models import InvoiceRun, ParkedBillGroup, RunBatch
from invoicing.services.batches import RunStopped, join_run
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

TENTH = date(2026, 3, 10)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def entity() -> LegalEntity:
    return company()


def group_of(
    entity: LegalEntity, *, today: date = date(2026, 1, 1), **fields: Any
) -> BillGroup:
    """Make a bill group with two bill dates due on the tenth."""
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, today=today)
    BillGroup.objects.filter(pk=group.pk).update(**fields)
    return group


def the_run() -> InvoiceRun:
    (run,) = run_invoicing(as_of=TENTH)
    assert isinstance(run, InvoiceRun)
    return run


def page_of(run: InvoiceRun, role: str = "Auditor") -> Any:
    return client_of(role).get(
        reverse("admin:invoicing_invoicerun_change", args=[run.pk])
    )


def test_run_page_counts_what_was_not_issued_by_its_gate(entity: LegalEntity) -> None:
    """G16."""
    group_of(entity, invoicing="MANUAL")
    group_of(entity, invoicing="MANUAL")
    group_of(entity, status="INACTIVE")
    group_of(entity)

    page = page_of(the_run())

    counts = {row["rule"]: row["count"] for row in page.context["because"]}
    assert counts == {"G2": 2, "G3": 4}
    assert b"The bill group is invoiced by hand" in page.content
    assert page.context["figures"].candidates == page.context["figures"].done == 4
    assert b"by the nightly clock" in page.content


def test_run_page_keeps_totals_of_drafts_apart(entity: LegalEntity) -> None:
    """G17."""
    group_of(entity)
    InvoicingSettings.objects.create(legal_entity=entity, review_before_issue=True)

    page = page_of(the_run())

    assert page.context["totals"] == [("USD", None, Decimal(200))]
    assert [row["rule"] for row in page.context["because"]] == ["G17"]


def test_hold_of_an_earlier_run_is_listed_for_every_run_that_met_it(
    entity: LegalEntity,
) -> None:
    """G16: a hold is kept once, and each run that met it still tells of it."""
    group_of(entity, invoicing="MANUAL")
    first = the_run()
    second = the_run()
    client = client_of("Auditor")

    for run in (first, second):
        page = client.get(NotIssued.url(run.pk), {"rule": "G3"})
        assert [row.bill_date for row in page.context["rows"]] == [
            date(2026, 2, 1),
            date(2026, 3, 1),
        ]


def test_hold_decided_after_a_run_is_not_told_of_it(entity: LegalEntity) -> None:
    """G16."""
    group = group_of(entity, invoicing="MANUAL")
    (run,) = run_invoicing(as_of=date(2026, 2, 10))
    assert isinstance(run, InvoiceRun)
    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")
    the_run()
    client = client_of("Auditor")

    page = client.get(NotIssued.url(run.pk), {"rule": "G3"})

    assert [row.bill_date for row in page.context["rows"]] == [date(2026, 2, 1)]
    assert [row["rule"] for row in page.context["counts"]] == ["G3"]


def test_what_was_not_issued_comes_in_pages(
    entity: LegalEntity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.admin.run_pages.ROWS_A_PAGE", 3)
    group_of(entity, invoicing="MANUAL")
    group_of(entity, invoicing="MANUAL")
    run = the_run()
    client = client_of("Auditor")

    first = client.get(NotIssued.url(run.pk), {"rule": "G3"})
    following = first.context["following"]
    second = client.get(NotIssued.url(run.pk), {"rule": "G3", "after": following})

    seen = [*first.context["rows"], *second.context["rows"]]
    assert len({(row.bill_group_id, row.bill_date) for row in seen}) == len(seen) == 4
    assert not second.context["following"]


@pytest.mark.parametrize("after", ["x", "1.x", "-1.2026-01-01", f"{2**63}.2026-01-01"])
def test_nonsense_begins_at_the_first_page(entity: LegalEntity, after: str) -> None:
    group_of(entity, invoicing="MANUAL")
    run = the_run()

    page = client_of("Auditor").get(NotIssued.url(run.pk), {"after": after})

    assert page.status_code == 200
    assert page.context["is_first"]


def test_progress_tells_done_and_candidates_while_batches_are_open(
    entity: LegalEntity,
) -> None:
    """G12."""
    groups = [group_of(entity), group_of(entity)]
    run = join_run(legal_entity=entity, as_of=TENTH, actor=None)
    RunBatch.objects.create(
        run=run,
        bill_groups=[1, 2, 3],
        is_open=False,
        attempts=1,
        generated=3,
        totals={"USD": "9"},
    )

    told = client_of("Auditor").get(RunProgress.url(run.pk)).json()

    assert told["is_running"] is True
    assert (told["done"], told["candidates"]) == (3, 3 + len(groups))
    assert told["texts"]["generated"] == "3"
    assert told["texts"]["total-USD"] == "9.00"


def test_progress_says_when_the_run_is_finished(entity: LegalEntity) -> None:
    told = client_of("Auditor").get(RunProgress.url(the_run().pk)).json()

    assert told["is_running"] is False


def test_progress_is_for_those_who_may_see_runs(entity: LegalEntity) -> None:
    from django.contrib.auth.models import Permission

    run = the_run()
    client = client_of("Auditor")
    for permission in Permission.objects.filter(codename="view_invoicerun"):
        permission.group_set.clear()

    assert client.get(RunProgress.url(run.pk)).status_code == 403
    assert client.get(NotIssued.url(run.pk)).status_code == 403


def test_stopped_run_says_why_on_its_page_and_in_the_list(entity: LegalEntity) -> None:
    """M6: nothing can be dated in a closed month."""
    AccountingPeriod.objects.create(
        legal_entity=entity, month="2026-02-01", state="CLOSED"
    )
    group_of(entity, today=date(2026, 3, 1))
    with pytest.raises(RunStopped):
        run_invoicing(as_of=date(2026, 2, 28))
    run = InvoiceRun.objects.get()

    page = page_of(run).content.decode()
    listed = client_of("Auditor").get("/admin/invoicing/invoicerun/").content.decode()

    assert "This run was stopped before it came to 1 bill group." in page
    assert "The books are closed through 28 Feb 2026" in page
    assert "http-equiv" not in page
    assert ">Stopped<" in page
    assert ">Stopped<" in listed


def test_run_page_without_script_is_loaded_again(entity: LegalEntity) -> None:
    group_of(entity)
    run = join_run(legal_entity=entity, as_of=TENTH, actor=None)

    page = page_of(run)

    assert b'<noscript><meta http-equiv="refresh"' in page.content
    assert b'data-progress="' in page.content


@pytest.mark.parametrize("name", ["page", "progress", "not_issued"])
def test_run_costs_a_constant_number_of_queries(entity: LegalEntity, name: str) -> None:
    """What a run shows does not grow with its bill groups."""
    client = client_of("Auditor")

    def queries(run: InvoiceRun) -> int:
        url = {
            "page": reverse("admin:invoicing_invoicerun_change", args=[run.pk]),
            "progress": RunProgress.url(run.pk),
            "not_issued": NotIssued.url(run.pk) + "?rule=G3",
        }[name]
        client.get(url)
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url).status_code == 200
        return len(counted)

    group_of(entity, invoicing="MANUAL")
    ParkedBillGroup.objects.create(bill_group=group_of(entity), reason="It broke.")
    group_of(entity)
    before = queries(the_run())
    for _ in range(3):
        group_of(entity, today=TENTH)
        group_of(entity, today=TENTH, invoicing="MANUAL")

    assert queries(the_run()) == before
    assert before <= 20
