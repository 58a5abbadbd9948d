"""Audit entries have a sentence, can't be changed and outlive who made them (M5)."""

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from billing import event_display, events
from billing.display import NOTHING
from billing.event_display import event_changes, event_text
from billing.events import EventKind, codes_of, event_kind, event_sentence
from billing.models import AuditEvent
from billing.services.audit import record
from tests.factories import UserFactory

APPS = ("billing", "contracts", "invoicing", "customfields")
CODE = re.compile(r"[a-z_]+\.[a-z_]+\Z")
KNOWN = events._SENTENCES


def sources() -> Iterator[Path]:
    for app in APPS:
        for folder in ("services", "admin"):
            yield from (settings.BASE_DIR / app / folder).glob("*.py")


def codes_in(file: Path) -> Iterator[str]:
    """Yield the audit codes that a module writes.

    They are the first arguments of functions that record, and wherever else a text
    stands that looks like a code and begins as a code does: a table, a column.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    begins = {code.partition(".")[0] for code in KNOWN}
    if file.stem not in {"import_audit", "trail"}:
        begins -= set(APPS)  # there it begins a permission
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            function = node.func
            name = getattr(function, "id", getattr(function, "attr", ""))
            if "record" in name or name == "_audit":
                yield from texts_in(node.args[0])
        yield from (text for text in texts_in(node) if text.split(".")[0] in begins)
        if isinstance(node, ast.Assign) and names_of(node) == ["audit_code"]:
            for text in texts_in(node.value, looks_like=re.compile(r"[a-z_]+\Z")):
                yield f"{text}.added"
                yield f"{text}.changed"


def names_of(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def texts_in(node: ast.AST, *, looks_like: re.Pattern[str] = CODE) -> Iterator[str]:
    for part in ast.walk(node):
        text = part.value if isinstance(part, ast.Constant) else None
        if isinstance(text, str) and looks_like.match(text):
            yield text


WRITTEN = sorted({code for file in sources() for code in codes_in(file)})


def test_examples_are_true() -> None:
    for module in (events, event_display):
        results = doctest.testmod(module)
        assert results.attempted
        assert not results.failed


def test_m5_codes_are_found_in_the_code() -> None:
    assert {
        "invoice.issued",
        "contracts.imported",
        "bill_group.deactivated",
        "payment.taken_back",
        "account.changed",
    } <= set(WRITTEN)


@pytest.mark.parametrize("code", WRITTEN)
def test_m5_every_code_that_is_written_has_a_sentence(code: str) -> None:
    assert code in KNOWN, f"{code} has no sentence in billing/events.py"


def test_each_code_is_of_one_kind() -> None:
    codes = [code for kind in EventKind for code in codes_of(kind)]

    assert sorted(codes) == sorted(KNOWN)
    assert event_kind("credit_note.issued") is EventKind.MONEY
    assert event_kind("contract.amended") is EventKind.TERMS
    assert event_kind("bill_group.deactivated") is EventKind.PEOPLE
    assert event_kind("delivery.sent") is EventKind.PAPERS


def event(code: str = "invoice.issued", **states: Any) -> AuditEvent:
    return AuditEvent(code=code, **({"before": {}, "after": {}} | states))


def test_sentence_says_the_amount_and_the_changes_leave_it_out() -> None:
    paid = event(
        "invoice.paid",
        before={"status": "OPEN", "due": "20.000"},
        after={
            "amount": "20.000",
            "currency": "USD",
            "status": "PAID",
            "due": "0.00",
            "payment": 7,
        },
    )

    assert event_text(paid) == "Invoice paid for 20.00 USD"
    assert {(one.label, one.before, one.after) for one in event_changes(paid)} == {
        ("Status", "Open", "Paid"),
        ("Due", "20.00 USD", "0.00 USD"),
    }


def test_entry_is_called_by_its_sentence() -> None:
    entry = AuditEvent(code="invoice.issued", subject="INV-000001")

    assert str(entry) == "Invoice issued: INV-000001"


def test_delivery_is_told_in_the_words_of_its_form() -> None:
    changed = event(
        "bill_group.changed",
        before={"delivery": "EMAIL"},
        after={"delivery": "BOTH"},
    )

    (change,) = event_changes(changed)

    assert (change.before, change.after) == ("Mail", "Mail and portal")


def test_changes_are_readable_whatever_was_stored() -> None:
    changed = event(
        "contract.amended",
        before={"lines": [{"unit_price": "20.000000", "ends": None}], "tags": ["a"]},
        after={
            "lines": [{"unit_price": "10.000000", "ends": "2026-03-31"}],
            "tags": ["a", "b"],
            "is_open": True,
            "note": "",
            "day": "2026-99-99",
        },
    )

    assert {(one.label, one.before, one.after) for one in event_changes(changed)} == {
        ("Line 1, unit price", "20", "10"),
        ("Line 1, ends", NOTHING, "31 Mar 2026"),
        ("Tags", "a", "a, b"),
        ("Is open", NOTHING, "yes"),
        ("Day", NOTHING, "2026-99-99"),
    }


def test_m5_an_amendment_tells_from_which_day_what_costs_what() -> None:
    old = {"from": "2025-01-01", "quantity": "14.5", "unit_price": "62"}
    line = {"line": 48, "start": "2025-01-01", "last_day": None}
    amended = event(
        "contract.amended",
        before={"lines": [line | {"stretches": [old]}]},
        after={
            "lines": [
                line
                | {
                    "stretches": [
                        old,
                        old | {"from": "2026-11-01", "unit_price": "40"},
                    ]
                }
            ]
        },
    )

    assert [(one.label, one.before, one.after) for one in event_changes(amended)] == [
        ("Line 1, from 1 Nov 2026, unit price", "62", "40")
    ]


@pytest.mark.parametrize(
    "after",
    [
        {"total": "nonsense", "currency": "USD"},
        {"total": "1.00", "currency": "XXQ"},
        {"total": None, "currency": None},
        {"total": 5},
    ],
)
def test_what_can_not_be_read_is_shown_as_it_is(after: dict[str, Any]) -> None:
    assert event_text(event(after=after)).startswith("Invoice issued")
    event_changes(event(after=after))


def test_code_that_is_new_is_told_in_its_own_words() -> None:
    assert event_sentence("thing.was_done") == "Thing was done"
    assert event_kind("thing.was_done") is EventKind.SETTINGS


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_auditevent SET reason = 'other'",
        "UPDATE billing_auditevent SET actor_name = 'someone else'",
        "UPDATE billing_auditevent SET before = '{}', after = '{}'",
        "DELETE FROM billing_auditevent",
    ],
)
def test_m5_database_refuses_to_change_or_delete_an_entry(statement: str) -> None:
    record("account.added", actor=None, subject="Halden", reason="New")

    with pytest.raises(IntegrityError), transaction.atomic():
        execute(statement)

    assert AuditEvent.objects.get().reason == "New"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_m5_entry_keeps_the_name_of_a_deleted_user() -> None:
    user = UserFactory.create(username="dora")
    record("account.added", actor=user, subject="Halden")

    user.delete()

    kept = AuditEvent.objects.get()
    assert (kept.actor_name, kept.subject) == ("dora", "Halden")
