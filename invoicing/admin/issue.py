"""Issue drafts, one or several (G14, G17)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from config.clock import today_in
from invoicing.admin.drafts import review_url, work_list_of
from invoicing.domain.states import InvoiceStatus
from invoicing.domain.totals import due_date
from invoicing.models import Invoice
from invoicing.queries.drafts import drafts, drafts_after
from invoicing.services.drafts import (
    BillGroupNotActive,
    NotADraft,
    issue_draft,
    issue_drafts,
)
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


@object_action
class IssueDraft(ObjectAction):
    """Give a draft its number."""

    model = Invoice
    slug = "issue"
    label = "Issue"
    confirm_label = "Issue this invoice"
    permission = "invoicing.issue_invoice"
    tone = "default"
    refusals = (NotADraft, BillGroupNotActive, PeriodClosed, IssueDateTooEarly)

    def refusal(self, subject: Any) -> str:
        """Only drafts."""
        if subject.status == InvoiceStatus.DRAFT:
            return ""
        return f"{subject} is no draft: it is {subject.get_status_display().lower()}."

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is issued, to whom, and why it was held."""
        today = today_in(subject.legal_entity.time_zone)
        due = due_date(today, subject.bill_date, subject.net_terms)
        total = f"{money_text(subject.total, subject.currency)} {subject.currency}"
        return Review(
            sentence=f"The invoice of {total} gets its number and today's date, "
            f"{day_text(today)}. It can't be changed after that.",
            figures=(
                Figure(
                    label="Total",
                    value=total,
                    note=f"{money_text(subject.tax, subject.currency)} tax",
                ),
                Figure(
                    label="Account",
                    value=str(subject.account),
                    note=str(subject.bill_group),
                ),
                Figure(label="Bill date", value=day_text(subject.bill_date)),
                Figure(
                    label="Due", value=day_text(due), note=f"net {subject.net_terms}"
                ),
            ),
            warnings=(subject.held_reason,) if subject.held_reason else (),
            template="admin/invoicing/includes/invoice_lines.html",
            context={
                "lines": list(subject.lines.order_by("position")),
                "currency": subject.currency,
                "subtotal": subject.subtotal,
                "tax": subject.tax,
                "total": subject.total,
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Issue it."""
        issued = issue_draft(
            invoice=subject,
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        url = reverse("admin:invoicing_invoice_change", args=[issued.pk])
        return Done(
            message=f"{issued} issued to {issued.account}: "
            f"{money_text(issued.total, issued.currency)} {issued.currency} with tax.",
            url=_next_in_list(request, issued) or url,
            link="See it",
            link_url=url,
        )


def _next_in_list(request: HttpRequest, issued: Invoice) -> str:
    """Return where the next draft of a work list is reviewed; empty outside of one."""
    if "list" not in request.GET:
        return ""
    which = work_list_of(request)
    following = drafts_after(drafts(which), issued.bill_date, issued.pk).first()
    if following is not None:
        return review_url(following.pk, which)
    return f"{reverse('admin:invoicing_drafts')}?list={which}"


@bulk_action
class IssueDrafts(BulkAction):
    """Issue the drafts among the chosen invoices, each in its own transaction."""

    model = Invoice
    slug = "issue_drafts"
    label = "Issue drafts"
    confirm_label = "Issue these drafts"
    permission = "invoicing.issue_invoice"

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show the drafts, what they come to, and what was held."""
        drafts = list(_drafts(chosen))
        others = chosen.exclude(status=InvoiceStatus.DRAFT).count()
        if not drafts:
            return Review(refusal="None of the chosen invoices is a draft.")
        warnings = []
        if others:
            warnings.append(f"{others} of the chosen are no drafts and stay so.")
        held = sum(1 for draft in drafts if draft.held_reason)
        if held:
            warnings.append(
                f"{count_text(held, 'draft')} held for review: read why below."
            )
        return Review(
            sentence=f"{count_text(len(drafts), 'draft')} to issue, numbered in the "
            "order of their bill dates and dated today. They can't be changed then.",
            figures=tuple(
                Figure(
                    label=count_text(count, "draft"),
                    value=f"{money_text(total, currency)} {currency}",
                    note="with tax",
                )
                for currency, (count, total) in _sums(drafts).items()
            ),
            warnings=tuple(warnings),
            template="admin/invoicing/includes/drafts.html",
            context={"drafts": drafts},
        )

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Issue them; each legal entity has its own day."""
        issued = 0
        refused: list[str] = []
        for entity in LegalEntity.objects.order_by("pk"):
            drafts = list(_drafts(chosen).filter(legal_entity=entity))
            if not drafts:
                continue
            done = issue_drafts(
                invoices=drafts,
                actor=actor_of(request),
                today=today_in(entity.time_zone),
            )
            issued += len(done.issued)
            refused += [f"{draft}: {why}" for draft, why in done.refused]
        message = f"{count_text(issued, 'invoice')} issued." if issued else ""
        return BulkDone(message=message, refused=tuple(refused))


def _drafts(chosen: QuerySet[Any]) -> QuerySet[Any]:
    return (
        chosen.filter(status=InvoiceStatus.DRAFT)
        .select_related("account", "bill_group", "legal_entity")
        .order_by("bill_date", "pk")
    )


def _sums(drafts: Iterable[Invoice]) -> dict[str, tuple[int, Decimal]]:
    sums: defaultdict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for draft in drafts:
        count, total = sums[draft.currency]
        sums[draft.currency] = (count + 1, total + draft.total)
    return dict(sorted(sums.items()))
