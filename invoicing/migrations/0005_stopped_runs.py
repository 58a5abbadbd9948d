"""A run that can't go on is stopped, and keeps why."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0004_run_figures")]

    operations = [
        migrations.AddField(
            "invoicerun",
            "stopped_because",
            models.TextField(blank=True, db_default=""),
        ),
        migrations.AlterField(
            "invoicerun",
            "state",
            models.CharField(
                choices=[
                    ("RUNNING", "Running"),
                    ("FINISHED", "Finished"),
                    ("STOPPED", "Stopped"),
                ],
                default="RUNNING",
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint("invoicerun", "run_finished_has_its_time"),
        migrations.AddConstraint(
            "invoicerun",
            models.CheckConstraint(
                condition=Q(state="RUNNING", finished_at__isnull=True)
                | Q(state__in=["FINISHED", "STOPPED"], finished_at__isnull=False),
                name="run_finished_has_its_time",
            ),
        ),
        migrations.AddConstraint(
            "invoicerun",
            models.CheckConstraint(
                condition=Q(state="STOPPED") & ~Q(stopped_because="")
                | ~Q(state="STOPPED") & Q(stopped_because=""),
                name="run_stopped_says_why",
            ),
        ),
    ]
