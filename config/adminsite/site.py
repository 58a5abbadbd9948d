"""The admin site of the finance team: its frame, the page *Today* and the search."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from config.adminsite import navigation, pages, registry
from config.clock import today_in

HIDDEN_APPS = frozenset({"django_q"})
LONGEST_SEARCH = 100

ViewType = TypeVar("ViewType", bound=Callable[..., Any])


class FinanceAdminSite(AdminSite):
    """Django's admin site with navigation by work, a dashboard and a search.

    Pages of django-q2 are left out: its schedule page runs any dotted path. Nothing
    is deleted in bulk.
    """

    site_header = "Duebook"
    site_title = "Duebook"
    index_title = "Today"
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register a model, but none of an app whose pages would be a way around."""
        models = (
            [model_or_iterable]
            if isinstance(model_or_iterable, ModelBase)
            else list(model_or_iterable)
        )
        shown = [model for model in models if model._meta.app_label not in HIDDEN_APPS]
        super().register(shown, admin_class, **options)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the search, the settings and the apps' own pages."""
        own = [
            path("search/", self.admin_view(self.search), name="search"),
            path("suggest/", self.admin_view(self.suggest), name="suggest"),
            path("settings/", self.admin_view(self.settings), name="settings"),
            *(
                path(page.route, self.admin_view(page.view_of(self)), name=page.name)
                for page in pages.site_pages
            ),
        ]
        return [*own, *super().get_urls()]

    def admin_view(
        self,
        view: ViewType,
        cacheable: bool = False,  # noqa: FBT001, FBT002 Django's signature
    ) -> ViewType:
        """Show instants in the time zone of the first legal entity."""

        @wraps(view)
        def in_time_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            timezone.activate(first_time_zone())
            return view(request, *args, **kwargs)

        return super().admin_view(cast("ViewType", in_time_zone), cacheable)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """List the tables of one app; of all there is the navigation instead."""
        return super().get_app_list(request, app_label) if app_label else []

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the navigation, for those who are in."""
        context = super().each_context(request)
        if not context["has_permission"]:
            return context
        return context | {
            "doors": list(navigation.entries(request, navigation.DOORS)),
            "may_see_settings": bool(
                navigation.visible_pages(navigation.SETTINGS, request)
            ),
            "in_settings": navigation.door_of(request.path) is navigation.SETTINGS
            or request.path == reverse("admin:settings"),
            "tabs": navigation.tabs(request),
        }

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show *Today*: what needs a person, and the apps' panels."""
        work = [item for items in registry.work for item in items(request)]
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "today": today_in(first_time_zone()),
            "today_links": [
                link for links in registry.today_links for link in links(request)
            ],
            "work": [item for item in work if item.count],
            "main_panels": [p for make in registry.main_panels if (p := make(request))],
            "side_panels": [p for make in registry.side_panels if (p := make(request))],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/index.html", context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Go to the one thing that was meant, or show all that was found."""
        text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        found = [hit for find in registry.searches for hit in find(request, text)]
        exact = [hit for hit in found if hit.is_exact]
        if len(exact) == 1 or len(found) == 1:
            return HttpResponseRedirect((exact or found)[0].url)
        context = {
            **self.each_context(request),
            "title": "Search",
            "query": text,
            "hits": found,
        }
        return TemplateResponse(request, "admin/search.html", context)

    def suggest(self, request: HttpRequest) -> JsonResponse:
        """Return codes, with their names, that begin like what is being typed."""
        find = registry.suggestions.get(request.GET.get("source", ""))
        text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        found = find(request, text) if find and text else ()
        return JsonResponse({"suggestions": [list(pair) for pair in found]})

    def settings(self, request: HttpRequest) -> TemplateResponse:
        """List what can be set."""
        context = {
            **self.each_context(request),
            "title": "Settings",
            "pages": navigation.visible_pages(navigation.SETTINGS, request),
        }
        return TemplateResponse(request, "admin/settings.html", context)


def first_time_zone() -> str:
    """Return the time zone of the first legal entity; UTC while there is none."""
    entities = apps.get_model("billing", "LegalEntity")._default_manager
    zone = entities.order_by("pk").values_list("time_zone", flat=True).first()
    return zone or "UTC"
