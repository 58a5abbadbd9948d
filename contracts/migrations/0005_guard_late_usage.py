"""What the database refuses of late usage (P9), and what its days are to P8.

- A late charge claims no days: it stands on those of the invoiced charge it is late
  for, which alone is compared with the line's other charges.
- It belongs to an invoiced charge of the same line, contract, bill group and days, and
  to the same one for good.
"""

from django.db import migrations

SHARED_DAYS = """
CREATE OR REPLACE FUNCTION contracts_refuse_shared_days(lines bigint[]) RETURNS void
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
        WHERE contract_line_id = ANY (lines){claims_days}
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
"""

GUARD = """
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

UNDO_GUARD = """
DROP TRIGGER late_usage_stays_with_its_period ON contracts_scheduledcharge;
DROP FUNCTION contracts_refuse_moved_late_usage();
DROP TRIGGER late_usage_is_of_an_invoiced_period ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_late_usage();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_late_usage")]

    operations = [
        migrations.RunSQL(
            SHARED_DAYS.format(claims_days=" AND late_for_id IS NULL") + GUARD,
            UNDO_GUARD + SHARED_DAYS.format(claims_days=""),
        )
    ]
