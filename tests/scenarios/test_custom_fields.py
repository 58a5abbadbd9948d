"""One check on every way in: form, import and service take and refuse the same (F2)."""

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillGroup
from billing.services.custom_values import ValuesRefused, change_custom_fields
from contracts.services.imports import check_upload
from customfields.domain.kinds import InvalidValue, Kind, is_blank, parse
from tests.contracts.imported import apply, upload
from tests.customfields.fields import make_field
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.staff import client_of

pytestmark = pytest.mark.django_db

CHOICES: Final = ["Ariba", "=Coupa", "<b>"]
GOOD: Final[dict[str, tuple[str, str, str | bool]]] = {
    "text": ("TEXT", " Nord 7 ", "Nord 7"),
    "html": ("TEXT", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    "formula": ("TEXT", '=HYPERLINK("http://x")', '=HYPERLINK("http://x")'),
    "longest_text": ("TEXT", "x" * 500, "x" * 500),
    "composed": ("TEXT", "Ko\u0308ln", "Köln"),
    "long_text": ("LONG_TEXT", "one\r\ntwo", "one\ntwo"),
    "number": ("NUMBER", "0012.500", "12.5"),
    "negative": ("NUMBER", "-7", "-7"),
    "largest": ("NUMBER", "9" * 15 + "." + "9" * 6, "9" * 15 + "." + "9" * 6),
    "leap_day": ("DATE", "2028-02-29", "2028-02-29"),
    "yes": ("YES_NO", "yes", True),
    "no": ("YES_NO", "no", False),
    "choice": ("CHOICE", "Ariba", "Ariba"),
    "choice_of_formula": ("CHOICE", "=Coupa", "=Coupa"),
    "url": ("URL", "https://a.example/b?c=1", "https://a.example/b?c=1"),
}
BAD: Final[dict[str, tuple[str, str, str]]] = {
    "control": ("TEXT", "a\x07b", "invisible character (U+0007)"),
    "direction": ("TEXT", "a\u202eb", "invisible character (U+202E)"),
    "too_long": ("TEXT", "x" * 501, "501 characters; at most 500"),
    "two_lines": ("TEXT", "a\nb", "line break"),
    "control_in_long_text": ("LONG_TEXT", "a\x1bb", "U+001B"),
    "much_too_long": ("LONG_TEXT", "x" * 5_001, "5001 characters"),
    "no_number": ("NUMBER", "twelve", "not a number"),
    "comma": ("NUMBER", "1,5", "comma"),
    "exponent": ("NUMBER", "1e5", "not a number"),
    "sixteen_digits": ("NUMBER", "1" * 16, "more than 15 digits"),
    "seven_decimals": ("NUMBER", "0.1234567", "more than 6 digits"),
    "other_date": ("DATE", "31.01.2026", "YYYY-MM-DD"),
    "no_such_day": ("DATE", "2026-02-30", "no such day"),
    "early_year": ("DATE", "1899-12-31", "between 1900 and 2200"),
    "late_year": ("DATE", "2201-01-01", "between 1900 and 2200"),
    "maybe": ("YES_NO", "maybe", "yes or no"),
    "no_choice": ("CHOICE", "ariba", "not one of the choices"),
    "javascript": ("URL", "javascript:alert(1)", "https://"),
    "ftp": ("URL", "ftp://a.example", "https://"),
    "no_host": ("URL", "https://", "not a web address"),
    "password": ("URL", "https://a:b@c.example", "user name and password"),
    "quote": ("URL", 'https://a.example/"', "no blanks, quotes"),
}


def define(kind: str) -> None:
    """Define the field `x` of bill groups."""
    choices = CHOICES if kind == "CHOICE" else []
    make_field("x", object="BILL_GROUP", kind=kind, choices=choices)


def by_form(text: str) -> list[str]:
    """Save the form of a bill group; returns what it says is wrong."""
    group = BillGroupFactory.create(legal_entity=LegalEntityFactory.create())
    url = reverse("admin:billing_billgroup_change", args=[group.pk])
    posted = {
        "name": group.name,
        "invoicing": group.invoicing,
        "net_terms": group.net_terms,
        "delivery": group.delivery,
        "email": group.email,
        "cf_x": text,
    }
    answer: Any = client_of("Finance clerk").post(url, posted)
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    assert list(errors) == ["cf_x"]
    return list(errors["cf_x"])


def by_import(text: str) -> list[str]:
    """Import a contract of a new bill group; returns what is wrong."""
    errors = check_upload(upload({"cf:x": text})).errors
    if not errors:
        apply({"cf:x": text})
    assert {(error.line, error.column) for error in errors} <= {(2, "cf:x")}
    return [error.message for error in errors]


def by_service(text: str) -> list[str]:
    """Call the service; returns what it refuses."""
    group = BillGroupFactory.create()
    try:
        change_custom_fields(owner=group, texts={"x": text}, actor=None)
    except ValuesRefused as refused:
        return [error.message for error in refused.errors]
    return []


DOORS: Final[dict[str, Callable[[str], list[str]]]] = {
    "form": by_form,
    "import": by_import,
    "service": by_service,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", GOOD)
def test_f2_good_value_is_stored_in_its_one_form_by_every_door(
    door: str, case: str
) -> None:
    kind, text, stored = GOOD[case]
    define(kind)

    assert DOORS[door](text) == []

    assert BillGroup.objects.get().custom_fields == {"x": stored}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", BAD)
def test_f2_bad_value_is_refused_in_a_sentence_by_every_door(
    door: str, case: str
) -> None:
    kind, text, said = BAD[case]
    define(kind)

    (sentence,) = DOORS[door](text)

    assert said in sentence
    assert not BillGroup.objects.exclude(custom_fields={}).exists()


TEXTS: Final = {
    Kind.TEXT: st.text(max_size=40) | st.from_regex(r"'{0,2}[=+@-]\w+", fullmatch=True),
    Kind.LONG_TEXT: st.text(max_size=80),
    Kind.NUMBER: st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9)
    ).map(str),
    Kind.DATE: st.dates().map(str),
    Kind.YES_NO: st.sampled_from(["yes", "no", "Yes", "TRUE", "nope"]),
    Kind.CHOICE: st.sampled_from([*CHOICES, "other"]),
    Kind.URL: st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z=+@-]{0,9}"),
}
VALUES: Final = st.sampled_from(Kind).flatmap(
    lambda kind: st.tuples(st.just(kind), TEXTS[kind])
)


