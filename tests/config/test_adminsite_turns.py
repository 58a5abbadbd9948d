"""Two clicks at once: one deed (G9: one invoice per click that was meant)."""

import threading

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from invoicing.admin.generate import GenerateNextInvoice
from invoicing.models import Invoice
from tests.staff import active_contract, person

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_browsers_that_confirm_one_review_at_once_make_one_invoice() -> None:
    today = timezone.localdate().replace(month=1, day=1)
    contract = active_contract(today=today)
    clerk = person("Finance clerk")
    url = GenerateNextInvoice.url(contract.bill_group_id)
    first = Client()
    first.force_login(clerk)
    review = first.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}
    ready = threading.Barrier(4)
    answers: list[int] = []

    def click() -> None:
        client = Client()
        client.force_login(clerk)
        ready.wait()
        answers.append(client.post(url, fields).status_code)
        connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Invoice.objects.count() == 2  # that of the activation, and one by hand
    assert sorted(answers) == [200, 200, 200, 302]
