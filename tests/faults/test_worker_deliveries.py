"""Papers and mails on real django-q2 workers that are killed in the middle (M7)."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django_q.tasks import async_task

from invoicing.models import Delivery, InvoiceRevision
from tests.faults.cluster import (
    deliver_again,
    queue_is_empty,
    running_cluster,
    wait_until,
)
from tests.invoicing.services.printed import issued_invoice, paper_delivery

pytestmark = pytest.mark.django_db(transaction=True)
TO = "ap@halden.example"


def let_leases_end() -> None:
    Delivery.objects.filter(leased_until__isnull=False).update(
        leased_until=Now() - timedelta(seconds=1)
    )


def test_paper_that_kills_its_worker_holds_up_no_other(tmp_path: Path) -> None:
    invoices = [issued_invoice() for _ in range(4)]
    for invoice in invoices:
        paper_delivery(invoice)
    poison = invoices[1]

    with running_cluster(tmp_path) as cluster:
        async_task("tests.faults.tasks.deliver_and_die_at_a_paper", poison.number)
        wait_until(lambda: cluster.deaths() == 1)
        async_task("invoicing.tasks.work_deliveries")
        wait_until(lambda: InvoiceRevision.objects.count() == 3)

        killed = Delivery.objects.get(invoice=poison)
        assert (killed.state, killed.attempts) == ("QUEUED", 1)

        let_leases_end()
        async_task("invoicing.tasks.work_deliveries")
        wait_until(lambda: InvoiceRevision.objects.count() == 4)

    assert set(Delivery.objects.values_list("state", flat=True)) == {"SENT"}


def test_worker_killed_after_sending_leaves_one_message_to_its_reader(
    tmp_path: Path,
) -> None:
    """The mail goes out again with the same Message-ID, and then never again."""
    paper_delivery(issued_invoice(), recipient=TO)

    with running_cluster(tmp_path) as cluster:
        async_task("tests.faults.tasks.send_and_die")
        wait_until(lambda: cluster.deaths() == 1)
        assert len(cluster.mail_texts()) == 1
        async_task("invoicing.tasks.work_deliveries")
        wait_until(lambda: len(cluster.mail_texts()) == 1)

        let_leases_end()
        async_task("invoicing.tasks.work_deliveries")
        wait_until(lambda: not Delivery.objects.filter(state="QUEUED").exists())
        deliver_again()
        wait_until(queue_is_empty)

    mails = cluster.mail_texts()
    ids = {re.findall(r"Message-ID: (\S+)", text)[0] for text in mails}
    assert len(mails) == 2
    assert len(ids) == 1
    assert Delivery.objects.get(kind="EMAIL").attempts == 2


def test_two_workers_share_the_papers_and_double_none(tmp_path: Path) -> None:
    for _ in range(8):
        paper_delivery(issued_invoice(), recipient=TO)

    with running_cluster(tmp_path) as cluster:
        for _ in range(3):
            async_task("invoicing.tasks.deliver_for_a_while")
        wait_until(lambda: not Delivery.objects.filter(state="QUEUED").exists())
        wait_until(queue_is_empty)

    assert len(cluster.mail_texts()) == 8
    assert set(Delivery.objects.values_list("state", "attempts")) == {("SENT", 1)}
