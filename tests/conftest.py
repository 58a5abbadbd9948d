"""Fixtures and profiles for every test."""

import gc

from django.conf import settings as site
from hypothesis import settings

from tests.emptying import empty_by_deleting

# A busy machine is slow now and then; what is slow for good is measured by `bench`.
settings.register_profile("duebook", deadline=None)
settings.load_profile("duebook")

# A password costs half a second, which is its purpose; here it would be hundreds.
site.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]

empty_by_deleting()


def pytest_collection_finish() -> None:
    """Modules and tests are no garbage: looking at them again costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
