"""Groups and their permissions, made and kept up on every migrate (RULES, section 9).

Each group holds exactly what stands here, as far as it exists: permissions of an app
or a model that is not there yet are left out, and come with it.
"""

from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

APPS: Final = ("customfields", "billing", "contracts", "invoicing")
PEOPLE: Final = ("auth.view_user", "auth.view_group")

CLERK: Final = frozenset(
    {
        *("billing.add_account", "billing.change_account"),
        *("billing.add_billgroup", "billing.change_billgroup"),
        "billing.request_deactivation",
        *("contracts.add_contract", "contracts.change_contract"),
        *("contracts.delete_contract", "contracts.activate_contract"),
        *("contracts.add_contractline", "contracts.change_contractline"),
        "contracts.delete_contractline",
        *("contracts.add_product", "contracts.change_product"),
        *("contracts.add_contractimport", "contracts.apply_contractimport"),
        *("contracts.add_usagerecord", "contracts.change_scheduledcharge"),
        *("invoicing.generate_invoice", "invoicing.issue_invoice"),
        "invoicing.readdress_invoice",
        *("invoicing.start_invoicerun", "invoicing.change_delivery"),
        *("invoicing.credit_invoice", "invoicing.add_payment"),
        "contracts.amend_contract",
        *("invoicing.discard_invoice", "invoicing.reissue_invoice"),
        *("invoicing.send_invoice", "invoicing.send_creditnote"),
        *("contracts.edit_contract_fields", "invoicing.edit_invoice_fields"),
        *(
            "invoicing.bundle_portalsubmission",
            "invoicing.submit_portalsubmission",
            "invoicing.accept_portalsubmission",
            "invoicing.dispute_portalsubmission",
            "invoicing.withdraw_portalsubmission",
        ),
    }
)
MANAGER: Final = CLERK | {
    *("billing.cancel_billgroup", "billing.reactivate_billgroup"),
    *(
        "contracts.cancel_contract",
        "contracts.release_scheduledcharge",
        *("contracts.record_late_usage", "contracts.take_back_usagerecord"),
    ),
    "invoicing.release_parkedbillgroup",
    *("billing.add_legalentity", "billing.change_legalentity"),
    *("billing.add_invoicingsettings", "billing.change_invoicingsettings"),
    *("billing.add_taxrate", "billing.change_taxrate", "billing.delete_taxrate"),
    *("billing.add_taxratestep", "billing.change_taxratestep"),
    "billing.delete_taxratestep",
    "contracts.delete_product",
    *("invoicing.add_numberseries", "invoicing.change_numberseries"),
    *("customfields.add_customfield", "customfields.change_customfield"),
    "customfields.delete_customfield",
    *("invoicing.approve_creditnote", "invoicing.void_creditnote"),
    "invoicing.take_back_payment",
    *("invoicing.add_creditlimit", "invoicing.change_creditlimit"),
    *("billing.add_portalprofile", "billing.change_portalprofile"),
    *("billing.close_accountingperiod", "billing.reopen_accountingperiod"),
}
SUPPORT: Final = frozenset(
    {"billing.deactivate_billgroup", "billing.reactivate_billgroup"}
)
ROLES: Final[dict[str, frozenset[str]]] = {
    "Finance clerk": CLERK,
    "Finance manager": MANAGER,
    "Support": SUPPORT,
    "Auditor": frozenset(PEOPLE),
}


def keep_up_roles() -> None:
    """Make the groups and give each its permissions; every one of them may view."""
    existing = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type").filter(
            Q(content_type__app_label__in=APPS) | Q(content_type__app_label="auth")
        )
    }
    views = {
        name for name in existing if name.partition(".")[0] in APPS and ".view_" in name
    }
    for name, permitted in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(
            existing[wanted] for wanted in views | permitted if wanted in existing
        )


def keep_up_roles_after_migrate(*, app_config: AppConfig, **_: Any) -> None:
    """Keep the groups up after one of our apps was migrated."""
    if app_config.label in APPS:
        keep_up_roles()
