"""The Account Overview: all that was, is and will be invoiced to an account."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest

from billing.choices import (
    BILL_GROUP_AWAITING,
    BILL_GROUP_STATUSES,
    DELIVERY_METHODS,
    INVOICING_MODES,
)
from billing.domain.bill_group import BillGroupStatus, DeliveryMethod
from billing.models import Account, BillGroup
from config.adminsite.pages import ObjectPage, object_page
from config.clock import today_in
from contracts.admin.contract import contract_badge
from contracts.models import Contract
from customfields.display import brief_values, shown_values
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.queries import definitions_by_object
from invoicing.admin.account_documents import documents_context
from invoicing.admin.account_money import money_context
from invoicing.admin.history import history_context, history_of_account
from invoicing.admin.invoice import local_today
from invoicing.admin.portal_panels import waiting_text
from invoicing.admin.why import activation_url, why_panel
from invoicing.display import decision_badge
from invoicing.queries.portal import PortalCounts, counts_of_groups
from invoicing.queries.receivables import account_figures, credit_balances
from invoicing.services.assessment import Assessment, assess_pending

MONTHS_AHEAD: Final = timedelta(days=365)
GROUPS_SHOWN: Final = 50
PENDING_SHOWN: Final = 10
PENDING_AT_MOST: Final = 300
CONTRACTS_SHOWN: Final = 20


@object_page
class AccountOverview(ObjectPage):
    """Figures, bill groups, pending and issued invoices, contracts, timeline, why."""

    model = Account
    slug = "overview"
    label = "Overview"
    permission = "billing.view_account"
    template = "admin/billing/account/overview.html"

    def context(self, request: HttpRequest, subject: Any) -> Mapping[str, Any]:
        """Read it all in a number of queries that doesn't grow with the rows."""
        groups = list(
            BillGroup.objects.filter(account=subject)
            .select_related("legal_entity", "account", "portal")
            .order_by("pk")[: GROUPS_SHOWN + 1]
        )
        today = local_today()
        pending, faults = pending_of(groups[:GROUPS_SHOWN])
        planned: defaultdict[str, Decimal] = defaultdict(Decimal)
        for assessment in pending:
            document = assessment.document
            if not is_parked(assessment):
                planned[document.currency] += document.totals.total
        shown = PENDING_AT_MOST if request.GET.get("pending") else PENDING_SHOWN
        names = {group.pk: group for group in groups}
        may_generate = request.user.has_perm("invoicing.generate_invoice")
        fields = definitions_by_object()
        in_portal = (
            counts_of_groups(groups[:GROUPS_SHOWN])
            if request.user.has_perm("invoicing.view_portalsubmission")
            else {}
        )
        why = why_panel(request, groups[:GROUPS_SHOWN])
        return {
            "account": subject,
            "figures": account_figures(subject, today=today),
            "balances": credit_balances(subject),
            "planned": dict(planned),
            "account_fields": shown_values(
                fields[FieldObject.ACCOUNT], subject.custom_fields
            ),
            "groups": [
                group_row(
                    group,
                    pending,
                    today,
                    may_generate=may_generate,
                    may_activate=request.user.has_perm("billing.reactivate_billgroup"),
                    in_portal=in_portal.get(group.pk),
                )
                | {
                    "fields": brief_values(
                        fields[FieldObject.BILL_GROUP], group.custom_fields
                    )
                }
                for group in groups[:GROUPS_SHOWN]
            ],
            "more_groups": len(groups) > GROUPS_SHOWN,
            "faults": [(names[pk], reason) for pk, reason in faults.items()],
            "pending": [
                pending_row(assessment, names, today) for assessment in pending[:shown]
            ],
            "more_pending": max(len(pending) - shown, 0),
            "pending_count": len(pending),
            "contracts": contract_rows(subject, fields[FieldObject.CONTRACT]),
            "history": history_context(request, history_of_account(subject), subject),
            **documents_context(request, subject),
            **money_context(subject, today),
            "may_generate": may_generate,
            "first_group": groups[0] if groups else None,
            "why": why,
            "selected_group": why.explanation.bill_group if why else None,
        }


