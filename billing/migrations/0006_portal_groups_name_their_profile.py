from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_existing_portal_groups")]

    operations = [
        migrations.AddConstraint(
            model_name="billgroup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivery__in", ["PORTAL", "BOTH"]), _negated=True),
                    ("portal__isnull", False),
                    _connector="OR",
                ),
                name="bill_group_by_portal_names_it",
                violation_error_message="Choose the portal that its invoices are uploaded to. Portals are kept in Settings.",
            ),
        ),
    ]
