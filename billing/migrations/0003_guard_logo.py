"""A logo is named by its content and stays what it is: papers print it for good (M3)."""

from django.db import migrations

GUARDS = """
ALTER TABLE billing_logo ADD CONSTRAINT logo_is_named_by_its_content
    CHECK (sha256 = encode(sha256(png), 'hex'));

CREATE TRIGGER logo_append_only
    BEFORE UPDATE OR DELETE ON billing_logo
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();
"""

UNDO = """
DROP TRIGGER logo_append_only ON billing_logo;
ALTER TABLE billing_logo DROP CONSTRAINT logo_is_named_by_its_content;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_audit_is_append_only")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
