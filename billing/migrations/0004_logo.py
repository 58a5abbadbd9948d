"""A legal entity's logo."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_deactivation_requests")]

    operations = [
        migrations.CreateModel(
            name="Logo",
            fields=[
                (
                    "sha256",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("png", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="legalentity",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                help_text="PNG or JPEG, at most 1 MB. Printed on new invoices at the top left.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="billing.logo",
            ),
        ),
    ]
