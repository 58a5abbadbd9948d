"""What the database refuses of recorded usage, whoever asks (P9).

- A record never changes and is never deleted.
- One that takes usage back takes that of a record which does not, all of it, of the
  same line and day.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION contracts_guard_usage_record() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            TABLE = 'contracts_usagerecord',
            CONSTRAINT = 'usage_never_changes',
            MESSAGE = 'Recorded usage never changes. Take it back and record it anew.';
    END IF;
    IF NOT EXISTS (
        SELECT FROM contracts_usagerecord taken
        WHERE taken.id = NEW.takes_back_id AND taken.takes_back_id IS NULL
          AND (taken.line_id, taken.usage_date, taken.quantity)
            = (NEW.line_id, NEW.usage_date, -NEW.quantity)
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            TABLE = 'contracts_usagerecord',
            CONSTRAINT = 'usage_is_taken_back_whole',
            MESSAGE = 'Usage is taken back whole: the same line, day and quantity.';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER usage_record_stays
BEFORE UPDATE OR DELETE ON contracts_usagerecord
FOR EACH ROW EXECUTE FUNCTION contracts_guard_usage_record();

CREATE TRIGGER usage_record_takes_back
BEFORE INSERT ON contracts_usagerecord
FOR EACH ROW WHEN (NEW.takes_back_id IS NOT NULL)
EXECUTE FUNCTION contracts_guard_usage_record();
"""

UNDO = """
DROP TRIGGER usage_record_takes_back ON contracts_usagerecord;
DROP TRIGGER usage_record_stays ON contracts_usagerecord;
DROP FUNCTION contracts_guard_usage_record();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0005_take_back_usage")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
