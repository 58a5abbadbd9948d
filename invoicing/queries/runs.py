"""Reads of runs: what they did, in figures, and what they did not issue.

The figures are those that each batch kept, so that a run of a hundred thousand bill
groups is told from a hundred rows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.models import LegalEntity
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun, RunBatch, RunDecision

# The newest decision for each bill date when the run was done, where it is of the rule.
# A hold is kept when it changes, so it may be older than the run; one whose charges
# are not pending any more, and that nothing has decided since, was gone before it.
NOT_ISSUED = """
SELECT d.id
FROM (
    SELECT member.id FROM invoicing_runbatch b, unnest(b.bill_groups) AS member (id)
    WHERE b.run_id = %(run)s AND jsonb_exists(b.rules, %(rule)s)
      AND member.id >= %(group)s
) AS g
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (r.bill_date) r.id, r.bill_date, r.rule, r.invoice_id, r.run_id
    FROM invoicing_rundecision r
    WHERE r.bill_group_id = g.id AND r.decided_at <= coalesce(%(until)s, now())
    ORDER BY r.bill_date, r.id DESC
) AS d
WHERE d.invoice_id IS NULL AND d.rule = %(rule)s
  AND (g.id, d.bill_date) > (%(group)s, %(day)s)
  AND (d.run_id = %(run)s
       OR EXISTS (SELECT 1 FROM contracts_scheduledcharge c
                  WHERE c.state = 'PENDING' AND c.bill_date = d.bill_date
                    AND c.bill_group_id = g.id)
       OR EXISTS (SELECT 1 FROM invoicing_rundecision n
                  WHERE n.bill_group_id = g.id AND n.bill_date = d.bill_date
                    AND n.id > d.id))
ORDER BY g.id, d.bill_date
LIMIT %(size)s
"""


@dataclass(slots=True, kw_only=True)
class RunFigures:
    """What a run did so far: bill groups, documents, and totals by currency.

    `candidates` are the bill groups with something due, `done` those worked through,
    `left` those that a run was stopped before it came to; `rules` counts the pending
    invoices that each rule kept from being issued.
    """

    candidates: int = 0
    done: int = 0
    left: int = 0
    generated: int = 0
    drafted: int = 0
    zero: int = 0
    held: int = 0
    parked: int = 0
    batches: int = 0
    open_batches: int = 0
    totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    draft_totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    rules: Counter[str] = field(default_factory=Counter)

    @property
    def made(self) -> int:
        """The documents, issued or not."""
        return self.generated + self.drafted

    def add(self, batch: Mapping[str, Any]) -> None:
        """Count a batch in."""
        groups = batch["bill_groups__len"] or 0
        self.batches += 1
        self.open_batches += batch["is_open"]
        self.candidates += groups
        if not batch["is_open"] and batch["attempts"]:
            self.done += groups
        elif not batch["is_open"]:
            self.left += groups
        for name in ("generated", "drafted", "zero", "held", "parked"):
            setattr(self, name, getattr(self, name) + batch[name])
        for currency, total in batch["totals"].items():
            self.totals[currency] += Decimal(total)
        for currency, total in batch["draft_totals"].items():
            self.draft_totals[currency] += Decimal(total)
        self.rules.update(batch["rules"])


def run_figures(runs: Iterable[InvoiceRun]) -> dict[int, RunFigures]:
    """Return the figures of runs by id, in one query."""
    figures = {run.pk: RunFigures() for run in runs}
    batches = RunBatch.objects.filter(run__in=list(figures)).values(
        "run_id",
        "bill_groups__len",
        "is_open",
        "attempts",
        "generated",
        "drafted",
        "zero",
        "held",
        "parked",
        "totals",
        "draft_totals",
        "rules",
    )
    for batch in batches:
        figures[batch["run_id"]].add(batch)
    return figures


def last_run(legal_entity: LegalEntity | None = None) -> InvoiceRun | None:
    """Return the last finished run, of one legal entity or of any."""
    runs = InvoiceRun.objects.filter(state=RunState.FINISHED)
    if legal_entity is not None:
        runs = runs.filter(legal_entity=legal_entity)
    return runs.select_related("legal_entity").order_by("-id").first()


def not_issued_by(
    run: InvoiceRun, *, rule: str, after: tuple[int, date], size: int
) -> list[RunDecision]:
    """Return a page of what a run held, or billed at zero, by one rule.

    In the order of bill groups and bill dates, from the place `after` on.
    """
    group, day = after
    parameters: dict[str, Any] = {
        "run": run.pk,
        "rule": rule,
        "until": run.finished_at,
        "group": group,
        "day": day,
        "size": size,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOT_ISSUED, parameters)
        ids = [row[0] for row in cursor.fetchall()]
    return list(
        RunDecision.objects.filter(pk__in=ids)
        .select_related("bill_group__account")
        .order_by("bill_group_id", "bill_date")
    )


def differences(
    before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Return by currency what it was, what it is, and the difference."""
    zero = Decimal(0)
    return [
        (
            currency,
            before.get(currency, zero),
            after.get(currency, zero),
            after.get(currency, zero) - before.get(currency, zero),
        )
        for currency in sorted({*before, *after})
    ]
