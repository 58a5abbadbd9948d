"""What is said before documents are uploaded, and on which day a step is (F3)."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from billing.models import BillGroup, LegalEntity, PortalProfile
from customfields.models import CustomField
from invoicing.admin.portal_actions import DisputeDocument, SubmitDocument
from invoicing.admin.portal_review import SENTENCES_SHOWN, warnings_of
from invoicing.domain.portal import PortalState
from invoicing.domain.states import SeriesKind
from invoicing.models import (
    CreditNote,
    Invoice,
    NumberSeries,
    PortalStep,
    PortalSubmission,
)
from invoicing.queries.portal import counts_of_groups, that_stand, waiting_counts
from invoicing.services.corrections import finish_replacement, reissue_invoice
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from invoicing.services.portal import (
    dispute_documents,
    submit_documents,
    withdraw_documents,
)
from invoicing.services.portal_bundle import BundleNotPossible, index_csv, plan_bundle
from tests.factories import LegalEntityFactory
from tests.portal import ariba, entry_of, portal_group, portal_invoice
from tests.staff import client_of, person

pytestmark = pytest.mark.django_db

LIST = "/admin/invoicing/portalsubmission/"
JAN_9, JAN_10, JAN_11 = (date(2026, 1, day) for day in (9, 10, 11))


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


def submit(*rows: PortalSubmission, on: date = JAN_9) -> Any:
    return submit_documents(
        submissions=rows,
        reference="AR-1",
        on=on,
        actor=person("Finance clerk"),
        today=JAN_10,
    )


def credited(invoice: Invoice, amount: int = 5) -> PortalSubmission:
    """Credit a part of an invoice; returns the note's entry of the worklist."""
    note = credit_invoice(
        invoice=invoice, reason="x", actor=None, today=JAN_9, amount=Decimal(amount)
    )
    return PortalSubmission.objects.select_related(
        "invoice__account", "credit_note", "portal", "bill_group__legal_entity"
    ).get(credit_note=note)


def voided(row: PortalSubmission) -> PortalSubmission:
    void_credit_note(
        note=CreditNote.objects.get(pk=row.credit_note_id or 0),
        reason="A slip",
        actor=None,
        today=JAN_9,
    )
    return PortalSubmission.objects.select_related(
        "invoice__account", "credit_note", "portal", "bill_group__legal_entity"
    ).get(pk=row.pk)


def replaced(invoice: Invoice) -> Invoice:
    clerk = person("Finance clerk")
    reissue_invoice(invoice=invoice, reason="r", actor=clerk, today=JAN_10)
    finish_replacement(invoice=invoice, reason="r", actor=clerk, today=JAN_10)
    return Invoice.objects.get(replaces=invoice)


def said_of(*rows: PortalSubmission) -> str:
    return " ".join(warnings_of(rows, PortalState.SUBMITTED))


def page_of(row: PortalSubmission) -> str:
    page = client_of("Auditor").get(f"{LIST}{row.pk}/change/")
    text: str = page.content.decode()
    return text


def review_of_several(client: Client, action: str, *rows: PortalSubmission) -> Any:
    chosen = {"action": action, "index": "0", "_selected_action": [r.pk for r in rows]}
    return client.post(LIST, chosen)


def take_several(client: Client, *rows: PortalSubmission, on: date) -> Any:
    review = review_of_several(client, "submit_documents", *rows).context["review"]
    given = {
        "action": "submit_documents",
        "index": "0",
        "_selected_action": [r.pk for r in rows],
        "_confirm": "1",
        "_reviewed": review.fingerprint,
        "reference": "AR-2",
        "on": on.isoformat(),
    }
    return client.post(LIST, given, follow=True)


class TestWhatIsMissing:
    def test_every_document_shows_it_however_many_there_are(self) -> None:
        rows = [
            entry_of(portal_invoice(portal_group(po_number="")))
            for _ in range(SENTENCES_SHOWN + 2)
        ]

        page = review_of_several(client_of("Finance clerk"), "submit_documents", *rows)

        assert page.context["review"].warnings[-1].startswith("2 more sentences")
        assert page.content.decode().count("lacks PO number") == len(rows)

    def test_of_those_left_out_none_is_silent(self) -> None:
        rows = [entry_of(portal_invoice()) for _ in range(SENTENCES_SHOWN + 3)]
        submit(*rows[1:])

        page = review_of_several(client_of("Finance clerk"), "submit_documents", *rows)

        assert "2 more sentences" in page.content.decode()

    def test_what_can_no_longer_be_mended_is_not_advised(self) -> None:
        group = portal_group(po_number="")
        entry = entry_of(portal_invoice(group))
        note = credited(entry.invoice)

        page = client_of("Finance clerk").get(f"{LIST}{note.pk}/change/")

        (row,) = page.context["missing"]
        assert "can't be changed any more" in row.advice
        assert row.links == ()


