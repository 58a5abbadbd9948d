"""*Today*: what waits for people, tonight's run, the books and receivables."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.models import AccountingPeriod, BillGroup, InvoicingSettings
from invoicing.admin.dashboard_panels import segments
from invoicing.domain.aging import AGES
from invoicing.queries.receivables import Age, Receivables
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.staff import ROLES, active_contract, client_of, company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def first_of_february() -> Iterator[None]:
    with time_machine.travel("2026-02-01T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """A group that owes 100.00 USD since 31 January and has 100.00 due tonight."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


def panel(role: str, key: str) -> dict[str, Any]:
    page = client_of(role).get("/admin/")
    assert page.status_code == 200
    panels = [*page.context["main_panels"], *page.context["side_panels"]]
    contexts = [
        context
        for one in panels
        for context in (
            one.context,
            *one.context.get("nights", ()),
            *one.context.get("books", ()),
        )
    ]
    (found,) = [context for context in contexts if key in context]
    return dict(found)


def test_forecast_is_what_the_run_then_makes(group: BillGroup) -> None:
    """G15."""
    forecast = panel("Auditor", "forecast")["forecast"]

    (run,) = run_invoicing(as_of=date(2026, 2, 1))

    made = run.invoices.all()  # type: ignore[union-attr]  # no dry run
    assert dict(forecast.totals) == {"USD": sum(invoice.total for invoice in made)}
    assert dict(forecast.counts) == {"USD": len(made)}


@pytest.mark.parametrize(
    ("change", "waits"),
    [({"invoicing": "MANUAL"}, 1), ({"status": "INACTIVE"}, 1), ({}, 0)],
    ids=["G3", "G2", "none"],
)
def test_forecast_leaves_out_what_waits_for_a_person(
    group: BillGroup, change: dict[str, str], waits: int
) -> None:
    """G2, G3: the forecast is the run's decision, not the plan."""
    if change:
        BillGroup.objects.filter(pk=group.pk).update(**change)

    forecast = panel("Auditor", "forecast")["forecast"]

    assert forecast.waiting == waits
    assert forecast.invoices == 1 - waits


def test_forecast_tells_drafts_from_invoices(group: BillGroup) -> None:
    """G17."""
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )

    shown = panel("Auditor", "forecast")

    assert shown["forecast"].invoices == 0
    assert shown["asides"] == ["1 for review"]


def test_after_tonights_run_the_next_night_is_tomorrow(group: BillGroup) -> None:
    assert panel("Auditor", "forecast")["as_of"] == date(2026, 2, 1)

    run_invoicing(as_of=date(2026, 2, 1))

    assert panel("Auditor", "forecast")["as_of"] == date(2026, 2, 2)


def test_night_of_very_many_groups_is_not_forecast(
    group: BillGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.services.forecast.MOST_GROUPS", 0)

    assert panel("Auditor", "forecast")["forecast"] is None


def test_books_name_what_is_to_be_settled_before_closing(group: BillGroup) -> None:
    """M6."""
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=date(2026, 2, 1))

    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        books = panel("Finance manager", "month_end")

    assert books["month_end"] == date(2026, 2, 28)
    assert (books["drafts"], books["pending"]) == (1, 0)


def test_books_count_pending_invoices_not_their_charges(group: BillGroup) -> None:
    """M6."""
    active_contract(group)

    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        books = panel("Finance manager", "month_end")

    assert books["pending"] == 1


def test_books_say_that_all_is_closed(group: BillGroup) -> None:
    """M6."""
    AccountingPeriod.objects.create(
        legal_entity=group.legal_entity, month=date(2026, 1, 1), state="CLOSED"
    )

    books = panel("Auditor", "month_end")

    assert books["closed"] == date(2026, 1, 31)
    assert books["month_end"] is None


