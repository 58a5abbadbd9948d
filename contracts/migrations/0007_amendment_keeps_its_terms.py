"""An amendment's terms after it are stored once its changes are; else it is fixed."""

from django.db import migrations

GUARDS = """
DROP TRIGGER amendment_is_append_only ON contracts_amendment;

CREATE FUNCTION contracts_guard_amendment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.terms_after <> '{}'
       OR to_jsonb(NEW) - 'terms_after' <> to_jsonb(OLD) - 'terms_after' THEN
        RAISE EXCEPTION 'amendment % does not change', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER amendment_does_not_change
    BEFORE UPDATE ON contracts_amendment
    FOR EACH ROW EXECUTE FUNCTION contracts_guard_amendment();

CREATE TRIGGER amendment_is_never_deleted
    BEFORE DELETE ON contracts_amendment
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();
"""

UNDO = """
DROP TRIGGER amendment_is_never_deleted ON contracts_amendment;
DROP TRIGGER amendment_does_not_change ON contracts_amendment;
DROP FUNCTION contracts_guard_amendment();
CREATE TRIGGER amendment_is_append_only
    BEFORE UPDATE OR DELETE ON contracts_amendment
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0006_guard_owners_of_charges")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
