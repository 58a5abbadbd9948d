"""The invoicing app."""

from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    """Documents, and the run that makes them."""

    name = "invoicing"
