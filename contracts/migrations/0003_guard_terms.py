"""What the database refuses of terms, whoever asks (A1).

- The terms of an activated contract change by amendments only.
- An amendment's terms after it are stored once its changes are; else it is fixed.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION contracts_guard_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'contract % is not a draft and is never deleted', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.number, NEW.bill_group_id, NEW.start_date, NEW.bill_day, NEW.bill_month)
        IS DISTINCT FROM
       (OLD.number, OLD.bill_group_id, OLD.start_date, OLD.bill_day, OLD.bill_month)
       OR NEW.status = 'DRAFT' THEN
        RAISE EXCEPTION 'contract % is active: amend it instead', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER contract_terms_stand_once_active
    BEFORE UPDATE OR DELETE ON contracts_contract
    FOR EACH ROW WHEN (OLD.status <> 'DRAFT')
    EXECUTE FUNCTION contracts_guard_terms();

CREATE FUNCTION contracts_guard_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM contracts_contract WHERE id = OLD.contract_id) <> 'DRAFT'
    THEN
        RAISE EXCEPTION 'line % is on an active contract: amend it instead', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER line_stands_once_contract_is_active
    BEFORE UPDATE OR DELETE ON contracts_contractline
    FOR EACH ROW EXECUTE FUNCTION contracts_guard_line();

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

CREATE TRIGGER line_change_is_append_only
    BEFORE UPDATE OR DELETE ON contracts_linechange
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();
"""

UNDO = """
DROP TRIGGER line_change_is_append_only ON contracts_linechange;
DROP TRIGGER amendment_is_never_deleted ON contracts_amendment;
DROP TRIGGER amendment_does_not_change ON contracts_amendment;
DROP FUNCTION contracts_guard_amendment();
DROP TRIGGER line_stands_once_contract_is_active ON contracts_contractline;
DROP FUNCTION contracts_guard_line();
DROP TRIGGER contract_terms_stand_once_active ON contracts_contract;
DROP FUNCTION contracts_guard_terms();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_guard_charges")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
