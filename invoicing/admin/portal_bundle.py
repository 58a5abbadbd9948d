"""Download a bundle of the chosen documents: PDFs and the index, as a ZIP (F3)."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from billing.display import count_text
from billing.domain.portal_files import PLACEHOLDERS
from config.adminsite.actions import CONFIRM, FINGERPRINT, Figure, Review
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from invoicing.admin.portal_review import (
    SENTENCES_SHOWN,
    documents_of,
    figures_of,
    rows_of,
    warnings_of,
)
from invoicing.domain.portal import PortalState
from invoicing.models import PortalSubmission
from invoicing.services.portal_bundle import (
    Bundle,
    BundleNotPossible,
    make_papers,
    plan_bundle,
    zip_chunks,
)


@bulk_action
class DownloadBundle(BulkAction):
    """The papers of the chosen documents, with those that belong to them."""

    model = PortalSubmission
    slug = "bundle"
    label = "Download bundle"
    confirm_label = "Download the bundle"
    permission = "invoicing.bundle_portalsubmission"

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show every file by name, what came along, and what is missing."""
        try:
            bundle = plan_bundle(rows_of(chosen))
        except BundleNotPossible as refusal:
            return Review(refusal=str(refusal))
        return _review(bundle)

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Never come here: a download answers with its file."""
        raise NotImplementedError

    def answer(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, chosen: QuerySet[Any]
    ) -> Any:
        """Show the review, or send the file that was reviewed."""
        self.refuse_others(request)
        if CONFIRM not in request.POST:
            return super().answer(owner, request, chosen)
        try:
            bundle = plan_bundle(rows_of(chosen))
            if request.POST.get(FINGERPRINT) != _review(bundle).fingerprint:
                return super().answer(owner, request, chosen)
            make_papers(bundle)
        except BundleNotPossible as refusal:
            return _refused(owner, request, str(refusal))
        return StreamingHttpResponse(
            zip_chunks(bundle),
            content_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{bundle.file_name}"',
                "X-Content-Type-Options": "nosniff",
            },
        )


def _refused(
    owner: "ModelAdmin[Any]", request: HttpRequest, sentence: str
) -> HttpResponse:
    owner.message_user(request, sentence, level="error")
    return HttpResponse(status=303, headers={"Location": request.get_full_path()})


def _names_left_out(bundle: Bundle) -> Iterator[str]:
    """Say which files are named without something that the portal's pattern has."""
    asked = dict.fromkeys(name for one in bundle.entries for name in one.left_out)
    for name in asked:
        bare = [one for one in bundle.entries if name in one.left_out]
        shown = ", ".join(one.name for one in bare[:SENTENCES_SHOWN])
        more = len(bare) - SENTENCES_SHOWN
        others = f" and {count_text(more, 'more file')}" if more > 0 else ""
        yield (
            f"Named without {PLACEHOLDERS[name]}: {shown}{others}. The paper has none, "
            "or nothing of it can stand in a file name."
        )


def _review(bundle: Bundle) -> Review:
    rows = [entry.submission for entry in bundle.entries]
    names = {entry.submission.pk: entry.name for entry in bundle.entries}
    added = [str(entry.submission) for entry in bundle.entries if entry.is_added]
    warnings = [*_names_left_out(bundle), *warnings_of(rows, PortalState.SUBMITTED)]
    if added:
        warnings.insert(
            0,
            "Also in it, belonging with chosen documents and still to submit: "
            f"{', '.join(added)}.",
        )
    return Review(
        sentence=f"{count_text(len(rows), 'PDF')} and index.csv for {bundle.portal}, "
        "in one ZIP. Nothing is marked submitted by it.",
        figures=(Figure(label="Portal", value=bundle.portal.name), *figures_of(rows)),
        warnings=tuple(warnings),
        template="admin/invoicing/includes/portal_documents.html",
        context={
            "has_files": True,
            "documents": [
                {**shown, "name": names[shown["row"].pk]}
                for shown in documents_of(rows, PortalState.SUBMITTED)
            ],
        },
        fine_print=tuple(
            f"{entry.submission.pk} {entry.name}" for entry in bundle.entries
        ),
    )
