from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0008_readdress_permission")]

    operations = [
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "permissions": [
                    ("generate_invoice", "Can generate invoices by hand"),
                    ("issue_invoice", "Can review and issue drafts"),
                    ("readdress_invoice", "Can edit the address of an invoice"),
                    ("discard_invoice", "Can discard drafts"),
                    ("reissue_invoice", "Can reissue invoices"),
                ]
            },
        ),
    ]