class TestPairs:
    def test_withdrawn_invoice_is_named(self) -> None:
        entry = entry_of(portal_invoice())
        withdraw_documents(
            submissions=[entry],
            reason="Mailed",
            on=JAN_9,
            actor=person("Finance clerk"),
            today=JAN_10,
        )
        note = credited(entry.invoice)

        assert f"belongs with {entry}, which was withdrawn" in said_of(note)
        assert "Upload them together" not in page_of(note)

    def test_invoice_that_never_was_in_a_portal_is_named(self) -> None:
        group = portal_group(delivery="EMAIL")
        invoice = portal_invoice(group)
        BillGroup.objects.filter(pk=group.pk).update(delivery="PORTAL")

        note = credited(Invoice.objects.get(pk=invoice.pk))

        assert f"belongs with {invoice}, which is for no portal" in said_of(note)
        assert str(invoice) in page_of(note)
        assert "Nothing replaces or credits it" not in page_of(note)

    def test_replacement_that_goes_by_mail_is_named(self) -> None:
        entry = entry_of(portal_invoice())
        BillGroup.objects.update(delivery="EMAIL")

        new = replaced(Invoice.objects.get(pk=entry.invoice_id))

        assert not PortalSubmission.objects.filter(invoice=new).exists()
        assert f"{new}, which is for no portal" in said_of(entry_of(entry.invoice))
        assert str(new) in page_of(entry)

    def test_document_of_another_portal_is_named_and_not_bundled(self) -> None:
        entry = entry_of(portal_invoice())
        coupa = PortalProfile.objects.create(name="Coupa")
        BillGroup.objects.update(portal=coupa)

        new = entry_of(replaced(Invoice.objects.get(pk=entry.invoice_id)))

        assert f"{entry} belongs with {new}, which is for Coupa." in said_of(
            entry_of(entry.invoice)
        )
        held = [one.submission for one in plan_bundle([new]).entries]
        assert held == [new]

    def test_superseded_and_not_credited_is_said_before_the_upload(self) -> None:
        entry = entry_of(portal_invoice())
        reissue_invoice(
            invoice=Invoice.objects.get(pk=entry.invoice_id),
            reason="r",
            actor=person("Finance clerk"),
            today=JAN_10,
        )

        assert "superseded and not credited yet" in said_of(entry_of(entry.invoice))

    def test_pair_that_is_submitted_is_not_asked_for(self) -> None:
        entry = entry_of(portal_invoice())
        submit(entry)

        assert "belongs with" not in said_of(credited(entry.invoice))


class TestVoid:
    def test_void_note_is_not_submitted_again(self) -> None:
        entry = entry_of(portal_invoice())
        note = credited(entry.invoice)
        submit(note)
        dispute_documents(
            submissions=[note],
            reason="Wrong",
            on=JAN_9,
            actor=person("Finance clerk"),
            today=JAN_10,
        )
        note = voided(note)

        taken = submit(note)

        assert taken.done == ()
        (refusal,) = taken.refused
        assert refusal.startswith(f"{note} is void. Withdraw it, in the portal too.")
        assert note.why_not(PortalState.SUBMITTED)
        assert not note.why_not(PortalState.WITHDRAWN)
        assert f"{note} is void" in said_of(note)

    def test_void_note_is_in_no_bundle(self) -> None:
        note = voided(credited(entry_of(portal_invoice()).invoice))

        with pytest.raises(BundleNotPossible, match=f"Void: {note}"):
            plan_bundle([note])

    def test_nothing_is_uploaded_together_with_a_void_note(self) -> None:
        entry = entry_of(portal_invoice())
        note = voided(credited(entry.invoice))

        page = page_of(entry)

        assert "Upload them together" not in page
        assert ", void" in page
        assert str(note) not in said_of(entry)

    def test_nothing_is_uploaded_together_with_a_note_voided_in_the_portal(
        self,
    ) -> None:
        entry = entry_of(portal_invoice())
        note = credited(entry.invoice)
        submit(note)
        voided(note)

        assert "Upload them together" not in page_of(entry)


