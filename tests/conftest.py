"""Fixtures and profiles for every test."""

from hypothesis import settings

# A busy machine is slow now and then; what is slow for good is measured by `bench`.
settings.register_profile("duebook", deadline=None)
settings.load_profile("duebook")
