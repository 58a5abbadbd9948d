from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contracts", "0010_cancel_permission")]

    operations = [
        migrations.AlterModelOptions(
            name="contract",
            options={
                "permissions": [
                    ("activate_contract", "Can activate contracts"),
                    ("cancel_contract", "Can cancel contracts"),
                    ("amend_contract", "Can amend contracts"),
                ]
            },
        ),
        migrations.AddIndex(
            model_name="scheduledcharge",
            index=models.Index(
                condition=models.Q(("state", "SUPERSEDED")),
                fields=["id"],
                name="charge_superseded",
            ),
        ),
    ]
