"""The dry run as a page: the whole result, what differs, and nothing written (G15)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import AccountingPeriod, BillGroup, LegalEntity
from contracts.models import ScheduledCharge
from invoicing.admin.run_now import RunNow
from invoicing.models import Invoice, InvoiceRun, NumberSeries
from invoicing.services.dry_run_report import Change, Shown, report_dry_run
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from tests.factories import BillGroupFactory, ContractFactory, usage_line
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


def group_of(entity: LegalEntity, *, price: int = 100, **fields: Any) -> BillGroup:
    """Make a bill group with the bill dates of February and March due."""
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, price=price)
    BillGroup.objects.filter(pk=group.pk).update(**fields)
    return group


def usage_group(entity: LegalEntity) -> BillGroup:
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    contract = ContractFactory.create(
        bill_group=group, start_date=date(2026, 2, 1), end_date=date(2026, 12, 31)
    )
    usage_line(contract=contract, position=1)
    activate_contract(contract=contract, actor=None, today=date(2026, 1, 1))
    return group


def dry_run(client: Client, entity: LegalEntity, **parameters: Any) -> Any:
    query = {"as_of": TENTH.isoformat(), "legal_entity": str(entity.pk)} | parameters
    return client.get(reverse("admin:invoicing_dry_run"), query)


def rows_of_all_tables() -> dict[str, int]:
    return {
        model._meta.label: model._default_manager.count() for model in apps.get_models()
    }


def has_written() -> bool:
    """Tell whether this transaction has written: only then it has an id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_of", ["2026-03-10", "2027-09-01"], ids=["today", "ahead"])
def test_dry_run_writes_no_row_and_takes_no_transaction_id(
    entity: LegalEntity, as_of: str
) -> None:
    """G15: a transaction has an id only from its first write on."""
    group_of(entity)
    group_of(entity, invoicing="MANUAL")
    usage_group(entity)
    client = client_of("Auditor")
    dry_run(client, entity)
    before = rows_of_all_tables()

    with transaction.atomic():
        for show in ("due", "held", "usage", "new"):
            answer = dry_run(client, entity, as_of=as_of, show=show)
            assert answer.status_code == 200
        assert not has_written()

    assert rows_of_all_tables() == before


def test_plan_and_night_are_reconciled_by_currency(entity: LegalEntity) -> None:
    """G15: planned + usage - held - parked = invoices + drafts, before tax."""
    group_of(entity, price=100)
    group_of(entity, price=30, invoicing="MANUAL")
    usage_group(entity)
    _break(group_of(entity, price=7))

    report = report_dry_run(legal_entity=entity, as_of=TENTH, compare_with=None)

    sums = report.sums["USD"]
    assert report.failed == 1
    assert (sums.planned, sums.held, sums.failed) == (
        Decimal(274),
        Decimal(60),
        Decimal(14),
    )
    assert sums.planned + sums.usage - sums.held - sums.failed == (
        sums.issued + sums.drafted
    )
    assert report.counts[Shown.HELD] == report.rules["G3"] == 2


def _break(group: BillGroup) -> None:
    """Give the lines of a bill group a tax rate without a percent."""
    from billing.models import TaxRate
    from contracts.models import ContractLine

    rate = TaxRate.objects.create(name="Without a step")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        ContractLine.objects.filter(contract__bill_group=group).update(tax_rate=rate)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_dry_run_makes_what_the_run_then_makes(entity: LegalEntity) -> None:
    """G15."""
    group_of(entity)
    group_of(entity, price=55)
    group_of(entity, status="INACTIVE")
    report = report_dry_run(legal_entity=entity, as_of=TENTH, compare_with=None)

    (run,) = run_invoicing(as_of=TENTH)

    assert isinstance(run, InvoiceRun)
    made = Invoice.objects.filter(run=run)
    assert report.counts[Shown.ISSUED] == made.count() == 4
    assert report.totals == {"USD": sum(invoice.total for invoice in made)}


