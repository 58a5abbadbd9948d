"""The demo company: CSV files with dates relative to today, really imported and run.

Dates are written as `{M+2-1}`: the first day of the month in which the demo begins,
plus two months, minus a day.
"""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.domain.period import add_months
from billing.models import InvoicingSettings, LegalEntity
from contracts.domain.terms import ChargeState
from contracts.models import ContractImport, ContractLine, ScheduledCharge
from contracts.services.usage import record_usage
from invoicing.services.generation import invoice_legal_entity
from invoicing.services.lifecycle import import_contracts, upload_contracts
from invoicing.services.numbering import ensure_series

FOLDER = Path(__file__).parent
FILE_NAME = "demo-contracts.csv"
MONTHS_BACK = 3
RELATIVE_DATE = re.compile(r"\{M(?P<months>[+-]\d+)(?P<days>[+-]\d+)?\}")


def demo_is_loaded() -> bool:
    """Whether the demo company was imported before."""
    return ContractImport.objects.filter(
        file_name=FILE_NAME, state=ContractImport.State.IMPORTED
    ).exists()


def load_demo(*, actor: AbstractBaseUser, today: date) -> None:
    """Make the demo company as if its books had begun three months before today."""
    begin = add_months(today.replace(day=1), -MONTHS_BACK)
    with transaction.atomic():
        legal_entity = _legal_entity()
        upload = upload_contracts(
            content=_dated("contracts.csv", begin).encode(),
            file_name=FILE_NAME,
            legal_entity=legal_entity,
            actor=actor,
            today=begin,
        )
        import_contracts(upload=upload, actor=actor, import_date=begin, today=begin)
        _record_usage(begin, today=today, actor=actor)
    for night in _nights(today):
        invoice_legal_entity(as_of=night, legal_entity=legal_entity, actor=None)


def _legal_entity() -> LegalEntity:
    legal_entity, _ = LegalEntity.objects.get_or_create(
        name="Nordhaven Systems GmbH",
        defaults={
            "address_line1": "Am Sandtorkai 50",
            "city": "Hamburg",
            "postal_code": "20457",
            "country": "DE",
            "tax_id": "DE136695976",
            "email": "billing@nordhaven.example",
            "iban": "DE89370400440532013000",
            "bic": "COBADEFFXXX",
            "time_zone": "Europe/Berlin",
        },
    )
    InvoicingSettings.objects.get_or_create(legal_entity=legal_entity)
    ensure_series(legal_entity)
    return legal_entity


def _dated(name: str, begin: date) -> str:
    """Return a demo file with its relative dates written out."""

    def written(match: re.Match[str]) -> str:
        day = add_months(begin, int(match["months"]))
        return (day + timedelta(days=int(match["days"] or 0))).isoformat()

    text = (FOLDER / name).read_text(encoding="utf-8")
    return RELATIVE_DATE.sub(written, text)


def _record_usage(begin: date, *, today: date, actor: AbstractBaseUser) -> None:
    rows = csv.DictReader(io.StringIO(_dated("usage.csv", begin)))
    for number, row in enumerate(rows, start=1):
        usage_date = date.fromisoformat(row["usage_date"])
        if usage_date > today:
            continue
        line = ContractLine.objects.get(
            contract__number=row["contract_number"], product__name=row["product"]
        )
        record_usage(
            line=line,
            usage_date=usage_date,
            quantity=Decimal(row["quantity"]),
            idempotency_key=f"demo-{number}",
            actor=actor,
        )


def _nights(today: date) -> list[date]:
    """Return the nights on which something came due, and tonight."""
    due = ScheduledCharge.objects.filter(
        state=ChargeState.PENDING, bill_date__lt=today
    ).values_list("bill_date", flat=True)
    return [*sorted(set(due)), today]
