"""Who may open which door, written by hand from section 9 of the rules.

Not derived from the permissions, so that a slip there is seen. A door that is missing
here is a door nobody has thought about: the matrix test names it.
"""

from collections.abc import Set as AbstractSet
from typing import Final

CLERK: Final = "Finance clerk"
MANAGER: Final = "Finance manager"
SUPPORT: Final = "Support"
AUDITOR: Final = "Auditor"
ADMINISTRATOR: Final = "Administrator"
NO_GROUP: Final = "No group"

Roles = AbstractSet[str]

VIEW: Final = frozenset({CLERK, MANAGER, SUPPORT, AUDITOR, ADMINISTRATOR})
FINANCE: Final = frozenset({CLERK, MANAGER, ADMINISTRATOR})
MANAGERS: Final = frozenset({MANAGER, ADMINISTRATOR})
STOPPERS: Final = frozenset({SUPPORT, ADMINISTRATOR})
ADMINISTRATORS: Final = frozenset({ADMINISTRATOR})
STAFF: Final = VIEW | {NO_GROUP}
NOBODY: Final[Roles] = frozenset()

# Object actions, list actions and pages of their own, by URL name; bulk actions by the
# list and their name. Django's own pages of each model follow below.
DOORS: Final[dict[str, Roles]] = {
    # What anyone who is in may see; what it shows depends on what one may view.
    "index": STAFF,
    "search": STAFF,
    "suggest": STAFF,
    "settings": STAFF,
    "logout": STAFF,
    "password_change": STAFF,
    "password_change_done": STAFF,
    "jsi18n": STAFF,
    # Nothing is registered for it, so it serves nobody.
    "autocomplete": NOBODY,
    # Pages that show.
    "billing_account_overview": VIEW,
    "invoicing_corrections": VIEW,
    "invoicing_drafts": VIEW,
    "invoicing_dry_run": VIEW,
    "invoicing_invoice_export": VIEW,
    "invoicing_invoice_pdf": VIEW,
    "invoicing_invoice_review": VIEW,
    "invoicing_invoicerun_held": VIEW,
    "invoicing_invoicerun_progress": VIEW,
    "invoicing_pending": VIEW,
    "invoicing_periods": VIEW,
    "invoicing_why": VIEW,
    "invoicing_aging": VIEW,
    "invoicing_aging_export": VIEW,
    "invoicing_creditnote_pdf": VIEW,
    "invoicing_portalsubmission_file": VIEW,
    "billing_account_export_csv": VIEW,
    "billing_account_statement": VIEW,
    "billing_account_statement-pdf": VIEW,
    "billing_account_statement-csv": VIEW,
    "billing_billgroup_export_csv": VIEW,
    "contracts_contract_export_csv": VIEW,
    # The clerk's work: contracts, amend, credit, generate, addresses, payments.
    "contracts_contract_preview": FINANCE,
    "contracts_contract_activate": FINANCE,
    "contracts_contract_amend": FINANCE,
    "contracts_contractimport_upload": FINANCE,
    "contracts_contractimport_import": FINANCE,
    "contracts_scheduledcharge_outside_number": FINANCE,
    "contracts_usageimport_upload": FINANCE,
    "contracts_usageimport_record": FINANCE,
    "contracts_usagerecord_record": FINANCE,
    "billing_billgroup_generate_next": FINANCE,
    "billing_billgroup_generate_all_due": FINANCE,
    "billing_billgroup_request_deactivation": FINANCE,
    "billing_billgroup_changelist:request_deactivation": FINANCE,
    "billing_account_record_payment": FINANCE,
    "billing_billgroup_record_payment": FINANCE,
    "invoicing_invoice_record_payment": FINANCE,
    "invoicing_payment_upload": FINANCE,
    "invoicing_paymentimport_upload": FINANCE,
    "invoicing_paymentimport_record": FINANCE,
    "invoicing_invoice_fix": FINANCE,
    "invoicing_invoice_reissue": FINANCE,
    "invoicing_invoice_finish": FINANCE,
    "invoicing_invoice_discard": FINANCE,
    "invoicing_invoice_credit": FINANCE,
    "invoicing_invoice_issue": FINANCE,
    "invoicing_invoice_changelist:issue_drafts": FINANCE,
    "invoicing_invoice_edit_address": FINANCE,
    "invoicing_invoicerun_run_now": FINANCE,
    "invoicing_delivery_retry": FINANCE,
    "contracts_contract_edit_fields": FINANCE,
    "invoicing_invoice_edit_fields": FINANCE,
    "invoicing_invoice_send_again": FINANCE,
    "invoicing_creditnote_send_again": FINANCE,
    "invoicing_portalsubmission_submit": FINANCE,
    "invoicing_portalsubmission_accept": FINANCE,
    "invoicing_portalsubmission_dispute": FINANCE,
    "invoicing_portalsubmission_withdraw": FINANCE,
    "invoicing_portalsubmission_changelist:bundle": FINANCE,
    "invoicing_portalsubmission_changelist:submit_documents": FINANCE,
    "invoicing_portalsubmission_changelist:accept_documents": FINANCE,
    "invoicing_portalsubmission_changelist:dispute_documents": FINANCE,
    "invoicing_portalsubmission_changelist:withdraw_documents": FINANCE,
    "invoicing_delivery_changelist:retry_deliveries": FINANCE,
    # The manager's besides: cancel, approve, close, settings, release.
    "contracts_contract_cancel": MANAGERS,
    "contracts_contract_undo_cancellation": MANAGERS,
    "contracts_scheduledcharge_release": MANAGERS,
    "contracts_usagerecord_record_late": MANAGERS,
    "contracts_usagerecord_take_back": MANAGERS,
    "billing_billgroup_cancel": MANAGERS,
    "billing_billgroup_changelist:cancel_several": MANAGERS,
    "billing_legalentity_close_month": MANAGERS,
    "billing_legalentity_reopen_month": MANAGERS,
    "invoicing_creditnote_approve": MANAGERS,
    "invoicing_creditnote_decline": MANAGERS,
    "invoicing_creditnote_void": MANAGERS,
    "invoicing_payment_take_back": MANAGERS,
    "invoicing_parkedbillgroup_release": MANAGERS,
    "invoicing_parkedbillgroup_changelist:release_several": MANAGERS,
    # Support's: deactivate; finance managers reactivate too.
    "billing_billgroup_deactivate": STOPPERS,
    "billing_billgroup_changelist:deactivate_several": STOPPERS,
    "billing_deactivationrequest_approve": STOPPERS,
    "billing_deactivationrequest_decline": STOPPERS,
    "billing_billgroup_reactivate": STOPPERS | MANAGERS,
    "billing_billgroup_changelist:reactivate_several": STOPPERS | MANAGERS,
}

