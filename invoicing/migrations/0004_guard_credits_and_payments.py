"""What the database refuses of credits, payments and balance, whoever asks (M3, M4, A5).

- An issued credit note changes nothing but its two parts, and to be voided; one that is
  void or declined changes no more. Its lines come before it is issued and stay.
- Payments, allocations and balance are never deleted and never change but to be undone,
  once.
- At the end of each transaction what an invoice says is paid, applied and credited is
  the sum of what was booked, and what a balance says is used the sum of its uses.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION invoicing_guard_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free text[] := ARRAY['due_part', 'paid_part', 'status', 'voided_on',
        'void_reason'];
BEGIN
    IF OLD.status <> 'ISSUED' OR NEW.status NOT IN ('ISSUED', 'VOID')
       OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'credit note % does not change', coalesce(OLD.number, OLD.id::text)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER credit_note_issued_does_not_change
    BEFORE UPDATE ON invoicing_creditnote
    FOR EACH ROW WHEN (OLD.status <> 'TO_APPROVE')
    EXECUTE FUNCTION invoicing_guard_credit_note();

CREATE TRIGGER credit_note_is_never_deleted
    BEFORE DELETE ON invoicing_creditnote
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE FUNCTION invoicing_guard_credit_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM invoicing_creditnote n
        WHERE n.id = NEW.credit_note_id AND n.status <> 'TO_APPROVE'
    ) OR NOT EXISTS (
        SELECT 1 FROM invoicing_creditnote n
        JOIN invoicing_invoiceline l ON l.invoice_id = n.invoice_id
        WHERE n.id = NEW.credit_note_id AND l.id = NEW.invoice_line_id
    ) THEN
        RAISE EXCEPTION 'line % can''t be credited by credit note %',
            NEW.invoice_line_id, NEW.credit_note_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER credit_line_comes_before_issue
    BEFORE INSERT ON invoicing_creditnoteline
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_credit_line();

CREATE TRIGGER credit_line_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_creditnoteline
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

CREATE FUNCTION invoicing_guard_booking() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free text[] := TG_ARGV[0]::text[];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'row % of % does not change', OLD.id, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payment_changes_only_when_taken_back
    BEFORE UPDATE ON invoicing_payment FOR EACH ROW
    EXECUTE FUNCTION invoicing_guard_booking('{taken_back_on,taken_back_reason}');
CREATE TRIGGER payment_taken_back_stays_so
    BEFORE UPDATE ON invoicing_payment
    FOR EACH ROW WHEN (OLD.taken_back_on IS NOT NULL)
    EXECUTE FUNCTION invoicing_guard_booking('{}');
CREATE TRIGGER payment_is_never_deleted
    BEFORE DELETE ON invoicing_payment
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE TRIGGER allocation_changes_only_when_undone
    BEFORE UPDATE ON invoicing_paymentallocation
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_booking('{undone_on}');
CREATE TRIGGER allocation_undone_stays_so
    BEFORE UPDATE ON invoicing_paymentallocation
    FOR EACH ROW WHEN (OLD.undone_on IS NOT NULL)
    EXECUTE FUNCTION invoicing_guard_booking('{}');
CREATE TRIGGER allocation_is_never_deleted
    BEFORE DELETE ON invoicing_paymentallocation
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE TRIGGER balance_changes_only_what_is_left
    BEFORE UPDATE ON invoicing_balanceentry
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_booking('{used,withdrawn,left}');
CREATE TRIGGER balance_is_never_deleted
    BEFORE DELETE ON invoicing_balanceentry
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE TRIGGER balance_use_changes_only_when_undone
    BEFORE UPDATE ON invoicing_balanceuse
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_booking('{undone_on}');
CREATE TRIGGER balance_use_undone_stays_so
    BEFORE UPDATE ON invoicing_balanceuse
    FOR EACH ROW WHEN (OLD.undone_on IS NOT NULL)
    EXECUTE FUNCTION invoicing_guard_booking('{}');
CREATE TRIGGER balance_use_is_never_deleted
    BEFORE DELETE ON invoicing_balanceuse
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE FUNCTION invoicing_check_claim(invoice bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    said numeric[];
    booked numeric[];
BEGIN
    SELECT ARRAY[i.paid, i.balance_applied, i.credited_due, i.credited_paid] INTO said
    FROM invoicing_invoice i WHERE i.id = invoice;
    SELECT ARRAY[
        (SELECT coalesce(sum(a.amount), 0) FROM invoicing_paymentallocation a
         WHERE a.invoice_id = invoice AND a.undone_on IS NULL),
        (SELECT coalesce(sum(u.amount), 0) FROM invoicing_balanceuse u
         WHERE u.invoice_id = invoice AND u.undone_on IS NULL),
        (SELECT coalesce(sum(n.due_part), 0) FROM invoicing_creditnote n
         WHERE n.invoice_id = invoice AND n.status = 'ISSUED'),
        (SELECT coalesce(sum(n.paid_part), 0) FROM invoicing_creditnote n
         WHERE n.invoice_id = invoice AND n.status = 'ISSUED')
    ] INTO booked;
    IF said <> booked THEN
        RAISE EXCEPTION 'invoice % says paid, applied, credited % but % was booked',
            invoice, said, booked
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'invoice_claims_what_was_booked',
                  TABLE = 'invoicing_invoice';
    END IF;
END $$;

CREATE FUNCTION invoicing_check_claim_of_row() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM invoicing_check_claim(NEW.invoice_id);
    RETURN NULL;
END $$;

CREATE FUNCTION invoicing_check_own_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM invoicing_check_claim(NEW.id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER invoice_claim_is_booked
    AFTER UPDATE ON invoicing_invoice DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        (NEW.paid, NEW.balance_applied, NEW.credited_due, NEW.credited_paid)
        IS DISTINCT FROM
        (OLD.paid, OLD.balance_applied, OLD.credited_due, OLD.credited_paid)
    )
    EXECUTE FUNCTION invoicing_check_own_claim();
CREATE CONSTRAINT TRIGGER credit_note_is_on_its_invoice
    AFTER INSERT OR UPDATE ON invoicing_creditnote DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_claim_of_row();
CREATE CONSTRAINT TRIGGER allocation_is_on_its_invoice
    AFTER INSERT OR UPDATE ON invoicing_paymentallocation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_claim_of_row();
CREATE CONSTRAINT TRIGGER balance_use_is_on_its_invoice
    AFTER INSERT OR UPDATE ON invoicing_balanceuse DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_claim_of_row();

CREATE FUNCTION invoicing_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := CASE TG_TABLE_NAME WHEN 'invoicing_balanceuse'
        THEN (to_jsonb(NEW) ->> 'entry_id')::bigint ELSE NEW.id END;
BEGIN
    IF (SELECT e.used FROM invoicing_balanceentry e WHERE e.id = entry) <> (
        SELECT coalesce(sum(u.amount), 0) FROM invoicing_balanceuse u
        WHERE u.entry_id = entry AND u.undone_on IS NULL
    ) THEN
        RAISE EXCEPTION 'balance % does not say what was used of it', entry
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'balance_says_what_was_used',
                  TABLE = 'invoicing_balanceentry';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balance_says_what_was_used
    AFTER INSERT OR UPDATE ON invoicing_balanceentry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_balance();
CREATE CONSTRAINT TRIGGER balance_use_is_on_its_entry
    AFTER INSERT OR UPDATE ON invoicing_balanceuse DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_balance();
"""

