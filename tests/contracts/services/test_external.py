from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing.models import AuditEvent
from billing.services.reasons import ReasonMissing
from contracts.models import ScheduledCharge
from contracts.services.external import (
    HasOutsideNumber,
    NotBilledElsewhere,
    record_external_number,
    release_external_charge,
)
from tests.contracts.test_queries import charge
from tests.factories import ContractLineFactory, UserFactory

pytestmark = pytest.mark.django_db


def external_charge(**fields: Any) -> ScheduledCharge:
    """Store a charge of January 2026 that was billed elsewhere."""
    values: dict[str, Any] = {"state": "EXTERNAL"} | fields
    row: ScheduledCharge = charge(
        ContractLineFactory.create(), date(2026, 1, 1), date(2026, 1, 31), **values
    )
    return row


def test_a_released_charge_is_pending_and_says_who_released_it_and_why() -> None:
    """I2, M5."""
    actor = UserFactory.create()
    row = external_charge()

    released = release_external_charge(
        charge=row, reason=" Never billed there ", actor=actor
    )

    assert released.state == "PENDING"
    assert ScheduledCharge.objects.get().state == "PENDING"
    entry = AuditEvent.objects.get()
    assert (entry.code, entry.actor_name) == ("charge.released", actor.username)
    assert entry.reason == "Never billed there"
    assert entry.contract_id == row.contract_id
    assert (entry.before, entry.after) == ({"state": "EXTERNAL"}, {"state": "PENDING"})


def test_releasing_needs_a_reason() -> None:
    """I2."""
    with pytest.raises(ReasonMissing):
        release_external_charge(charge=external_charge(), reason=" ", actor=None)


@pytest.mark.parametrize("state", ["PENDING", "INVOICED", "SKIPPED", "CANCELED"])
def test_only_a_charge_billed_elsewhere_is_released(state: str) -> None:
    row = external_charge(state=state)

    with pytest.raises(NotBilledElsewhere, match="Nothing was changed"):
        release_external_charge(charge=row, reason="Why not", actor=None)


def test_releasing_twice_is_refused_the_second_time() -> None:
    row = external_charge()
    release_external_charge(charge=row, reason="Never billed there", actor=None)

    with pytest.raises(NotBilledElsewhere, match="pending"):
        release_external_charge(charge=row, reason="Never billed there", actor=None)


def test_a_charge_on_an_outside_invoice_is_not_released() -> None:
    """I2: one or the other."""
    row = external_charge(external_number="OLD-17")

    with pytest.raises(HasOutsideNumber, match="OLD-17"):
        release_external_charge(charge=row, reason="Bill it again", actor=None)


def test_the_outside_number_is_noted_with_an_audit_entry() -> None:
    """I2, M5."""
    row = external_charge()

    record_external_number(charge=row, number=" OLD-17 ", actor=None)

    assert ScheduledCharge.objects.get().external_number == "OLD-17"
    entry = AuditEvent.objects.get()
    assert entry.code == "charge.external_number"
    assert entry.after == {"external_number": "OLD-17"}


def test_the_same_outside_number_again_changes_nothing() -> None:
    row = external_charge(external_number="OLD-17")

    record_external_number(charge=row, number="OLD-17", actor=None)

    assert not AuditEvent.objects.exists()


def test_a_removed_number_lets_the_charge_be_released() -> None:
    row = external_charge(external_number="OLD-17")

    record_external_number(charge=row, number="", actor=None)
    released = release_external_charge(charge=row, reason="Wrong number", actor=None)

    assert released.state == "PENDING"


def test_an_outside_number_has_at_most_100_characters() -> None:
    with pytest.raises(ValidationError, match="at most 100 characters"):
        record_external_number(charge=external_charge(), number="9" * 101, actor=None)
