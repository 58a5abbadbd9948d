"""What must always hold of the portal worklist (F3)."""

from typing import Final

from invoicing.services.invariants import ISSUED, Invariant

PORTAL_INVARIANTS: Final = (
    Invariant(
        "portal_invoice_is_in_the_worklist",
        "F3",
        "An invoice made while its bill group was delivered by portal is in no "
        "worklist.",
        f"""
        SELECT i.number FROM invoicing_invoice i
        JOIN billing_billgroup g ON g.id = i.bill_group_id
        WHERE i.status IN {ISSUED} AND i.created_at > g.portal_since
          AND NOT EXISTS (
            SELECT 1 FROM invoicing_portalsubmission s
            WHERE s.invoice_id = i.id AND s.credit_note_id IS NULL)""",
    ),
    Invariant(
        "portal_credit_note_is_with_its_invoice",
        "F3",
        "A credit note of an invoice in a portal's worklist is not in it.",
        """
        SELECT n.number FROM invoicing_portalsubmission s
        JOIN invoicing_creditnote n
          ON n.invoice_id = s.invoice_id AND n.sequence IS NOT NULL
        WHERE s.credit_note_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM invoicing_portalsubmission t
            WHERE t.credit_note_id = n.id)""",
    ),
    Invariant(
        "portal_entry_fits_its_document",
        "F3",
        "A document in a portal's worklist is not issued, or is another's.",
        f"""
        SELECT s.id FROM invoicing_portalsubmission s
        JOIN invoicing_invoice i ON i.id = s.invoice_id
        LEFT JOIN invoicing_creditnote n ON n.id = s.credit_note_id
        WHERE i.status NOT IN {ISSUED} OR i.bill_group_id <> s.bill_group_id
           OR (n.id IS NOT NULL
               AND (n.invoice_id <> s.invoice_id OR n.sequence IS NULL))
           OR coalesce(n.issue_date, i.issue_date) <> s.issue_date""",
    ),
    Invariant(
        "portal_state_is_that_of_the_last_step",
        "F3",
        "A document stands otherwise in its portal than its last step says.",
        """
        SELECT s.id FROM invoicing_portalsubmission s
        LEFT JOIN LATERAL (
            SELECT p.state, p."on" FROM invoicing_portalstep p
            WHERE p.submission_id = s.id ORDER BY p.id DESC LIMIT 1
        ) AS last ON true
        WHERE s.state <> coalesce(last.state, 'TO_SUBMIT')
           OR s.step_date IS DISTINCT FROM last."on" """,
    ),
    Invariant(
        "portal_step_is_audited",
        "M5",
        "A step through a portal has no audit entry.",
        """
        SELECT p.submission_id, p.state FROM (
            SELECT p.submission_id, p.state, count(*) AS steps
            FROM invoicing_portalstep p GROUP BY p.submission_id, p.state
        ) AS p
        JOIN invoicing_portalsubmission s ON s.id = p.submission_id
        JOIN invoicing_invoice i ON i.id = s.invoice_id
        LEFT JOIN invoicing_creditnote n ON n.id = s.credit_note_id
        WHERE p.steps > (
            SELECT count(*) FROM billing_auditevent e
            WHERE e.account_id = i.account_id AND e.invoice_id = i.id
              AND e.code = 'portal.' || lower(p.state)
              AND e.subject = coalesce(n.number, i.number))""",
    ),
)
