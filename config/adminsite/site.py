"""The admin site of the finance team."""

from django.contrib.admin import AdminSite


class FinanceAdminSite(AdminSite):
    """Django's admin site under our name."""

    site_header = "Duebook"
    site_title = "Duebook"
    index_title = "Today"
