"""What customers owe by age: by account and currency, as page and CSV."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing.domain.money import plain_amount
from billing.models import Account, LegalEntity
from billing.queries import search_accounts
from config.adminsite.csv_files import CHUNK, csv_response
from config.adminsite.pages import SitePage, site_page
from customfields.domain.csv_cells import csv_line, plain_text
from invoicing.admin.account_money import invoices_of_age
from invoicing.admin.dashboard_panels import segments
from invoicing.admin.invoice import local_today
from invoicing.domain.aging import AGES
from invoicing.models import Invoice
from invoicing.queries.receivables import (
    AccountAges,
    Age,
    account_ages,
    ages_of_accounts,
    receivables_by_age,
)

PER_PAGE: Final = 50
KEYS: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90")


class AgingForm(forms.Form):
    """Whose receivables."""

    account = forms.CharField(
        label="Account",
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={"placeholder": "Number or name", "autocomplete": "off"}
        ),
    )
    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"), required=False, empty_label="All"
    )
    currency = forms.CharField(
        required=False, max_length=3, widget=forms.TextInput(attrs={"size": 4})
    )
    only = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[("", "All that is open"), ("overdue", "Only overdue")],
    )


@site_page
class AgingReport(SitePage):
    """Receivables by account and age, the oldest debt first."""

    route = "reports/aging/"
    name = "invoicing_aging"
    permission = "invoicing.view_invoice"
    title = "Receivables by age"
    template = "admin/invoicing/aging.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Read the totals and one page of accounts."""
        today = local_today()
        form = AgingForm(request.GET, label_suffix="")
        found = invoices_meant(form)
        rows = ages_of_accounts(found, today=today)
        pages: Any = Paginator(rows, PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        totals = receivables_by_age(today=today, invoices=found)
        return {
            "form": form,
            "today": today,
            "heads": AGES,
            "totals": [{"row": row, "segments": segments(row)} for row in totals],
            "rows": [_row(account_ages(row), totals[0].ages) for row in page],
            "page": page,
            "asked": _without_page(request),
        }


@site_page
class AgingExport(SitePage):
    """The same rows as CSV, all of them."""

    route = "reports/aging/export/"
    name = "invoicing_aging_export"
    permission = AgingReport.permission
    title = "Export receivables by age"

    def view_of(self, site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
        """Return the view that sends the file."""

        def view(request: HttpRequest) -> Any:
            if not request.user.has_perm(self.permission):
                raise PermissionDenied
            today = local_today()
            rows = ages_of_accounts(invoices_meant(AgingForm(request.GET)), today=today)
            return csv_response(csv_lines(rows), f"receivables_{today.isoformat()}.csv")

        return view


def invoices_meant(form: AgingForm) -> QuerySet[Invoice]:
    """Return the invoices that the form asks for; none where it can't be read."""
    if not form.is_valid():
        return Invoice.objects.none()
    asked, found = form.cleaned_data, Invoice.objects.all()
    if asked["account"]:
        accounts = search_accounts(Account.objects.all(), asked["account"])
        found = found.filter(account__in=accounts.values("pk"))
    if asked["legal_entity"]:
        found = found.filter(legal_entity=asked["legal_entity"])
    if asked["currency"]:
        found = found.filter(currency=asked["currency"].upper())
    if asked["only"]:
        found = found.filter(due_date__lt=local_today())
    return found


def csv_lines(rows: QuerySet[Invoice, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the file: one for each account and currency."""
    yield csv_line(
        ("account_number", "account_name", "currency", *KEYS, "overdue", "total")
    )
    for stored in rows.iterator(chunk_size=CHUNK):
        row = account_ages(stored)
        amounts = (*row.amounts, row.overdue, row.total)
        yield csv_line(
            (
                plain_text(row.account_number),
                plain_text(row.account_name),
                row.currency,
                *(plain_amount(amount, row.currency) for amount in amounts),
            )
        )


def _row(row: AccountAges, ages: tuple[Age, ...]) -> dict[str, Any]:
    """Return a row with a link from each amount to its invoices."""
    return {
        "row": row,
        "cells": [
            (amount, invoices_of_age(row.account_number, row.currency, age))
            for amount, age in zip(row.amounts, ages, strict=True)
        ],
    }


def _without_page(request: HttpRequest) -> str:
    asked = request.GET.copy()
    asked.pop("page", None)
    return asked.urlencode()
