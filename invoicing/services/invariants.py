"""What must always hold, as queries that return the rows that break it."""

from dataclasses import dataclass
from typing import Final

from billing.domain.money import currencies

LIVE: Final = "('PENDING', 'DRAFTED', 'INVOICED', 'EXTERNAL', 'SKIPPED')"
ISSUED: Final = "('OPEN', 'PAID', 'CREDITED')"


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must hold: its name, the rule, and the query of what breaks it."""

    name: str
    rule: str
    sentence: str
    query: str


def _digits() -> str:
    """Return the currencies with their digits as SQL values."""
    return ", ".join(f"('{code}', {digits})" for code, digits in currencies().items())


INVARIANTS: Final = (
    Invariant(
        "no_day_charged_twice",
        "P8",
        "Two live charges of a contract line share a day.",
        f"""
        SELECT contract_line_id, period_start FROM (
            SELECT contract_line_id, period_start, lag(period_end) OVER (
                PARTITION BY contract_line_id ORDER BY period_start, period_end
            ) AS previous_end
            FROM contracts_scheduledcharge
            WHERE state IN {LIVE} AND late_for_id IS NULL
        ) AS live WHERE previous_end >= period_start""",
    ),
    Invariant(
        "no_day_lost",
        "P7",
        "Days between two live charges of a contract line are charged nowhere.",
        f"""
        SELECT contract_line_id, period_start FROM (
            SELECT contract_line_id, period_start, lag(period_end) OVER (
                PARTITION BY contract_line_id ORDER BY period_start
            ) AS previous_end
            FROM contracts_scheduledcharge WHERE state IN {LIVE}
        ) AS live WHERE previous_end + 1 < period_start""",
    ),
    Invariant(
        "late_usage_has_its_period",
        "P9",
        "Late usage is billed for a period that is not invoiced, or for more than was "
        "recorded.",
        f"""
        SELECT c.id FROM contracts_scheduledcharge c
        JOIN contracts_scheduledcharge period ON period.id = c.late_for_id
        WHERE c.state IN {LIVE} AND (period.state <> 'INVOICED'
            OR (period.contract_line_id, period.period_start, period.period_end)
            <> (c.contract_line_id, c.period_start, c.period_end)
            OR (SELECT sum(b.quantity) FROM contracts_scheduledcharge b
                WHERE b.state IN {LIVE} AND period.id IN (b.id, b.late_for_id))
             > (SELECT coalesce(sum(u.quantity), 0)
                FROM contracts_usagerecord u
                WHERE u.line_id = c.contract_line_id AND u.usage_date
                    BETWEEN c.period_start AND c.period_end))""",
    ),
    Invariant(
        "plan_covers_the_term",
        "P1",
        "The live charges of an active contract line leave out its first or last days.",
        f"""
        SELECT line.id FROM (
            SELECT l.id, coalesce(l.start_date, k.start_date) AS first_day,
                   CASE l.charge_type
                       WHEN 'ONE_TIME' THEN coalesce(l.start_date, k.start_date)
                       ELSE least(l.end_date, k.end_date) END AS last_day
            FROM contracts_contractline l
            JOIN contracts_contract k ON k.id = l.contract_id
            WHERE k.status = 'ACTIVE' AND k.last_day IS NULL AND l.added_by_id IS NULL
              AND NOT EXISTS (
                  SELECT 1 FROM contracts_linechange c WHERE c.line_id = l.id)
        ) AS line
        LEFT JOIN (
            SELECT contract_line_id, min(period_start) AS first_day,
                   max(period_end) AS last_day
            FROM contracts_scheduledcharge WHERE state IN {LIVE}
            GROUP BY contract_line_id
        ) AS plan ON plan.contract_line_id = line.id
        WHERE plan.first_day IS DISTINCT FROM line.first_day
           OR plan.last_day IS DISTINCT FROM coalesce(line.last_day, plan.last_day)""",
    ),
    Invariant(
        "evergreen_plan_goes_on",
        "P1",
        "An evergreen contract that is active is never extended again.",
        """
        SELECT k.number FROM contracts_contract k
        WHERE k.status = 'ACTIVE' AND k.end_date IS NULL AND k.last_day IS NULL
          AND k.extend_on IS NULL AND EXISTS (
              SELECT 1 FROM contracts_contractline l
              WHERE l.contract_id = k.id AND l.charge_type <> 'ONE_TIME'
                AND l.end_date IS NULL AND NOT EXISTS (
                    SELECT 1 FROM contracts_linechange c
                    WHERE c.line_id = l.id AND c.last_day IS NOT NULL))""",
    ),
    Invariant(
        "charge_fits_its_contract",
        "P8",
        "A charge names another contract or bill group than its line.",
        """
        SELECT c.id FROM contracts_scheduledcharge c
        JOIN contracts_contractline l ON l.id = c.contract_line_id
        JOIN contracts_contract k ON k.id = l.contract_id
        WHERE c.contract_id <> k.id OR c.bill_group_id <> k.bill_group_id""",
    ),
    Invariant(
        "draft_contract_has_no_charges",
        "P1",
        "A contract that was never activated has charges.",
        """
        SELECT DISTINCT k.number FROM contracts_contract k
        JOIN contracts_scheduledcharge c ON c.contract_id = k.id
        WHERE k.status = 'DRAFT'""",
    ),
    Invariant(
        "invoiced_charge_has_its_line",
        "G10",
        "An invoiced charge stands on no issued invoice, though it bills something.",
        f"""
        SELECT c.id FROM contracts_scheduledcharge c
        LEFT JOIN invoicing_invoiceline l ON l.charge_id = c.id
        LEFT JOIN invoicing_invoice i ON i.id = l.invoice_id AND i.status IN {ISSUED}
        WHERE c.state = 'INVOICED' AND i.id IS NULL
          AND (coalesce(c.amount, 1) <> 0 OR coalesce(c.quantity, 0) <> 0)""",
    ),
    Invariant(
        "drafted_charge_is_on_a_draft",
        "A2",
        "A drafted charge stands on no draft.",
        """
        SELECT c.id FROM contracts_scheduledcharge c
        LEFT JOIN invoicing_invoiceline l ON l.charge_id = c.id
        LEFT JOIN invoicing_invoice i ON i.id = l.invoice_id AND i.status = 'DRAFT'
        WHERE c.state = 'DRAFTED' AND i.id IS NULL""",
    ),
    Invariant(
        "line_says_what_its_charge_says",
        "M3",
        "A line of an issued invoice differs from its charge.",
        f"""
        SELECT l.id FROM invoicing_invoiceline l
        JOIN invoicing_invoice i ON i.id = l.invoice_id AND i.status IN {ISSUED}
        JOIN contracts_scheduledcharge c ON c.id = l.charge_id
        WHERE c.state NOT IN ('INVOICED', 'SUPERSEDED')
           OR (c.period_start, c.period_end) <> (l.period_start, l.period_end)
           OR (c.amount, c.quantity) IS DISTINCT FROM (l.amount, l.quantity)
           OR c.bill_group_id <> i.bill_group_id""",
    ),
    Invariant(
        "issued_line_has_its_charge",
        "M3",
        "A line of an issued invoice has lost its charge.",
        f"""
        SELECT l.id FROM invoicing_invoiceline l
        JOIN invoicing_invoice i ON i.id = l.invoice_id AND i.status IN {ISSUED}
        WHERE l.charge_id IS NULL""",
    ),
    Invariant(
        "subtotal_is_sum_of_lines",
        "M1",
        "An invoice's subtotal is not the sum of its lines, or it has none.",
        """
        SELECT i.id, i.subtotal, sum(l.amount) FROM invoicing_invoice i
        LEFT JOIN invoicing_invoiceline l ON l.invoice_id = i.id
        WHERE i.status <> 'VOID'
        GROUP BY i.id
        HAVING i.subtotal IS DISTINCT FROM sum(l.amount)""",
    ),
    Invariant(
        "tax_is_sum_of_its_rates",
        "M1",
        "An invoice's tax is not the sum of the tax of its rates.",
        """
        SELECT i.id FROM invoicing_invoice i
        WHERE i.tax <> (SELECT coalesce(sum((rate ->> 'tax')::numeric), 0)
                        FROM jsonb_array_elements(i.taxes) AS rate)""",
    ),
    Invariant(
        "taxable_is_sum_of_lines_of_its_rate",
        "M1",
        "The taxable sum of a rate is not the sum of the lines that bear it.",
        """
        SELECT i.id, rate ->> 'percent' FROM invoicing_invoice i
        CROSS JOIN jsonb_array_elements(i.taxes) AS rate
        WHERE (rate ->> 'taxable')::numeric IS DISTINCT FROM (
            SELECT sum(l.amount) FROM invoicing_invoiceline l
            WHERE l.invoice_id = i.id
              AND l.tax_percent = (rate ->> 'percent')::numeric)""",
    ),
    Invariant(
        "amounts_have_their_currencys_digits",
        "M1",
        "An invoice has more digits than its currency.",
        f"""
        SELECT i.id FROM invoicing_invoice i
        LEFT JOIN (VALUES {_digits()}) AS known (code, digits) ON code = i.currency
        WHERE digits IS NULL
           OR greatest(scale(trim_scale(i.subtotal)), scale(trim_scale(i.tax)),
                       scale(trim_scale(i.total))) > digits""",
    ),
    Invariant(
        "invoice_fits_its_bill_group",
        "M3",
        "An invoice names another account, legal entity or currency than its group.",
        """
        SELECT i.id FROM invoicing_invoice i
        JOIN billing_billgroup g ON g.id = i.bill_group_id
        WHERE (i.account_id, i.legal_entity_id, i.currency)
           <> (g.account_id, g.legal_entity_id, g.currency)""",
    ),
    Invariant(
        "numbers_are_gapless",
        "M2",
        "A number series has a gap, or counts other than its documents.",
        f"""
        SELECT s.id, s.prefix FROM invoicing_numberseries s
        LEFT JOIN invoicing_invoice i
          ON i.legal_entity_id = s.legal_entity_id AND i.status IN {ISSUED}
        WHERE s.kind = 'INVOICE'
        GROUP BY s.id
        HAVING count(i.id) <> s.next_sequence - s.first_sequence
            OR coalesce(min(i.sequence), s.first_sequence) <> s.first_sequence
            OR coalesce(max(i.sequence), s.next_sequence - 1) <> s.next_sequence - 1""",
    ),
    Invariant(
        "issued_invoice_has_its_series",
        "M2",
        "An issued invoice belongs to no number series, or prints another number.",
        f"""
        SELECT i.id, i.number FROM invoicing_invoice i
        LEFT JOIN invoicing_numberseries s
          ON s.legal_entity_id = i.legal_entity_id AND s.kind = 'INVOICE'
        WHERE i.status IN {ISSUED}
          AND i.number IS DISTINCT FROM s.prefix || lpad(i.sequence::text,
              greatest(s.digits, length(i.sequence::text)), '0')""",
    ),
    Invariant(
        "dates_rise_with_numbers",
        "M8",
        "An invoice is dated before the one with the number before it.",
        f"""
        SELECT number, issue_date FROM (
            SELECT number, issue_date, lag(issue_date) OVER (
                PARTITION BY legal_entity_id ORDER BY sequence
            ) AS previous_date
            FROM invoicing_invoice WHERE status IN {ISSUED}
        ) AS issued WHERE issue_date < previous_date""",
    ),
    Invariant(
        "issued_invoice_is_audited",
        "M5",
        "An issued invoice has no audit entry of its issue.",
        f"""
        SELECT i.number FROM invoicing_invoice i
        WHERE i.status IN {ISSUED} AND NOT EXISTS (
            SELECT 1 FROM billing_auditevent e
            WHERE e.invoice_id = i.id AND e.code = 'invoice.issued'
              AND e.account_id = i.account_id)""",
    ),
    Invariant(
        "issued_invoice_gets_its_paper",
        "M7",
        "For an issued invoice no paper was asked for.",
        f"""
        SELECT i.number FROM invoicing_invoice i
        WHERE i.status IN {ISSUED} AND NOT EXISTS (
            SELECT 1 FROM invoicing_delivery d
            WHERE d.invoice_id = i.id AND d.kind = 'PDF')""",
    ),
    Invariant(
        "paper_is_unchanged",
        "M3",
        "A stored paper is not the one that was rendered, or is another invoice's.",
        """
        SELECT r.id FROM invoicing_invoicerevision r
        WHERE encode(sha256(r.pdf), 'hex') <> r.sha256
        UNION ALL
        SELECT r.id FROM invoicing_invoice i
        JOIN invoicing_invoicerevision r ON r.id = i.current_revision_id
        WHERE r.invoice_id <> i.id""",
    ),
    Invariant(
        "billed_elsewhere_is_not_billed_here",
        "I2",
        "A charge that another system billed stands on an invoice.",
        """
        SELECT c.id FROM contracts_scheduledcharge c
        JOIN invoicing_invoiceline l ON l.charge_id = c.id
        JOIN invoicing_invoice i ON i.id = l.invoice_id AND i.status <> 'VOID'
        WHERE c.state = 'EXTERNAL'""",
    ),
    Invariant(
        "finished_run_has_no_open_batch",
        "G12",
        "A finished run has a batch that was never done.",
        """
        SELECT b.id FROM invoicing_runbatch b
        JOIN invoicing_invoicerun r ON r.id = b.run_id
        WHERE r.state = 'FINISHED' AND b.is_open""",
    ),
    Invariant(
        "nothing_issued_in_a_closed_month",
        "M6",
        "A document was issued into a month after it was closed.",
        f"""
        SELECT i.number FROM invoicing_invoice i
        JOIN billing_accountingperiod p ON p.legal_entity_id = i.legal_entity_id
         AND p.state = 'CLOSED' AND p.month = date_trunc('month', i.issue_date)::date
        JOIN billing_auditevent closed ON closed.code = 'period.closed'
         AND (closed.after ->> 'period')::bigint = p.id
        WHERE i.status IN {ISSUED} AND i.created_at > closed.at""",
    ),
)
