"""What is said of the file names and columns of a portal's bundle (F3)."""

import pytest

from customfields.models import CustomField
from invoicing.models import PortalSubmission
from tests.portal import ariba, entry_of, portal_group, portal_invoice
from tests.staff import client_of

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/portalsubmission/"
PROFILE = "/admin/billing/portalprofile/"


def review_of(*rows: PortalSubmission) -> str:
    chosen = {
        "action": "bundle",
        "index": "0",
        "_selected_action": [row.pk for row in rows],
    }
    page = client_of("Finance clerk").post(LIST, chosen)
    return str(page.content.decode())


def test_files_named_without_a_po_number_are_said_before_the_download() -> None:
    portal = ariba(file_pattern="{po_number}_{number}", po_number_required=False)
    with_it = entry_of(portal_invoice(portal_group(portal)))
    without = [
        entry_of(portal_invoice(portal_group(portal, po_number=po_number)))
        for po_number in ("", "注文書")
    ]

    bare, unreadable = without
    text = review_of(with_it, *without)

    assert f"PO-7_{with_it}.pdf" in text
    assert f"Named without the PO number: {bare}.pdf, {unreadable}.pdf." in text
    assert "Named without" not in review_of(with_it)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{number}", "An example: INV-000123.pdf."),
        ("{po_number}_{number}", "An example: 4500019934_INV-000123.pdf; without a PO"),
        ("../{number}", "from the placeholders listed below.</div>"),
    ],
)
def test_form_of_a_portal_shows_how_a_file_is_named(pattern: str, said: str) -> None:
    client = client_of("Finance manager")
    form = {"name": "Coupa", "file_pattern": pattern, "columns": ""}

    assert said in client.post(f"{PROFILE}add/", form).content.decode()
    profile = ariba(file_pattern=pattern)
    page = client.get(f"{PROFILE}{profile.pk}/change/")
    assert said in page.content.decode()


def test_form_of_a_portal_lists_what_can_stand_in_it() -> None:
    CustomField.objects.create(
        object="BILL_GROUP", key="network", label="Network <id>", kind="TEXT"
    )

    text = client_of("Finance manager").get(f"{PROFILE}add/").content.decode()

    assert "<dt>{po_number}</dt><dd>the PO number</dd>" in text
    assert "<dt>file_name</dt><dd>name of its PDF in the bundle</dd>" in text
    assert "<dt>bill_group.network</dt><dd>Bill group: Network &lt;id&gt;</dd>" in text
