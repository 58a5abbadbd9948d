"""What importing a contract file will bring, before anything is written (I1, I4).

Contracts that are not stored yet are planned and decided about with the functions that
will plan and decide them; usage counts nothing, since none was recorded.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing.domain.bill_group import BillGroupStatus, InvoicingMode
from billing.models import BillGroup, InvoicingSettings
from billing.queries import invoicing_settings
from contracts.domain.csv_contracts import ParsedLine
from contracts.domain.csv_file import RowError
from contracts.domain.import_summary import ImportSummary
from contracts.domain.schedule import PlannedCharge
from contracts.domain.terms import Timing
from contracts.models import ContractImport
from contracts.services.import_check import (
    CheckedContract,
    CheckedFile,
    planned,
)
from contracts.services.import_owners import portals_of_new_groups
from contracts.services.import_taxes import TAX_RATE_SINCE, tax_rate_name
from contracts.services.imports import check_upload
from invoicing.domain.document import Document, PendingCharge, TaxSteps, compose
from invoicing.domain.eligibility import Facts, Outcome, Trigger, decide
from invoicing.domain.totals import invoice_totals
from invoicing.queries.pending import last_comparison_totals, parked_reasons
from invoicing.services.locks import PeriodClosed, refuse_closed
from invoicing.services.numbering import IssueDateTooEarly, refuse_too_early

DOCUMENTS_SHOWN: Final = 200


@dataclass(slots=True, kw_only=True)
class FirstInvoices:
    """The documents an import makes at once; `totals` of the invoices by currency.

    `documents` names the first of them.
    """

    invoices: int = 0
    drafts: int = 0
    documents: list[dict[str, str]] = field(default_factory=list)
    totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and totals as JSON."""
        return {
            "invoices": self.invoices,
            "drafts": self.drafts,
            "totals": [
                {"currency": currency, "total": str(total)}
                for currency, total in sorted(self.totals.items())
            ],
            "documents": self.documents,
        }

    def add(self, contract: CheckedContract, document: Document, outcome: str) -> None:
        """Count a document, and name it while there are not too many."""
        if outcome == Outcome.GENERATE:
            self.invoices += 1
            self.totals[document.currency] += document.totals.total
        else:
            self.drafts += 1
        if len(self.documents) < DOCUMENTS_SHOWN:
            account, bill_group = contract.bill_group_key
            self.documents.append(
                {
                    "contract": contract.parsed.number,
                    "account": account,
                    "bill_group": bill_group,
                    "bill_date": document.bill_date.isoformat(),
                    "currency": document.currency,
                    "total": str(document.totals.total),
                    "outcome": outcome,
                }
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """A checked file in figures; both are empty where it has errors.

    `refusal` says why importing on that date would be refused, whatever is in the file;
    blank where it would not.
    """

    checked: CheckedFile
    summary: ImportSummary
    first_invoices: FirstInvoices
    refusal: str

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON, as they are kept with an upload."""
        return {
            **self.summary.as_dict(),
            "first_invoices": self.first_invoices.as_dict(),
            "portals": [asdict(one) for one in portals_of_new_groups(self.checked)],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedInvoice:
    """A pending invoice of a file: its bill group by name, and what it comes to."""

    bill_group: str
    bill_date: date
    currency: str
    total: Decimal


def preview_import(*, upload: ContractImport, import_date: date) -> ImportPreview:
    """Check a file and say what importing it on a date will do; writes nothing."""
    checked = check_upload(upload)
    summary = ImportSummary(import_date=import_date)
    forecast = _Forecast(checked, import_date)
    for contract, charges in planned(checked.contracts, today=import_date):
        summary.add(
            charges,
            lines=len(contract.terms.lines),
            bill_group=contract.bill_group_key,
        )
        forecast.add(contract, charges)
    return ImportPreview(
        checked=checked,
        summary=summary,
        first_invoices=forecast.first_invoices,
        refusal=_refusal(checked, import_date, lambda: forecast.first_invoices),
    )


def check_import(*, upload: ContractImport, import_date: date) -> CheckedFile:
    """Check a file and the date to import it on; a refused date is its first error."""
    checked = check_upload(upload)

    def first_invoices() -> FirstInvoices:
        forecast = _Forecast(checked, import_date)
        for contract, charges in planned(checked.contracts, today=import_date):
            forecast.add(contract, charges)
        return forecast.first_invoices

    refusal = _refusal(checked, import_date, first_invoices)
    if not refusal:
        return checked
    error = RowError(line=1, column="", value="", message=refusal)
    return CheckedFile.refused(checked.legal_entity, error, *checked.errors)


def _refusal(
    checked: CheckedFile,
    import_date: date,
    first_invoices: Callable[[], FirstInvoices],
) -> str:
    """Say why importing on a date would be refused; blank: it would not (M6, M8).

    `first_invoices` is asked only where the date is too early for a new number.
    """
    try:
        refuse_closed(checked.legal_entity, issue_date=import_date)
    except PeriodClosed as refusal:
        return str(refusal)
    try:
        refuse_too_early(checked.legal_entity, issue_date=import_date)
    except IssueDateTooEarly as refusal:
        return str(refusal) if first_invoices().invoices else ""
    return ""


def previewed_charges(
    contracts: Iterable[CheckedContract], *, import_date: date, through: date | None
) -> Iterator[tuple[CheckedContract, list[PlannedCharge]]]:
    """Yield contracts with their charges, up to a bill date if `through` is given.

    An evergreen contract is planned as far as that.
    """
    today = import_date if through is None else max(import_date, through)
    for contract, charges in planned(contracts, today=today):
        yield (
            contract,
            [c for c in charges if through is None or c.bill_date <= through],
        )


def previewed_invoices(
    checked: CheckedFile, *, import_date: date, through: date | None
) -> Iterator[PreviewedInvoice]:
    """Yield the pending invoices of a file, by bill group in its order, with taxes.

    Only charges of the file count, also where a known bill group has others.
    """
    by_group: defaultdict[object, list[CheckedContract]] = defaultdict(list)
    for contract in checked.contracts:
        by_group[contract.bill_group_key].append(contract)
    for contracts in by_group.values():
        group = contracts[0].parsed.bill_group
        lines_by_date: defaultdict[date, list[tuple[Decimal, Decimal | None]]]
        lines_by_date = defaultdict(list)
        for contract, charges in previewed_charges(
            contracts, import_date=import_date, through=through
        ):
            lines = contract.lines_by_id
            for charge in charges:
                if charge.bill_date >= import_date:
                    percent = lines[charge.line_id].tax_percent
                    amount = charge.amount or Decimal(0)
                    lines_by_date[charge.bill_date].append((amount, percent))
        for bill_date, amounts in sorted(lines_by_date.items()):
            yield PreviewedInvoice(
                bill_group=group.name,
                bill_date=bill_date,
                currency=group.currency,
                total=invoice_totals(amounts, group.currency).total,
            )


class _Forecast:
    """Decides about each contract's first invoice as its activation will (G5, G6)."""

    def __init__(self, checked: CheckedFile, import_date: date) -> None:
        group_ids = [group.pk for group in checked.facts.bill_groups.values()]
        self.first_invoices = FirstInvoices()
        self._checked = checked
        self._import_date = import_date
        self._settings = invoicing_settings(checked.legal_entity)
        self._tax_ids = _tax_ids(checked)
        self._taxes = {
            rate_id: TaxSteps(
                name=tax_rate_name(percent), steps=((TAX_RATE_SINCE, percent),)
            )
            for percent, rate_id in self._tax_ids.items()
        }
        self._parked = parked_reasons(group_ids)
        self._last_totals = last_comparison_totals(group_ids)

    def add(self, contract: CheckedContract, charges: Sequence[PlannedCharge]) -> None:
        """Count the document that importing a contract makes at once, if any.

        A contract with a past charge has had its first invoice elsewhere (I4); one with
        arrears or usage waits for the nightly run (G5).
        """
        bill_date = min((charge.bill_date for charge in charges), default=None)
        if bill_date is None or bill_date < self._import_date:
            return
        if any(line.timing is Timing.ARREARS for line in contract.terms.lines):
            return
        document = self._compose(
            contract, [charge for charge in charges if charge.bill_date == bill_date]
        )
        decision = decide(self._facts(contract, document))
        if decision.generate:
            self.first_invoices.add(contract, document, decision.outcome)

    def _compose(
        self, contract: CheckedContract, charges: Sequence[PlannedCharge]
    ) -> Document:
        lines = contract.lines_by_id
        return compose(
            [
                self._pending_charge(charge, contract, lines[charge.line_id])
                for charge in charges
            ],
            currency=contract.parsed.currency,
            usage={},
            taxes=self._taxes,
        )

    def _facts(self, contract: CheckedContract, document: Document) -> Facts:
        settings = self._settings
        parsed = contract.parsed.bill_group
        known = self._checked.facts.bill_groups.get(contract.bill_group_key)
        group = known or BillGroup(invoicing=parsed.invoicing or BillGroup().invoicing)
        return Facts(
            trigger=Trigger.ACTIVATION,
            as_of=self._import_date,
            bill_date=document.bill_date,
            currency=document.currency,
            settings_manual=settings.is_manual,
            offset_days=settings.bill_date_offset,
            first_invoice_on_schedule=settings.first_invoice
            == InvoicingSettings.FirstInvoice.ON_SCHEDULE,
            catch_up_limit=settings.catch_up_limit,
            jump_limit=settings.jump_limit,
            review_before_issue=settings.review_before_issue,
            group_status=BillGroupStatus(group.status),
            group_manual=group.invoicing == InvoicingMode.MANUAL,
            awaiting_manual_invoice=group.awaiting_manual_invoice,
            parked_reason=self._parked.get(group.pk),
            contract_in_arrears=False,
            has_billed_elsewhere=False,
            bills_in_arrears=False,
            comparison_total=document.full_price_subtotal,
            last_comparison_total=self._last_totals.get(group.pk),
            billable=bool(document.lines),
        )

    def _pending_charge(
        self, charge: PlannedCharge, contract: CheckedContract, line: ParsedLine
    ) -> PendingCharge:
        percent = line.tax_percent
        return PendingCharge(
            charge_id=0,
            contract_id=0,
            contract_number=contract.parsed.number,
            bill_group_id=0,
            bill_date=charge.bill_date,
            period_start=charge.period.start,
            period_end=charge.period.last_day,
            in_advance=charge.in_advance,
            quantity=charge.quantity,
            unit_price=charge.unit_price,
            discount_percent=charge.discount_percent,
            amount=charge.amount,
            product_name=line.product,
            description=line.description,
            tax_rate_id=None if percent is None else self._tax_ids[percent],
        )


def _tax_ids(checked: CheckedFile) -> dict[Decimal, int]:
    """Number the tax percents of a file; a checked file's rates mean what it says."""
    percents = {
        line.tax_percent
        for contract in checked.contracts
        for line in contract.parsed.lines
        if line.tax_percent is not None
    }
    return {percent: number for number, percent in enumerate(percents)}
