"""The billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Who is billed, how and when; money and calendar."""

    name = "billing"
