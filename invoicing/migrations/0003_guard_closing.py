"""What the database refuses of accounting periods, whoever asks (M6).

- A month is closed when it has ended for its legal entity, and in order: the one after
  the last closed month.
- With a bill date up to its last day there is no draft and no pending charge but those
  that a person stopped (G1-G4), and no superseded invoice issued up to that day is left
  with something to credit. `invoicing_closing_obstacles` lists them, also for the page.
- Only the last closed month is reopened; a month that was closed once is kept.

Closing takes the lock that documents share, so none is made while it is checked. The
messages are sentences for people: the service passes them on.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION invoicing_closing_obstacles(entity bigint, month date)
RETURNS TABLE (kind text, bill_group_id bigint, bill_date date, invoice_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT 'DRAFT', i.bill_group_id, i.bill_date, i.id
    FROM invoicing_invoice i
    WHERE i.legal_entity_id = entity AND i.status = 'DRAFT'
      AND i.bill_date < month + interval '1 month'
  UNION ALL
    SELECT DISTINCT
        CASE WHEN s.invoicing = 'MANUAL' OR g.status <> 'ACTIVE'
               OR g.invoicing = 'MANUAL' OR g.awaiting_manual_invoice
             THEN 'STOPPED' ELSE 'PENDING' END,
        c.bill_group_id, c.bill_date, NULL::bigint
    FROM contracts_scheduledcharge c
    JOIN billing_billgroup g ON g.id = c.bill_group_id
    LEFT JOIN billing_invoicingsettings s ON s.legal_entity_id = g.legal_entity_id
    WHERE g.legal_entity_id = entity AND c.state = 'PENDING'
      AND c.bill_date < month + interval '1 month'
  UNION ALL
    SELECT 'SUPERSEDED', i.bill_group_id, i.bill_date, i.id
    FROM invoicing_invoice i
    WHERE i.legal_entity_id = entity AND i.status IN ('OPEN', 'PAID', 'CREDITED')
      AND i.issue_date < month + interval '1 month'
      AND i.total > i.credited_due + i.credited_paid
      AND EXISTS (
          SELECT 1 FROM invoicing_invoiceline l
          JOIN contracts_scheduledcharge c ON c.id = l.charge_id
          WHERE l.invoice_id = i.id AND c.state = 'SUPERSEDED')
$$;

CREATE FUNCTION invoicing_refuse_period(message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        TABLE = 'billing_accountingperiod',
        CONSTRAINT = 'period_closes_when_all_is_done',
        MESSAGE = message;
END $$;

CREATE FUNCTION invoicing_guard_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_closed date;
    entity_today date;
    found record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM invoicing_refuse_period('A month that was closed once is never deleted.');
    END IF;
    PERFORM 1 FROM billing_legalentity WHERE id = NEW.legal_entity_id FOR NO KEY UPDATE;
    SELECT max(p.month) INTO last_closed FROM billing_accountingperiod p
    WHERE p.legal_entity_id = NEW.legal_entity_id AND p.state = 'CLOSED'
      AND p.id <> NEW.id;

    IF NEW.state = 'OPEN' THEN
        IF last_closed > NEW.month THEN
            PERFORM invoicing_refuse_period(format(
                '%s can''t be reopened while %s is closed. Reopen the last closed '
                'month first.', to_char(NEW.month, 'FMMonth YYYY'),
                to_char(last_closed, 'FMMonth YYYY')));
        END IF;
        RETURN NEW;
    END IF;

    SELECT (now() AT TIME ZONE e.time_zone)::date INTO entity_today
    FROM billing_legalentity e WHERE e.id = NEW.legal_entity_id;
    IF NEW.month + interval '1 month' > entity_today THEN
        PERFORM invoicing_refuse_period(format(
            '%s has not ended yet. A month is closed after its last day.',
            to_char(NEW.month, 'FMMonth YYYY')));
    END IF;
    IF last_closed IS NOT NULL AND last_closed + interval '1 month' <> NEW.month THEN
        PERFORM invoicing_refuse_period(format(
            'Months are closed in order: after %s comes %s.',
            to_char(last_closed, 'FMMonth YYYY'),
            to_char(last_closed + interval '1 month', 'FMMonth YYYY')));
    END IF;
    SELECT count(*) FILTER (WHERE kind = 'DRAFT') AS drafts,
           count(*) FILTER (WHERE kind = 'PENDING') AS pending,
           count(*) FILTER (WHERE kind = 'SUPERSEDED') AS superseded
    INTO found
    FROM invoicing_closing_obstacles(NEW.legal_entity_id, NEW.month);
    IF found.drafts + found.pending + found.superseded > 0 THEN
        PERFORM invoicing_refuse_period(format(
            '%s can''t be closed yet. In the way: drafts %s, pending invoices %s, '
            'superseded invoices not credited %s.',
            to_char(NEW.month, 'FMMonth YYYY'),
            found.drafts, found.pending, found.superseded));
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER period_is_guarded
    BEFORE INSERT OR UPDATE OR DELETE ON billing_accountingperiod
    FOR EACH ROW EXECUTE FUNCTION invoicing_guard_period();
"""

UNDO = """
DROP TRIGGER period_is_guarded ON billing_accountingperiod;
DROP FUNCTION invoicing_guard_period();
DROP FUNCTION invoicing_refuse_period(text);
DROP FUNCTION invoicing_closing_obstacles(bigint, date);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0002_guard_documents"),
        ("contracts", "0004_guard_bill_group_status"),
    ]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
