"""What the next night will make, as *Today* shows it (G15).

The figures come from the dry run, so they are what the run would do and not arithmetic
of their own. A night of very many bill groups is not rehearsed for a dashboard: then
there is no forecast, and the dry run's page is the place to look.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from billing.models import LegalEntity
from invoicing.domain.eligibility import Outcome
from invoicing.models import InvoiceRun
from invoicing.services.rehearsal import bill_groups_of_night, dry_run_invoicing

MOST_GROUPS: Final = 300


@dataclass(slots=True, kw_only=True)
class NightForecast:
    """What a night would make: totals with tax and counts of invoices, by currency.

    `held` counts the drafts held for review (G14), `drafts` those for review (G17),
    `waiting` what is due and waits for a person (G1-G4), `failing` the bill groups that
    would be parked (G13).
    """

    as_of: date
    totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    held: int = 0
    drafts: int = 0
    waiting: int = 0
    failing: int = 0

    @property
    def invoices(self) -> int:
        """How many invoices are issued."""
        return sum(self.counts.values())


def forecast_night(*, legal_entity: LegalEntity, as_of: date) -> NightForecast | None:
    """Return what a night would make; None where too much is due to look at quickly."""
    group_ids, _ = bill_groups_of_night(as_of=as_of, legal_entity=legal_entity)
    if len(group_ids) > MOST_GROUPS:
        return None
    night = dry_run_invoicing(as_of=as_of, legal_entity=legal_entity)
    forecast = NightForecast(as_of=as_of)
    for assessment in night.assessments:
        match assessment.decision.outcome:
            case Outcome.GENERATE:
                currency = assessment.document.currency
                forecast.counts[currency] += 1
                forecast.totals[currency] += assessment.document.totals.total
            case Outcome.DRAFT_HELD:
                forecast.held += 1
            case Outcome.DRAFT_FOR_REVIEW:
                forecast.drafts += 1
            case Outcome.HOLD:
                forecast.waiting += 1
    forecast.failing = len(night.failures)
    return forecast


def next_night(legal_entity: LegalEntity, *, today: date) -> date:
    """Return the date of the next run: today, or tomorrow where today had its run."""
    has_run = InvoiceRun.objects.filter(legal_entity=legal_entity, as_of=today).exists()
    return today + timedelta(days=1) if has_run else today
