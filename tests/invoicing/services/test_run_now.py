"""*Run tonight's invoicing now* where the plans have fallen behind (G12, P1)."""

from datetime import date

import pytest

from invoicing.models import Invoice
from invoicing.services import run_now as module
from invoicing.services.run_now import run_now
from tests.books import sold

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
AFTER_AN_OUTAGE = date(2027, 6, 1)


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Hand every run to the workers; return the legal entities whose run was."""
    handed: list[object] = []
    monkeypatch.setattr(module, "AT_ONCE", 0)
    monkeypatch.setattr(
        module, "async_task", lambda task, entity_id, save: handed.append(entity_id)
    )
    return handed


def test_p1_run_handed_to_workers_knows_what_its_extension_makes_due(
    handed_over: list[object],
) -> None:
    """Its plan ended before that night, and everything planned was billed."""
    contract = sold(today=JAN_1, end_date=None)
    contract.charges.update(state="SKIPPED")
    group = contract.bill_group

    run = run_now(legal_entity=group.legal_entity, actor=None, today=AFTER_AN_OUTAGE)

    assert handed_over == [group.legal_entity_id]
    assert [batch.bill_groups for batch in run.batches.all()] == [[group.pk]]
    run.refresh_from_db()
    assert run.extended_contracts == 1
    assert not Invoice.objects.exists()


def test_p1_little_is_run_at_once_with_its_extension() -> None:
    contract = sold(today=JAN_1, end_date=None)
    contract.charges.update(state="SKIPPED")

    run = run_now(
        legal_entity=contract.bill_group.legal_entity, actor=None, today=AFTER_AN_OUTAGE
    )

    assert run.state == "FINISHED"
    assert run.batches.get().generated == 4
