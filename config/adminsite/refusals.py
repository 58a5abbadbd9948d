"""What the server refuses for want of a permission: a page that says who may do it.

The page is made after the request's own transaction was undone. Each refusal is handed
to `registry.refused`, where the apps note it; nothing is refused silently. Visitors who
are not logged in are sent to the login instead, and leave no trace.
"""

import copy
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.adminsite import registry
from config.adminsite.registry import NOBODY, Refused

ADMINISTRATOR: Final = "Administrator"
# Django's own pages of a model, by the end of their URL name: what they do, and the
# verb of the permission to look or to change.
PAGES: Final = {
    "changelist": ("See the list", "view", "view"),
    "history": ("See the history", "view", "view"),
    "add": ("Add", "add", "add"),
    "change": ("Change", "view", "change"),
    "delete": ("Delete", "delete", "delete"),
    "password_change": ("Set the password", "change", "change"),
}


class NotPermitted(PermissionDenied):
    """What someone wanted to do, on what, and the permissions that it needs."""

    def __init__(
        self, *permissions: str, action: str, subject: Model | None = None
    ) -> None:
        super().__init__(f"{action} needs {', '.join(permissions)}.")
        self.permissions = permissions
        self.action = action
        self.subject = subject


def who_may(*permissions: str) -> str:
    """Return the groups of people who have all of some permissions, in words."""
    groups = Group.objects.order_by("name")
    for permission in permissions:
        app, _, codename = permission.partition(".")
        groups = groups.filter(
            permissions__content_type__app_label=app, permissions__codename=codename
        )
    return " or ".join([*groups.values_list("name", flat=True), ADMINISTRATOR])


def view_permission(owner: "ModelAdmin[Any]") -> str:
    """Return the permission to look at the objects of a page."""
    meta = owner.model._meta
    return f"{meta.app_label}.view_{meta.model_name}"


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 with who may do it, and hand the refusal to those who note it."""
    refused = _refused(request, exception)
    if request.user.is_authenticated:
        for note in registry.refused:
            note(request, refused)
    context = {
        **admin.site.each_context(request),
        "title": "You may not do this",
        "refused": refused,
    }
    response = TemplateResponse(request, "admin/403.html", context, status=403)
    return response.render()


def _refused(request: HttpRequest, exception: Exception) -> Refused:
    if isinstance(exception, NotPermitted):
        return Refused(
            action=exception.action,
            subject=exception.subject,
            permissions=exception.permissions,
            who=who_may(*exception.permissions),
        )
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    for model, owner in admin.site._registry.items():
        meta = model._meta
        verb = name.removeprefix(f"{meta.app_label}_{meta.model_name}_")
        if verb in PAGES:
            return _refused_page(request, owner, verb)
    return Refused(action=request.path, subject=None, permissions=(), who="")


def _refused_page(request: HttpRequest, owner: "ModelAdmin[Any]", verb: str) -> Refused:
    """Say what a page of Django's own was asked for."""
    meta = owner.model._meta
    label, to_look, to_do = PAGES[verb]
    needed = to_do if request.method == "POST" else to_look
    subject = _subject(request, owner)
    permission = f"{meta.app_label}.{needed}_{meta.model_name}"
    nobody = not _administrator_may(request, owner, needed, subject)
    return Refused(
        action=f"{label}, {meta.verbose_name_plural}",
        subject=subject,
        permissions=(permission,),
        who=NOBODY if nobody else who_may(permission),
    )


def _subject(request: HttpRequest, owner: "ModelAdmin[Any]") -> Model | None:
    match = request.resolver_match
    given = match.kwargs.get("object_id", match.kwargs.get("id")) if match else None
    if given is None:
        return None
    found: Model | None = owner.get_object(request, unquote(str(given)))
    return found


def _administrator_may(
    request: HttpRequest,
    owner: "ModelAdmin[Any]",
    needed: str,
    subject: Model | None,
) -> bool:
    """Ask the page itself: it may refuse everybody."""
    asked = copy.copy(request)
    asked.user = get_user_model()(is_superuser=True, is_active=True)
    if needed == "add":
        return owner.has_add_permission(asked)
    answers = {
        "view": owner.has_view_permission,
        "change": owner.has_change_permission,
        "delete": owner.has_delete_permission,
    }
    return answers[needed](asked, subject)
