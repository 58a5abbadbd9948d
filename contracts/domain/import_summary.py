"""What an import will do, in figures: what is to bill, and what is past (I1, I2).

Past charges of one bill group and bill date are an invoice that another system made:
the summary names it, so that it can be looked up there.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from billing.domain.money import round_money
from contracts.domain.schedule import PlannedCharge

PAST_INVOICES_SHOWN: Final = 200


@dataclass(slots=True, kw_only=True)
class PastInvoice:
    """What an import takes as one invoice of another system, before tax (I2)."""

    charges: int = 0
    usage: int = 0
    total: Decimal = Decimal(0)


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    """Counts and values by currency of a contract file as of an import date.

    Charges with a bill date before it are past: billed elsewhere, never here (I2). The
    values are of what is planned, through `last_bill_date`: an evergreen contract has
    no end. They leave out usage, whose charges `usage` counts, and taxes.
    `past_invoices` are by account number and name of the bill group, bill date and
    currency.
    """

    import_date: date
    last_bill_date: date | None = None
    contracts: int = 0
    lines: int = 0
    charges_to_bill: int = 0
    charges_past: int = 0
    usage: int = 0
    to_bill: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    past: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    past_invoices: defaultdict[tuple[str, str, date, str], PastInvoice] = field(
        default_factory=lambda: defaultdict(PastInvoice)
    )

    def add(
        self,
        charges: Iterable[PlannedCharge],
        *,
        lines: int,
        bill_group: tuple[str, str],
    ) -> None:
        """Add a contract of a bill group with all its planned charges."""
        self.contracts += 1
        self.lines += lines
        for charge in charges:
            if charge.amount is None:
                self.usage += 1
            if charge.bill_date < self.import_date:
                self.charges_past += 1
                self.past[charge.currency] += charge.amount or 0
                invoice = self.past_invoices[
                    (*bill_group, charge.bill_date, charge.currency)
                ]
                invoice.charges += 1
                invoice.usage += charge.amount is None
                invoice.total += charge.amount or 0
            else:
                self.charges_to_bill += 1
                self.last_bill_date = max(
                    self.last_bill_date or charge.bill_date, charge.bill_date
                )
                self.to_bill[charge.currency] += charge.amount or 0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON, amounts with their currency's digits."""
        currencies = sorted({*self.to_bill, *self.past})
        return {
            "import_date": self.import_date.isoformat(),
            "last_bill_date": self.last_bill_date and self.last_bill_date.isoformat(),
            "contracts": self.contracts,
            "lines": self.lines,
            "charges_to_bill": self.charges_to_bill,
            "charges_past": self.charges_past,
            "usage_charges": self.usage,
            "values": [
                {
                    "currency": currency,
                    "to_bill": str(round_money(self.to_bill[currency], currency)),
                    "past": str(round_money(self.past[currency], currency)),
                }
                for currency in currencies
            ],
            "past_invoices": [
                {
                    "account": account,
                    "bill_group": name,
                    "bill_date": bill_date.isoformat(),
                    "currency": currency,
                    "charges": invoice.charges,
                    "usage_charges": invoice.usage,
                    "total": str(round_money(invoice.total, currency)),
                }
                for (account, name, bill_date, currency), invoice in islice(
                    sorted(self.past_invoices.items(), key=itemgetter(0)),
                    PAST_INVOICES_SHOWN,
                )
            ],
            "more_past_invoices": max(len(self.past_invoices) - PAST_INVOICES_SHOWN, 0),
        }
