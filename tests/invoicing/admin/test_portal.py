"""The portal on the screen: profiles, worklist, steps, bundle, files (F3)."""

import zipfile
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import AuditEvent, BillGroup, PortalProfile
from customfields.models import CustomField
from invoicing.admin.portal_actions import (
    AcceptDocument,
    DisputeDocument,
    SubmitDocument,
    WithdrawDocument,
)
from invoicing.models import PortalStep, PortalSubmission
from invoicing.services import portal_bundle
from tests.portal import ariba, entry_of, portal_group, portal_invoice
from tests.staff import client_of, company

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/portalsubmission/"
EVERYTHING = f"{LIST}?state="
PROFILES = "/admin/billing/portalprofile/"
PDF = b"%PDF-1.7\nsomething\n%%EOF\n"
PROFILE = {
    "name": "Ariba",
    "address": "https://service.ariba.example",
    "po_number_required": "on",
    "file_pattern": "{po_number}_{number}",
    "columns": "Invoice = number\r\nTotal = total",
}


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def entry() -> PortalSubmission:
    return entry_of(portal_invoice())


def confirm(client: Client, url: str, **fields: Any) -> Any:
    review = client.get(url).context["review"]
    given = {"_confirm": "1", "_reviewed": review.fingerprint, **fields}
    return client.post(url, given, follow=True)


def choose(client: Client, action: str, *rows: PortalSubmission, **fields: Any) -> Any:
    chosen = {"action": action, "index": "0", "_selected_action": [r.pk for r in rows]}
    if not fields.pop("confirmed", True):
        return client.post(LIST, chosen)
    review = client.post(LIST, chosen).context["review"]
    given = {"_confirm": "1", "_reviewed": review.fingerprint, **fields}
    return client.post(LIST, {**chosen, **given}, follow=True)


def page_of(entry: PortalSubmission) -> str:
    return f"{LIST}{entry.pk}/change/"


def test_profile_is_defined_in_settings_and_audited() -> None:
    CustomField.objects.create(
        object="BILL_GROUP", key="portal_id", label="Portal id", kind="TEXT"
    )
    client = client_of("Finance manager")

    client.post(
        f"{PROFILES}add/",
        {
            **PROFILE,
            "required_fields": ["bill_group.portal_id"],
            "columns": "No = number\r\nSupplier = bill_group.portal_id",
        },
    )

    profile = PortalProfile.objects.get()
    assert profile.columns == [["No", "number"], ["Supplier", "bill_group.portal_id"]]
    assert profile.required_fields == ["bill_group.portal_id"]
    event = AuditEvent.objects.get(code="portal_profile.added")
    assert event.after["columns"] == profile.columns


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"name": ""}, "required", id="no_name"),
        pytest.param({"name": "a\x00b"}, "ull characters", id="null_in_name"),
        pytest.param({"name": "ARIBA 1"}, "There is a portal of that name", id="twice"),
        pytest.param({"address": "javascript:alert(1)"}, "https://", id="script"),
        pytest.param({"address": "ftp://x.example"}, "https://", id="ftp"),
        pytest.param({"address": "https://u:p@x.example"}, "user name", id="password"),
        pytest.param({"file_pattern": "../{number}"}, "letters", id="path"),
        pytest.param({"file_pattern": "x"}, "{number}", id="no_number"),
        pytest.param({"columns": "A = nothing"}, "no nothing to show", id="column"),
        pytest.param({"columns": "=A = number"}, "formula", id="formula"),
        pytest.param({"required_fields": "account.gone"}, "valid choice", id="field"),
    ],
)
def test_bad_profile_is_refused_with_a_sentence(
    fields: dict[str, str], said: str
) -> None:
    ariba(name="Ariba 1")
    CustomField.objects.create(object="ACCOUNT", key="x", label="X", kind="TEXT")

    page = client_of("Finance manager").post(f"{PROFILES}add/", {**PROFILE, **fields})

    assert page.status_code == 200
    assert said in page.content.decode()
    assert PortalProfile.objects.count() == 1


@pytest.mark.parametrize("role", ["Finance clerk", "Support", "Auditor"])
def test_only_managers_change_profiles(role: str) -> None:
    profile = ariba()
    client = client_of(role)

    assert client.get(PROFILES).status_code == 200
    assert client.post(f"{PROFILES}add/", PROFILE).status_code == 403
    url = f"{PROFILES}{profile.pk}/change/"
    assert client.post(url, PROFILE).status_code == 403


