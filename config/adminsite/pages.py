"""Pages beside Django's own: of the whole site, or of one object.

Apps register them when their admin package is imported, so that an app may hang a page
under an object of an app below it: the Account Overview is invoicing's page of an
account. A page only reads: it answers GET, needs a permission, changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from config.adminsite.refusals import NotPermitted, view_permission


class SitePage:
    """A page of its own, at `route` under the admin."""

    route: ClassVar[str]
    name: ClassVar[str]
    permission: ClassVar[str]
    title: ClassVar[str]
    template: ClassVar[str]

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return what the template shows."""
        raise NotImplementedError

    def view_of(self, site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
        """Return the view of this page on a site."""

        def view(request: HttpRequest) -> HttpResponse:
            if not request.user.has_perm(self.permission):
                raise NotPermitted(self.permission, action=self.title)
            context = {
                **site.each_context(request),
                "title": self.title,
                **self.context(request),
            }
            return TemplateResponse(request, self.template, context)

        return view


class ObjectPage:
    """A page of one object, at `<object id>/<slug>/` under its model."""

    model: ClassVar[type[Model]]
    slug: ClassVar[str]
    label: ClassVar[str]
    permission: ClassVar[str]
    template: ClassVar[str]

    @classmethod
    def url(cls, object_id: int) -> str:
        """Return the address of the page of one object."""
        return reverse(f"admin:{cls.url_name()}", args=[object_id])

    @classmethod
    def url_name(cls) -> str:
        """Return the page's URL name, without the site's prefix."""
        meta = cls.model._meta
        return f"{meta.app_label}_{meta.model_name}_{cls.slug}"

    def is_offered(self, subject: Any) -> bool:
        """Tell whether the object's own page leads here."""
        return True

    def context(self, request: HttpRequest, subject: Any) -> Mapping[str, Any]:
        """Return what the template shows of the object."""
        raise NotImplementedError

    def view_of(self, owner: "ModelAdmin[Any]") -> Callable[..., HttpResponse]:
        """Return the view of this page in the pages of its model."""

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            subject = found_object(owner, request, object_id)
            if not request.user.has_perm(self.permission):
                raise NotPermitted(self.permission, action=self.label, subject=subject)
            frame = {
                **owner.admin_site.each_context(request),
                "opts": owner.model._meta,
                "original": subject,
                "title": str(subject),
            }
            return self.respond(request, subject, frame)

        return view

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Answer with the template in the frame; a file answers otherwise."""
        context = {**frame, **self.context(request, subject)}
        return TemplateResponse(request, self.template, context)


site_pages: list[SitePage] = []
object_pages: list[ObjectPage] = []

SitePageClass = TypeVar("SitePageClass", bound=type[SitePage])
ObjectPageClass = TypeVar("ObjectPageClass", bound=type[ObjectPage])


def site_page(page: SitePageClass) -> SitePageClass:
    """Register a page of the site."""
    site_pages.append(page())
    return page


def object_page(page: ObjectPageClass) -> ObjectPageClass:
    """Register a page of one object."""
    object_pages.append(page())
    return page


def found_object(owner: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> Any:
    """Return the object that an address names, if the user may look at it.

    Raises `Http404` where there is none, `NotPermitted` where it is not theirs.
    """
    subject = owner.get_object(request, unquote(object_id))
    if subject is None:
        name = owner.model._meta.verbose_name
        raise Http404(f"There is no {name} with the id {object_id}.")
    if not owner.has_view_permission(request, subject):
        raise NotPermitted(view_permission(owner), action="See", subject=subject)
    return subject
