"""`manage.py demo`: the demo company and one staff user for each role."""

import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand

from config.clock import today_in
from invoicing.management.demo.company import demo_is_loaded, load_demo

# User name and group; the administrator needs no group.
PEOPLE = (
    ("clerk", "Finance clerk"),
    ("manager", "Finance manager"),
    ("support", "Support"),
    ("auditor", "Auditor"),
    ("admin", ""),
)

# Of the demo's two sellers: where it is not tomorrow yet for either of them.
WESTERNMOST = "America/Chicago"

LOADING = (
    "Loading the demo company: a year of imports and nights, in about half a minute. "
    "Stopped on the way, it leaves nothing and starts anew the next time."
)
LOADED = (
    "Loaded. The workers make the PDFs of its invoices in the background; that takes "
    "some minutes."
)
THERE = "The demo company is there already; nothing was changed."


class Command(BaseCommand):
    """Load the demo company once, and say who can sign in."""

    help = "Load the demo company (once) and print its staff users."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make users and company, and print the users."""
        password = demo_password()
        hashed = make_password(password)
        users = [staff_user(name, group, hashed) for name, group in PEOPLE]
        if demo_is_loaded():
            self.stdout.write(THERE)
        else:
            self.stdout.write(LOADING)
            load_demo(actor=users[-1], today=today_in(WESTERNMOST))
            self.stdout.write(LOADED)
        self.stdout.write(f"Sign in with the password {password} (unless changed) as:")
        for name, group in PEOPLE:
            self.stdout.write(f"  {name:8} {group or 'Administrator'}")


def staff_user(name: str, group: str, hashed_password: str) -> User:
    """Return the demo user of a role, made if missing, never changed."""
    user, is_new = User.objects.get_or_create(
        username=name,
        defaults={
            "password": hashed_password,
            "is_staff": True,
            "is_superuser": not group,
        },
    )
    if is_new and group:
        user.groups.add(Group.objects.get(name=group))
    return user


def demo_password() -> str:
    """Return the password of this installation's demo users, made at first use."""
    file = settings.VAR_DIR / "demo-password"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(secrets.token_urlsafe(9))
    password: str = file.read_text(encoding="ascii")
    return password
