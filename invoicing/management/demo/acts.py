"""What the staff of the demo company did over the year, beside imports and usage.

Each act falls on the first day of a month, before its night.
"""

from collections.abc import Callable
from datetime import date

from invoicing.management.demo import finance, people
from invoicing.management.demo.files import month
from invoicing.management.demo.scene import Scene

# Months before today's, and what was done on the first of that month, in this order.
ACTS: tuple[tuple[int, Callable[[Scene], object]], ...] = (
    (-12, people.name_outside_invoices),
    (-12, people.raise_estonian_tax),
    (-10, people.bill_lakeside_by_hand),
    (-7, people.bill_lakeside_by_hand),
    (-2, people.deactivate_leipzig),
    (-2, people.deactivate_depot),
    (-2, finance.pay_twice),
    (-1, finance.fix_price),
    (-1, finance.return_debit),
    (-1, finance.credit_outage),
    (-1, finance.void_credit),
    (-1, finance.close_oldest_months),
    (0, people.upload_to_portal),
    (0, finance.reissue_with_new_po),
    (0, people.reactivate_leipzig),
    (0, people.ask_to_stop_foundation),
    (0, people.break_irish_tax),
    (0, people.review_american_invoices),
    (0, finance.edit_address),
    (0, finance.ask_for_credit),
    (0, finance.amend_last_month),
    (0, finance.amend_next_month),
    (0, finance.cancel_last_month),
    (0, finance.cancel_later),
)


def acts_of(today: date) -> list[tuple[date, Callable[[Scene], object]]]:
    """Return what was done, with its days, in order."""
    return [(month(today, months), act) for months, act in ACTS]
