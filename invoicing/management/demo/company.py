"""The demo company: a year of its books, through the real import and the real nights.

All of it is one transaction: whoever stops it half-way finds nothing of it, and it
starts anew the next time. Two who load it at once wait for one another.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction

from billing.models import LegalEntity
from contracts.domain.terms import ChargeState
from contracts.models import (
    Contract,
    ContractImport,
    ContractLine,
    ScheduledCharge,
)
from contracts.services.rows import refresh_statistics
from contracts.services.usage import record_usage
from invoicing.management.demo.acts import acts_of
from invoicing.management.demo.bank import Bank
from invoicing.management.demo.catalog import (
    make_accounts,
    make_custom_fields,
    make_portal,
    make_sellers,
)
from invoicing.management.demo.files import Row, contract_files, read_demo
from invoicing.management.demo.scene import Scene
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.calendar import NIGHTS_SHOWN
from invoicing.services.generation import invoice_legal_entity
from invoicing.services.lifecycle import import_contracts, upload_contracts

FILE_NAME = "demo-contracts"
DEMO_LOCK = 4_917_204  # of pg_advisory_xact_lock; any number that nothing else locks


@transaction.atomic
def load_demo(*, actor: AbstractBaseUser, today: date) -> bool:
    """Make the demo company as of today; False if it is there and nothing was done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DEMO_LOCK])
    if demo_is_loaded():
        return False
    sellers = make_sellers()
    make_custom_fields(today)
    make_portal()
    make_accounts(today)
    year = _Year(sellers, actor=actor, today=today)
    for day in year.days():
        year.live(day)
    return True


def demo_is_loaded() -> bool:
    """Whether the demo company is there, of this version or an earlier one."""
    return ContractImport.objects.filter(
        file_name__startswith=FILE_NAME, state=ContractImport.State.IMPORTED
    ).exists()


class _Year:
    """The year before today, lived day by day."""

    def __init__(
        self,
        sellers: dict[str, LegalEntity],
        *,
        actor: AbstractBaseUser,
        today: date,
    ) -> None:
        self._sellers = sellers
        self._actor = actor
        self._today = today
        self._files = list(contract_files(today))
        self._acts = acts_of(today)
        usage = read_demo("usage.csv", today=today)
        self._usage = sorted(usage, key=lambda row: row["usage_date"])
        self._bank = Bank(actor=actor, today=today)
        self._recorded = 0
        self._last = date.min

    def days(self) -> Iterator[date]:
        """Yield the days on which something happens, and the last nights, to today.

        A day is asked for when those before it were lived: what comes due next depends
        on what was imported.
        """
        planned = {day for day, _, _ in self._files} | {day for day, _ in self._acts}
        planned |= {self._today - timedelta(days=back) for back in range(NIGHTS_SHOWN)}
        for day in sorted(planned | {self._today}):
            while (due := self._next_due(before=day)) is not None:
                yield due
            yield day

    def _next_due(self, *, before: date) -> date | None:
        """Return the next bill date after the last night, if it lies before a day."""
        pending = ScheduledCharge.objects.filter(
            state=ChargeState.PENDING, bill_date__lt=before, bill_date__gt=self._last
        )
        return pending.order_by("bill_date").values_list("bill_date", flat=True).first()

    def live(self, day: date) -> None:
        """Import, act and record what falls on a day, then run its night."""
        for imported, code, content in self._files:
            if imported == day:
                self._import(day, self._sellers[code], content)
        self._record_usage(before=day)
        self._bank.record(until=day)
        self._act(day)
        for seller in self._sellers.values():
            invoice_legal_entity(as_of=day, legal_entity=seller, actor=None)
        self._last = day

    def _act(self, day: date) -> None:
        acts = [act for acted, act in self._acts if acted == day]
        if acts:  # the planner knows nothing yet of what this transaction wrote
            refresh_statistics(Contract, ScheduledCharge, Invoice, InvoiceLine)
        for act in acts:
            act(Scene(actor=self._actor, day=day, today=self._today))

    def _import(self, day: date, seller: LegalEntity, content: bytes) -> None:
        upload = upload_contracts(
            content=content,
            file_name=f"{FILE_NAME}-{day:%Y-%m}-{seller.country}.csv",
            legal_entity=seller,
            actor=self._actor,
            today=day,
        )
        import_contracts(upload=upload, actor=self._actor, import_date=day, today=day)

    def _record_usage(self, *, before: date) -> None:
        """Record what was used before a day and is not recorded yet."""
        for row in self._usage[self._recorded :]:
            if row["usage_date"] >= before.isoformat():
                return
            self._recorded += 1
            self._record(row)

    def _record(self, row: Row) -> None:
        record_usage(
            line=ContractLine.objects.get(
                contract__number=row["contract_number"], product__name=row["product"]
            ),
            usage_date=date.fromisoformat(row["usage_date"]),
            quantity=Decimal(row["quantity"]),
            idempotency_key=f"demo-{self._recorded}",
            actor=self._actor,
        )
