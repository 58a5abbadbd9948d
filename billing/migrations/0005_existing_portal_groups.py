"""Give the bill groups that are delivered by portal already a profile: "Portal"."""

from django.db import migrations

PROFILE = """
WITH made AS (
    INSERT INTO billing_portalprofile (name, address, po_number_required,
        customer_tax_id_required, seller_tax_id_required, required_fields,
        file_pattern, columns)
    SELECT 'Portal', '', true, false, false, '[]', '{number}',
        '[["Document", "number"], ["Kind", "kind"], ["File", "file_name"],
          ["Date", "issue_date"], ["PO number", "po_number"],
          ["Currency", "currency"], ["Total", "total"]]'
    WHERE EXISTS (
        SELECT 1 FROM billing_billgroup WHERE delivery IN ('PORTAL', 'BOTH'))
    RETURNING id
)
UPDATE billing_billgroup SET portal_id = made.id, portal_since = clock_timestamp()
FROM made WHERE delivery IN ('PORTAL', 'BOTH')
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_portal_profiles")]

    operations = [migrations.RunSQL(PROFILE, migrations.RunSQL.noop)]
