"""`manage.py run_invoicing`: the nightly run, by hand or from a system's own clock."""

import sys
from collections.abc import Iterable, Iterator
from datetime import date
from heapq import merge
from operator import itemgetter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.models import LegalEntity
from config.clock import today_in
from invoicing.domain.eligibility import Outcome
from invoicing.management.arguments import iso_date
from invoicing.management.output import json_object
from invoicing.management.run_report import (
    assessed_invoice,
    billed_invoice,
    held_decision,
    held_draft,
    held_line,
    parked_group,
    zero_line,
    zero_of,
)
from invoicing.models import InvoiceRun, ParkedBillGroup
from invoicing.queries.documents import drafts_held_by, invoices_of_runs
from invoicing.queries.zeros import BilledAtZero, billed_at_zero
from invoicing.services.batches import RunStopped
from invoicing.services.generation import (
    invoice_legal_entity,
)
from invoicing.services.locks import PeriodClosed, refuse_closed
from invoicing.services.numbering import IssueDateTooEarly, refuse_too_early
from invoicing.services.rehearsal import DryRun, dry_run_invoicing

EXIT_PARKED = 2


class Command(BaseCommand):
    """Run the invoicing of every legal entity, or show what a run would do."""

    help = "Invoice what is due. Exit code 2 if a bill group had to be parked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day, and how to report."""
        parser.add_argument(
            "--as-of",
            type=iso_date,
            metavar="DATE",
            help="The day the run acts as of; default: today at each legal entity.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Show the result, write nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run or rehearse, and report."""
        days = {
            entity: options["as_of"] or today_in(entity.time_zone)
            for entity in LegalEntity.objects.order_by("pk")
        }
        if not days:
            raise CommandError("There is no legal entity yet. Add one in Settings.")
        if options["dry_run"]:
            parked = self.rehearse(days, as_json=options["json"])
        else:
            parked = self.run_all(days, as_json=options["json"])
        if parked:
            sys.exit(EXIT_PARKED)

    def run_all(self, days: dict[LegalEntity, date], *, as_json: bool) -> bool:
        """Run each legal entity; return whether anything was parked."""
        for entity, day in days.items():
            if day > today_in(entity.time_zone):
                raise CommandError(
                    f"{day} lies in the future, and no document is dated ahead. "
                    "Use --dry-run to see what that night would do."
                )
        runs: list[InvoiceRun] = []
        stopped: list[str] = []
        for entity, day in days.items():
            try:
                run = invoice_legal_entity(as_of=day, legal_entity=entity, actor=None)
            except RunStopped as reason:
                stopped.append(f"{entity}: {reason}")
            else:
                runs.append(run)
        parked = [
            parked_group(row.bill_group_id, row.reason)
            for row in ParkedBillGroup.objects.filter(run__in=runs).order_by("pk")
        ]
        self.report(
            days,
            invoices=(billed_invoice(invoice) for invoice in invoices_of_runs(runs)),
            held=_held(days, runs),
            zeros=billed_at_zero(runs),
            parked=parked,
            as_json=as_json,
        )
        if stopped:
            raise CommandError(" ".join(stopped))
        return bool(parked)

    def rehearse(self, days: dict[LegalEntity, date], *, as_json: bool) -> bool:
        """Show what the runs would do; return whether anything would be parked."""
        for entity, day in days.items():
            try:
                refuse_closed(entity, issue_date=day)
                refuse_too_early(entity, issue_date=day)
            except (PeriodClosed, IssueDateTooEarly) as refusal:
                raise CommandError(f"{entity}: {refusal}") from refusal
        rehearsals = [
            dry_run_invoicing(as_of=day, legal_entity=entity)
            for entity, day in days.items()
        ]
        parked: list[dict[str, Any]] = []
        zeros: list[BilledAtZero] = []
        self.report(
            days,
            invoices=_rehearsed(rehearsals, zeros, parked),
            held=_would_be_held(days),
            zeros=zeros,
            parked=parked,
            as_json=as_json,
        )
        return bool(parked)

    def report(
        self,
        days: dict[LegalEntity, date],
        *,
        invoices: Iterator[dict[str, Any]],
        held: Iterator[dict[str, Any]],
        zeros: Iterable[BilledAtZero],
        parked: list[dict[str, Any]],
        as_json: bool,
    ) -> None:
        """Print the result; lists may still grow while `invoices` are read."""
        if as_json:
            fields = {
                "as_of": max(days.values()).isoformat(),
                "invoices": invoices,
                "held": held,
                "parked": parked,
            }
            for piece in json_object(fields):
                self.stdout.write(piece, ending="")
            self.stdout.write()
            return
        for invoice in invoices:
            shown = invoice | {"number": invoice["number"] or "(no number)"}
            self.stdout.write(
                "{number}  {bill_group}  {total} {currency}  {status}".format(**shown)
            )
        for decision in held:
            self.stdout.write(held_line(decision))
        for zero in zeros:
            self.stdout.write(zero_line(zero))
        for group in parked:
            self.stdout.write("Parked {bill_group}: {reason}".format(**group))


def _held(
    days: dict[LegalEntity, date], runs: list[InvoiceRun]
) -> Iterator[dict[str, Any]]:
    """Yield what the runs held: drafts for review, and what no document was made of."""
    runs_by_entity = {run.legal_entity_id: run for run in runs}
    for entity, day in days.items():
        run = runs_by_entity.get(entity.pk)
        drafts = (
            ((draft.bill_group_id, draft.bill_date), held_draft(draft))
            for draft in (drafts_held_by(run).iterator() if run else ())
        )
        decisions = (
            ((a.group.bill_group_id, a.bill_date), held_decision(a))
            for a in dry_run_invoicing(as_of=day, legal_entity=entity).assessments
            if a.decision.outcome is Outcome.HOLD
        )
        for _, held in merge(drafts, decisions, key=itemgetter(0)):
            yield held


def _would_be_held(days: dict[LegalEntity, date]) -> Iterator[dict[str, Any]]:
    """Yield what each legal entity's run would hold, in the order of `_held`."""
    for entity, day in days.items():
        for assessment in dry_run_invoicing(as_of=day, legal_entity=entity).assessments:
            if assessment.decision.outcome in {Outcome.HOLD, Outcome.DRAFT_HELD}:
                yield held_decision(assessment)


def _rehearsed(
    rehearsals: list[DryRun],
    zeros: list[BilledAtZero],
    parked: list[dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    for rehearsal in rehearsals:
        for assessment in rehearsal.assessments:
            if (zero := zero_of(assessment)) is not None:
                zeros.append(zero)
            if assessment.decision.generate:
                yield assessed_invoice(assessment, issue_date=rehearsal.as_of)
        parked.extend(
            parked_group(group_id, reason)
            for group_id, reason in rehearsal.failures.items()
        )
