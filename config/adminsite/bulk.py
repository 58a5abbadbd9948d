"""Bulk actions: chosen rows of a list, a review page with figures, one service call.

What an action asks for (a reason, say) stands on its review page.

A row that the service refuses does not stop the others; its sentence is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from config.adminsite.actions import CONFIRM, FINGERPRINT, Review
from config.adminsite.refusals import NotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDone:
    """What happened (empty: nothing), and a sentence for each row refused."""

    message: str
    refused: tuple[str, ...] = ()


class BulkAction:
    """An action of the rows that were chosen in a list."""

    model: ClassVar[type[Model]]
    slug: ClassVar[str]
    label: ClassVar[str]
    permission: ClassVar[str]
    confirm_label: ClassVar[str]
    form_class: ClassVar[type[forms.Form]] = forms.Form
    form_heading: ClassVar[str] = "What should be noted"
    template: ClassVar[str] = "admin/bulk_action.html"

    def form_arguments(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the form is made with, for example `initial`."""
        return {}

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Return what would happen to the chosen rows."""
        raise NotImplementedError

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Call the service and say what happened."""
        raise NotImplementedError

    def function(
        self,
    ) -> Callable[["ModelAdmin[Any]", HttpRequest, QuerySet[Any]], HttpResponse | None]:
        """Return the action as Django's lists call it."""

        def run(
            owner: "ModelAdmin[Any]", request: HttpRequest, chosen: QuerySet[Any]
        ) -> HttpResponse | None:
            return self.answer(owner, request, chosen)

        return run

    def refuse_others(self, request: HttpRequest) -> None:
        """Raise `NotPermitted` for those who may not do this."""
        if not request.user.has_perm(self.permission):
            raise NotPermitted(self.permission, action=self.label)

    def answer(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, chosen: QuerySet[Any]
    ) -> HttpResponse | None:
        """Show the review, or do it."""
        self.refuse_others(request)
        review = self.review(request, chosen)
        is_confirmed = CONFIRM in request.POST
        is_reviewed = request.POST.get(FINGERPRINT) == review.fingerprint
        form = self.form_class(
            request.POST if is_confirmed else None,
            request.FILES if is_confirmed else None,
            label_suffix="",
            **self.form_arguments(request),
        )
        if is_confirmed and is_reviewed and not review.refusal and form.is_valid():
            self._perform(request, chosen, form.cleaned_data)
            return HttpResponseRedirect(request.get_full_path())
        context = {
            **owner.admin_site.each_context(request),
            "opts": owner.model._meta,
            "title": self.label,
            "action": self,
            "review": review,
            "details": review.context,
            "form": form,
            "has_changed": is_confirmed and not is_reviewed,
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "back_url": request.get_full_path(),
        }
        return TemplateResponse(request, self.template, context)

    def _perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> None:
        done = self.perform(request, chosen, answers)
        for sentence in done.refused:
            messages.warning(request, sentence)
        if done.message:
            messages.success(request, done.message)


bulk_actions: list[BulkAction] = []

BulkActionClass = TypeVar("BulkActionClass", bound=type[BulkAction])


def bulk_action(action: BulkActionClass) -> BulkActionClass:
    """Register an action of chosen rows."""
    bulk_actions.append(action())
    return action