def test_bill_group_by_portal_names_it_on_the_form() -> None:
    group = portal_group()
    client = client_of("Finance clerk")
    fields = {
        "name": group.name,
        "invoicing": "AUTOMATIC",
        "net_terms": "30",
        "po_number": "PO-8",
        "delivery": "PORTAL",
        "portal": "",
        "email": "",
        "bill_to": "",
    }
    url = f"/admin/billing/billgroup/{group.pk}/change/"

    refused = client.post(url, fields)
    taken = client.post(url, {**fields, "portal": group.portal_id})

    assert b"Choose the portal" in refused.content
    assert taken.status_code == 302
    group.refresh_from_db()
    assert (group.po_number, group.is_by_portal) == ("PO-8", True)


def test_bill_group_page_warns_before_the_first_invoice() -> None:
    group = portal_group(po_number="")

    page = client_of("Finance clerk").get(
        f"/admin/billing/billgroup/{group.pk}/change/"
    )

    text = page.content.decode()
    assert "Ariba would reject the next invoice." in text
    assert "PO number" in text


def test_worklist_page_shows_what_is_missing_with_where_to_mend_it() -> None:
    entry = entry_of(portal_invoice(portal_group(po_number="")))

    client = client_of("Finance clerk")
    text = client.get(page_of(entry)).content.decode()

    assert "Missing for Ariba" in text
    assert f"/admin/billing/billgroup/{entry.bill_group_id}/change/" in text
    assert f"/admin/invoicing/invoice/{entry.invoice_id}/reissue/" in text
    assert "PO number" in client.get(EVERYTHING).content.decode()
    review = client.get(SubmitDocument.url(entry.pk)).content.decode()
    assert "lacks what Ariba asks for: PO number." in review


def test_a_document_goes_its_way_with_proofs(entry: PortalSubmission) -> None:
    client = client_of("Finance clerk")
    proof = SimpleUploadedFile("confirmation.pdf", PDF, content_type="text/html")

    page = confirm(
        client,
        SubmitDocument.url(entry.pk),
        reference="AR-77",
        on="2026-01-09",
        note="By hand",
        file=proof,
    )
    assert "is marked submitted." in page.content.decode()
    page = confirm(
        client, DisputeDocument.url(entry.pk), on="2026-01-10", note="PO is closed"
    )
    today = client.get("/admin/").content.decode()
    assert "Disputed in a portal" in today
    assert "PO is closed" in today
    page = confirm(
        client, AcceptDocument.url(entry.pk), on="2026-01-10", reference="", note=""
    )

    text = page.content.decode()
    assert all(word in text for word in ("AR-77", "By hand", "PO is closed"))
    assert "Disputed in a portal" not in client.get("/admin/").content.decode()
    step = PortalStep.objects.get(state="SUBMITTED")
    file = client.get(f"{LIST}{entry.pk}/file/?step={step.pk}")
    assert file.content == PDF
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"reference": ""}, "required", id="no_reference"),
        pytest.param({"reference": "a\tb"}, "tab or line break", id="control"),
        pytest.param({"on": "2026-01-11"}, "lies in the future", id="future"),
        pytest.param({"on": "2025-12-31"}, "was issued on", id="before_issue"),
        pytest.param({"on": "soon"}, "valid date", id="no_date"),
        pytest.param({"file": b"<html>"}, "neither PNG", id="html_as_pdf"),
        pytest.param({"file": b"x" * 5_000_001}, "larger than 5 MB", id="large"),
    ],
)
def test_bad_step_is_refused_with_a_sentence(
    entry: PortalSubmission, fields: dict[str, Any], said: str
) -> None:
    given: dict[str, Any] = {"reference": "AR-1", "on": "2026-01-10", **fields}
    if "file" in given:
        given["file"] = SimpleUploadedFile("shot.pdf", given["file"])

    page = confirm(client_of("Finance clerk"), SubmitDocument.url(entry.pk), **given)

    assert said in page.content.decode()
    assert not PortalStep.objects.exists()


def test_formula_in_a_reference_is_text_on_the_page(entry: PortalSubmission) -> None:
    client = client_of("Finance clerk")

    page = confirm(
        client, SubmitDocument.url(entry.pk), reference="=<b>1", on="2026-01-10"
    )

    assert "=&lt;b&gt;1" in page.content.decode()
    assert "=<b>1" not in page.content.decode()


def test_second_click_lands_on_what_the_first_did(entry: PortalSubmission) -> None:
    client = client_of("Finance clerk")
    url = SubmitDocument.url(entry.pk)
    review = client.get(url).context["review"]
    fields = {
        "_confirm": "1",
        "_reviewed": review.fingerprint,
        "reference": "AR-1",
        "on": "2026-01-10",
    }

    first, second = (client.post(url, fields) for _ in range(2))

    assert first["Location"] == second["Location"] == page_of(entry)
    assert PortalStep.objects.count() == 1