def test_books_are_shown_for_each_company(group: BillGroup) -> None:
    """M6: the second has closed January, the first has not."""
    inc = LegalEntityFactory.create(name="Nordhaven Inc.")
    AccountingPeriod.objects.create(
        legal_entity=inc, month=date(2026, 1, 1), state="CLOSED"
    )

    page = client_of("Finance manager").get("/admin/")

    (books,) = [
        p.context["books"] for p in page.context["side_panels"] if "books" in p.context
    ]
    assert [(one["legal_entity"], one["closed"]) for one in books] == [
        (group.legal_entity, None),
        (inc, date(2026, 1, 31)),
    ]
    text = page.content.decode()
    assert f"/legalentity/{group.legal_entity_id}/close-month/" in text
    assert f"/legalentity/{inc.pk}/close-month/" not in text


def test_receivables_lead_to_the_invoices_of_a_bucket(group: BillGroup) -> None:
    ((_, (late, link), *_),) = [
        row["cells"] for row in panel("Auditor", "heads")["rows"]
    ]

    page = client_of("Auditor").get(link)

    assert late.amount == Decimal(100)
    assert [row.amount_due for row in page.context["cl"].result_list] == [Decimal(100)]


def test_nightly_run_is_shown_for_each_company(group: BillGroup) -> None:
    LegalEntityFactory.create(name="Second Ltd")

    page = client_of("Finance clerk").get("/admin/")

    (night,) = [p for p in page.context["side_panels"] if "nights" in p.context]
    assert [str(one["legal_entity"]) for one in night.context["nights"]] == [
        str(group.legal_entity),
        "Second Ltd",
    ]
    assert b"Second Ltd" in page.content


@pytest.mark.parametrize(
    ("role", "may_import"), [("Finance clerk", True), ("Support", False)]
)
def test_empty_books_say_what_to_do_first(role: str, may_import: bool) -> None:  # noqa: FBT001 a parameter of the table
    page = client_of(role).get("/admin/").content.decode()

    assert "No contract is entered yet" in page
    assert ("/admin/contracts/contractimport/upload/" in page) is may_import


def test_first_steps_are_gone_once_there_is_a_contract(group: BillGroup) -> None:
    page = client_of("Finance clerk").get("/admin/")

    assert b"No contract is entered yet" not in page.content


def test_bar_is_as_long_as_its_amounts() -> None:
    amounts = (50, 25, 0, 25, 0)
    row = Receivables(
        currency="EUR",
        ages=tuple(
            Age(label=span.label, amount=Decimal(amount), due_from=None, due_to=None)
            for span, amount in zip(AGES, amounts, strict=True)
        ),
        total=Decimal(100),
    )

    pieces = segments(row)

    assert [piece.number for piece in pieces] == [0, 1, 3]
    assert [piece.x for piece in pieces] == ["0.0", "500.0", "751.5"]
    assert sum(Decimal(piece.width) for piece in pieces) == 994


def test_group_that_was_reactivated_waits_for_a_person(group: BillGroup) -> None:
    """G4."""
    BillGroup.objects.filter(pk=group.pk).update(awaiting_manual_invoice=True)
    client = client_of("Finance clerk")

    (item,) = client.get("/admin/").context["work"]
    listed = client.get(item.url).context["cl"].result_list

    assert (item.label, item.count) == ("First invoice after reactivation", 1)
    assert list(listed) == [group]


@pytest.mark.parametrize("role", ROLES)
def test_everybody_who_may_view_sees_the_panels(group: BillGroup, role: str) -> None:
    """Section 9."""
    page = client_of(role).get("/admin/")

    assert len(page.context["main_panels"]) == 1
    assert len(page.context["side_panels"]) == 3


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        ({"invoicing": "MANUAL"}, [("Due, by hand only", 1)]),
        ({"invoicing": "MANUAL", "status": "INACTIVE"}, []),
        ({}, []),
    ],
    ids=["manual", "manual_but_inactive", "automatic"],
)
def test_what_is_due_by_hand_waits_for_a_person(
    group: BillGroup, change: dict[str, str], counted: list[tuple[str, int]]
) -> None:
    """G3; G2: what is not active can't be generated by hand either."""
    if change:
        BillGroup.objects.filter(pk=group.pk).update(**change)

    work = client_of("Finance clerk").get("/admin/").context["work"]

    assert [(item.label, item.count) for item in work] == counted
