"""Laws of the run over random books: catching up, and one answer to one question."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillGroup, InvoicingSettings, LegalEntity
from contracts.models import UsageRecord
from invoicing.domain.eligibility import Outcome
from invoicing.models import Invoice, ParkedBillGroup
from invoicing.services.assessment import Assessment
from invoicing.services.explain import explain_invoice
from invoicing.services.generation import (
    NotGenerated,
    generate_next_invoice,
    preview_next_invoice,
    run_invoicing,
)
from invoicing.services.rehearsal import dry_run_invoicing
from tests.books import broken_invariants, sold
from tests.factories import BillGroupFactory, LegalEntityFactory

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
few_examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
days = st.integers(0, 330).map(lambda days: JAN_1 + timedelta(days=days))
# Plans reach 13 months; a night beyond that extends them before it invoices.
far_days = st.integers(390, 900).map(lambda days: JAN_1 + timedelta(days=days))
prices = st.decimals("0", "500", places=2)


@st.composite
def line_terms(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["RECURRING", "RECURRING", "USAGE", "ONE_TIME"]))
    terms: dict[str, Any] = {"charge_type": kind, "unit_price": draw(prices)}
    if kind == "USAGE":
        terms |= {"quantity": None, "timing": "ARREARS"}
    else:
        terms |= {
            "quantity": draw(st.sampled_from([Decimal(0), Decimal(1), Decimal("2.5")])),
            "timing": draw(st.sampled_from(["ADVANCE", "ARREARS"])),
        }
    months = None if kind == "ONE_TIME" else draw(st.sampled_from([1, 2, 3, 12]))
    return terms | {"frequency_months": months}


@st.composite
def contract_terms(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(0, 90).map(lambda days: JAN_1 + timedelta(days=days)))
    length = draw(st.none() | st.integers(0, 250))
    return {
        "start_date": start,
        "end_date": None if length is None else start + timedelta(days=length),
        "bill_day": draw(st.none() | st.sampled_from([1, 15, 29, 31])),
        "lines": draw(st.lists(line_terms(), min_size=1, max_size=2)),
    }


books = st.lists(
    st.lists(contract_terms(), min_size=1, max_size=2), min_size=1, max_size=2
)


@contextmanager
def undone() -> Iterator[None]:
    """Do something in a transaction that leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sell(book: list[list[dict[str, Any]]]) -> LegalEntity:
    """Sell a random book and record some usage of it."""
    for contracts in book:
        group = BillGroupFactory.create()
        for terms in contracts:
            contract = sold(today=JAN_1, bill_group=group, **terms)
            usage = contract.lines.filter(charge_type="USAGE")
            UsageRecord.objects.bulk_create(
                UsageRecord(
                    line=line,
                    usage_date=contract.start_date,
                    quantity=Decimal("12.5"),
                    idempotency_key=f"{line.pk}",
                )
                for line in usage
            )
    legal_entity: LegalEntity = LegalEntityFactory.create()
    return legal_entity


def papers() -> list[tuple[Any, ...]]:
    """Return what was invoiced, without what depends on the day it was."""
    return sorted(
        (
            invoice.bill_group_id,
            invoice.bill_date,
            invoice.status,
            invoice.total,
            tuple(
                invoice.lines.order_by("position").values_list(
                    "charge", "period_start", "period_end", "amount"
                )
            ),
        )
        for invoice in Invoice.objects.all()
    )


@few_examples
@given(book=books, nights=st.lists(days, min_size=2, max_size=6, unique=True))
def test_g12_one_catch_up_night_equals_many_nights(
    book: list[list[dict[str, Any]]], nights: list[date]
) -> None:
    with undone():
        legal_entity = sell(book)
        InvoicingSettings.objects.create(
            legal_entity=legal_entity, catch_up_limit=1000, jump_limit=30_000
        )
        with undone():
            run_invoicing(as_of=max(nights))
            at_once = papers()
            assert broken_invariants() == []

        for night in sorted(nights):
            run_invoicing(as_of=night)
            run_invoicing(as_of=night)

        assert papers() == at_once
        assert broken_invariants() == []


group_states = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE"]),
        "invoicing": st.sampled_from(["AUTOMATIC", "AUTOMATIC", "MANUAL"]),
        "awaiting_manual_invoice": st.sampled_from([False, False, True]),
    }
)
setting_states = st.fixed_dictionaries(
    {
        "invoicing": st.sampled_from(["AUTOMATIC", "AUTOMATIC", "AUTOMATIC", "MANUAL"]),
        "bill_date_offset": st.sampled_from([0, 0, -30, -3, 2]),
        "catch_up_limit": st.sampled_from([1, 3, 100]),
        "jump_limit": st.sampled_from([1, 10]),
        "review_before_issue": st.booleans(),
    }
)


def facts(assessment: Assessment) -> tuple[Any, ...]:
    decision = assessment.decision
    status = "DRAFT" if decision.draft else "ISSUED"
    total = assessment.document.totals.total
    return (assessment.group.bill_group_id, assessment.bill_date, status, total)


def invoiced() -> set[tuple[Any, ...]]:
    return {
        (
            invoice.bill_group_id,
            invoice.bill_date,
            "DRAFT" if invoice.status == "DRAFT" else "ISSUED",
            invoice.total,
        )
        for invoice in Invoice.objects.all()
    }


@few_examples
@given(
    book=books,
    states=st.lists(group_states, min_size=2, max_size=2),
    parked=st.sampled_from([False, False, True]),
    how=setting_states,
    night=days | far_days,
)
def test_g16_run_dry_run_button_and_explanation_give_one_answer(
    *,
    book: list[list[dict[str, Any]]],
    states: list[dict[str, Any]],
    parked: bool,
    how: dict[str, Any],
    night: date,
) -> None:
    with undone():
        legal_entity = sell(book)
        InvoicingSettings.objects.create(legal_entity=legal_entity, **how)
        groups = list(BillGroup.objects.order_by("pk"))
        for group, state in zip(groups, states, strict=False):
            BillGroup.objects.filter(pk=group.pk).update(**state)
        if parked:
            ParkedBillGroup.objects.create(bill_group=groups[0], reason="It broke.")

        rehearsed = list(
            dry_run_invoicing(as_of=night, legal_entity=legal_entity).assessments
        )
        explained = [explain_invoice(bill_group=group, on=night) for group in groups]
        for group in groups:
            check_button(group, night)
        run_invoicing(as_of=night)

        assert invoiced() == {facts(a) for a in rehearsed if a.decision.generate}
        assert broken_invariants() == []
        with_something = {row[0] for row in invoiced()}
        zero = {
            a.group.bill_group_id
            for a in rehearsed
            if a.decision.outcome is Outcome.ZERO
        }
        for explanation in explained:
            group_id = explanation.bill_group.pk
            if explanation.will_generate:
                assert group_id in with_something
                assert explanation.expected_date == night
            elif group_id not in zero:
                assert group_id not in with_something


def check_button(group: BillGroup, today: date) -> None:
    """The preview of the button says what the button does."""
    with undone():
        preview = preview_next_invoice(bill_group=group, today=today)
        invoice = None
        with suppress(NotGenerated):
            invoice = generate_next_invoice(bill_group=group, actor=None, today=today)
        if preview is None or preview.decision.outcome is Outcome.HOLD:
            assert invoice is None
        elif preview.decision.outcome is Outcome.GENERATE:
            assert invoice is not None
            assert invoice.bill_date == preview.bill_date
            assert invoice.total == preview.document.totals.total