def test_stale_page_is_told_where_the_document_is_now(entry: PortalSubmission) -> None:
    stale, quick = client_of("Finance clerk"), client_of("Finance manager")
    review = stale.get(WithdrawDocument.url(entry.pk)).context["review"]
    confirm(quick, SubmitDocument.url(entry.pk), reference="AR-1", on="2026-01-10")

    page = stale.post(
        SubmitDocument.url(entry.pk),
        {"_confirm": "1", "_reviewed": review.fingerprint, "reference": "AR-2"},
    )

    assert page.status_code == 409
    assert b"is submitted. Only one that is" in page.content


def test_several_are_marked_with_a_preview(entry: PortalSubmission) -> None:
    other = entry_of(portal_invoice())
    client = client_of("Finance clerk")

    preview = choose(client, "submit_documents", entry, other, confirmed=False)
    assert b"2 documents marked submitted" in preview.content
    assert not PortalStep.objects.exists()
    page = choose(
        client, "submit_documents", entry, other, reference="B-1", on="2026-01-10"
    )

    assert b"2 documents marked submitted." in page.content
    assert set(PortalSubmission.objects.values_list("state", flat=True)) == {
        "SUBMITTED"
    }


def test_stale_selection_is_shown_again(entry: PortalSubmission) -> None:
    other = entry_of(portal_invoice())
    client = client_of("Finance clerk")
    chosen = {
        "action": "submit_documents",
        "index": "0",
        "_selected_action": [entry.pk, other.pk],
    }
    review = client.post(LIST, chosen).context["review"]
    confirm(client, SubmitDocument.url(other.pk), reference="A", on="2026-01-10")

    page = client.post(
        LIST,
        {
            **chosen,
            "_confirm": "1",
            "_reviewed": review.fingerprint,
            "reference": "B",
            "on": "2026-01-10",
        },
    )

    assert b"the figures have changed" in page.content
    assert PortalStep.objects.count() == 1


def test_stale_selection_of_the_same_figures_is_shown_again(
    entry: PortalSubmission,
) -> None:
    """One document is still to be accepted, for the same total, but another one."""
    other = entry_of(portal_invoice())
    client = client_of("Finance clerk")
    confirm(client, SubmitDocument.url(entry.pk), reference="A", on="2026-01-10")
    chosen = {
        "action": "accept_documents",
        "index": "0",
        "_selected_action": [entry.pk, other.pk],
    }
    review = client.post(LIST, chosen).context["review"]
    confirm(client, AcceptDocument.url(entry.pk), on="2026-01-10")
    confirm(client, SubmitDocument.url(other.pk), reference="B", on="2026-01-10")
    click = {"_confirm": "1", "_reviewed": review.fingerprint, "on": "2026-01-10"}

    page = client.post(LIST, {**chosen, **click})

    assert b"the figures have changed" in page.content
    assert PortalStep.objects.filter(state="ACCEPTED").count() == 1


def test_bundle_is_reviewed_and_downloaded(
    entry: PortalSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_bundle, "document_pdf", lambda submission: PDF)
    client = client_of("Finance clerk")

    preview = choose(client, "bundle", entry, confirmed=False)
    assert b"INV-000001.pdf" in preview.content
    answer = choose(client, "bundle", entry)

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Ariba-bundle.zip"'
    )
    with zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.namelist() == ["index.csv", "INV-000001.pdf"]
    entry.refresh_from_db()
    assert entry.state == "TO_SUBMIT"


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_others_look_and_do_nothing(role: str, entry: PortalSubmission) -> None:
    client = client_of(role)

    assert client.get(EVERYTHING).status_code == 200
    assert client.get(page_of(entry)).status_code == 200
    for action in (SubmitDocument, AcceptDocument, DisputeDocument, WithdrawDocument):
        assert client.post(action.url(entry.pk), {"_confirm": "1"}).status_code == 403
    for name in ("bundle", "submit_documents", "withdraw_documents"):
        client.post(
            LIST, {"action": name, "index": "0", "_selected_action": [entry.pk]}
        )
    assert not PortalStep.objects.exists()


@pytest.mark.parametrize(
    "path", ["999999/change/", "999999/submit/", "{pk}/file/?step=99", "{pk}/file/"]
)
def test_what_is_not_there_is_not_found(entry: PortalSubmission, path: str) -> None:
    client = client_of("Finance clerk")

    answer = client.get(LIST + path.format(pk=entry.pk), follow=True)

    assert answer.status_code == 404 or answer.redirect_chain


