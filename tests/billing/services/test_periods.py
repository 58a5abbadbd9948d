"""Closing months and reopening the last one (M6)."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from billing.models import AccountingPeriod, AuditEvent, LegalEntity
from billing.queries import closed_through
from billing.services.periods import (
    PeriodStays,
    close_period,
    reopen_period,
)
from billing.services.reasons import ReasonMissing
from tests.factories import LegalEntityFactory, UserFactory

pytestmark = pytest.mark.django_db

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
NEVER_ENDED = date(2199, 1, 1)


@pytest.fixture
def entity() -> LegalEntity:
    made: LegalEntity = LegalEntityFactory.create()
    return made


@pytest.fixture
def someone() -> User:
    made: User = UserFactory.create(username="fiona")
    return made


def close(
    entity: LegalEntity, month: date, actor: User | None = None
) -> AccountingPeriod:
    period = AccountingPeriod(legal_entity=entity, month=month)
    return close_period(period=period, actor=actor)


def test_m6_a_month_that_has_ended_is_closed(
    entity: LegalEntity, someone: User
) -> None:
    period = close(entity, JANUARY, someone)

    entry = AuditEvent.objects.get()
    assert closed_through(entity) == date(2026, 1, 31)
    assert (entry.code, entry.actor_name) == ("period.closed", "fiona")
    assert entry.subject == f"January 2026, {entity}"
    assert entry.before == {"state": "OPEN"}
    assert entry.after == {"state": "CLOSED", "period": period.pk}


def test_m6_months_are_closed_in_order(entity: LegalEntity) -> None:
    close(entity, JANUARY)

    with pytest.raises(PeriodStays) as refusal:
        close(entity, MARCH)
    close(entity, FEBRUARY)

    assert str(refusal.value) == (
        "Months are closed in order: after January 2026 comes February 2026."
    )
    assert closed_through(entity) == date(2026, 2, 28)


def test_m6_each_legal_entity_closes_its_own_months(entity: LegalEntity) -> None:
    other = LegalEntityFactory.create(name="Nordhaven Inc.")
    close(entity, JANUARY)

    close(other, MARCH)

    assert closed_through(entity) == date(2026, 1, 31)


def test_m6_a_month_that_has_not_ended_is_not_closed(entity: LegalEntity) -> None:
    with pytest.raises(PeriodStays) as refusal:
        close(entity, NEVER_ENDED)

    assert str(refusal.value) == (
        "January 2199 has not ended yet. A month is closed after its last day."
    )
    assert not AccountingPeriod.objects.exists()


def test_m6_a_closed_month_is_not_closed_again(entity: LegalEntity) -> None:
    close(entity, JANUARY)

    with pytest.raises(PeriodStays, match="closed already"):
        close(entity, JANUARY)

    assert AuditEvent.objects.count() == 1


def test_m6_the_last_closed_month_is_reopened_with_a_reason(
    entity: LegalEntity, someone: User
) -> None:
    close(entity, JANUARY)
    period = close(entity, FEBRUARY)

    with pytest.raises(ReasonMissing):
        reopen_period(period=period, reason=" ", actor=someone)
    reopen_period(period=period, reason="A bill came late", actor=someone)

    entry = AuditEvent.objects.get(code="period.reopened")
    assert closed_through(entity) == date(2026, 1, 31)
    assert (entry.reason, entry.actor_name) == ("A bill came late", "fiona")


def test_m6_an_earlier_month_is_not_reopened(entity: LegalEntity) -> None:
    period = close(entity, JANUARY)
    close(entity, FEBRUARY)

    with pytest.raises(PeriodStays) as refusal:
        reopen_period(period=period, reason="Late", actor=None)

    assert str(refusal.value) == (
        "January 2026 can't be reopened while February 2026 is closed. Reopen the "
        "last closed month first."
    )


def test_m6_an_open_month_is_not_reopened(entity: LegalEntity) -> None:
    period = close(entity, JANUARY)
    reopen_period(period=period, reason="Late", actor=None)

    with pytest.raises(PeriodStays, match="is open"):
        reopen_period(period=period, reason="Late", actor=None)


def test_m6_a_reopened_month_is_closed_again(entity: LegalEntity) -> None:
    period = close(entity, JANUARY)
    reopen_period(period=period, reason="Late", actor=None)

    close(entity, JANUARY)

    assert AccountingPeriod.objects.get().state == "CLOSED"


class TestDatabase:
    """Past every service."""

    def refuses(self, **values: object) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            AccountingPeriod.objects.create(**values)

    def test_m6_refuses_what_the_service_refuses(self, entity: LegalEntity) -> None:
        close(entity, JANUARY)

        self.refuses(legal_entity=entity, month=MARCH, state="CLOSED")
        self.refuses(legal_entity=entity, month=NEVER_ENDED, state="CLOSED")

    def test_m6_a_month_that_was_closed_is_never_deleted(
        self, entity: LegalEntity
    ) -> None:
        close(entity, JANUARY)

        with pytest.raises(IntegrityError), transaction.atomic():
            AccountingPeriod.objects.all().delete()
