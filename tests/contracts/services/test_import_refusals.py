from collections.abc import Callable
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.display import instant_text
from billing.models import BillGroup
from contracts.domain.csv_file import RowError
from contracts.models import (
    Contract,
    ContractImport,
)
from contracts.services import import_rows, imports
from contracts.services.import_facts import read_facts
from contracts.services.imports import (
    ImportDateInFuture,
    ImportDisturbed,
    ImportRunning,
    apply_import,
)
from contracts.services.uploads import ImportNotDone, ImportRefused, keep_file
from tests.contracts.imported import TODAY, apply, upload, written
from tests.factories import (
    AccountFactory,
    ContractFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


class TestNothingByHalves:
    def test_a_file_with_an_error_is_refused_whole(self) -> None:
        """I1."""
        before = written()

        with pytest.raises(ImportRefused, match="errors in 1 row") as refused:
            apply({}, {"contract_number": "C-2", "unit_price": "1,000"})

        assert [error.column for error in refused.value.errors] == ["unit_price"]
        assert written() == before

    def test_a_failure_while_writing_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """I1."""

        def fail(*_: object, **__: object) -> None:
            raise OSError("The disk is full.")

        before = written()
        monkeypatch.setattr(import_rows, "write_audit", fail)

        with pytest.raises(OSError, match="disk is full"):
            apply({})

        assert written() == before

    def test_the_same_file_twice_is_refused_and_says_when(self) -> None:
        """I1."""
        actor = UserFactory.create(username="anna")
        apply(upload=upload({}, actor=actor))
        before = written()

        with pytest.raises(ImportRefused) as refused:
            apply({})

        [error] = refused.value.errors
        imported = ContractImport.objects.get()
        zone = imported.legal_entity.time_zone
        assert instant_text(imported.imported_at, zone) in error.message
        assert "by anna, with the import date 1 Mar 2026" in error.message
        assert (error.line, error.value) == (1, "contracts.csv")
        assert written() == before

    def test_an_upload_that_was_imported_is_not_imported_again(self) -> None:
        kept = keep_file(upload({}), errors=(), summary={})
        apply(upload=kept)

        with pytest.raises(ImportRefused, match="imported already"):
            apply(upload=kept)

    def test_an_upload_is_checked_again_when_it_is_imported(self) -> None:
        """What changed since the check counts."""
        kept = keep_file(upload({}), errors=(), summary={})
        ContractFactory.create(number="C-1")

        with pytest.raises(ImportRefused):
            apply(upload=kept)

        kept.refresh_from_db()
        assert kept.state == "CHECKED"

    def test_a_refused_upload_can_be_imported_once_it_fits(self) -> None:
        taken = ContractFactory.create(number="C-1")
        error = RowError(line=2, column="", value="", message="Taken.")
        kept = keep_file(upload({}), errors=(error,), summary={})
        assert kept.state == "REFUSED"
        taken.delete()

        apply(upload=kept)

        assert Contract.objects.get().number == "C-1"

    def test_an_import_date_in_the_future_is_refused(self) -> None:
        """M8, I3."""
        with pytest.raises(ImportDateInFuture, match="today is 1 Mar 2026"):
            apply({}, import_date=date(2026, 3, 2))

        apply({}, import_date=date(2026, 2, 28))

    def test_what_somebody_enters_at_the_same_moment_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read_then_disturb(contracts: Any) -> Any:
            facts = read_facts(contracts)
            AccountFactory.create(number="A-1", name="Acme")
            return facts

        monkeypatch.setattr(imports, "read_facts", read_then_disturb)

        with pytest.raises(ImportDisturbed, match="at the same moment"):
            apply({})

    def test_other_refusals_of_the_database_are_not_mistaken(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def charge_twice(self: Any, placed: Any) -> Any:
            [item] = placed
            lines = list(charge_lines(self, placed))
            item.charges = len(lines)
            return [*lines, lines[0]]

        charge_lines = import_rows.ImportWriter._charge_lines
        monkeypatch.setattr(import_rows.ImportWriter, "_charge_lines", charge_twice)

        with pytest.raises(IntegrityError, match="charged twice"):
            apply({})


def in_threads(jobs: list[Callable[[], None]]) -> list[str]:
    """Do jobs at the same moment; returns the names of what they raised, or 'done'."""
    barrier = Barrier(len(jobs))
    outcomes: list[str] = []

    def run(job: Callable[[], None]) -> None:
        barrier.wait(timeout=10)
        try:
            job()
            outcomes.append("done")
        except ImportNotDone as refused:
            outcomes.append(type(refused).__name__)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_two_people_who_import_the_same_file_one_is_told(self) -> None:
        """I1: whether the other one is still at it or done."""
        kept = keep_file(upload({}), errors=(), summary={})
        same = upload({})

        outcomes = in_threads([lambda: drop(kept), lambda: drop(same)])

        assert outcomes in (["ImportRefused", "done"], ["ImportRunning", "done"])
        assert Contract.objects.count() == 1
        assert ContractImport.objects.filter(state="IMPORTED").count() == 1

    def test_a_second_import_is_told_that_one_is_running(self) -> None:
        other = upload({"contract_number": "C-2"})

        with transaction.atomic():
            apply({})
            outcomes = in_threads([lambda: drop(other)])

        assert outcomes == ["ImportRunning"]
        drop(other)
        assert Contract.objects.count() == 2

    def test_a_bill_group_in_use_is_not_waited_for_without_end(self) -> None:
        apply({})
        group = BillGroup.objects.get()
        other = upload({"contract_number": "C-2"})

        with transaction.atomic():
            BillGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
            outcomes = in_threads([lambda: drop_soon(other)])

        assert outcomes == ["BillGroupsInUse"]


def drop(waiting: ContractImport) -> None:
    """Import an upload on TODAY."""
    apply_import(upload=waiting, actor=None, import_date=TODAY, today=TODAY)


@transaction.atomic
def drop_soon(waiting: ContractImport) -> None:
    """Import an upload, giving up on locks early."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '200ms'")
    drop(waiting)


def test_running_is_one_kind_of_not_done() -> None:
    assert issubclass(ImportRunning, ImportNotDone)
