"""Addresses: the admin is the whole product."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView


class FaviconView(RedirectView):
    """Lead browsers that ask for the old name to the icon."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        """Return the icon's address in the static files."""
        return static("adminsite/icon.svg")


handler403 = "config.adminsite.refusals.permission_denied"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("favicon.ico", FaviconView.as_view(), name="favicon"),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
