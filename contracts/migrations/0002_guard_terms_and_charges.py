"""What the database refuses of contracts and charges, whoever asks.

- Two live charges of one line share no day (P8). An insert locks the lines it charges
  first, so that two writers cannot miss each other; the check reads again after that
  lock (each statement of a plpgsql function has its own snapshot under READ COMMITTED).
- An invoiced charge changes nothing but its state; usage that goes back to pending
  also loses its rating (P9). No charge is ever deleted.
- The terms of an activated contract change by amendments only (A1).
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION contracts_refuse_shared_days(lines bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    culprit record;
BEGIN
    SELECT contract_line_id, period_start INTO culprit
    FROM (
        SELECT contract_line_id, period_start,
               lag(period_end) OVER (
                   PARTITION BY contract_line_id ORDER BY period_start, period_end
               ) AS previous_end
        FROM contracts_scheduledcharge
        WHERE contract_line_id = ANY (lines)
          AND state IN ('PENDING', 'DRAFTED', 'INVOICED', 'EXTERNAL', 'SKIPPED')
    ) AS live
    WHERE previous_end >= period_start
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line % is charged twice for %',
            culprit.contract_line_id, culprit.period_start
            USING ERRCODE = 'exclusion_violation',
                  CONSTRAINT = 'charge_days_billed_once',
                  TABLE = 'contracts_scheduledcharge';
    END IF;
END $$;

CREATE FUNCTION contracts_check_inserted_charges() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    lines bigint[];
BEGIN
    SELECT array_agg(DISTINCT contract_line_id) INTO lines FROM inserted;
    IF lines IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM contracts_contractline
        WHERE id = ANY (lines) ORDER BY id FOR NO KEY UPDATE;
    PERFORM contracts_refuse_shared_days(lines);
    RETURN NULL;
END $$;

CREATE TRIGGER charge_insert_shares_no_day
    AFTER INSERT ON contracts_scheduledcharge
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION contracts_check_inserted_charges();

CREATE FUNCTION contracts_check_updated_charge() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM contracts_contractline
        WHERE id = NEW.contract_line_id FOR NO KEY UPDATE;
    PERFORM contracts_refuse_shared_days(ARRAY[NEW.contract_line_id]);
    RETURN NULL;
END $$;

CREATE TRIGGER charge_update_shares_no_day
    AFTER UPDATE ON contracts_scheduledcharge
    FOR EACH ROW
    WHEN (
        NEW.state NOT IN ('SUPERSEDED', 'CANCELED')
        AND (
            OLD.state IN ('SUPERSEDED', 'CANCELED')
            OR NEW.contract_line_id <> OLD.contract_line_id
            OR NEW.period_start < OLD.period_start
            OR NEW.period_end > OLD.period_end
        )
    )
    EXECUTE FUNCTION contracts_check_updated_charge();

CREATE FUNCTION contracts_refuse_changed_charge() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    free text[] := ARRAY['state'];
BEGIN
    IF NEW.state = 'PENDING' THEN
        free := free || ARRAY['amount', 'quantity'];
    END IF;
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'charge % is invoiced and does not change', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER charge_invoiced_does_not_change
    BEFORE UPDATE ON contracts_scheduledcharge
    FOR EACH ROW WHEN (OLD.state = 'INVOICED')
    EXECUTE FUNCTION contracts_refuse_changed_charge();

CREATE FUNCTION contracts_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER charge_is_never_deleted
    BEFORE DELETE ON contracts_scheduledcharge
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();

CREATE TRIGGER amendment_is_append_only
    BEFORE UPDATE OR DELETE ON contracts_amendment
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

CREATE TRIGGER line_change_is_append_only
    BEFORE UPDATE OR DELETE ON contracts_linechange
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();

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
"""

UNDO = """
DROP TRIGGER line_stands_once_contract_is_active ON contracts_contractline;
DROP FUNCTION contracts_guard_line();
DROP TRIGGER contract_terms_stand_once_active ON contracts_contract;
DROP FUNCTION contracts_guard_terms();
DROP TRIGGER line_change_is_append_only ON contracts_linechange;
DROP TRIGGER amendment_is_append_only ON contracts_amendment;
DROP TRIGGER charge_is_never_deleted ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_delete();
DROP TRIGGER charge_invoiced_does_not_change ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_changed_charge();
DROP TRIGGER charge_update_shares_no_day ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_updated_charge();
DROP TRIGGER charge_insert_shares_no_day ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_inserted_charges();
DROP FUNCTION contracts_refuse_shared_days(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0001_initial"),
        ("billing", "0002_audit_is_append_only"),
    ]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
