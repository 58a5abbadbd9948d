"""The customfields app."""

from django.apps import AppConfig


class CustomFieldsConfig(AppConfig):
    """Fields that staff add to accounts, bill groups, contracts and invoices."""

    name = "customfields"
