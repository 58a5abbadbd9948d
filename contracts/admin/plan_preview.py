"""The plan of a contract while it is typed: what is in the form, planned, not written.

The form is checked as it is for saving, and the plan is the pure function that
activation will call (P1). The page's script asks for the fragment alone; without it
the *Preview* button opens the same on a page of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.forms import BaseFormSet, ModelForm
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from config.adminsite.refusals import NotPermitted
from config.clock import today_in
from contracts.domain.changes import stretches
from contracts.domain.rates import Rates
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import (
    ChargeType,
    ContractTerms,
    LineTerms,
    Proration,
    Timing,
    UnplannableTerms,
)
from contracts.models import Contract, ContractLine

SHOWN: Final = 36
FRAGMENT_HEADER: Final = "X-Fragment"
TERM_FIELDS: Final = ("bill_group", "start_date", "end_date", "bill_day", "bill_month")
WHOLE_FORM: Final = "__all__"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A planned charge with the product it is for."""

    product: str
    charge: PlannedCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPreview:
    """A plan in figures, or the sentences that say why there is none yet.

    `total` leaves out usage, whose charges `usage` counts, and taxes.
    """

    problems: tuple[str, ...] = ()
    currency: str = ""
    charges: int = 0
    usage: int = 0
    total: Decimal = Decimal(0)
    first: date | None = None
    last: date | None = None
    rows: tuple[PlannedRow, ...] = ()

    @property
    def more(self) -> int:
        """How many charges are not listed."""
        return self.charges - len(self.rows)


def preview_response(
    request: HttpRequest,
    *,
    form: "ModelForm[Contract]",
    formsets: Sequence["BaseFormSet[Any]"],
    context: Mapping[str, Any],
) -> HttpResponse:
    """Answer with the plan of a submitted form; it is never saved."""
    preview = preview_plan(form, formsets[0])
    is_fragment = FRAGMENT_HEADER in request.headers
    template = "plan_preview" if is_fragment else "plan_preview_page"
    return TemplateResponse(
        request,
        f"admin/contracts/contract/{template}.html",
        {**context, "preview": preview},
    )


def check_request(request: HttpRequest) -> HttpResponse | None:
    """Refuse what is no form of someone who may enter contracts."""
    may = ("contracts.add_contract", "contracts.change_contract")
    if not any(map(request.user.has_perm, may)):
        raise NotPermitted("contracts.add_contract", action="Preview a plan")
    return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])


def preview_plan(form: "ModelForm[Contract]", lines: "BaseFormSet[Any]") -> PlanPreview:
    """Return the plan of what is typed; a wrong number or custom field is no matter."""
    problems = tuple(_problems(form, lines))
    if problems:
        return PlanPreview(problems=problems)
    contract = form.instance
    kept = [
        line_form.instance
        for line_form in lines.forms
        if line_form.has_changed() or line_form.instance.pk
        if not line_form.cleaned_data.get(DELETION_FIELD_NAME)
    ]
    today = today_in(contract.bill_group.legal_entity.time_zone)
    try:
        charges = plan(_terms(contract, kept), today=today)
    except UnplannableTerms as fault:
        return PlanPreview(problems=(str(fault),))
    ordered = sorted(charges, key=lambda c: (c.bill_date, c.line_id, c.period.start))
    return PlanPreview(
        currency=contract.bill_group.currency,
        charges=len(ordered),
        usage=sum(1 for charge in ordered if charge.amount is None),
        total=sum((charge.amount or Decimal(0) for charge in ordered), Decimal(0)),
        first=ordered[0].bill_date if ordered else None,
        last=ordered[-1].bill_date if ordered else None,
        rows=tuple(
            PlannedRow(product=str(kept[charge.line_id].product), charge=charge)
            for charge in ordered[:SHOWN]
        ),
    )


def _problems(form: "ModelForm[Contract]", lines: "BaseFormSet[Any]") -> list[str]:
    problems = [
        _at_field(form, name, error)
        for name, errors in form.errors.items()
        if name in TERM_FIELDS or name == WHOLE_FORM
        for error in errors
    ]
    for number, line_form in enumerate(lines.forms, start=1):
        problems.extend(
            f"Line {number}: {_at_field(line_form, name, error)}"
            for name, errors in line_form.errors.items()
            if not line_form.cleaned_data.get(DELETION_FIELD_NAME)
            for error in errors
        )
    problems.extend(str(error) for error in lines.non_form_errors())
    return problems


def _at_field(form: Any, name: str, error: object) -> str:
    if name == WHOLE_FORM:
        return str(error)
    return f"{form[name].label}: {error}"


def _terms(contract: Contract, lines: Sequence[ContractLine]) -> ContractTerms:
    """Return the terms of unsaved lines, which are known by their place."""
    return ContractTerms(
        start=contract.start_date,
        end=contract.end_date,
        last_day=None,
        bill_day=contract.bill_day or contract.start_date.day,
        bill_month=contract.bill_month,
        currency=contract.bill_group.currency,
        lines=tuple(
            _line_terms(contract, line, place) for place, line in enumerate(lines)
        ),
    )


def _line_terms(contract: Contract, line: ContractLine, place: int) -> LineTerms:
    start = line.start_date or contract.start_date
    rates = Rates(
        quantity=line.quantity or Decimal(0),
        unit_price=line.unit_price or Decimal(0),
        discount_percent=line.discount_percent,
    )
    return LineTerms(
        line_id=place,
        charge_type=ChargeType(line.charge_type),
        timing=Timing(line.timing),
        months=line.frequency_months,
        start=start,
        agreed_end=line.end_date,
        last_day=None,
        proration=Proration(line.proration),
        stretches=stretches(rates, start=start, changes=()),
    )
