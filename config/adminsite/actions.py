"""Actions: permission, form, review page with figures, POST, one service call, message.

An action is a class. `ObjectAction` belongs to one object, `ListAction` to a list;
`BulkAction` (in `bulk`) to chosen rows. GET shows what would happen and never changes
anything. What the service refuses (the exceptions an action names in `refusals`) is
shown as its sentence. `every_action` is the list that a test can walk, action by role.

What was reviewed is carried along as a fingerprint: when the figures have changed
between the page and the click, or the click came twice, the page is shown again (or
what the first click did). Two clicks at once wait for each other, so that the second
sees what the first has done.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db import OperationalError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.adminsite.pages import found_object
from config.adminsite.refusals import NotPermitted, view_permission
from config.adminsite.turns import one_at_a_time

CONFIRM = "_confirm"
FINGERPRINT = "_reviewed"
BACK = "_back"
BUSY = (
    "Someone else is working on this right now, so nothing was done. "
    "Wait a few seconds and try again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a review: what it is, how much, and a note beneath."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What will happen: a sentence, figures, and a template for the details.

    A `refusal` says why it can't be done; then there is no button. `fine_print` is what
    the details say: when it changes, what was reviewed no longer holds.
    """

    sentence: str = ""
    figures: tuple[Figure, ...] = ()
    warnings: tuple[str, ...] = ()
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    fine_print: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A short digest of what is said, to tell whether it still holds."""
        figures = (f"{f.label}{f.value}{f.note}" for f in self.figures)
        said = (self.sentence, *figures, *self.fine_print)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What happened, with a link to it, and the page to go to."""

    message: str
    url: str
    link: str = ""
    link_url: str = ""
    level: int = messages.SUCCESS

    @property
    def notice(self) -> SafeString:
        """The message with its link."""
        if not self.link:
            return format_html("{}", self.message)
        return format_html(
            '{} <a href="{}">{}</a>', self.message, self.link_url or self.url, self.link
        )


