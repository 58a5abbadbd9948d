"""A usage file is recorded as a whole or not at all (P9)."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import AuditEvent
from contracts.domain.terms import ChargeState
from contracts.models import ContractLine, UsageImport, UsageRecord
from contracts.services import usage_import
from contracts.services.uploads import ImportRefused
from contracts.services.usage import record_usage
from contracts.services.usage_import import (
    UsageFileDisturbed,
    UsageFileRecorded,
    check_usage_file,
    import_usage,
    record_usage_file,
    upload_usage,
)
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from tests.factories import ContractFactory, ContractLineFactory, usage_line
from tests.staff import company

pytestmark = pytest.mark.django_db

HEAD = "contract_number,line,usage_date,quantity,idempotency_key"


@pytest.fixture
def metered() -> ContractLine:
    """Return line 1 of C-1, usage of 2026 at 0.10."""
    line = usage_line(
        contract__number="C-1",
        contract__bill_group__legal_entity=company(),
        position=1,
    )
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    return line


def file_of(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows]).encode()


def record_file(*rows: str) -> None:
    import_usage(content=file_of(*rows), file_name="usage.csv", actor=None)


def only_error(*rows: str) -> tuple[int, str, str, str]:
    """Return line, column, value and sentence of the file's one error."""
    [error] = check_usage_file(file_of(*rows)).errors
    return error.line, error.column, error.value, error.message


def test_every_row_is_recorded_with_one_audit_entry(metered: ContractLine) -> None:
    """P9, M5."""
    record_file("C-1,1,2026-01-10,5,a", "C-1,1,2026-02-10,2.5,b")

    assert list(
        UsageRecord.objects.order_by("pk").values_list(
            "line", "usage_date", "quantity", "idempotency_key"
        )
    ) == [
        (metered.pk, date(2026, 1, 10), Decimal(5), "a"),
        (metered.pk, date(2026, 2, 10), Decimal("2.5"), "b"),
    ]
    entry = AuditEvent.objects.get(code="usage.imported")
    assert entry.after == {"records": 2, "repeated": 0, "reopened": 0}


def test_one_bad_row_keeps_all_from_being_recorded(metered: ContractLine) -> None:
    """P9."""
    with pytest.raises(ImportRefused, match="line 3, There is no contract"):
        record_file("C-1,1,2026-01-10,5,a", "C-9,1,2026-01-10,5,b")

    assert not UsageRecord.objects.exists()


def test_the_same_file_again_changes_nothing(metered: ContractLine) -> None:
    """P9."""
    rows = ("C-1,1,2026-01-10,5,a", "C-1,1,2026-01-11,5,b")
    record_file(*rows)

    checked = check_usage_file(file_of(*rows, "C-1,1,2026-01-12,5,c"))

    assert (len(checked.new), checked.repeated, checked.errors) == (1, 2, ())
    record_file(*rows)
    assert UsageRecord.objects.count() == 2


def test_repeat_is_harmless_after_the_period_was_invoiced(
    metered: ContractLine,
) -> None:
    """P9."""
    record_file("C-1,1,2026-01-10,5,a")
    run_invoicing(as_of=date(2026, 2, 1))

    assert check_usage_file(file_of("C-1,1,2026-01-10,5,a")).repeated == 1


def test_key_with_other_data_is_refused(metered: ContractLine) -> None:
    """P9."""
    record_file("C-1,1,2026-01-10,5,a")

    line, column, value, message = only_error("C-1,1,2026-01-10,6,a")

    assert (line, column, value) == (2, "idempotency_key", "a")
    assert "was used before" in message


def test_key_twice_in_one_file_is_one_record_or_a_fault(metered: ContractLine) -> None:
    """P9."""
    row = "C-1,1,2026-01-10,5,a"

    assert len(check_usage_file(file_of(row, row)).new) == 1
    line, column, _, message = only_error(row, "C-1,1,2026-01-10,6,a")
    assert (line, column) == (3, "idempotency_key")
    assert "Line 2 has the same key" in message


def test_invoiced_period_is_refused_and_names_the_invoice(
    metered: ContractLine,
) -> None:
    """P9."""
    record_file("C-1,1,2026-01-10,5,a")
    run_invoicing(as_of=date(2026, 2, 1))

    line, column, value, message = only_error("C-1,1,2026-01-11,5,b")

    assert (line, column, value) == (2, "usage_date", "2026-01-11")
    assert "INV-000001" in message


def test_period_billed_elsewhere_is_refused(metered: ContractLine) -> None:
    """P9, I2."""
    metered.charges.filter(period_start=date(2026, 1, 1)).update(
        state=ChargeState.EXTERNAL
    )

    assert "billed elsewhere" in only_error("C-1,1,2026-01-11,5,b")[3]


