"""What the database refuses of documents, whoever asks (M2, M3).

- An issued invoice changes nothing but what `free` lists, and never goes back to an
  unissued status. No invoice is ever deleted: a draft thrown away is void.
- The lines of an issued invoice are complete: none is added, changed or deleted. The
  run inserts lines before their invoice (whose numbers are taken last), hence the
  check of an insert looks for an invoice that is there and issued.
- Revisions are append-only. A number series counts up only, by date.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION invoicing_guard_issued_invoice() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    free text[] := ARRAY['status', 'paid', 'balance_applied', 'credited_due',
        'credited_paid', 'amount_due', 'custom_fields', 'current_revision_id'];
BEGIN
    IF NEW.status IN ('DRAFT', 'VOID')
       OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'invoice % is issued and does not change', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER invoice_issued_does_not_change
    BEFORE UPDATE ON invoicing_invoice
    FOR EACH ROW WHEN (OLD.status NOT IN ('DRAFT', 'VOID'))
    EXECUTE FUNCTION invoicing_guard_issued_invoice();

CREATE FUNCTION invoicing_guard_void_invoice() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'draft % is void and does not change', OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER invoice_void_stays_void
    BEFORE UPDATE ON invoicing_invoice
    FOR EACH ROW WHEN (OLD.status = 'VOID')
    EXECUTE FUNCTION invoicing_guard_void_invoice();

CREATE TRIGGER invoice_is_never_deleted
    BEFORE DELETE ON invoicing_invoice
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE FUNCTION invoicing_guard_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM invoicing_invoice
        WHERE id IN (OLD.invoice_id, NEW.invoice_id)
          AND status NOT IN ('DRAFT', 'VOID')
    ) THEN
        RAISE EXCEPTION 'line % is on an issued invoice and does not change', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER invoice_line_stands_once_issued
    BEFORE UPDATE OR DELETE ON invoicing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_line();

CREATE FUNCTION invoicing_guard_inserted_lines() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    invoices bigint[];
BEGIN
    SELECT array_agg(DISTINCT invoice_id) INTO invoices FROM inserted;
    IF EXISTS (
        SELECT 1 FROM invoicing_invoice
        WHERE id = ANY (invoices) AND status NOT IN ('DRAFT', 'VOID')
    ) THEN
        RAISE EXCEPTION 'an issued invoice takes no further line'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER invoice_line_comes_before_issue
    AFTER INSERT ON invoicing_invoiceline
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION invoicing_guard_inserted_lines();

CREATE TRIGGER revision_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_invoicerevision
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

CREATE FUNCTION invoicing_guard_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'series % has issued numbers and is never deleted', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.next_sequence < OLD.next_sequence
       OR (NEW.prefix, NEW.digits, NEW.first_sequence, NEW.legal_entity_id, NEW.kind)
          IS DISTINCT FROM
          (OLD.prefix, OLD.digits, OLD.first_sequence, OLD.legal_entity_id, OLD.kind)
       OR NEW.last_issue_date IS NULL
       OR NEW.last_issue_date < OLD.last_issue_date THEN
        RAISE EXCEPTION 'series % only counts up, by date', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER series_counts_up
    BEFORE UPDATE OR DELETE ON invoicing_numberseries
    FOR EACH ROW WHEN (OLD.next_sequence > OLD.first_sequence)
    EXECUTE FUNCTION invoicing_guard_series();
"""

UNDO = """
DROP TRIGGER series_counts_up ON invoicing_numberseries;
DROP FUNCTION invoicing_guard_series();
DROP TRIGGER revision_is_append_only ON invoicing_invoicerevision;
DROP TRIGGER invoice_line_comes_before_issue ON invoicing_invoiceline;
DROP FUNCTION invoicing_guard_inserted_lines();
DROP TRIGGER invoice_line_stands_once_issued ON invoicing_invoiceline;
DROP FUNCTION invoicing_guard_line();
DROP TRIGGER invoice_is_never_deleted ON invoicing_invoice;
DROP TRIGGER invoice_void_stays_void ON invoicing_invoice;
DROP FUNCTION invoicing_guard_void_invoice();
DROP TRIGGER invoice_issued_does_not_change ON invoicing_invoice;
DROP FUNCTION invoicing_guard_issued_invoice();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0001_initial"),
        ("contracts", "0002_guard_charges"),
    ]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
