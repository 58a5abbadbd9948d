"""`manage.py bench` at a tiny size: every measurement runs, and says what it found."""

import json
from contextlib import nullcontext
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import LegalEntity
from invoicing.management.bench.measurement import (
    Measure,
    Measurement,
    Measurements,
)
from invoicing.management.commands import bench
from invoicing.management.commands.bench import Bench
from invoicing.services.rendering import PangoMissing, load_press

pytestmark = pytest.mark.django_db

FIELDS = {"value", "unit", "yardstick", "ratio", "budget", "ok"}
WITH_YARDSTICK = {"run", "run_two_workers", "import_check", "import_apply"}


def databases_of_the_bench() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s",
            [f"{connection.settings_dict['NAME']}_bench%"],
        )
        return [name for (name,) in cursor.fetchall()]


def can_make_pdfs() -> bool:
    try:
        load_press()
    except PangoMissing:
        return False
    return True


def test_every_measurement_runs_and_leaves_nothing_behind() -> None:
    out = StringIO()

    call_command("bench", "--size=4", "--rounds=1", "--json", stdout=out)

    measured = json.loads(out.getvalue())
    expected = {"run_idle", "run_series_held", "run_memory", "lists", "search"}
    papers = {"pdf", "pdf_two_workers"} if can_make_pdfs() else set()
    assert measured.keys() == expected | WITH_YARDSTICK | papers
    for name, fields in measured.items():
        assert fields.keys() == FIELDS
        assert fields["value"] > 0
        assert isinstance(fields["ok"], bool)
        if name in WITH_YARDSTICK:
            assert fields["yardstick"] > 0
            assert fields["ratio"] > 0
    assert databases_of_the_bench() == []
    assert not LegalEntity.objects.exists()


def test_only_what_is_asked_for_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*names: str) -> Measure:
        slow = Measurement.at_most(150, value=151, unit="ms")
        return lambda _empty, _size, _rounds: dict.fromkeys(names, slow)

    def never(_empty: str, _size: int, _rounds: int) -> Measurements:
        raise AssertionError("It was not asked for.")

    monkeypatch.setattr(bench, "empty_database", lambda: nullcontext("empty"))
    monkeypatch.setattr(
        bench,
        "BENCHES",
        (
            Bench(("import_check", "import_apply"), 1, found("import_check")),
            Bench(("lists", "search"), 1, never),
            Bench(("run",), 1, found("run", "run_memory")),
        ),
    )
    out = StringIO()

    call_command("bench", "run", "import_check", "--json", stdout=out)

    assert list(json.loads(out.getvalue())) == ["import_check", "run", "run_memory"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["walk"], "Nothing is measured as walk", id="unknown_name"),
        pytest.param(["run", "--size=0"], "--size is a number", id="no_size"),
        pytest.param(["run", "--rounds=0"], "--rounds is a number", id="no_rounds"),
    ],
)
def test_what_can_not_be_measured_is_refused(
    arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("bench", *arguments)


@pytest.mark.parametrize(
    ("measurement", "ok"),
    [
        (Measurement.at_least(10, value=10, unit="rows/s", yardstick=100), True),
        (Measurement.at_least(10, value=9, unit="rows/s", yardstick=1), False),
        (Measurement.at_most(150, value=150, unit="ms"), True),
        (Measurement.at_most(150, value=151, unit="ms"), False),
        (
            Measurement.ratio_at_least(
                0.6, ratio=0.59, value=1000, unit="rows/s", yardstick=1
            ),
            False,
        ),
    ],
)
def test_a_budget_is_kept_or_missed(measurement: Measurement, *, ok: bool) -> None:
    assert measurement.ok is ok
