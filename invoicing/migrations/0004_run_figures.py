"""What a batch keeps for the page of its run: totals of drafts, and counts by rule."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0003_guard_closing")]

    operations = [
        migrations.AddField("runbatch", "draft_totals", models.JSONField(default=dict)),
        migrations.AddField("runbatch", "rules", models.JSONField(default=dict)),
    ]