def test_period_invoiced_at_zero_becomes_pending_again(metered: ContractLine) -> None:
    """P9, G10."""
    run_invoicing(as_of=date(2026, 2, 1))
    charges = metered.charges.filter(period_start=date(2026, 1, 1))
    assert charges.get().state == ChargeState.INVOICED

    record_file("C-1,1,2026-01-10,5,a", "C-1,1,2026-01-11,5,b")

    assert charges.get().state == ChargeState.PENDING
    assert charges.get().amount is None


@pytest.mark.parametrize(
    ("row", "column"),
    [
        pytest.param("C-1,2,2026-01-10,5,k", "line", id="no_such_line"),
        pytest.param("C-1,1,2025-12-31,5,k", "usage_date", id="before_the_term"),
        pytest.param("C-1,1,2027-01-01,5,k", "usage_date", id="after_the_term"),
        pytest.param("FLAT,1,2026-01-10,5,k", "line", id="not_billed_by_usage"),
        pytest.param("DRAFT,1,2026-01-10,5,k", "contract_number", id="draft"),
    ],
)
def test_row_that_fits_nothing_is_named(
    metered: ContractLine, row: str, column: str
) -> None:
    """P9."""
    ContractLineFactory.create(contract__number="FLAT", position=1)
    usage_line(contract=ContractFactory.create(number="DRAFT"), position=1)

    assert only_error(row)[1] == column


def test_check_reads_as_often_for_many_rows_as_for_few(metered: ContractLine) -> None:
    def queries(rows: int) -> int:
        lines = [f"C-1,1,2026-01-{n % 28 + 1:02},1,k{n}" for n in range(rows)]
        with CaptureQueriesContext(connection) as captured:
            check_usage_file(file_of(*lines))
        return len(captured)

    assert queries(300) == queries(2) <= 4


@pytest.mark.django_db(transaction=True)
def test_same_file_sent_four_times_at_once_is_recorded_once(
    metered: ContractLine,
) -> None:
    """P9, G12."""
    barrier = Barrier(4)
    outcomes: list[str] = []

    def send() -> None:
        barrier.wait(timeout=10)
        try:
            record_file(*(f"C-1,1,2026-01-{day:02},5,k{day}" for day in range(1, 29)))
            outcomes.append("recorded")
        except UsageFileDisturbed:
            outcomes.append("disturbed")
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert outcomes == ["recorded"] * 4
    assert UsageRecord.objects.count() == 28


def test_key_taken_meanwhile_for_another_contract_disturbs_the_file(
    metered: ContractLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: no lock is shared; the unique key decides."""
    other = usage_line(contract__number="C-2", position=1)
    check = usage_import.check_usage_file

    def check_then_lose(content: bytes) -> usage_import.CheckedUsage:
        checked = check(content)
        UsageRecord.objects.get_or_create(
            idempotency_key="a",
            defaults={
                "line": other,
                "usage_date": date(2026, 1, 1),
                "quantity": 1,
            },
        )
        return checked

    losing = iter([check, check_then_lose])

    def next_check(content: bytes) -> usage_import.CheckedUsage:
        return next(losing)(content)

    monkeypatch.setattr(usage_import, "check_usage_file", next_check)

    with pytest.raises(UsageFileDisturbed, match="try again"):
        record_file("C-1,1,2026-01-10,5,a")


class TestUpload:
    def test_file_with_errors_is_kept_as_refused(self, metered: ContractLine) -> None:
        upload = upload_usage(
            content=file_of("C-1,1,today,5,a"), file_name="u.csv", actor=None
        )

        assert upload.state == UsageImport.State.REFUSED
        assert upload.errors[0]["column"] == "usage_date"
        with pytest.raises(ImportRefused):
            record_usage_file(upload=upload, actor=None)

    def test_good_file_is_recorded_once(self, metered: ContractLine) -> None:
        upload = upload_usage(
            content=file_of("C-1,1,2026-01-10,5,a"), file_name="u.csv", actor=None
        )
        assert not UsageRecord.objects.exists()
        assert upload.summary["lines"] == [
            {
                "contract": "C-1",
                "line": 1,
                "product": "Platform",
                "records": 1,
                "quantity": "5",
            }
        ]

        record_usage_file(upload=upload, actor=None)

        assert UsageRecord.objects.count() == 1
        with pytest.raises(UsageFileRecorded):
            record_usage_file(upload=upload, actor=None)

    def test_what_happened_since_the_check_refuses_the_whole_file(
        self, metered: ContractLine
    ) -> None:
        upload = upload_usage(
            content=file_of("C-1,1,2026-01-10,5,a"), file_name="u.csv", actor=None
        )
        record_usage(
            line=metered,
            usage_date=date(2026, 1, 12),
            quantity=Decimal(1),
            idempotency_key="other",
            actor=None,
        )
        run_invoicing(as_of=date(2026, 2, 1))

        with pytest.raises(ImportRefused, match="INV-000001"):
            record_usage_file(upload=upload, actor=None)

        assert UsageRecord.objects.count() == 1
