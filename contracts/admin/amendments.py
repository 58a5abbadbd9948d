"""The amendments of a contract: who, when, why, the terms before and after (A1)."""

from typing import Any

from django.http import HttpRequest

from billing.display import day_text
from config.adminsite import registry
from config.adminsite.registry import Panel
from contracts.display import term_rows
from contracts.domain.terms import ChargeType, ContractStatus
from contracts.models import Amendment, Contract, LineChange


def amendments_panel(request: HttpRequest, subject: Any) -> Panel | None:
    """Show each amendment, the newest first."""
    if subject.status == ContractStatus.DRAFT:
        return None
    amendments = list(
        Amendment.objects.filter(contract=subject)
        .select_related("made_by")
        .order_by("-id")
    )
    if not amendments:
        return None
    currency = subject.bill_group.currency
    lines = list(subject.lines.select_related("product"))
    names = {line.pk: f"{line.position}. {line.product}" for line in lines}
    usage = [line.pk for line in lines if line.charge_type == ChargeType.USAGE]
    return Panel(
        template="admin/contracts/includes/amendments_panel.html",
        context={
            "currency": currency,
            "amendments": [
                {
                    "number": len(amendments) - place,
                    "amendment": amendment,
                    "terms": term_rows(
                        amendment.terms_before,
                        amendment.terms_after,
                        names=names,
                        usage_lines=usage,
                        currency=currency,
                    ),
                }
                for place, amendment in enumerate(amendments)
            ],
        },
    )


def amended_rates(contract: Contract) -> dict[int, list[str]]:
    """Return by line id the terms that hold since amendments, in words.

    Lines that no amendment changed are left out.
    """
    last = Amendment.objects.filter(contract=contract).order_by("-id").first()
    if last is None:
        return {}
    usage = contract.lines.filter(charge_type=ChargeType.USAGE)
    told: dict[int, list[str]] = {}
    for row in term_rows(
        {},
        last.terms_after,
        names={},
        usage_lines=usage.values_list("pk", flat=True),
        currency=contract.bill_group.currency,
    ):
        told.setdefault(row.line_id, []).append(
            f"From {day_text(row.from_date)}: {row.becomes}"
            + (f", last day {day_text(row.last_day)}" if row.last_day else "")
        )
    changed = set(
        LineChange.objects.filter(line__contract=contract).values_list(
            "line", flat=True
        )
    )
    return {line_id: texts for line_id, texts in told.items() if line_id in changed}


registry.object_panels.setdefault(Contract, []).append(amendments_panel)
