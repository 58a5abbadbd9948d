"""What an account owes by age, and the newest of its payments and credits."""

from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from billing.models import Account
from invoicing.admin.payment import payment_badge
from invoicing.choices import CREDIT_NOTE_STATUSES
from invoicing.models import CreditNote, Invoice, Payment
from invoicing.queries.receivables import Age, receivables_by_age

MONEY_SHOWN: Final = 6


def money_context(account: Account, today: date) -> dict[str, Any]:
    """Return ages by currency, the newest payments and credits, in three queries."""
    invoices = Invoice.objects.filter(account=account)
    payments = (
        Payment.objects.filter(bill_group__account=account)
        .select_related("bill_group")
        .order_by("-id")[:MONEY_SHOWN]
    )
    notes = (
        CreditNote.objects.filter(invoice__account=account)
        .select_related("invoice")
        .order_by("-id")[:MONEY_SHOWN]
    )
    return {
        "ages": [
            {
                "row": row,
                "cells": [
                    (age, invoices_of_age(account.number, row.currency, age))
                    for age in row.ages
                ],
            }
            for row in receivables_by_age(today=today, invoices=invoices)
        ],
        "payments": [
            {"payment": payment, "badge": payment_badge(payment)}
            for payment in payments
        ],
        "credit_notes": [
            {"note": note, "badge": CREDIT_NOTE_STATUSES.badge(note.status)}
            for note in notes
        ],
    }


def invoices_of_age(account_number: str, currency: str, age: Age) -> str:
    """Return the address of the open invoices of an account that lie in a bucket."""
    days = (("due_date_after", age.due_from), ("due_date_before", age.due_to))
    filters = {
        "status": "OPEN",
        "account": account_number,
        "currency": currency,
        **{name: day.isoformat() for name, day in days if day is not None},
    }
    return f"{reverse('admin:invoicing_invoice_changelist')}?{urlencode(filters)}"
