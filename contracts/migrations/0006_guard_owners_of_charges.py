"""A charge names the contract of its line, and the bill group of that contract.

Until now foreign keys proved only that both exist, with two look-ups for each charge:
a third of what it cost to write a year of monthly charges. Each insert now compares
them with the line's, once for each line. The foreign key of the line stays, and with it
the line, its contract and bill group do: each refuses to go while it is named.

A contract with charges keeps its bill group, and a line with charges its contract. An
insert locks both first, so that neither moves meanwhile; whoever writes charges holds
the lock of the contract already.
"""

import django.db.models.deletion
from django.db import migrations, models

INSERTED_CHARGES = """
CREATE OR REPLACE FUNCTION contracts_check_inserted_charges() RETURNS trigger
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
"""

OWNERS = """
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
"""

UNDO_INSERTED_CHARGES = """
CREATE OR REPLACE FUNCTION contracts_check_inserted_charges() RETURNS trigger
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
"""

UNDO_OWNERS = """
DROP TRIGGER line_with_charges_keeps_its_contract ON contracts_contractline;
DROP FUNCTION contracts_refuse_other_contract();
DROP TRIGGER contract_with_charges_keeps_its_bill_group ON contracts_contract;
DROP FUNCTION contracts_refuse_other_bill_group();
DROP TRIGGER charge_names_owners_of_its_line ON contracts_scheduledcharge;
DROP FUNCTION contracts_check_moved_charge();
DROP FUNCTION contracts_refuse_other_owners(bigint[], bigint[], bigint[]);
"""


def _owner(to: str, *, db_index: bool) -> "models.ForeignKey[models.Model]":
    return models.ForeignKey(
        to=to,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="charges",
        db_constraint=False,
        db_index=db_index,
    )


class Migration(migrations.Migration):
    dependencies = [("contracts", "0005_guard_late_usage")]

    operations = [
        migrations.RunSQL(OWNERS, UNDO_OWNERS),
        migrations.RunSQL(INSERTED_CHARGES, UNDO_INSERTED_CHARGES),
        migrations.AlterField(
            "scheduledcharge",
            "contract",
            _owner("contracts.contract", db_index=True),
        ),
        migrations.AlterField(
            "scheduledcharge",
            "bill_group",
            _owner("billing.billgroup", db_index=False),
        ),
    ]
