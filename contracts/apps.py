"""The contracts app."""

from django.apps import AppConfig


class ContractsConfig(AppConfig):
    """What was sold, on which terms; the plan."""

    name = "contracts"
