"""The statement of an account: for any range of dates, as page, PDF and CSV."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing.models import Account
from config.adminsite.csv_files import csv_response
from config.adminsite.pages import ObjectPage, object_page
from invoicing.admin.invoice import local_today
from invoicing.domain.aging import AGES
from invoicing.domain.statement import Movement, MovementKind
from invoicing.services.rendering import GlyphsMissing, PangoMissing
from invoicing.services.statement_papers import (
    TooLongToPrint,
    statement_csv,
    statement_pdf,
)
from invoicing.services.statement_words import movement_note, movement_text, signed
from invoicing.services.statements import (
    LedgerStatement,
    NotARange,
    account_statements,
)
from invoicing.services.wording import Writer
from invoicing.statement_forms import StatementForm, usual_range

MOVEMENTS_SHOWN: Final = 500
_OF_CREDIT_NOTE: Final = frozenset(
    {
        MovementKind.CREDIT_NOTE,
        MovementKind.CREDIT_NOTE_VOIDED,
        MovementKind.CREDIT_TURNED,
        MovementKind.REFUND,
    }
)
_OF_PAYMENT: Final = frozenset({MovementKind.PAYMENT, MovementKind.PAYMENT_TAKEN_BACK})


class StatementOfAccount(ObjectPage):
    """What the page and its two files share: the question and its answer."""

    model = Account
    permission = "invoicing.view_invoice"

    def is_offered(self, subject: Any) -> bool:
        """The files are offered on the page."""
        return False

    def asked(self, request: HttpRequest, account: Account) -> StatementForm:
        """Return the form as it was sent, or for the usual range."""
        first, last = usual_range(local_today())
        form = StatementForm(
            {
                "first": request.GET.get("first") or first,
                "last": request.GET.get("last") or last,
                "bill_group": request.GET.get("bill_group", ""),
            },
            label_suffix="",
        )
        form.offer_groups_of(account)
        return form

    def drawn(
        self, form: StatementForm, account: Account
    ) -> tuple[LedgerStatement, ...]:
        """Return what the form asks for; what can't be drawn is an error of it."""
        if not form.is_valid():
            return ()
        answers = form.cleaned_data
        try:
            return account_statements(
                account=account,
                bill_group=answers["bill_group"],
                first=answers["first"],
                last=answers["last"],
                today=local_today(),
            )
        except NotARange as fault:
            form.add_error("last", str(fault))
            return ()


@object_page
class StatementPage(StatementOfAccount):
    """The statement to look at, with links into the books."""

    slug = "statement"
    label = "Statement"
    template = "admin/billing/account/statement.html"

    def is_offered(self, subject: Any) -> bool:
        """On every account."""
        return True

    def context(self, request: HttpRequest, subject: Any) -> Mapping[str, Any]:
        """Draw it, in a number of queries that doesn't grow with the rows."""
        form = self.asked(request, subject)
        ledgers = self.drawn(form, subject)
        return {
            "account": subject,
            "form": form,
            "is_drawn": form.is_valid(),
            "ledgers": [_ledger(ledger) for ledger in ledgers],
            "asked": request.GET.urlencode(),
            "ages": AGES,
        }


class StatementFile(StatementOfAccount):
    """A file of what the page shows; a range it can't be drawn for is told there."""

    def file(self, ledgers: Sequence[LedgerStatement], name: str) -> Any:
        """Return the answer with the file; raises what hinders it."""
        raise NotImplementedError

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Send the file, or go to the page that says why there is none."""
        form = self.asked(request, subject)
        ledgers = self.drawn(form, subject)
        if ledgers:
            days = "_".join(form.cleaned_data[day].isoformat() for day in _RANGE)
            try:
                answer: HttpResponse = self.file(ledgers, f"statement_{days}")
            except (TooLongToPrint, PangoMissing, GlyphsMissing) as hindrance:
                messages.error(request, str(hindrance))
            else:
                return answer
        page = reverse("admin:billing_account_statement", args=[subject.pk])
        return HttpResponseRedirect(f"{page}?{request.GET.urlencode()}")


_RANGE: Final = ("first", "last")


@object_page
class StatementPdf(StatementFile):
    """The statement as a PDF, in the account's language."""

    slug = "statement-pdf"
    label = "Statement as PDF"

    def file(self, ledgers: Sequence[LedgerStatement], name: str) -> Any:
        """Render it anew."""
        return HttpResponse(
            statement_pdf(ledgers),
            content_type="application/pdf",
            headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
        )


@object_page
class StatementCsv(StatementFile):
    """The statement as CSV, with every figure."""

    slug = "statement-csv"
    label = "Statement as CSV"

    def file(self, ledgers: Sequence[LedgerStatement], name: str) -> Any:
        """Write it row by row."""
        return csv_response(statement_csv(ledgers), f"{name}.csv")


def _ledger(ledger: LedgerStatement) -> dict[str, Any]:
    """Return a statement as the page shows it, in English."""
    write = Writer.of("en", ledger.currency)
    drawn = ledger.statement
    moves = drawn.movements[:MOVEMENTS_SHOWN]
    return {
        "ledger": ledger,
        "currency": ledger.currency,
        "drawn": drawn,
        "rows": [_row(write, move) for move in moves],
        "more": len(drawn.movements) - len(moves),
        "after_shown": moves[-1].after.balance if moves else drawn.opening.balance,
        "items": [(item, item.days_late(drawn.last)) for item in ledger.items],
        "ages": list(zip(AGES, ledger.ages, strict=True)),
    }


def _row(write: Writer, move: Movement) -> dict[str, Any]:
    raised, lowered = signed(move.balance)
    if move.kind in _OF_PAYMENT:
        name = "invoicing_payment"
    elif move.kind in _OF_CREDIT_NOTE:
        name = "invoicing_creditnote"
    else:
        name = "invoicing_invoice"
    return {
        "move": move,
        "url": reverse(f"admin:{name}_change", args=[move.document.id]),
        "text": movement_text(write, move),
        "note": movement_note(write, move),
        "raised": raised,
        "lowered": lowered,
    }
