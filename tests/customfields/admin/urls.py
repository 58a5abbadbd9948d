"""A second admin site, for a page of an owner that is ours alone."""

from django.contrib import admin
from django.urls import path

from billing.models import Account
from config.adminsite.site import FinanceAdminSite
from config.urls import urlpatterns as own_pages
from customfields.admin import OwnerAdmin
from customfields.domain.definition import FieldObject

FIELDS = (("number", "name"), "email")


class AccountAdmin(OwnerAdmin):
    custom_fields_object = FieldObject.ACCOUNT
    fieldsets = ((None, {"fields": FIELDS}),)


class PlainAccountAdmin(OwnerAdmin):
    """Without fieldsets: all columns of the model."""

    custom_fields_object = FieldObject.ACCOUNT


site = FinanceAdminSite("owners")
site.register(Account, AccountAdmin)

urlpatterns = [path("owners/", site.urls), *own_pages]

account_admin = AccountAdmin(Account, site)
plain_account_admin = PlainAccountAdmin(Account, admin.site)
