"""What the database refuses of charges, whoever asks.

- Two live charges of one line share no day (P8). An insert locks the lines it charges
  first, so that two writers cannot miss each other; the check reads again after that
  lock (each statement of a plpgsql function has its own snapshot under READ COMMITTED).
- A charge names the contract of its line, and the bill group of that contract: each
  insert compares them, once for each line. Foreign keys would prove less, with two
  look-ups for each charge: a third of what it costs to write a year of monthly ones.
  A contract with charges keeps its bill group, and a line with charges its contract;
  an insert locks both first, so that neither moves meanwhile.
- An invoiced charge changes nothing but its state; usage that goes back to pending
  also loses its rating (P9). No charge is ever deleted.
- A late charge claims no days: it stands on those of the invoiced charge it is late
  for, of the same line, contract and bill group, and that one for good (P9).
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
        WHERE contract_line_id = ANY (lines) AND late_for_id IS NULL
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

CREATE FUNCTION contracts_refuse_other_owners(
    lines bigint[], contracts bigint[], bill_groups bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    culprit bigint;
BEGIN
    PERFORM 1 FROM contracts_contract
        WHERE id = ANY (contracts) ORDER BY id FOR SHARE;
    PERFORM 1 FROM contracts_contractline
        WHERE id = ANY (lines) ORDER BY id FOR NO KEY UPDATE;
    SELECT charged.line_id INTO culprit
    FROM unnest(lines, contracts, bill_groups)
         AS charged (line_id, contract_id, bill_group_id)
    JOIN contracts_contractline line ON line.id = charged.line_id
    JOIN contracts_contract contract ON contract.id = line.contract_id
    WHERE (contract.id, contract.bill_group_id)
       <> (charged.contract_id, charged.bill_group_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION
            'a charge of line % names another contract or bill group', culprit
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'charge_names_owners_of_its_line',
                  TABLE = 'contracts_scheduledcharge';
    END IF;
END $$;

CREATE FUNCTION contracts_check_inserted_charges() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    lines bigint[];
    contracts bigint[];
    bill_groups bigint[];
BEGIN
    SELECT array_agg(contract_line_id ORDER BY contract_line_id),
           array_agg(contract_id ORDER BY contract_line_id),
           array_agg(bill_group_id ORDER BY contract_line_id)
    INTO lines, contracts, bill_groups
    FROM (
        SELECT DISTINCT contract_line_id, contract_id, bill_group_id FROM inserted
    ) AS charged;
    IF lines IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM contracts_refuse_other_owners(lines, contracts, bill_groups);
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

CREATE FUNCTION contracts_check_moved_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM contracts_refuse_other_owners(
        ARRAY[NEW.contract_line_id], ARRAY[NEW.contract_id], ARRAY[NEW.bill_group_id]
    );
    RETURN NULL;
END $$;

CREATE TRIGGER charge_names_owners_of_its_line
    AFTER UPDATE ON contracts_scheduledcharge
    FOR EACH ROW WHEN (
        (NEW.contract_line_id, NEW.contract_id, NEW.bill_group_id)
        <> (OLD.contract_line_id, OLD.contract_id, OLD.bill_group_id)
    )
    EXECUTE FUNCTION contracts_check_moved_charge();

CREATE FUNCTION contracts_refuse_other_bill_group() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM contracts_scheduledcharge WHERE contract_id = OLD.id) THEN
        RAISE EXCEPTION 'contract % has charges and keeps its bill group', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER contract_with_charges_keeps_its_bill_group
    BEFORE UPDATE ON contracts_contract
    FOR EACH ROW WHEN (NEW.bill_group_id <> OLD.bill_group_id)
    EXECUTE FUNCTION contracts_refuse_other_bill_group();

CREATE FUNCTION contracts_refuse_other_contract() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM contracts_scheduledcharge WHERE contract_line_id = OLD.id
    ) THEN
        RAISE EXCEPTION 'line % has charges and keeps its contract', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER line_with_charges_keeps_its_contract
    BEFORE UPDATE ON contracts_contractline
    FOR EACH ROW WHEN (NEW.contract_id <> OLD.contract_id)
    EXECUTE FUNCTION contracts_refuse_other_contract();

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

CREATE FUNCTION contracts_check_late_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM contracts_scheduledcharge period
        WHERE period.id = NEW.late_for_id AND period.late_for_id IS NULL
          AND period.state = 'INVOICED'
          AND (period.contract_line_id, period.contract_id, period.bill_group_id,
               period.period_start, period.period_end)
            = (NEW.contract_line_id, NEW.contract_id, NEW.bill_group_id,
               NEW.period_start, NEW.period_end);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'late usage of line % is not of an invoiced period',
            NEW.contract_line_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER late_usage_is_of_an_invoiced_period
    AFTER INSERT ON contracts_scheduledcharge
    FOR EACH ROW WHEN (NEW.late_for_id IS NOT NULL)
    EXECUTE FUNCTION contracts_check_late_usage();

CREATE FUNCTION contracts_refuse_moved_late_usage() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'charge % stays late usage of its period, or none', OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER late_usage_stays_with_its_period
    BEFORE UPDATE ON contracts_scheduledcharge
    FOR EACH ROW WHEN (
        NEW.late_for_id IS DISTINCT FROM OLD.late_for_id
        OR (NEW.late_for_id IS NOT NULL AND (
            NEW.contract_line_id, NEW.period_start, NEW.period_end
        ) <> (OLD.contract_line_id, OLD.period_start, OLD.period_end))
    )
    EXECUTE FUNCTION contracts_refuse_moved_late_usage();
"""

UNDO = """
DROP TRIGGER late_usage_stays_with_its_period ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_moved_late_usage();
DROP TRIGGER late_usage_is_of_an_invoiced_period ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_late_usage();
DROP TRIGGER charge_is_never_deleted ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_delete();
DROP TRIGGER charge_invoiced_does_not_change ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_changed_charge();
DROP TRIGGER line_with_charges_keeps_its_contract ON contracts_contractline;
DROP FUNCTION contracts_refuse_other_contract();
DROP TRIGGER contract_with_charges_keeps_its_bill_group ON contracts_contract;
DROP FUNCTION contracts_refuse_other_bill_group();
DROP TRIGGER charge_names_owners_of_its_line ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_moved_charge();
DROP TRIGGER charge_update_shares_no_day ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_updated_charge();
DROP TRIGGER charge_insert_shares_no_day ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_inserted_charges();
DROP FUNCTION contracts_refuse_other_owners(bigint[], bigint[], bigint[]);
DROP FUNCTION contracts_refuse_shared_days(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0001_initial"),
        ("billing", "0002_audit_is_append_only"),
    ]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