class TestDays:
    @pytest.fixture
    def far_ahead(self) -> PortalSubmission:
        """Return a document of a second seller, where it is the 11th already."""
        LegalEntity.objects.update(time_zone="America/New_York")
        portal_group()
        seller = LegalEntityFactory.create(
            name="Kiwi Ltd", time_zone="Pacific/Auckland"
        )
        NumberSeries.objects.create(
            legal_entity=seller, kind=SeriesKind.INVOICE, prefix="NZ-"
        )
        group = portal_group(legal_entity=seller)
        return entry_of(portal_invoice(group, today=JAN_11))

    def test_several_may_be_submitted_on_the_sellers_day(
        self, far_ahead: PortalSubmission
    ) -> None:
        take_several(client_of("Finance clerk"), far_ahead, on=JAN_11)

        far_ahead.refresh_from_db()
        assert (far_ahead.state, far_ahead.step_date) == ("SUBMITTED", JAN_11)

    def test_each_of_several_is_refused_a_day_that_has_not_come_to_it(
        self, far_ahead: PortalSubmission
    ) -> None:
        here = entry_of(portal_invoice())

        page = take_several(client_of("Finance clerk"), here, far_ahead, on=JAN_11)

        states = PortalSubmission.objects.order_by("pk").values_list("pk", "state")
        assert dict(states) == {here.pk: "TO_SUBMIT", far_ahead.pk: "SUBMITTED"}
        assert "lies in the future" in " ".join(map(str, page.context["messages"]))

    def test_one_is_submitted_on_the_sellers_day(
        self, far_ahead: PortalSubmission
    ) -> None:
        client, url = client_of("Finance clerk"), SubmitDocument.url(far_ahead.pk)
        review = client.get(url).context["review"]
        client.post(
            url,
            {
                "_confirm": "1",
                "_reviewed": review.fingerprint,
                "reference": "AR-3",
                "on": JAN_11.isoformat(),
            },
        )

        far_ahead.refresh_from_db()
        assert far_ahead.step_date == JAN_11

    def test_no_step_is_dated_before_the_last_one(self) -> None:
        entry = entry_of(portal_invoice())
        submit(entry, on=JAN_10)

        taken = dispute_documents(
            submissions=[entry],
            reason="Wrong",
            on=JAN_9,
            actor=person("Finance clerk"),
            today=JAN_10,
        )

        assert taken.done == ()


def test_another_step_hours_later_is_not_taken_for_a_second_click() -> None:
    entry = entry_of(portal_invoice())
    submit(entry)
    client, clerk = Client(), person("Finance clerk")
    client.force_login(clerk)
    url = DisputeDocument.url(entry.pk)
    review = client.get(url).context["review"]
    given = {"_confirm": "1", "_reviewed": review.fingerprint, "on": "2026-01-10"}
    client.post(url, {**given, "note": "Wrong PO"}, follow=True)
    (noted,) = PortalStep.objects.filter(state="DISPUTED")

    with time_machine.travel(noted.made_at + timedelta(hours=4), tick=False):
        client.force_login(clerk)
        page = client.post(url, {**given, "note": "Wrong tax id too"}, follow=True)

    assert "is marked disputed" not in " ".join(map(str, page.context["messages"]))


def test_age_is_of_what_waits_not_of_what_is_paid() -> None:
    entry = entry_of(portal_invoice())
    submit(entry)
    aged = f"{LIST}?state=&age=3"
    client = client_of("Auditor")
    assert client.get(aged).context["cl"].result_count == 1

    record_payment(
        bill_group=entry.bill_group,
        amount=entry.invoice.amount_due,
        received_on=JAN_9,
        reference="",
        actor=None,
        today=JAN_10,
    )

    assert client.get(aged).context["cl"].result_count == 0


def test_paid_document_is_neither_submitted_nor_disputed() -> None:
    entry = entry_of(portal_invoice())
    submit(entry)
    dispute_documents(
        submissions=[entry],
        reason="Wrong",
        on=JAN_9,
        actor=person("Finance clerk"),
        today=JAN_10,
    )
    everything = PortalSubmission.objects.all()
    assert waiting_counts(everything).disputed == 1
    assert counts_of_groups([entry.bill_group])[entry.bill_group_id].disputed == 1

    record_payment(
        bill_group=entry.bill_group,
        amount=entry.invoice.amount_due,
        received_on=JAN_9,
        reference="",
        actor=None,
        today=JAN_10,
    )

    assert waiting_counts(everything).disputed == 0
    assert counts_of_groups([entry.bill_group])[entry.bill_group_id].disputed == 0
    assert not that_stand(everything, PortalState.DISPUTED).exists()
    assert that_stand(everything, PortalState.PAID).exists()


def test_minus_of_a_number_is_no_formula() -> None:
    for key, kind in (("offset", "NUMBER"), ("word", "TEXT")):
        CustomField.objects.create(object="BILL_GROUP", key=key, label=key, kind=kind)
    portal = ariba(columns=[["O", "bill_group.offset"], ["W", "bill_group.word"]])
    group = portal_group(portal, custom_fields={"offset": "-5", "word": "-5"})

    index = index_csv(plan_bundle([entry_of(portal_invoice(group))]))

    assert index.decode("utf-8-sig") == "O,W\r\n-5,'-5\r\n"


def test_name_of_a_file_keeps_its_number() -> None:
    portal = ariba(file_pattern="{po_number}_{account}_{kind}_{number}")
    group = portal_group(portal, po_number="P" * 100)
    entries = [entry_of(portal_invoice(group)) for _ in range(2)]

    for held in plan_bundle(entries).entries:
        assert held.name.endswith(f"_invoice_{held.submission}.pdf")


def test_address_may_have_an_at_in_its_path() -> None:
    ariba(address="https://portal.example.com/@acme").full_clean()

    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM billing_portalprofile")
        assert cursor.fetchall() == [("https://portal.example.com/@acme",)]
