"""`manage.py preview_contracts`: check and plan a contract file, write nothing."""

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.display import count_text
from config.clock import today_in
from contracts.domain.schedule import PlannedCharge
from contracts.domain.terms import ChargeState
from contracts.services.import_check import CheckedFile
from invoicing.management.arguments import iso_date
from invoicing.management.contract_file import (
    add_file_arguments,
    error_fields,
    error_line,
    legal_entity_named,
    read_upload,
)
from invoicing.management.output import json_object, money, number
from invoicing.services.import_preview import (
    ImportPreview,
    PreviewedInvoice,
    check_import,
    preview_import,
    previewed_charges,
    previewed_invoices,
)


class Command(BaseCommand):
    """Check a contract file, and show what importing it would do."""

    help = "Check and plan a contract CSV, write nothing. Exit code 1 if it is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the dates, and how to report."""
        add_file_arguments(parser)
        parser.add_argument(
            "--through",
            type=iso_date,
            metavar="DATE",
            help="With --json: charges up to this bill date; default: all planned.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, plan and report."""
        legal_entity = legal_entity_named(options["legal_entity"])
        import_date = options["import_date"] or today_in(legal_entity.time_zone)
        upload = read_upload(options["file"], legal_entity)
        if options["json"]:
            checked = check_import(upload=upload, import_date=import_date)
            fields = _as_json(checked, import_date, options["through"])
            for piece in json_object(fields):
                self.stdout.write(piece, ending="")
            self.stdout.write()
            is_refused = bool(checked.errors)
        else:
            preview = preview_import(upload=upload, import_date=import_date)
            self.stdout.writelines(f"{line}\n" for line in _as_text(preview))
            is_refused = bool(preview.refusal or preview.checked.errors)
        if is_refused:
            sys.exit(1)


def _as_json(
    checked: CheckedFile, import_date: date, through: date | None
) -> Mapping[str, Any]:
    invoices = previewed_invoices(checked, import_date=import_date, through=through)
    return {
        "errors": [error_fields(error) for error in checked.errors],
        "charges": _charges(checked, import_date, through),
        "pending_invoices": (_invoice_fields(invoice) for invoice in invoices),
    }


def _charges(
    checked: CheckedFile, import_date: date, through: date | None
) -> Iterator[dict[str, Any]]:
    planned = previewed_charges(
        checked.contracts, import_date=import_date, through=through
    )
    for contract, charges in planned:
        places = {line.line_id: i for i, line in enumerate(contract.terms.lines, 1)}
        for charge in charges:
            yield {
                "contract": contract.parsed.number,
                "line": places[charge.line_id],
                **_charge_fields(charge, import_date),
            }


def _charge_fields(charge: PlannedCharge, import_date: date) -> dict[str, Any]:
    is_past = charge.bill_date < import_date
    amount = charge.amount
    return {
        "period_start": charge.period.start.isoformat(),
        "period_end": charge.period.last_day.isoformat(),
        "bill_date": charge.bill_date.isoformat(),
        "quantity": number(charge.quantity),
        "unit_price": number(charge.unit_price),
        "amount": None if amount is None else money(amount, charge.currency),
        "currency": charge.currency,
        "state": (ChargeState.EXTERNAL if is_past else ChargeState.PENDING).value,
    }


def _invoice_fields(invoice: PreviewedInvoice) -> dict[str, Any]:
    return {
        "bill_group": invoice.bill_group,
        "bill_date": invoice.bill_date.isoformat(),
        "currency": invoice.currency,
        "total": money(invoice.total, invoice.currency),
    }


def _as_text(preview: ImportPreview) -> Iterator[str]:
    if preview.refusal:
        day = preview.summary.import_date
        yield f"It can't be imported as of {day}: {preview.refusal}"
    if preview.checked.errors:
        yield "The file can't be imported:"
        yield from map(error_line, preview.checked.errors)
    if preview.refusal or preview.checked.errors:
        return
    summary, first = preview.summary, preview.first_invoices
    contracts = count_text(summary.contracts, "contract")
    yield f"{contracts} with {count_text(summary.lines, 'line')} can be imported."
    yield f"Charges to bill: {summary.charges_to_bill}{_sums(summary.to_bill)}."
    yield (
        f"Charges before {summary.import_date}, billed elsewhere: "
        f"{summary.charges_past}{_sums(summary.past)}."
    )
    if summary.usage:
        yield f"{summary.usage} of them are usage, rated when it is invoiced."
    yield f"Invoices made at once: {first.invoices}{_sums(first.totals)}."
    if first.drafts:
        yield f"Drafts held for review: {first.drafts}."


def _sums(by_currency: Mapping[str, Any]) -> str:
    sums = [
        f"{money(amount, currency)} {currency}"
        for currency, amount in sorted(by_currency.items())
        if amount
    ]
    return f", {' + '.join(sums)}" if sums else ""
