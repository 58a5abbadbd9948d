"""What the database refuses of papers, whoever asks (M3, M4).

- The papers of a credit note are append-only. There is none of one that was never
  issued, and none that says void of one that stands.
- Balance is only called used at issue on the day of the issue, and not once a paper
  tells the customer what is due.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION invoicing_guard_credit_paper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM invoicing_creditnote n
        WHERE n.id = NEW.credit_note_id
          AND (n.status = 'VOID' OR n.status = 'ISSUED' AND NOT NEW.is_void)
    ) THEN
        RAISE EXCEPTION 'credit note % has no such paper', NEW.credit_note_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER credit_note_paper_tells_its_state
    BEFORE INSERT ON invoicing_creditnoterevision
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_credit_paper();

CREATE TRIGGER credit_note_paper_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_creditnoterevision
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

CREATE FUNCTION invoicing_guard_use_at_issue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM invoicing_invoice i
        WHERE i.id = NEW.invoice_id
          AND (i.issue_date IS DISTINCT FROM NEW.used_on
               OR i.current_revision_id IS NOT NULL)
    ) THEN
        RAISE EXCEPTION 'invoice % was issued before this balance was used',
            NEW.invoice_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER balance_at_issue_comes_before_the_paper
    BEFORE INSERT ON invoicing_balanceuse
    FOR EACH ROW WHEN (NEW.at_issue)
    EXECUTE FUNCTION invoicing_guard_use_at_issue();
"""

UNDO = """
DROP TRIGGER balance_at_issue_comes_before_the_paper ON invoicing_balanceuse;
DROP FUNCTION invoicing_guard_use_at_issue();
DROP TRIGGER credit_note_paper_is_append_only ON invoicing_creditnoterevision;
DROP TRIGGER credit_note_paper_tells_its_state ON invoicing_creditnoterevision;
DROP FUNCTION invoicing_guard_credit_paper();
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0005_guard_balance_withdrawals")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
