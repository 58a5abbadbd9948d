"""What the database refuses of portals, and what it notes by itself (F3).

Raw statements go past every service and form. Each test fails where its constraint or
trigger is missing.
"""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import BillGroup
from invoicing.models import PortalStep, PortalSubmission
from invoicing.services.credits import credit_invoice
from tests.portal import ariba, entry_of, portal_group, portal_invoice

pytestmark = pytest.mark.django_db

JAN_9 = date(2026, 1, 9)


def since(group: BillGroup, **change: Any) -> Any:
    """Change a bill group past every service; return since when it has its portal."""
    BillGroup.objects.filter(pk=group.pk).update(**change)
    group.refresh_from_db()
    return group.portal_since


def test_f3_database_notes_since_when_a_group_is_delivered_by_portal() -> None:
    group = portal_group()
    group.refresh_from_db()
    first = group.portal_since
    assert first is not None

    assert since(group, portal_since=None) == first
    assert since(group, delivery="BOTH") == first
    assert since(group, delivery="EMAIL") is None
    assert since(group, portal_since=first) is None
    assert since(group, delivery="PORTAL") > first


def test_f3_credit_note_is_in_the_worklist_once() -> None:
    invoice = portal_invoice()
    credit_invoice(invoice=invoice, reason="x", actor=None, today=JAN_9)
    entry = PortalSubmission.objects.get(credit_note__isnull=False)
    entry.pk = None

    with pytest.raises(IntegrityError, match="credit_note_once"), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"state": "PAID"}, "portal_state_known"),
        ({"step_date": date(2025, 12, 31)}, "portal_step_not_before_issue"),
    ],
)
def test_f3_document_is_where_it_can_be(change: dict[str, Any], guard: str) -> None:
    entry = entry_of(portal_invoice())

    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        PortalSubmission.objects.filter(pk=entry.pk).update(**change)


@pytest.mark.parametrize("state", ["SUBMITTED", "DISPUTED", "WITHDRAWN", "PAID"])
def test_f3_step_says_what_it_must(state: str) -> None:
    entry = entry_of(portal_invoice())

    with pytest.raises(IntegrityError, match="says_what_it_must"), transaction.atomic():
        PortalStep.objects.create(
            submission=entry, state=state, on=JAN_9, made_by_name="x"
        )


@pytest.mark.parametrize(
    ("name", "guard"), [("ARIBA", "name_once"), ("", "has_a_name")]
)
def test_f3_portal_has_a_name_of_its_own(name: str, guard: str) -> None:
    ariba()

    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        ariba(name=name)