UNDO = """
DROP TRIGGER balance_use_is_on_its_entry ON invoicing_balanceuse;
DROP TRIGGER balance_says_what_was_used ON invoicing_balanceentry;
DROP FUNCTION invoicing_check_balance();
DROP TRIGGER balance_use_is_on_its_invoice ON invoicing_balanceuse;
DROP TRIGGER allocation_is_on_its_invoice ON invoicing_paymentallocation;
DROP TRIGGER credit_note_is_on_its_invoice ON invoicing_creditnote;
DROP TRIGGER invoice_claim_is_booked ON invoicing_invoice;
DROP FUNCTION invoicing_check_own_claim();
DROP FUNCTION invoicing_check_claim_of_row();
DROP FUNCTION invoicing_check_claim(bigint);
DROP TRIGGER balance_use_is_never_deleted ON invoicing_balanceuse;
DROP TRIGGER balance_use_undone_stays_so ON invoicing_balanceuse;
DROP TRIGGER balance_use_changes_only_when_undone ON invoicing_balanceuse;
DROP TRIGGER balance_is_never_deleted ON invoicing_balanceentry;
DROP TRIGGER balance_changes_only_what_is_left ON invoicing_balanceentry;
DROP TRIGGER allocation_is_never_deleted ON invoicing_paymentallocation;
DROP TRIGGER allocation_undone_stays_so ON invoicing_paymentallocation;
DROP TRIGGER allocation_changes_only_when_undone ON invoicing_paymentallocation;
DROP TRIGGER payment_is_never_deleted ON invoicing_payment;
DROP TRIGGER payment_taken_back_stays_so ON invoicing_payment;
DROP TRIGGER payment_changes_only_when_taken_back ON invoicing_payment;
DROP FUNCTION invoicing_guard_booking();
DROP TRIGGER credit_line_is_append_only ON invoicing_creditnoteline;
DROP TRIGGER credit_line_comes_before_issue ON invoicing_creditnoteline;
DROP FUNCTION invoicing_guard_credit_line();
DROP TRIGGER credit_note_is_never_deleted ON invoicing_creditnote;
DROP TRIGGER credit_note_issued_does_not_change ON invoicing_creditnote;
DROP FUNCTION invoicing_guard_credit_note();
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0003_guard_closing")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
