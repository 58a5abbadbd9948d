"""Reads of what a run marked invoiced at zero (G10).

The raw SQL relies on the indexes of decisions by bill group and of the audit trail by
account; neither table is read by run.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection

from invoicing.models import InvoiceRun

WITHOUT_DOCUMENT = """
SELECT DISTINCT d.bill_group_id, d.bill_date
FROM invoicing_runbatch b
CROSS JOIN LATERAL unnest(b.bill_groups) AS member (id)
JOIN invoicing_rundecision d ON d.bill_group_id = member.id
WHERE b.run_id = ANY (%s) AND b.zero > 0
  AND d.run_id = b.run_id AND d.rule = 'G10' AND d.invoice_id IS NULL
ORDER BY d.bill_group_id, d.bill_date
"""

BESIDE_A_DOCUMENT = """
SELECT i.bill_group_id, i.bill_date, jsonb_array_length(e.after -> 'charges_at_zero')
FROM invoicing_invoice i
JOIN billing_auditevent e ON e.account_id = i.account_id AND e.invoice_id = i.id
WHERE i.run_id = ANY (%s) AND jsonb_array_length(e.after -> 'charges_at_zero') > 0
ORDER BY i.bill_group_id, i.bill_date, i.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledAtZero:
    """Charges of a bill date that bill zero and have no quantity.

    `beside_document` counts those that an invoice left out; None: there is no document.
    """

    bill_group_id: int
    bill_date: date
    beside_document: int | None


def billed_at_zero(runs: Collection[InvoiceRun]) -> Iterator[BilledAtZero]:
    """Yield what runs marked invoiced at zero, first what has no document (G10)."""
    ids = [run.pk for run in runs]
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_DOCUMENT, [ids])
        rows = [(*row, None) for row in cursor.fetchall()]
        cursor.execute(BESIDE_A_DOCUMENT, [ids])
        rows += cursor.fetchall()
    for bill_group_id, bill_date, beside_document in rows:
        yield BilledAtZero(
            bill_group_id=bill_group_id,
            bill_date=bill_date,
            beside_document=beside_document,
        )