def test_differences_from_a_run_are_told_by_bill_group(entity: LegalEntity) -> None:
    """G15: new, gone, changed, the same."""
    same, changed = group_of(entity), group_of(entity)
    gone = group_of(entity)
    (run,) = run_invoicing(as_of=date(2026, 2, 10))
    assert isinstance(run, InvoiceRun)
    BillGroup.objects.filter(pk=gone.pk).update(invoicing="MANUAL")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        ScheduledCharge.objects.filter(bill_group=changed, state="PENDING").update(
            amount=Decimal(120)
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    new = BillGroupFactory.create(legal_entity=entity)
    active_contract(new, today=date(2026, 2, 10))

    report = report_dry_run(legal_entity=entity, as_of=TENTH, compare_with=run)

    found = report.comparison
    assert found is not None
    assert found.same == 1
    assert {
        change: [(row.bill_group_id, row.before, row.after) for row in rows]
        for change, rows in found.changes.items()
    } == {
        Change.NEW: [(new.pk, Decimal(0), Decimal(200))],
        Change.CHANGED: [(changed.pk, Decimal(100), Decimal(120))],
        Change.GONE: [(gone.pk, Decimal(100), Decimal(0))],
    }
    assert same.pk not in {r.bill_group_id for c in found.changes.values() for r in c}

    page = dry_run(client_of("Auditor"), entity, show="changed")
    assert [row.difference for row, _ in page.context["changed_rows"]] == [20]


def test_charges_that_usage_can_change_are_named(entity: LegalEntity) -> None:
    """G15, P9."""
    group_of(entity)
    group = usage_group(entity)

    page = dry_run(client_of("Auditor"), entity, show="usage")

    assert page.context["report"].usage_charges == 1
    assert b"1 usage charge can still change." in page.content
    assert [row.group.pk for row in page.context["rows"]] == [group.pk]


def test_large_result_comes_in_pages_of_the_same_figures(
    entity: LegalEntity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.admin.dry_run.GROUPS_A_PAGE", 2)
    groups = [group_of(entity) for _ in range(5)]
    client = client_of("Auditor")

    first = dry_run(client, entity)
    monkeypatch.setattr(
        "invoicing.admin.dry_run.report_dry_run",
        lambda **_: pytest.fail("The figures were worked out again."),
    )
    last = client.get(
        f"/admin/invoicing/invoicerun/dry-run/?{first.context['base']}&page=3"
    )

    assert (first.context["pages"], first.context["following"]) == (3, 2)
    assert {row.group.pk for row in first.context["rows"]} == {g.pk for g in groups[:2]}
    assert {row.group.pk for row in last.context["rows"]} == {groups[4].pk}


@pytest.mark.parametrize("page", ["0", "x", "99", "9" * 30])
@pytest.mark.parametrize("show", ["due", "new", "parked", "nonsense"])
def test_address_that_means_nothing_is_answered(
    entity: LegalEntity, show: str, page: str
) -> None:
    group_of(entity)

    answer = dry_run(
        client_of("Auditor"), entity, show=show, page=page, compare_with="12", kept="x"
    )

    assert answer.status_code == 200


def test_night_before_the_last_document_says_why_it_could_not_be_run(
    entity: LegalEntity,
) -> None:
    """M8."""
    group_of(entity)
    NumberSeries.objects.update(last_issue_date=date(2026, 3, 9))
    client = client_of("Finance clerk")

    rehearsed = dry_run(client, entity, as_of="2026-03-01")
    review = client.get(RunNow.url(), {"as_of": "2026-03-01"}).context["review"]

    assert "9 Mar 2026" in rehearsed.context["refusal"]
    assert "9 Mar 2026" in review.refusal


def test_night_in_a_closed_month_says_why_it_could_not_be_run(
    entity: LegalEntity,
) -> None:
    """M6."""
    AccountingPeriod.objects.create(
        legal_entity=entity, month=date(2026, 2, 1), state="CLOSED"
    )

    page = dry_run(client_of("Auditor"), entity, as_of="2026-02-20")

    assert "closed" in page.context["refusal"]


def test_missed_night_is_run_with_its_own_date(entity: LegalEntity) -> None:
    """G12, M8."""
    group_of(entity)
    client = client_of("Finance clerk")
    url = f"{RunNow.url()}?legal_entity={entity.pk}&as_of=2026-03-08"

    review = client.get(url).context["review"]
    client.post(url, {"_confirm": "1", "_reviewed": review.fingerprint})

    assert "dated 8 Mar 2026" in review.sentence
    assert "run this night only" in review.warnings[0]
    run = InvoiceRun.objects.get()
    assert run.as_of == date(2026, 3, 8)
    assert {i.issue_date for i in Invoice.objects.filter(run=run)} == {run.as_of}


def test_coming_night_is_rehearsed_but_never_run(entity: LegalEntity) -> None:
    """M8: never in the future."""
    group_of(entity)
    client = client_of("Finance clerk")
    url = f"{RunNow.url()}?as_of=2026-03-11"

    page = client.post(url, {"_confirm": "1"})

    assert "has not come" in page.context["review"].refusal
    assert not InvoiceRun.objects.exists()
    assert dry_run(client, entity, as_of="2026-03-11").context["report"].counts


def test_dry_run_costs_a_constant_number_of_queries(entity: LegalEntity) -> None:
    client = client_of("Auditor")

    def queries() -> int:
        dry_run(client, entity)
        with CaptureQueriesContext(connection) as counted:
            dry_run(client, entity)
        return len(counted)

    group_of(entity)
    group_of(entity, invoicing="MANUAL")
    run_invoicing(as_of=date(2026, 2, 10))
    before = queries()
    for _ in range(3):
        BillGroup.objects.filter(pk=group_of_later(entity).pk).update(name="Another")

    assert queries() == before
    assert before <= 60


def group_of_later(entity: LegalEntity) -> BillGroup:
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    active_contract(group, today=TENTH)
    return group
