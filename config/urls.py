"""Addresses: the admin is the whole product."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

handler403 = "config.adminsite.refusals.permission_denied"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
