"""Amend a contract: new terms, the review of all that follows, and how far to go.

The review tries everything and undoes it (A1, A4, A7): its figures are those that
confirming will have. Crediting may wait for a second person; then so does the issue.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import (
    CONFIRM,
    Done,
    Figure,
    ObjectAction,
    Review,
    object_action,
)
from config.adminsite.actor import actor_of
from config.adminsite.refusals import NotPermitted
from config.clock import today_in
from contracts.display import term_rows
from contracts.domain.terms import ContractStatus
from contracts.models import Contract, ScheduledCharge
from contracts.services.amendments import AmendmentRefused
from invoicing.admin.amend_form import AmendForm
from invoicing.admin.correction_papers import (
    fine_print,
    finish_sentence,
    money,
    signed,
    waiting,
)
from invoicing.domain.document import NotBillable
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.services.correction_review import AmendmentReview, review_amendment
from invoicing.services.correction_trial import NOT_FINISHED
from invoicing.services.lifecycle import Fixed, amend_contract, fix_contract

FIX: Final = "fix"
FIRST_DAY: Final = "first-day"
WRONG: Final = "invoice"
FINISH_PERMISSIONS: Final = ("invoicing.issue_invoice", "invoicing.credit_invoice")
PAPERS_SHOWN: Final = 6
NEW_ROWS: Final = 3


@object_action
class AmendContract(ObjectAction):
    """Change the terms from a day on; invoices that were wrong are replaced."""

    model = Contract
    slug = "amend"
    label = "Amend"
    permission = "contracts.amend_contract"
    form_class = AmendForm
    asks_first = True
    refusals = (AmendmentRefused, ReasonMissing, NotBillable, *NOT_FINISHED)
    template = "admin/contracts/contract/amend.html"

    def refusal(self, subject: Any) -> str:
        """A draft is edited; nothing was planned of it (A8)."""
        if subject.status != ContractStatus.DRAFT:
            return ""
        return f"Contract {subject} is a draft: edit it as it is, nothing was planned."

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Ask about each line of the contract."""
        return {
            "contract": subject,
            "today": _today(subject),
            "first_day": _first_day(request),
            "new_rows": NEW_ROWS if "lines" in request.GET else 0,
        }

    def asking(self, request: HttpRequest, subject: Any) -> Review | None:
        """Name the invoice that is to be put right, if one was wrong."""
        wrong = _wrong_invoice(request, subject)
        return Review(context={"wrong": wrong}) if wrong else None

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show all that follows from the new terms."""
        review = review_amendment(
            contract=subject,
            **_asked(answers),
            actor=actor_of(request),
            today=_today(subject),
            give_again=_ids(answers["give_again"]),
        )
        currency = subject.bill_group.currency
        correction = review.correction
        amended = review.amended
        may_finish = request.user.has_perms(FINISH_PERMISSIONS)
        return Review(
            sentence=_sentence(review, currency),
            figures=tuple(_figures(review, currency)),
            warnings=tuple(_warnings(review)),
            fine_print=tuple(_fine_print(review)),
            context={
                "currency": currency,
                "correction": correction,
                "papers": correction.replacements[:PAPERS_SHOWN],
                "more_papers": len(correction.replacements) - PAPERS_SHOWN,
                "rebuilt": amended.corrected.rebuilt,
                "discarded": amended.corrected.discarded,
                "outside": amended.outside,
                "pending": review.pending,
                "credited": _credited(review),
                "ticked": _ids(answers["replace_credited"]),
                "given_again": _ids(answers["give_again"]),
                "reason": amended.amendment.reason,
                "effective_date": amended.amendment.effective_date,
                "terms": term_rows(
                    amended.amendment.terms_before,
                    amended.amendment.terms_after,
                    names=review.line_names,
                    usage_lines=review.usage_lines,
                    currency=currency,
                ),
                "may_fix": bool(
                    correction.replacements and not correction.refusal and may_finish
                ),
                "who_fixes": not may_finish,
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Amend only, or amend, issue and credit at once (A7)."""
        asked = _asked(answers) | {
            "contract": subject,
            "actor": actor_of(request),
            "today": _today(subject),
        }
        url = self.back_url(subject)
        if request.POST[CONFIRM] != FIX:
            amended = amend_contract(**asked)
            drafts = [
                *(one.draft for one in amended.corrected.replaced if one.draft),
                *amended.corrected.rebuilt,
            ]
            if not amended.corrected.replaced and not drafts:
                return Done(message=f"Contract {subject} amended.", url=url)
            return Done(
                message=f"Contract {subject} amended. "
                f"{count_text(len(drafts), 'draft')} to review; "
                f"{count_text(len(amended.corrected.replaced), 'invoice')} superseded, "
                "not credited yet.",
                url=url,
                link="See what is left to do",
                link_url=reverse("admin:invoicing_corrections"),
            )
        if not request.user.has_perms(FINISH_PERMISSIONS):
            raise NotPermitted(
                *FINISH_PERMISSIONS, action="Issue and credit at once", subject=subject
            )
        fixed = fix_contract(**asked, give_again=_ids(answers["give_again"]))
        return _fixed(fixed, subject, url)


