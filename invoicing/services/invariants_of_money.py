"""What must always hold of credits, payments and balance (A5, A9, M2, M4)."""

from typing import Final

from invoicing.services.invariants import Invariant

MONEY_INVARIANTS: Final = (
    Invariant(
        "claim_is_what_was_booked",
        "A5",
        "An invoice says other sums of payments, balance or credits than were booked.",
        """
        SELECT i.number FROM invoicing_invoice i
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_paymentallocation
            WHERE undone_on IS NULL GROUP BY invoice_id
        ) AS paid ON paid.invoice_id = i.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_balanceuse
            WHERE undone_on IS NULL GROUP BY invoice_id
        ) AS used ON used.invoice_id = i.id
        LEFT JOIN (
            SELECT invoice_id, sum(due_part) AS due, sum(paid_part) AS paid
            FROM invoicing_creditnote WHERE status = 'ISSUED' GROUP BY invoice_id
        ) AS credited ON credited.invoice_id = i.id
        WHERE (i.paid, i.balance_applied, i.credited_due, i.credited_paid)
           <> (coalesce(paid.amount, 0), coalesce(used.amount, 0),
               coalesce(credited.due, 0), coalesce(credited.paid, 0))""",
    ),
    Invariant(
        "status_follows_the_claim",
        "A5",
        "An invoice is called credited though some is left, or paid though none is.",
        """
        SELECT i.number FROM invoicing_invoice i
        WHERE i.status IN ('PAID', 'CREDITED') AND (i.status = 'CREDITED')
           <> (i.total > 0 AND i.total = i.credited_due + i.credited_paid)""",
    ),
    Invariant(
        "credit_is_sum_of_its_lines",
        "A9",
        "A credit note is not the sum of its lines, or its tax not of its rates.",
        """
        SELECT n.id FROM invoicing_creditnote n
        LEFT JOIN invoicing_creditnoteline l ON l.credit_note_id = n.id
        GROUP BY n.id
        HAVING n.subtotal IS DISTINCT FROM coalesce(sum(l.amount), 0)
            OR n.tax IS DISTINCT FROM (
                SELECT coalesce(sum((rate ->> 'tax')::numeric), 0)
                FROM jsonb_array_elements(n.taxes) AS rate)""",
    ),
    Invariant(
        "no_line_is_credited_beyond_itself",
        "A9",
        "More was credited of an invoice line than it charges.",
        """
        SELECT l.id FROM invoicing_invoiceline l
        JOIN invoicing_creditnoteline c ON c.invoice_line_id = l.id
        JOIN invoicing_creditnote n ON n.id = c.credit_note_id AND n.status = 'ISSUED'
        GROUP BY l.id HAVING sum(c.amount) > l.amount""",
    ),
    Invariant(
        "credit_numbers_are_gapless",
        "M2",
        "A series of credit notes has a gap, or counts other than its documents.",
        """
        SELECT s.id, s.prefix FROM invoicing_numberseries s
        LEFT JOIN invoicing_creditnote n
          ON n.legal_entity_id = s.legal_entity_id AND n.sequence IS NOT NULL
        WHERE s.kind = 'CREDIT_NOTE'
        GROUP BY s.id
        HAVING count(n.id) <> s.next_sequence - s.first_sequence
            OR coalesce(min(n.sequence), s.first_sequence) <> s.first_sequence
            OR coalesce(max(n.sequence), s.next_sequence - 1) <> s.next_sequence - 1""",
    ),
    Invariant(
        "credit_dates_rise_with_numbers",
        "M8",
        "A credit note is dated before the one with the number before it.",
        """
        SELECT number, issue_date FROM (
            SELECT number, issue_date, lag(issue_date) OVER (
                PARTITION BY legal_entity_id ORDER BY sequence
            ) AS previous_date
            FROM invoicing_creditnote WHERE sequence IS NOT NULL
        ) AS issued WHERE issue_date < previous_date""",
    ),
    Invariant(
        "what_credits_gave_back_is_balance",
        "A5",
        "What a credit gave back to the balance is not there.",
        """
        SELECT n.number FROM invoicing_creditnote n
        LEFT JOIN invoicing_balanceentry e ON e.credit_note_id = n.id
        WHERE n.sequence IS NOT NULL AND n.settlement = 'BALANCE'
        GROUP BY n.id
        HAVING coalesce(sum(e.amount - e.withdrawn), 0)
            <> CASE n.status WHEN 'ISSUED' THEN n.paid_part ELSE 0 END""",
    ),
    Invariant(
        "payment_is_divided_whole",
        "M4",
        "A payment is not the sum of what it paid and what it left as balance.",
        """
        SELECT p.id FROM invoicing_payment p
        LEFT JOIN (
            SELECT payment_id, sum(amount) AS amount FROM invoicing_paymentallocation
            WHERE undone_on IS NULL GROUP BY payment_id
        ) AS paid ON paid.payment_id = p.id
        LEFT JOIN (
            SELECT payment_id, sum(amount - withdrawn) AS amount
            FROM invoicing_balanceentry GROUP BY payment_id
        ) AS kept ON kept.payment_id = p.id
        WHERE coalesce(paid.amount, 0) + coalesce(kept.amount, 0)
           <> CASE WHEN p.taken_back_on IS NULL THEN p.amount ELSE 0 END""",
    ),
    Invariant(
        "balance_says_what_was_used",
        "M4",
        "A balance says that other sums were used of it than were.",
        """
        SELECT e.id FROM invoicing_balanceentry e
        LEFT JOIN invoicing_balanceuse u ON u.entry_id = e.id AND u.undone_on IS NULL
        GROUP BY e.id HAVING e.used <> coalesce(sum(u.amount), 0)""",
    ),
    Invariant(
        "balance_says_what_was_withdrawn",
        "M4",
        "A balance says that other sums were withdrawn of it than were.",
        """
        SELECT e.id FROM invoicing_balanceentry e
        LEFT JOIN invoicing_balancewithdrawal w ON w.entry_id = e.id
        GROUP BY e.id HAVING e.withdrawn <> coalesce(sum(w.amount), 0)""",
    ),
    Invariant(
        "money_stays_in_its_bill_group",
        "M4",
        "A payment or balance of one bill group was used for another's invoice.",
        """
        SELECT 'allocation', a.id FROM invoicing_paymentallocation a
        JOIN invoicing_payment p ON p.id = a.payment_id
        JOIN invoicing_invoice i ON i.id = a.invoice_id
        WHERE (p.bill_group_id, p.currency) <> (i.bill_group_id, i.currency)
        UNION ALL
        SELECT 'balance', u.id FROM invoicing_balanceuse u
        JOIN invoicing_balanceentry e ON e.id = u.entry_id
        JOIN invoicing_invoice i ON i.id = u.invoice_id
        WHERE (e.bill_group_id, e.currency) <> (i.bill_group_id, i.currency)""",
    ),
    Invariant(
        "issued_credit_is_audited",
        "M5",
        "An issued credit note has no audit entry of its issue.",
        """
        SELECT n.number FROM invoicing_creditnote n
        WHERE n.sequence IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM billing_auditevent e
            WHERE e.invoice_id = n.invoice_id AND e.code = 'credit_note.issued'
              AND e.after ->> 'number' = n.number)""",
    ),
)