def test_file_of_another_document_is_not_found(entry: PortalSubmission) -> None:
    client = client_of("Finance clerk")
    other = entry_of(portal_invoice())
    confirm(
        client,
        SubmitDocument.url(other.pk),
        reference="A",
        on="2026-01-10",
        file=SimpleUploadedFile("a.pdf", PDF),
    )

    url = f"{LIST}{entry.pk}/file/?step={PortalStep.objects.get().pk}"

    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?state=", 2),
        ("?state=TO_DO", 1),
        ("?state=TO_SUBMIT", 1),
        ("?state=SUBMITTED", 1),
        ("?state=PAID", 0),
        ("?age=7", 2),
        ("?age=14", 0),
        ("?kind=credit_note", 0),
        ("?q=AR-1", 1),
        ("?q=INV-000002", 1),
        ("?bill_group=BG-000000", 0),
        ("?state=NONSENSE", 0),
    ],
)
def test_filters_and_search(entry: PortalSubmission, query: str, count: int) -> None:
    client = client_of("Finance clerk")
    confirm(client, SubmitDocument.url(entry.pk), reference="AR-1", on="2026-01-10")
    portal_invoice()

    page = client.get(LIST + query)

    assert page.context["cl"].result_count == count


def test_portal_shows_where_the_document_is_looked_at(entry: PortalSubmission) -> None:
    client = client_of("Auditor")
    group: BillGroup = entry.bill_group

    for page in (
        f"/admin/invoicing/invoice/{entry.invoice_id}/change/",
        f"/admin/billing/billgroup/{group.pk}/change/",
    ):
        assert "Portal: Ariba" in client.get(page).content.decode()
    overview = client.get(f"/admin/billing/account/{group.account_id}/overview/")
    assert "Portal: 1 to submit" in overview.content.decode()


def test_pages_cost_the_same_for_many_documents(entry: PortalSubmission) -> None:
    client = client_of("Finance clerk")
    company()

    def cost() -> list[int]:
        costs = []
        for url in (
            EVERYTHING,
            f"{LIST}?state=TO_DO",
            page_of(entry),
            f"{LIST}?state=TO_SUBMIT",
            PROFILES,
        ):
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            costs.append(len(queries))
        return costs

    before = cost()
    for _ in range(4):
        portal_invoice(portal_group(ariba(name=f"P{PortalProfile.objects.count()}")))

    assert cost() == before
    assert max(before) <= 25
    assert date(2026, 1, 1) == entry.issue_date


def test_new_profile_starts_with_columns_to_change() -> None:
    page = client_of("Finance manager").get(f"{PROFILES}add/")

    assert "Document = number\nKind = kind" in page.content.decode()


def test_what_is_missing_leads_to_where_it_is_filled_in() -> None:
    owners = {"BILL_GROUP": "network_id", "CONTRACT": "order", "INVOICE": "receipt"}
    for owner, key in owners.items():
        CustomField.objects.create(object=owner, key=key, label=key, kind="TEXT")
    asked = [f"{owner.lower()}.{key}" for owner, key in owners.items()]
    portal = ariba(required_fields=asked)
    group = portal_group(portal, po_number="")
    entry = entry_of(portal_invoice(group))

    page = client_of("Finance manager").get(page_of(entry))

    contract = group.contracts.get()
    form = f"/admin/billing/billgroup/{group.pk}/change/"
    links = [link for row in page.context["missing"] for link in row.links]
    assert [url for name, url in links if not name.startswith("Reissue")] == [
        f"{form}#id_po_number",
        f"{form}#id_cf_network_id",
        f"/admin/contracts/contract/{contract.pk}/edit-fields/",
        f"/admin/invoicing/invoice/{entry.invoice_id}/edit-fields/",
    ]


def test_who_may_not_mend_it_is_led_to_no_page_that_mends_it() -> None:
    CustomField.objects.create(object="INVOICE", key="receipt", label="r", kind="TEXT")
    portal = ariba(required_fields=["invoice.receipt"])
    group = portal_group(portal, po_number="")
    entry = entry_of(portal_invoice(group))

    page = client_of("Support").get(page_of(entry))

    form = f"/admin/billing/billgroup/{group.pk}/change/#id_po_number"
    assert [row.links for row in page.context["missing"]] == [
        (("Open the bill group", form),),
        (),
    ]


def test_page_of_a_document_tells_its_own_steps_to_who_may_see_the_history(
    entry: PortalSubmission,
) -> None:
    other = entry_of(portal_invoice(portal_group()))
    clerk = client_of("Finance clerk")
    confirm(clerk, SubmitDocument.url(entry.pk), reference="AR-1", on="2026-01-10")
    confirm(clerk, SubmitDocument.url(other.pk), reference="AR-2", on="2026-01-10")

    page = client_of("Auditor").get(page_of(entry))

    [line] = page.context["history"]["lines"]
    told = [(told.sentence, told.subject) for told in line.entries]
    assert told == [("Submitted to the portal", "")]
    assert "AR-1" in page.content.decode()
    assert "AR-2" not in page.content.decode()


def test_worklist_counts_documents(entry: PortalSubmission) -> None:
    entry_of(portal_invoice(portal_group()))

    page = client_of("Auditor").get(EVERYTHING)

    assert "2 documents</span>" in page.content.decode()
