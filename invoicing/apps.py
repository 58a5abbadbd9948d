"""The invoicing app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InvoicingConfig(AppConfig):
    """Documents, and the run that makes them."""

    name = "invoicing"

    def ready(self) -> None:
        """Bring the list of clocks to the database after each migrate."""
        from invoicing.schedules import ensure_schedules

        post_migrate.connect(ensure_schedules, sender=self)
