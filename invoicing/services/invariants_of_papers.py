"""What must always hold of papers and of how they are sent (M3, M4, M7, G11)."""

from typing import Final

from invoicing.services.invariants import Invariant

PAPER_INVARIANTS: Final = (
    Invariant(
        "issued_credit_gets_its_paper",
        "M7",
        "For an issued credit note, or one that was voided, no paper was asked for.",
        """
        SELECT n.number FROM invoicing_creditnote n
        WHERE n.sequence IS NOT NULL AND (
            SELECT count(*) FROM invoicing_delivery d
            WHERE d.credit_note_id = n.id AND d.kind = 'PDF'
        ) < CASE n.status WHEN 'VOID' THEN 2 ELSE 1 END""",
    ),
    Invariant(
        "mail_follows_its_paper",
        "G11",
        "A paper was made for a customer who gets mails, and no mail was asked for.",
        """
        SELECT d.id FROM invoicing_delivery d
        WHERE d.kind = 'PDF' AND d.state = 'SENT' AND d.recipient <> ''
          AND NOT EXISTS (
            SELECT 1 FROM invoicing_delivery m
            WHERE m.kind = 'EMAIL' AND m.sending = d.sending
              AND (m.invoice_id = d.invoice_id OR m.credit_note_id = d.credit_note_id)
          )""",
    ),
    Invariant(
        "mail_went_with_a_paper",
        "M7",
        "A mail was sent although there is no paper of its document.",
        """
        SELECT d.id FROM invoicing_delivery d
        WHERE d.kind = 'EMAIL' AND d.state = 'SENT' AND NOT EXISTS (
            SELECT 1 FROM invoicing_invoicerevision r WHERE r.invoice_id = d.invoice_id
            UNION ALL
            SELECT 1 FROM invoicing_creditnoterevision r
            WHERE r.credit_note_id = d.credit_note_id)""",
    ),
    Invariant(
        "credit_paper_is_unchanged",
        "M3",
        "A stored paper of a credit note is not the one that was rendered.",
        """
        SELECT r.id FROM invoicing_creditnoterevision r
        WHERE encode(sha256(r.pdf), 'hex') <> r.sha256""",
    ),
    Invariant(
        "balance_at_issue_is_of_that_day",
        "M4",
        "Balance is called used at issue that was used on another day, or of a draft.",
        """
        SELECT i.number FROM invoicing_balanceuse u
        JOIN invoicing_invoice i ON i.id = u.invoice_id
        WHERE u.at_issue AND u.used_on IS DISTINCT FROM i.issue_date""",
    ),
)