def pending_of(groups: list[BillGroup]) -> tuple[list[Assessment], dict[int, str]]:
    """Return the pending invoices of a year, oldest first, and groups at fault.

    They are assessed as the nightly run does. A group whose charges can't be worked
    out (a tax rate without a percent) is named with the reason, as the run parks it.
    """
    pending: list[Assessment] = []
    faults: dict[int, str] = {}
    entities = {group.legal_entity for group in groups}
    for entity in sorted(entities, key=lambda entity: entity.pk):
        mine = [group.pk for group in groups if group.legal_entity_id == entity.pk]
        today = today_in(entity.time_zone)
        horizon = today + MONTHS_AHEAD
        try:
            pending += assess_pending(
                mine, legal_entity=entity, as_of=today, through=horizon
            )
        except ValueError:
            for group_id in mine:
                try:
                    pending += assess_pending(
                        [group_id], legal_entity=entity, as_of=today, through=horizon
                    )
                except ValueError as fault:
                    faults[group_id] = str(fault)
    pending.sort(key=lambda a: (a.bill_date, a.group.bill_group_id))
    return pending, faults


def group_row(
    group: BillGroup,
    pending: list[Assessment],
    today: date,
    *,
    may_generate: bool,
    may_activate: bool,
    in_portal: PortalCounts | None,
) -> dict[str, Any]:
    """Return a bill group with its next pending invoice."""
    mine = [a for a in pending if a.group.bill_group_id == group.pk]
    following = mine[0] if mine else None
    is_active = group.status == BillGroupStatus.ACTIVE
    awaits = is_active and group.awaiting_manual_invoice
    status = BILL_GROUP_STATUSES.badge(group.status)
    due = sum(1 for a in mine if a.bill_date <= today)
    return {
        "group": group,
        "status": BILL_GROUP_AWAITING if awaits else status,
        "mode": INVOICING_MODES.badge(group.invoicing),
        "is_manual": group.invoicing == "MANUAL",
        "delivery": DELIVERY_METHODS.badge(group.delivery).label,
        "is_sent": group.delivery != DeliveryMethod.NONE,
        "portal": group.portal.name if group.is_by_portal and group.portal else "",
        "in_portal": waiting_text(in_portal) if in_portal else "",
        "next": following,
        "what": decision_badge(following.decision) if following else None,
        "due": due,
        "may_generate": may_generate
        and is_active
        and following is not None
        and not is_parked(following),
        "is_unknown": following is not None and is_parked(following),
        "is_urgent": awaits,
        "activate_url": "" if is_active or not may_activate else activation_url(group),
        "usage_to_come": following is not None
        and any(c.amount is None and c.period_end >= today for c in following.charges),
    }


def is_parked(assessment: Assessment) -> bool:
    """Tell whether what a pending invoice comes to is not worked out (G13)."""
    return assessment.decision.facts.parked_reason is not None


def pending_row(
    assessment: Assessment, groups: dict[int, BillGroup], today: date
) -> dict[str, Any]:
    """Return a pending invoice with what will happen to it.

    Its amount is what the run would bill now. Usage of a period that has not ended is
    still to come: it is said, never estimated.
    """
    charges = assessment.charges
    contracts = {charge.contract_id: charge.contract_number for charge in charges}
    usage = [charge for charge in charges if charge.amount is None]
    return {
        "bill_date": assessment.bill_date,
        "group": groups[assessment.group.bill_group_id],
        "lines": len(charges),
        "contracts": sorted(contracts.items(), key=lambda item: item[1])[:3],
        "more_contracts": max(len(contracts) - 3, 0),
        "has_usage": bool(usage),
        "usage_to_come": any(charge.period_end >= today for charge in usage),
        "badge": decision_badge(assessment.decision),
        "is_unknown": is_parked(assessment),
        "total": assessment.document.totals.total,
        "currency": assessment.document.currency,
    }


def contract_rows(
    account: Account, fields: Sequence[FieldDefinition] = ()
) -> list[dict[str, Any]]:
    """Return the newest contracts of an account."""
    contracts = (
        Contract.objects.filter(bill_group__account=account)
        .select_related("bill_group")
        .order_by("-id")[:CONTRACTS_SHOWN]
    )
    return [
        {
            "contract": contract,
            "badge": contract_badge(contract),
            "fields": brief_values(fields, contract.custom_fields),
        }
        for contract in contracts
    ]