# Forms of Django's own: who may add, who may change, who may delete. Whoever may view a
# model may see its list, its pages and their history.
FORMS: Final[dict[str, tuple[Roles, Roles, Roles]]] = {
    "auth_group": (ADMINISTRATORS, ADMINISTRATORS, NOBODY),
    "auth_user": (ADMINISTRATORS, ADMINISTRATORS, NOBODY),
    "billing_account": (FINANCE, FINANCE, NOBODY),
    "billing_billgroup": (FINANCE, FINANCE, NOBODY),
    "billing_invoicingsettings": (MANAGERS, MANAGERS, NOBODY),
    "billing_legalentity": (MANAGERS, MANAGERS, NOBODY),
    "billing_portalprofile": (MANAGERS, MANAGERS, NOBODY),
    "billing_taxrate": (MANAGERS, MANAGERS, NOBODY),
    "contracts_contract": (FINANCE, FINANCE, FINANCE),
    "contracts_product": (FINANCE, FINANCE, MANAGERS),
    "customfields_customfield": (MANAGERS, MANAGERS, MANAGERS),
    "invoicing_creditlimit": (MANAGERS, MANAGERS, NOBODY),
    "invoicing_numberseries": (MANAGERS, NOBODY, NOBODY),
    # What services write, nobody writes by hand.
    "billing_auditevent": (NOBODY, NOBODY, NOBODY),
    "billing_deactivationrequest": (NOBODY, NOBODY, NOBODY),
    "contracts_contractimport": (NOBODY, NOBODY, NOBODY),
    "contracts_scheduledcharge": (NOBODY, NOBODY, NOBODY),
    "contracts_usageimport": (NOBODY, NOBODY, NOBODY),
    "contracts_usagerecord": (NOBODY, NOBODY, NOBODY),
    "invoicing_creditnote": (NOBODY, NOBODY, NOBODY),
    "invoicing_delivery": (NOBODY, NOBODY, NOBODY),
    "invoicing_invoice": (NOBODY, NOBODY, NOBODY),
    "invoicing_invoicerun": (NOBODY, NOBODY, NOBODY),
    "invoicing_parkedbillgroup": (NOBODY, NOBODY, NOBODY),
    "invoicing_payment": (NOBODY, NOBODY, NOBODY),
    "invoicing_paymentimport": (NOBODY, NOBODY, NOBODY),
    "invoicing_portalsubmission": (NOBODY, NOBODY, NOBODY),
    "invoicing_rundecision": (NOBODY, NOBODY, NOBODY),
}
# Only those who are told may look at people.
VIEWERS: Final[dict[str, Roles]] = {
    "auth_user": frozenset({AUDITOR, ADMINISTRATOR}),
    "auth_group": frozenset({AUDITOR, ADMINISTRATOR}),
}
LOOKS: Final = ("changelist", "history", "change")


def who_may(name: str, *, writes: bool = False) -> Roles:
    """Return the roles that may open a door, by its URL name; `writes` by POST.

    Raises `KeyError` for a door that nobody has thought about.
    """
    if name in DOORS:
        return DOORS[name]
    model, _, verb = name.rpartition("_")
    if name == "auth_user_password_change":
        return ADMINISTRATORS
    add, change, delete = FORMS[model]
    if verb == "change" and writes:
        return change
    if verb in LOOKS:
        return VIEWERS.get(model, VIEW)
    return {"add": add, "delete": delete}[verb]
