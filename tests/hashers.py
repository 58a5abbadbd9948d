"""Passwords of tests: hashed as always, but not slowly."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """One round instead of a million; other processes read it as they read theirs."""

    iterations = 1