@pytest.fixture
def clerk() -> Client:
    return client_of("Finance clerk")


@given(value=VALUES)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_f2_what_goes_in_by_any_door_comes_out_of_every_other_the_same(
    clerk: Client, value: tuple[Kind, str]
) -> None:
    """In by service, out by form and CSV, in again by form, and by import."""
    with transaction.atomic():
        walk(clerk, *value)
        transaction.set_rollback(True)


def walk(clerk: Client, kind: Kind, text: str) -> None:
    define(kind.value)
    try:
        stored = parse(kind, text, choices=CHOICES)
    except InvalidValue:
        assert is_blank(text) or by_service(text)
        return

    assert by_service(text) == []
    group = BillGroup.objects.get()
    assert group.custom_fields == {"x": stored}

    shown: Any = clerk.get(reverse("admin:billing_billgroup_change", args=[group.pk]))
    field = shown.context["adminform"].form["cf_x"]
    group.custom_fields = {}
    group.save()
    change_custom_fields(owner=group, texts={"x": field.value()}, actor=None)
    group.refresh_from_db()
    assert group.custom_fields == {"x": stored}

    file: Any = clerk.get(reverse("admin:billing_billgroup_export_csv"))
    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode(), newline=""))
    assert not row["cf:x"].startswith(("=", "+", "@"))
    errors = check_upload(upload({"cf:x": row["cf:x"]})).errors
    assert errors == ()
    apply({"cf:x": row["cf:x"]})
    imported = BillGroup.objects.latest("pk")
    assert imported.custom_fields == {"x": stored}
