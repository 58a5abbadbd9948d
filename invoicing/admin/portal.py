"""The portal worklist: documents to upload, and how each stands in its portal (F3)."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString

from billing.admin.portal_profile import portal_link
from billing.display import NOTHING, badge, count_text, day_text, money
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from config.adminsite.pages import ObjectPage, object_page
from config.adminsite.paginator import SummingPaginator
from invoicing.admin.history import history_context, history_of_submission
from invoicing.admin.invoice import local_today
from invoicing.admin.portal_missing import rows_of_document
from invoicing.admin.portal_views import portal_totals, portal_views
from invoicing.choices import INVOICE_STATUSES, PORTAL_STATES
from invoicing.domain.portal import CLOSED, PortalState
from invoicing.filters_of_portal import TO_DO, PortalFilter
from invoicing.models import PortalFile, PortalStep, PortalSubmission
from invoicing.queries.portal import missing_of, search_submissions
from invoicing.queries.portal_pairs import outside_of, pairs_of, superseded_uncredited


class PortalChangeList(FinanceChangeList):
    """The worklist, with what each of its rows lacks and belongs to."""

    noun, nouns = "document", "documents"

    def get_results(self, request: HttpRequest) -> None:
        """Look up what is missing, and the pairs, of the page in a few queries."""
        super().get_results(request)
        rows = list(self.result_list)
        missing, pairs = missing_of(rows), pairs_of(rows)
        for row in rows:
            row.missing, row.pairs = missing[row.pk], pairs[row.pk]
        self.result_list = rows


@admin.register(PortalSubmission)
class PortalSubmissionAdmin(ReadOnlyAdmin):
    """What waits to be uploaded, for an answer, or for a settlement."""

    change_list_template = "admin/invoicing/money/change_list.html"
    paginator = SummingPaginator
    change_form_template = "admin/invoicing/portalsubmission/change_form.html"
    filterset_class = PortalFilter
    list_display = (
        "shown_document",
        "shown_state",
        "shown_account",
        "shown_portal",
        "shown_missing",
        "shown_issue_date",
        "shown_reference",
        "shown_status",
        "shown_total",
    )
    list_select_related = (
        "invoice__account",
        "credit_note",
        "portal",
        "bill_group",
    )
    list_note = (
        "Invoices and credit notes of customers that want them in a portal. "
        "Amounts with tax."
    )
    opening: ClassVar[dict[str, str]] = {"state": TO_DO}
    all_done = "Nothing is to be submitted, and no dispute is open."
    ordering = ("issue_date", "id")
    sortable_by = ()
    search_fields = ("reference",)
    search_help_text = "Number of the document or reference"
    column_classes = {
        "shown_document": "m1",
        "shown_state": "m2",
        "shown_account": "m4 ell",
        "shown_portal": "w2",
        "shown_missing": "m6",
        "shown_issue_date": "m5 nowrap",
        "shown_reference": "w1",
        "shown_status": "w1",
        "shown_total": "num cur-head m3",
    }

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the list that knows what is missing."""
        return PortalChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read what the list or the page shows."""
        return (
            super()
            .get_queryset(request)
            .select_related(
                "invoice__account",
                "credit_note",
                "portal",
                "bill_group__account",
                "bill_group__legal_entity",
            )
        )

    @admin.display(description="document")
    def shown_document(self, row: Any) -> SafeString:
        """Show the number, and what it belongs to."""
        pairs = ", ".join(str(other) for other in row.pairs[:3])
        return format_html(
            '<span class="nowrap">{}</span><span class="second">{}{}</span>',
            str(row),
            "Credit note" if row.credit_note_id else "Invoice",
            f", belongs with {pairs}" if pairs else "",
        )

    @admin.display(description="state")
    def shown_state(self, row: PortalSubmission) -> SafeString:
        """Show where it stands."""
        return badge(PORTAL_STATES.badge(row.standing))

    @admin.display(description="account")
    def shown_account(self, row: PortalSubmission) -> SafeString:
        """Lead to the Account Overview."""
        account = row.invoice.account
        url = reverse("admin:billing_account_overview", args=[account.pk])
        return format_html('<a class="plain" href="{}">{}</a>', url, account)

    @admin.display(description="portal")
    def shown_portal(self, row: PortalSubmission) -> str:
        """Show where it is uploaded."""
        return row.portal.name

    @admin.display(description="missing")
    def shown_missing(self, row: Any) -> SafeString:
        """Say what the portal would reject it for, while it is not submitted."""
        if not row.missing or row.standing in CLOSED:
            return format_html('<span class="none">{}</span>', NOTHING)
        return format_html(
            '<span class="bad">{}</span>', "; ".join(one.text for one in row.missing)
        )

    @admin.display(description="issued")
    def shown_issue_date(self, row: PortalSubmission) -> SafeString:
        """Show when it was issued, and how long it waits."""
        age = (local_today() - row.issue_date).days
        waits = row.standing not in CLOSED and age > 0
        return format_html(
            '{}<span class="second">{}</span>',
            day_text(row.issue_date),
            count_text(age, "day") if waits else "",
        )

    @admin.display(description="reference")
    def shown_reference(self, row: PortalSubmission) -> str:
        """Show the portal's number for it."""
        return row.reference or self.empty_value_display

    @admin.display(description="invoice is")
    def shown_status(self, row: PortalSubmission) -> str:
        """Show whether its invoice is paid."""
        return INVOICE_STATUSES.badge(row.invoice.status).label

    @admin.display(description="total")
    def shown_total(self, row: PortalSubmission) -> SafeString:
        """Show the total with tax."""
        return money(row.document.total, row.invoice.currency)

    def row_class(self, subject: Any) -> str:
        """Draw what is not uploaded in pencil."""
        return "pencil" if subject.state == PortalState.TO_SUBMIT else ""

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find documents by number or reference."""
        return search_submissions(rows, text)

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Add the views, and the totals of what is filtered, by currency."""
        return {
            "totals": portal_totals(changes.paginator.to_add_up),
            "noun": "document",
            "views": portal_views(request),
        }

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show how the document stands instead of a form."""
        history = history_of_submission(obj)
        return _submission_context(request, obj) | {
            "history": history_context(request, history, obj.invoice)
        }


def _kind(row: PortalSubmission, family: Iterable[PortalSubmission]) -> str:
    """Say what a document of a family is to the others."""
    if row.credit_note_id:
        return f"Credit note on {row.invoice}"
    named = {other.invoice_id: str(other.invoice) for other in family}
    replaced_by = next(
        (
            named[other.invoice_id]
            for other in family
            if other.invoice.replaces_id == row.invoice_id
        ),
        "",
    )
    old = named.get(row.invoice.replaces_id or 0, "")
    said = [f"replaces {old}"] if old else []
    said += [f"replaced by {replaced_by}"] if replaced_by else []
    return ", ".join(["Invoice", *said])


def _submission_context(request: HttpRequest, row: PortalSubmission) -> dict[str, Any]:
    pairs = pairs_of([row])[row.pk]
    return {
        "submission": row,
        "state_badge": PORTAL_STATES.badge(row.standing),
        "invoice_badge": INVOICE_STATUSES.badge(row.invoice.status),
        "portal_link": portal_link(row.portal) if row.portal.address else "",
        "is_closed": row.standing in CLOSED,
        "missing": rows_of_document(missing_of([row])[row.pk], row, request),
        "pairs": [
            {
                "row": other,
                "badge": PORTAL_STATES.badge(other.standing),
                "kind": _kind(other, (row, *pairs)),
            }
            for other in pairs
        ],
        "outside": outside_of([row])[row.pk],
        "has_partners": any(
            not other.is_void and other.standing != PortalState.WITHDRAWN
            for other in pairs
        ),
        "is_uncredited": bool(superseded_uncredited([row])),
        "is_void": row.is_void,
        "steps": [
            {"step": step, "badge": PORTAL_STATES.badge(step.state)}
            for step in PortalStep.objects.filter(submission=row)
            .select_related("file")
            .defer("file__content")
            .order_by("-pk")
        ],
    }


@object_page
class PortalProof(ObjectPage):
    """A file that proves a step, as an attachment: it is never shown by the browser."""

    model = PortalSubmission
    slug = "file"
    label = "File"
    permission = "invoicing.view_portalsubmission"

    def is_offered(self, subject: Any) -> bool:
        """The history leads to each file; there is none of the document itself."""
        return False

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Send the bytes of a file of this document's steps."""
        asked = request.GET.get("step", "")
        step_id = int(asked) if asked.isascii() and asked.isdigit() else 0
        file = PortalFile.objects.filter(
            steps__submission=subject, steps__pk=min(step_id, 2**63 - 1)
        ).first()
        if file is None:
            raise Http404("There is no such file of this document.")
        disposition = content_disposition_header(as_attachment=True, filename=file.name)
        return HttpResponse(
            bytes(file.content),
            content_type=file.content_type,
            headers={
                "Content-Disposition": disposition or "attachment",
                "X-Content-Type-Options": "nosniff",
            },
        )