class Action:
    """What all actions have in common; `subject` is the object, or None for a list.

    With `changes_nothing` the review is all there is. With `asks_first` the form
    decides about the figures and stands on a page of its own before them, unless it has
    nothing to ask; else it stands on the review page. With `recalculates` the figures
    beside the form follow from it: changing it shows them anew.
    """

    model: ClassVar[type[Model]]
    slug: ClassVar[str]
    label: ClassVar[str]
    permission: ClassVar[str]
    also_needs: ClassVar[tuple[str, ...]] = ()
    confirm_label: ClassVar[str] = ""
    form_class: ClassVar[type[forms.Form]] = forms.Form
    form_heading: ClassVar[str] = "What should be noted"
    asks_first: ClassVar[bool] = False
    changes_nothing: ClassVar[bool] = False
    recalculates: ClassVar[bool] = False
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    tone: ClassVar[str] = ""
    template: ClassVar[str] = "admin/action.html"

    @classmethod
    def url_name(cls) -> str:
        """Return the action's URL name, without the site's prefix."""
        meta = cls.model._meta
        return f"{meta.app_label}_{meta.model_name}_{cls.slug.replace('-', '_')}"

    def refusal(self, subject: Any) -> str:
        """Say why the action is not offered for an object; empty when it is."""
        return ""

    def is_for(self, request: HttpRequest, subject: Any) -> bool:
        """Tell whether to offer an object's action to this very person."""
        return True

    def is_offered(self, request: HttpRequest, subject: Any) -> bool:
        """Tell whether a page shows the way to it."""
        return (
            self.is_permitted(request)
            and not self.refusal(subject)
            and self.is_for(request, subject)
        )

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Return what the form is made with, for example `initial`."""
        return {}

    def asking(self, request: HttpRequest, subject: Any) -> Review | None:
        """Return the figures to show above a form that `asks_first`."""
        return None

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Return what would happen; may raise one of `refusals`."""
        return Review()

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Call the one service and say what happened; may raise one of `refusals`."""
        raise NotImplementedError

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Return what the same person did here seconds ago: the click came twice."""
        return None

    def is_permitted(self, request: HttpRequest) -> bool:
        """Tell whether the user may do this at all."""
        return request.user.has_perms(self.permissions)

    @property
    def permissions(self) -> tuple[str, ...]:
        """All that it needs."""
        return (self.permission, *self.also_needs)

    def answer(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, subject: Any
    ) -> HttpResponse:
        """Show the form or the review, or do it; a second click lands on the result."""
        self.refuse_others(request, subject)
        response = self._answer(owner, request, subject)
        if CONFIRM not in request.POST or isinstance(response, HttpResponseRedirect):
            return response
        done = self.done_just_now(request, subject)
        return self._lead_on(request, done) if done else response

    def refuse_others(self, request: HttpRequest, subject: Any) -> None:
        """Raise `NotPermitted` for those who may not do this."""
        if not self.is_permitted(request):
            raise NotPermitted(*self.permissions, action=self.label, subject=subject)

    def _lead_on(self, request: HttpRequest, done: Done) -> HttpResponse:
        messages.add_message(request, done.level, done.notice)
        return HttpResponseRedirect(done.url)

    def _answer(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, subject: Any
    ) -> HttpResponse:
        if refusal := self.refusal(subject):
            return self._page(
                owner, request, subject, review=Review(refusal=refusal), status=409
            )
        try:
            return self._respond(owner, request, subject)
        except self.refusals as refused:
            review = Review(refusal=str(refused))
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in BUSY_STATES:
                raise
            review = Review(refusal=BUSY)
        return self._page(owner, request, subject, review=review, status=409)

    def _respond(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, subject: Any
    ) -> HttpResponse:
        """Ask, review or do; what is refused is raised."""
        data = request.POST if request.method == "POST" else None
        files = request.FILES if request.method == "POST" else None
        arguments = {"label_suffix": ""} | self.form_arguments(request, subject)
        form = self.form_class(data, files, **arguments)
        is_asking = self.asks_first and bool(form.fields)
        if is_asking and (data is None or BACK in data or not form.is_valid()):
            return self._page(owner, request, subject, form=form)
        is_confirmed = data is not None and CONFIRM in data and form.is_valid()
        turn = f"{self.url_name()}/{getattr(subject, 'pk', '')}"
        with one_at_a_time(turn) if is_confirmed else nullcontext():
            answers = form.cleaned_data if form.is_bound and form.is_valid() else {}
            review = self.review(request, subject, answers)
            if not is_confirmed or review.refusal or self.changes_nothing:
                return self._page(owner, request, subject, form=form, review=review)
            if request.POST.get(FINGERPRINT) != review.fingerprint:
                return self._page(
                    owner,
                    request,
                    subject,
                    form=form,
                    review=review,
                    has_changed=True,
                )
            done = self.perform(request, subject, answers)
        return self._lead_on(request, done)

    def back_url(self, subject: Any) -> str:
        """Return the page that the action was started from."""
        meta = self.model._meta
        base = f"admin:{meta.app_label}_{meta.model_name}"
        if subject is None:
            return reverse(f"{base}_changelist")
        return reverse(f"{base}_change", args=[subject.pk])

    def _page(
        self,
        owner: "ModelAdmin[Any]",
        request: HttpRequest,
        subject: Any,
        *,
        form: forms.Form | None = None,
        review: Review | None = None,
        has_changed: bool = False,
        status: int = 200,
    ) -> HttpResponse:
        shown = review or self.asking(request, subject)
        context = {
            **owner.admin_site.each_context(request),
            "opts": owner.model._meta,
            "original": subject,
            "title": self.label,
            "action": self,
            "form": form,
            "review": shown,
            "details": shown.context if shown else {},
            "has_changed": has_changed,
            "is_asking": review is None,
            "back_url": self.back_url(subject),
        }
        return TemplateResponse(request, self.template, context, status=status)


# lock_not_available, deadlock_detected, serialization_failure
BUSY_STATES = frozenset({"55P03", "40P01", "40001"})


class ObjectAction(Action):
    """An action of one object, at `<object id>/<slug>/` under its model."""

    @classmethod
    def url(cls, object_id: int) -> str:
        """Return the address of the action for one object."""
        return reverse(f"admin:{cls.url_name()}", args=[object_id])

    def view_of(self, owner: "ModelAdmin[Any]") -> Callable[..., HttpResponse]:
        """Return the view of this action in the pages of its model."""

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            subject = found_object(owner, request, object_id)
            return self.answer(owner, request, subject)

        return view


class ListAction(Action):
    """An action of a whole list, at `<slug>/` under its model."""

    @classmethod
    def url(cls) -> str:
        """Return the address of the action."""
        return reverse(f"admin:{cls.url_name()}")

    def view_of(self, owner: "ModelAdmin[Any]") -> Callable[..., HttpResponse]:
        """Return the view of this action in the pages of its model."""

        def view(request: HttpRequest) -> HttpResponse:
            if not owner.has_view_permission(request):
                raise NotPermitted(view_permission(owner), action=self.label)
            return self.answer(owner, request, None)

        return view


object_actions: list[ObjectAction] = []
list_actions: list[ListAction] = []

ObjectActionClass = TypeVar("ObjectActionClass", bound=type[ObjectAction])
ListActionClass = TypeVar("ListActionClass", bound=type[ListAction])


def object_action(action: ObjectActionClass) -> ObjectActionClass:
    """Register an action of one object."""
    object_actions.append(action())
    return action


def list_action(action: ListActionClass) -> ListActionClass:
    """Register an action of a list."""
    list_actions.append(action())
    return action


def every_action() -> Iterator[Action]:
    """Yield every registered action, for a test that walks action by role."""
    yield from object_actions
    yield from list_actions
