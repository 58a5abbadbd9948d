"""Two app configs: this app's own templates and files, and the admin with our site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AdminSiteConfig(AppConfig):
    """Templates, static files and registries of the finance admin."""

    name = "config.adminsite"
    label = "adminsite"


class DuebookAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with FinanceAdminSite in the place of the default site."""

    default = False
    default_site = "config.adminsite.site.FinanceAdminSite"
