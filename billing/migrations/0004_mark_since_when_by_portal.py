"""The database notes since when a bill group is delivered by portal (F3).

Documents made from then on are in the worklist; `check_books` proves it.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION billing_mark_portal_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.delivery NOT IN ('PORTAL', 'BOTH') THEN
        NEW.portal_since := NULL;
    ELSIF TG_OP = 'UPDATE' AND OLD.portal_since IS NOT NULL THEN
        NEW.portal_since := OLD.portal_since;
    ELSE
        NEW.portal_since := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER bill_group_portal_since
    BEFORE INSERT OR UPDATE OF delivery, portal_since ON billing_billgroup
    FOR EACH ROW EXECUTE FUNCTION billing_mark_portal_since();
"""

UNDO = """
DROP TRIGGER bill_group_portal_since ON billing_billgroup;
DROP FUNCTION billing_mark_portal_since;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_guard_logo")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
