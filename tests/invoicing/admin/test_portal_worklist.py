"""What the portal worklist opens with, and who may download from it (F3)."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from billing.models import AuditEvent
from invoicing.admin.portal_bundle import DownloadBundle
from invoicing.models import PortalSubmission
from invoicing.services.corrections import finish_replacement, reissue_invoice
from invoicing.services.payments import record_payment
from invoicing.services.portal import (
    accept_documents,
    dispute_documents,
    submit_documents,
)
from tests.portal import NEW_YEAR, entry_of, portal_invoice
from tests.staff import client_of, person

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/portalsubmission/"
TO_DO = f"{LIST}?state=TO_DO"


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


def submitted() -> PortalSubmission:
    """Return a document that waits for the portal's answer."""
    entry = entry_of(portal_invoice())
    submit_documents(
        submissions=[entry],
        reference="AR-1",
        on=NEW_YEAR,
        note="",
        file=None,
        actor=person("Finance clerk"),
        today=NEW_YEAR,
    )
    return entry


def disputed() -> PortalSubmission:
    """Return a document that the portal refused."""
    entry = submitted()
    dispute_documents(
        submissions=[entry],
        reason="PO is closed",
        on=NEW_YEAR,
        file=None,
        actor=person("Finance clerk"),
        today=NEW_YEAR,
    )
    return entry


def accepted() -> PortalSubmission:
    """Return a document that the portal took."""
    entry = submitted()
    accept_documents(
        submissions=[entry],
        reference="",
        on=NEW_YEAR,
        note="",
        file=None,
        actor=person("Finance clerk"),
        today=NEW_YEAR,
    )
    return entry


def pay(entry: PortalSubmission) -> None:
    record_payment(
        bill_group=entry.bill_group,
        amount=entry.invoice.amount_due,
        received_on=NEW_YEAR,
        reference="",
        actor=None,
        today=NEW_YEAR,
    )


def opened(client: Client) -> Any:
    """Open the worklist as its door does."""
    return client.get(LIST, follow=True)


def shown(page: Any) -> set[int]:
    return {row.pk for row in page.context["cl"].result_list}


def test_opens_with_what_is_to_submit_and_disputed() -> None:
    waiting = {entry_of(portal_invoice()).pk, disputed().pk}
    closed = {submitted().pk, accepted().pk}
    settled = disputed()
    pay(settled)

    client = client_of("Auditor")
    page = opened(client)

    assert page.redirect_chain == [("?state=TO_DO", 302)]
    assert shown(page) == waiting
    views = page.context["views"]
    assert [(one.label, one.count) for one in views if one.is_current] == [("To do", 2)]
    (everything,) = (one for one in views if one.label == "All")
    rest = client.get(LIST + everything.query)
    assert shown(rest) == {*waiting, *closed, settled.pk}
    assert [one.label for one in rest.context["views"] if one.is_current] == ["All"]


def test_search_without_a_filter_looks_at_everything() -> None:
    closed = accepted()

    page = client_of("Auditor").get(LIST, {"q": str(closed)})

    assert shown(page) == {closed.pk}


def test_clear_shows_everything_and_not_the_work_again() -> None:
    closed = accepted()
    client = client_of("Auditor")

    page = opened(client)

    assert "no dispute is open." in page.content.decode()
    assert '<a class="small" href="?state=">Clear</a>' in page.content.decode()
    assert shown(client.get(f"{LIST}?state=")) == {closed.pk}
    filtered = client.get(f"{TO_DO}&kind=credit_note").content.decode()
    assert 'Nothing matches. <a href="?state=">Clear the filters</a>' in filtered


def test_other_lists_open_and_clear_as_they_are() -> None:
    page = client_of("Auditor").get("/admin/invoicing/invoice/?status=PAID")

    assert '<a class="small" href="?">Clear</a>' in page.content.decode()


def test_bare_address_opens_for_those_who_may_look_only() -> None:
    nobody = Client()
    user = person("Support")
    user.groups.clear()
    nobody.force_login(user)

    assert nobody.get(LIST).status_code == 403


def test_chips_say_what_is_filtered_by_and_one_document_is_one() -> None:
    entry = submitted()
    query = f"?state=SUBMITTED&portal={entry.portal_id}&age=7"

    text = client_of("Auditor").get(LIST + query).content.decode()

    for chip in ("State: <b>Submitted", "Portal: <b>Ariba", "Waiting: <b>More than 7"):
        assert chip in text
    assert "1 document</span>" in text


def test_old_invoice_credit_note_and_replacement_are_named_as_what_they_are() -> None:
    old = entry_of(portal_invoice())
    clerk = person("Finance clerk")
    reason = "PO number"
    reissue_invoice(invoice=old.invoice, reason=reason, actor=clerk, today=NEW_YEAR)
    finish_replacement(invoice=old.invoice, reason=reason, actor=clerk, today=NEW_YEAR)
    note = PortalSubmission.objects.get(credit_note__isnull=False)
    new = PortalSubmission.objects.get(invoice__replaces=old.invoice)
    client = client_of("Auditor")

    def kinds(entry: PortalSubmission) -> dict[str, str]:
        page = client.get(f"{LIST}{entry.pk}/change/")
        text = page.content.decode()
        told = {str(pair["row"]): pair["kind"] for pair in page.context["pairs"]}
        assert all(kind in text for kind in told.values())
        return told

    credits_old = {str(note): f"Credit note on {old}"}
    is_replaced = {str(old): f"Invoice, replaced by {new}"}
    replaces = {str(new): f"Invoice, replaces {old}"}
    assert kinds(old) == credits_old | replaces
    assert kinds(new) == credits_old | is_replaced
    assert kinds(note) == is_replaced | replaces
    paper = f"/admin/invoicing/creditnote/{note.credit_note_id}/pdf/"
    assert paper in client.get(f"{LIST}{note.pk}/change/").content.decode()
    listed = client.get(f"{LIST}?state=").content.decode()
    assert f"Invoice, belongs with {note}, {new}" in listed


@pytest.mark.parametrize(
    ("action", "has_files"), [("bundle", True), ("submit_documents", False)]
)
def test_review_has_a_column_of_files_where_files_are_made(
    action: str, *, has_files: bool
) -> None:
    entry = entry_of(portal_invoice())
    chosen = {"action": action, "index": "0", "_selected_action": [entry.pk]}

    page = client_of("Finance clerk").post(LIST, chosen).content.decode()

    assert ('<th scope="col">File</th>' in page) is has_files


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_bundle_is_refused_to_others_and_noted(role: str) -> None:
    entry = entry_of(portal_invoice())
    chosen = {"action": "bundle", "index": "0", "_selected_action": [entry.pk]}

    for more in ({}, {"_confirm": "1"}):
        answer = client_of(role).post(LIST, {**chosen, **more})
        assert answer.status_code == 403

    assert AuditEvent.objects.filter(code="action.refused").count() == 2


def test_bundle_checks_the_permission_itself() -> None:
    """Whatever list it is asked of: reviewed and confirmed, it would be sent."""
    entry_of(portal_invoice())
    chosen = PortalSubmission.objects.all()
    bundle = DownloadBundle()
    request = RequestFactory().post(LIST)
    reviewed = bundle.review(request, chosen).fingerprint
    request = RequestFactory().post(LIST, {"_confirm": "1", "_reviewed": reviewed})
    request.user = person("Auditor")

    with pytest.raises(PermissionDenied):
        bundle.answer(admin.site.get_model_admin(PortalSubmission), request, chosen)
