"""Settings > Custom Fields, and the base of the admin pages of owners."""

from customfields.admin.definition import CustomFieldAdmin
from customfields.admin.lists import CustomFieldLists
from customfields.admin.owner import OwnerAdmin

__all__ = ["CustomFieldAdmin", "CustomFieldLists", "OwnerAdmin"]
