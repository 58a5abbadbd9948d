"""The amendments of a contract: who, when, why, the terms before and after (A1)."""

from typing import Any

from django.http import HttpRequest

from config.adminsite import registry
from config.adminsite.registry import Panel
from contracts.display import term_rows
from contracts.domain.terms import ChargeType, ContractStatus
from contracts.models import Amendment, Contract


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


registry.object_panels.setdefault(Contract, []).append(amendments_panel)
