"""What the database refuses of a bill group's status, whoever asks (S4).

- One that lies wholly in closed periods is not deactivated: it has a charge, none is
  pending or on a draft, and of every charge not canceled both the bill date and the
  last day of service lie in closed months.
- One with an active contract is not canceled.

The messages are sentences for people: the service passes them on.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION contracts_closed_month_of(bill_group bigint) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', charged.last_day)::date
    FROM (
        SELECT max(greatest(c.bill_date, c.period_end)) AS last_day,
               bool_or(c.state IN ('PENDING', 'DRAFTED')) AS is_open
        FROM contracts_scheduledcharge c
        WHERE c.bill_group_id = bill_group AND c.state <> 'CANCELED'
    ) AS charged
    JOIN billing_billgroup g ON g.id = bill_group
    WHERE NOT charged.is_open
      AND charged.last_day < (
          SELECT max(p.month) + interval '1 month' FROM billing_accountingperiod p
          WHERE p.legal_entity_id = g.legal_entity_id AND p.state = 'CLOSED'
      )
$$;

CREATE FUNCTION contracts_guard_bill_group_status() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    public_id text := 'BG-' || lpad(NEW.id::text, greatest(6, length(NEW.id::text)), '0');
    closed date;
    contract text;
BEGIN
    IF NEW.status = 'INACTIVE' THEN
        closed := contracts_closed_month_of(NEW.id);
        IF closed IS NOT NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                TABLE = 'billing_billgroup',
                CONSTRAINT = 'bill_group_of_closed_periods_stays',
                MESSAGE = format(
                    '%s can''t be deactivated: all it was billed for lies in closed '
                    'periods, the last one %s. Nothing will be generated for it.',
                    public_id, to_char(closed, 'FMMonth YYYY'));
        END IF;
    ELSIF NEW.status = 'CANCELED' THEN
        SELECT number INTO contract FROM contracts_contract
        WHERE bill_group_id = NEW.id AND status = 'ACTIVE' ORDER BY number LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                TABLE = 'billing_billgroup',
                CONSTRAINT = 'bill_group_with_active_contract_stays',
                MESSAGE = format(
                    '%s can''t be canceled while contract %s is active on it. Cancel '
                    'the contract first.', public_id, contract);
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER bill_group_status_is_guarded
    BEFORE UPDATE OF status ON billing_billgroup
    FOR EACH ROW WHEN (NEW.status <> OLD.status)
    EXECUTE FUNCTION contracts_guard_bill_group_status();
"""

UNDO = """
DROP TRIGGER bill_group_status_is_guarded ON billing_billgroup;
DROP FUNCTION contracts_guard_bill_group_status();
DROP FUNCTION contracts_closed_month_of(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0003_guard_terms"),
    ]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
