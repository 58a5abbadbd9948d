"""What the demo's staff do with bill groups, tax rates and the portal."""

from billing.models import InvoicingSettings, TaxRate
from billing.services.bill_groups import (
    deactivate_bill_group,
    reactivate_bill_group,
    request_deactivation,
)
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from contracts.services.external import record_external_number
from invoicing.domain.portal import PortalState
from invoicing.management.demo.files import month
from invoicing.management.demo.scene import Scene, group_named
from invoicing.models import PortalSubmission
from invoicing.services.generation import generate_all_due
from invoicing.services.portal import (
    accept_documents,
    dispute_documents,
    submit_documents,
)


def name_outside_invoices(scene: Scene) -> None:
    """Note the old system's numbers on one contract's charges billed elsewhere."""
    charges = ScheduledCharge.objects.filter(
        state=ChargeState.EXTERNAL, contract__bill_group__name="Cold store Joliet"
    ).order_by("bill_date", "pk")
    for number, charge in enumerate(charges, start=5101):
        record_external_number(
            charge=charge, number=f"LEGACY-{number}", actor=scene.actor
        )


def raise_estonian_tax(scene: Scene) -> None:
    """Give the rate that the import named by its percent a name, and its next step."""
    rate = TaxRate.objects.get(name="22 %")
    rate.name = "Estonian VAT"
    rate.save()
    rate.steps.create(valid_from=month(scene.today, -5), percent=24)


def bill_lakeside_by_hand(scene: Scene) -> None:
    """Bill what has come due of a bill group that is invoiced by hand only."""
    generate_all_due(
        bill_group=group_named("Group billing"), actor=scene.actor, today=scene.day
    )


def deactivate_leipzig(scene: Scene) -> None:
    """Stop a bill group that is set to Active again later."""
    deactivate_bill_group(
        bill_group=group_named("Leipzig"),
        reason="The customer moves to a new creditor number.",
        actor=scene.actor,
        today=scene.day,
    )


def deactivate_depot(scene: Scene) -> None:
    """Stop a bill group for good, until somebody reactivates it."""
    deactivate_bill_group(
        bill_group=group_named("Depot services"),
        reason="The depot is closed while the customer's insolvency is examined.",
        actor=scene.actor,
        today=scene.day,
    )


def reactivate_leipzig(scene: Scene) -> None:
    """Set it to Active: its next invoice is made by hand (G4)."""
    reactivate_bill_group(
        bill_group=group_named("Leipzig"), actor=scene.actor, today=scene.day
    )


def ask_to_stop_foundation(scene: Scene) -> None:
    """Ask support to deactivate a bill group, and wait for it."""
    request_deactivation(
        bill_group=group_named("Foundation"),
        reason="The foundation pauses its donor desk for the winter.",
        actor=scene.actor,
    )


def break_irish_tax(scene: Scene) -> None:
    """Move a tax rate's only step too far: no percent is in force any more (G13)."""
    rate = TaxRate.objects.get(name="13.5 %")
    rate.steps.update(valid_from=month(scene.today, 6))


def review_american_invoices(scene: Scene) -> None:
    """Have the American company's invoices reviewed before they are issued (G17)."""
    InvoicingSettings.objects.filter(
        legal_entity__name="Nordhaven Systems Inc."
    ).update(review_before_issue=True)


def upload_to_portal(scene: Scene) -> None:
    """Upload what was issued before the last month; one upload is rejected (F3)."""
    waiting = PortalSubmission.objects.filter(
        state=PortalState.TO_SUBMIT, issue_date__lt=month(scene.today, -1)
    ).order_by("pk")
    done = submit_documents(
        submissions=list(waiting),
        reference=f"BATCH-{scene.day:%Y-%m}",
        on=scene.day,
        actor=scene.actor,
        today=scene.day,
    ).done
    accept_documents(
        submissions=done[:-3], on=scene.day, actor=scene.actor, today=scene.day
    )
    dispute_documents(
        submissions=done[-1:],
        reason="Rejected by the customer's approver: the PO line is closed.",
        on=scene.day,
        actor=scene.actor,
        today=scene.day,
    )