def amend_from(contract: Contract, first_day: date, wrong: Invoice) -> str:
    """Return the address of the form that puts a wrong invoice right.

    It offers a day as the first at new terms.
    """
    asked = urlencode({FIRST_DAY: first_day.isoformat(), WRONG: wrong.pk})
    return f"{AmendContract.url(contract.pk)}?{asked}"


def _wrong_invoice(request: HttpRequest, contract: Contract) -> Invoice | None:
    """Return the invoice that the address names, if it bills the contract."""
    named = request.GET.get(WRONG, "")
    if not re.fullmatch("[0-9]{1,18}", named):
        return None
    billed = Invoice.objects.filter(lines__charge__contract=contract)
    return billed.filter(pk=int(named)).first()


def _first_day(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get(FIRST_DAY, ""))
    except ValueError:
        return None


def _today(contract: Contract) -> date:
    return today_in(contract.bill_group.legal_entity.time_zone)


def _asked(answers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "changes": answers["changes"],
        "effective_date": answers["effective_date"],
        "reason": answers["reason"],
        "replace_credited": _ids(answers["replace_credited"]),
    }


def _ids(rows: Any) -> tuple[int, ...]:
    return tuple(row.pk for row in rows)


def _credited(review: AmendmentReview) -> list[Invoice]:
    """Return the invoices credited in full that the terms change, chosen or not."""
    return [
        *review.amended.left_credited,
        *(
            one.invoice
            for one in review.correction.replacements
            if one.invoice.status == InvoiceStatus.CREDITED
        ),
    ]


def _sentence(review: AmendmentReview, currency: str) -> str:
    if review.correction.replacements:
        return finish_sentence(review.correction, currency)
    return "No issued invoice changes. What is pending is planned anew."


def _planned_text(contract: Contract) -> str:
    """Say what a contract's value counts: an evergreen one has no end."""
    last = ScheduledCharge.objects.filter(contract=contract).aggregate(
        last=Max("bill_date")
    )["last"]
    through = f" through {day_text(last)}" if last and not contract.end_date else ""
    return f"all planned charges{through}, before tax"


def _figures(review: AmendmentReview, currency: str) -> Iterator[Figure]:
    amended = review.amended
    yield Figure(
        label="Contract value before",
        value=money(amended.value_before, currency),
        note=_planned_text(amended.amendment.contract),
    )
    yield Figure(
        label="Contract value after",
        value=money(amended.value_after, currency),
        note=signed(amended.value_after - amended.value_before, currency),
    )
    yield Figure(
        label="Invoices replaced", value=f"{len(review.correction.replacements)}"
    )
    yield Figure(
        label="Pending invoices changed",
        value=f"{len(review.pending)}",
        note="planned anew, in place",
    )


def _warnings(review: AmendmentReview) -> Iterator[str]:
    yield from waiting(review.correction)
    if review.correction.replacements and review.correction.refusal:
        yield (
            f"It can be amended, but not issued and credited now: "
            f"{review.correction.refusal}"
        )
    if review.amended.outside:
        yield (
            f"{count_text(len(review.amended.outside), 'charge')} billed elsewhere "
            "would cost otherwise. They are not changed here: correct the outside "
            "invoice outside."
        )


def _fine_print(review: AmendmentReview) -> Iterator[str]:
    yield from fine_print(review.correction)
    corrected = review.amended.corrected
    for draft in (*corrected.rebuilt, *corrected.discarded):
        yield f"{draft.pk} {draft.total} {draft.status}"
    for change in review.pending:
        yield f"{change.bill_date} {change.before} {change.after}"
    for outside in review.amended.outside:
        yield f"{outside.charge.pk} {outside.planned_amount}"
    yield f"{[invoice.pk for invoice in _credited(review)]}"


def _fixed(fixed: Fixed, contract: Contract, url: str) -> Done:
    issued = [one.issued for one in fixed.finished if one.issued]
    waiting = [
        one.credit for one in fixed.finished if one.credit and not one.credit.number
    ]
    said = [f"Contract {contract} amended."]
    if issued:
        said.append(f"{count_text(len(issued), 'replacement')} issued, old credited.")
    if waiting:
        said.append(
            f"{count_text(len(waiting), 'credit')} above the limit: waiting for a "
            "second person, the replacement with it."
        )
    if len(issued) == 1:
        return Done(
            message=" ".join(said),
            url=url,
            link=f"Invoice {issued[0].number}",
            link_url=reverse("admin:invoicing_invoice_change", args=[issued[0].pk]),
        )
    return Done(
        message=" ".join(said),
        url=url,
        link="See what is left to do" if waiting else "See the invoices",
        link_url=reverse("admin:invoicing_corrections")
        if waiting
        else reverse("admin:invoicing_invoice_changelist")
        + f"?bill_group={contract.bill_group.public_id}",
    )
