"""What customers owe, by currency and by age; sums of currencies are never added."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from billing.models import Account
from invoicing.domain.aging import AGES
from invoicing.domain.states import ISSUED, InvoiceStatus
from invoicing.models import BalanceEntry, Invoice

TWELVE_MONTHS: Final = timedelta(days=365)
_ZERO: Final = Decimal(0)
_IS_OPEN: Final = Q(status=InvoiceStatus.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """Where an account stands in one currency; amounts with tax.

    `due_next` is what falls due on `due_next_date`, the first day that has not passed
    on which anything does; None when nothing is to come. `invoiced` and `credited` are
    of what was issued in the last twelve months.
    """

    currency: str
    open: Decimal
    open_count: int
    overdue: Decimal
    overdue_days: int
    due_next: Decimal
    due_next_date: date | None
    invoiced: Decimal
    credited: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """What is due in one bucket, and the due dates it spans, for a link."""

    label: str
    amount: Decimal
    due_from: date | None
    due_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivables:
    """What is due in one currency, by age, and together."""

    currency: str
    ages: tuple[Age, ...]
    total: Decimal


def account_figures(account: Account, *, today: date) -> list[AccountFigures]:
    """Return where an account stands, by currency, in two queries."""
    invoices = Invoice.objects.filter(account=account).order_by()
    recent = Q(status__in=ISSUED, issue_date__gte=today - TWELVE_MONTHS)
    late = _IS_OPEN & Q(due_date__lt=today)
    coming = _IS_OPEN & Q(due_date__gte=today)
    rows: Any = (
        invoices.exclude(status=InvoiceStatus.VOID)
        .values("currency")
        .annotate(
            due=Sum("amount_due", filter=_IS_OPEN, default=_ZERO),
            open_count=Count("pk", filter=_IS_OPEN),
            late=Sum("amount_due", filter=late, default=_ZERO),
            late_since=Min("due_date", filter=late),
            next_date=Min("due_date", filter=coming),
            invoiced=Sum("total", filter=recent, default=_ZERO),
            credited=Sum(
                F("credited_due") + F("credited_paid"), filter=recent, default=_ZERO
            ),
        )
        .order_by("currency")
    )
    rows = list(rows)
    due_next = _due_next(account, {(row["currency"], row["next_date"]) for row in rows})
    return [
        AccountFigures(
            currency=row["currency"],
            open=row["due"],
            open_count=row["open_count"],
            overdue=row["late"],
            overdue_days=(today - row["late_since"]).days if row["late_since"] else 0,
            due_next=due_next.get(row["currency"], _ZERO),
            due_next_date=row["next_date"],
            invoiced=row["invoiced"],
            credited=row["credited"],
        )
        for row in rows
    ]


def _due_next(
    account: Account, days: Collection[tuple[str, date | None]]
) -> dict[str, Decimal]:
    on_those = Q(pk__in=[])
    for currency, day in days:
        if day is not None:
            on_those |= Q(currency=currency, due_date=day)
    rows = Invoice.objects.filter(_IS_OPEN & on_those, account=account).order_by()
    return dict(
        rows.values_list("currency").annotate(due=Sum("amount_due", default=_ZERO))
    )


def credit_balances(account: Account) -> dict[str, Decimal]:
    """Return the credit balance left on an account's bill groups, by currency."""
    entries = BalanceEntry.objects.filter(bill_group__account=account, left__gt=0)
    return dict(
        entries.order_by().values_list("currency").annotate(sum_left=Sum("left"))
    )


def receivables_by_age(
    *, today: date, invoices: QuerySet[Invoice] | None = None
) -> list[Receivables]:
    """Return what is due by currency and age, in one query; of all, or of these."""
    spans = [span.due_dates(today) for span in AGES]
    found = Invoice.objects.all() if invoices is None else invoices
    rows: Any = (
        found.filter(_IS_OPEN)
        .order_by()
        .values("currency")
        .annotate(total=Sum("amount_due"), **_sums(today))
        .order_by("currency")
    )
    return [
        Receivables(
            currency=row["currency"],
            ages=tuple(
                Age(
                    label=span.label,
                    amount=row[f"age_{number}"],
                    due_from=spans[number][0],
                    due_to=spans[number][1],
                )
                for number, span in enumerate(AGES)
            ),
            total=row["total"],
        )
        for row in rows
    ]


def _between(due_from: date | None, due_to: date | None) -> Q:
    found = Q()
    if due_from is not None:
        found &= Q(due_date__gte=due_from)
    if due_to is not None:
        found &= Q(due_date__lte=due_to)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAges:
    """What an account owes in one currency, by age; `amounts` are those of `AGES`."""

    account_id: int
    account_number: str
    account_name: str
    currency: str
    amounts: tuple[Decimal, ...]
    total: Decimal

    @property
    def overdue(self) -> Decimal:
        """What is past its due date."""
        return sum(self.amounts[1:], _ZERO)


def ages_of_accounts(
    invoices: QuerySet[Invoice], *, today: date
) -> QuerySet[Invoice, dict[str, Any]]:
    """Return what is due of invoices by account, currency and age, oldest debt first.

    To page through: `account_ages` reads its rows.
    """
    rows: Any = (
        invoices.filter(_IS_OPEN)
        .order_by()
        .values("account_id", "account__number", "account__name", "currency")
        .annotate(total=Sum("amount_due"), since=Min("due_date"), **_sums(today))
        .order_by("since", "account_id", "currency")
    )
    found: QuerySet[Invoice, dict[str, Any]] = rows
    return found


def account_ages(row: dict[str, Any]) -> AccountAges:
    """Return a row of `ages_of_accounts`."""
    return AccountAges(
        account_id=row["account_id"],
        account_number=row["account__number"],
        account_name=row["account__name"],
        currency=row["currency"],
        amounts=tuple(row[f"age_{number}"] for number in range(len(AGES))),
        total=row["total"],
    )


def _sums(today: date) -> dict[str, Sum]:
    """Return the sum of each bucket of `AGES`."""
    return {
        f"age_{number}": Sum(
            "amount_due", filter=_between(*span.due_dates(today)), default=_ZERO
        )
        for number, span in enumerate(AGES)
    }
