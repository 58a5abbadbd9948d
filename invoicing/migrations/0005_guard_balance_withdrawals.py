"""What the database refuses of balance that was withdrawn (M4).

A withdrawal is kept for good, and at the end of each transaction what a balance says is
withdrawn is the sum of its withdrawals.
"""

from django.db import migrations

GUARDS = """
CREATE TRIGGER balance_withdrawal_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_balancewithdrawal
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

CREATE FUNCTION invoicing_check_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := CASE TG_TABLE_NAME WHEN 'invoicing_balancewithdrawal'
        THEN (to_jsonb(NEW) ->> 'entry_id')::bigint ELSE NEW.id END;
BEGIN
    IF (SELECT e.withdrawn FROM invoicing_balanceentry e WHERE e.id = entry) <> (
        SELECT coalesce(sum(w.amount), 0) FROM invoicing_balancewithdrawal w
        WHERE w.entry_id = entry
    ) THEN
        RAISE EXCEPTION 'balance % does not say what was withdrawn of it', entry
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'balance_says_what_was_withdrawn',
                  TABLE = 'invoicing_balanceentry';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balance_says_what_was_withdrawn
    AFTER INSERT OR UPDATE OF withdrawn ON invoicing_balanceentry
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_withdrawn();
CREATE CONSTRAINT TRIGGER balance_withdrawal_is_on_its_entry
    AFTER INSERT ON invoicing_balancewithdrawal
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION invoicing_check_withdrawn();
"""

UNDO = """
DROP TRIGGER balance_withdrawal_is_on_its_entry ON invoicing_balancewithdrawal;
DROP TRIGGER balance_says_what_was_withdrawn ON invoicing_balanceentry;
DROP FUNCTION invoicing_check_withdrawn();
DROP TRIGGER balance_withdrawal_is_append_only ON invoicing_balancewithdrawal;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0004_guard_credits_and_payments")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
