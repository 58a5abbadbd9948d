"""The billing app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    """Who is billed, how and when; money and calendar."""

    name = "billing"

    def ready(self) -> None:
        """Keep groups and permissions up on every migrate."""
        from billing.services.roles import keep_up_roles_after_migrate

        post_migrate.connect(
            keep_up_roles_after_migrate, dispatch_uid="billing.keep_up_roles"
        )
