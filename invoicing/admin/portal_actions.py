"""The steps through a portal, for one document and for several (F3).

Before a step the page shows what the portal would reject the documents for, and what
belongs with them: the old invoice, its credit notes, the replacement.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from config.adminsite.turns import JUST_NOW
from config.clock import now, today_in
from invoicing.admin.invoice import local_today
from invoicing.admin.portal_review import (
    documents_of,
    figures_of,
    first_of,
    rows_of,
    today_of,
    warnings_of,
)
from invoicing.admin.portal_steps import Accept, Dispute, Step, Submit, Withdraw
from invoicing.domain.portal import WORDS, StepNotPossible
from invoicing.models import PortalSubmission
from invoicing.services.portal import StepIncomplete


class StepRefused(ValueError):
    """The one document could not take the step; the text says why."""


class StepOfOne(Step, ObjectAction):
    """A step of one document."""

    model = PortalSubmission
    refusals = (StepNotPossible, StepIncomplete, ReasonMissing, StepRefused)

    def refusal(self, subject: Any) -> str:
        """Only from the states before it."""
        return str(subject.why_not(self.to))

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with today."""
        return {"today": today_of(subject)}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what it is, what it lacks, and what belongs with it."""
        document = subject.document
        code = subject.invoice.currency
        return Review(
            sentence=f"{subject} is marked {WORDS[self.to]}. {self.sentence}",
            figures=(
                Figure(
                    label="Document",
                    value=str(subject),
                    note="credit note" if subject.credit_note_id else "invoice",
                ),
                Figure(
                    label="Total",
                    value=f"{money_text(document.total, code)} {code}",
                ),
                Figure(
                    label="Portal",
                    value=subject.portal.name,
                    note=f"now {WORDS[subject.standing]}",
                ),
                Figure(label="Issued", value=day_text(subject.issue_date)),
            ),
            warnings=warnings_of([subject], self.to),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Take the step; a refusal is shown as its sentence."""
        taken = self.take([subject], answers, request=request, today=today_of(subject))
        if not taken.done:
            raise StepRefused(taken.refused[0])
        return self._done(subject)

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to what the first one did."""
        row = PortalSubmission.objects.select_related("invoice").get(pk=subject.pk)
        last = row.steps.order_by("-pk").first()
        if (
            last is None
            or last.state != self.to
            or last.made_at < now() - JUST_NOW
            or last.made_by_name != actor_of(request).get_username()
        ):
            return None
        return self._done(row)

    def _done(self, subject: PortalSubmission) -> Done:
        name = "admin:invoicing_portalsubmission_change"
        return Done(
            message=f"{subject} is marked {WORDS[self.to]}.",
            url=reverse(name, args=[subject.pk]),
            link="See the worklist",
            link_url=reverse("admin:invoicing_portalsubmission_changelist"),
        )


class StepOfSeveral(Step, BulkAction):
    """A step of the chosen documents."""

    model = PortalSubmission

    def form_arguments(self, request: HttpRequest) -> dict[str, Any]:
        """Start with today; no day is later than where it is latest among sellers."""
        zones = LegalEntity.objects.values_list("time_zone", flat=True).distinct()
        latest = max(map(today_in, zones), default=local_today())
        return {"today": local_today(), "latest": latest}

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show which take the step, and why others don't."""
        rows = rows_of(chosen)
        able = [row for row in rows if not row.why_not(self.to)]
        left_out = first_of(filter(None, (row.why_not(self.to) for row in rows)))
        if not able:
            return Review(refusal=" ".join(left_out) or "Choose documents first.")
        return Review(
            sentence=f"{count_text(len(able), 'document')} marked {WORDS[self.to]}. "
            f"{self.sentence}",
            figures=figures_of(able),
            warnings=(*left_out, *warnings_of(able, self.to)),
            template="admin/invoicing/includes/portal_documents.html",
            context={"documents": documents_of(able, self.to)},
            fine_print=tuple(f"{row.pk} {row.standing.value}" for row in rows),
        )

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Have those take the step that can."""
        rows = [row for row in rows_of(chosen) if not row.why_not(self.to)]
        with transaction.atomic():
            taken = [
                self.take(list(same), answers, request=request, today=today)
                for today, same in groupby(sorted(rows, key=today_of), key=today_of)
            ]
        count = sum(len(one.done) for one in taken)
        return BulkDone(
            message=f"{count_text(count, 'document')} marked {WORDS[self.to]}."
            if count
            else "",
            refused=tuple(sentence for one in taken for sentence in one.refused),
        )


@object_action
class SubmitDocument(Submit, StepOfOne):
    """Mark a document submitted."""

    slug = "submit"
    label = "Mark submitted"
    tone = "default"


@object_action
class AcceptDocument(Accept, StepOfOne):
    """Mark a document accepted."""

    slug = "accept"
    label = "Mark accepted"


@object_action
class DisputeDocument(Dispute, StepOfOne):
    """Mark a document disputed."""

    slug = "dispute"
    label = "Mark disputed"


@object_action
class WithdrawDocument(Withdraw, StepOfOne):
    """Take a document out of the worklist."""

    slug = "withdraw"
    label = "Withdraw"
    confirm_label = "Take it out of the worklist"
    tone = "danger"


@bulk_action
class WithdrawDocuments(Withdraw, StepOfSeveral):
    """Take documents out of the worklist."""

    slug = "withdraw_documents"
    label = "Withdraw"
    confirm_label = "Take these out of the worklist"


@bulk_action
class DisputeDocuments(Dispute, StepOfSeveral):
    """Mark documents disputed."""

    slug = "dispute_documents"
    label = "Mark disputed"
    confirm_label = "Mark these disputed"


@bulk_action
class AcceptDocuments(Accept, StepOfSeveral):
    """Mark documents accepted."""

    slug = "accept_documents"
    label = "Mark accepted"
    confirm_label = "Mark these accepted"


@bulk_action
class SubmitDocuments(Submit, StepOfSeveral):
    """Mark documents submitted."""

    slug = "submit_documents"
    label = "Mark submitted"
    confirm_label = "Mark these submitted"
