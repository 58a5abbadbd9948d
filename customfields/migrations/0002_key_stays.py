"""The object, key and type of a custom field never change: values stand under them."""

from django.db import migrations

GUARD = """
CREATE FUNCTION customfields_refuse_new_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the object, key and type of custom field % never change', OLD.key
        USING ERRCODE = 'restrict_violation',
              CONSTRAINT = 'custom_field_key_stays';
END $$;

CREATE TRIGGER custom_field_key_stays
    BEFORE UPDATE ON customfields_customfield
    FOR EACH ROW
    WHEN ((OLD.object, OLD.key, OLD.kind) IS DISTINCT FROM
          (NEW.object, NEW.key, NEW.kind))
    EXECUTE FUNCTION customfields_refuse_new_key();
"""

UNDO = """
DROP TRIGGER custom_field_key_stays ON customfields_customfield;
DROP FUNCTION customfields_refuse_new_key();
"""


class Migration(migrations.Migration):
    dependencies = [("customfields", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNDO)]
