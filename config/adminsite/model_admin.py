"""What every page of a model has: its actions, its cheap lists, its plain fields.

Only what the skin needs is loaded: no jQuery, native date fields, foreign keys without
the icons for pop-ups. Objects are not deleted unless a subclass says so.
"""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.forms.widgets import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from config.adminsite import registry
from config.adminsite.actions import Action, ObjectAction, list_actions, object_actions
from config.adminsite.bulk import bulk_actions
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.fields import PlainDecimalField
from config.adminsite.pages import ObjectPage, object_pages
from config.adminsite.paginator import CappedPaginator

if TYPE_CHECKING:
    ModelAdminBase = admin.ModelAdmin[Any]
    StackedInlineBase = admin.StackedInline[Any, Any]
    InlineFormSetBase = forms.BaseInlineFormSet[Any, Any, Any]
else:
    ModelAdminBase = admin.ModelAdmin
    StackedInlineBase = admin.StackedInline
    InlineFormSetBase = forms.BaseInlineFormSet


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class FinanceModelAdmin(ModelAdminBase):
    """A ModelAdmin with object actions, list actions and lists that stay fast.

    `column_classes` places a column on narrow screens and aligns it (see the skin:
    m1-m6, num, w1, w2); `facts` is the line under the title. A list that many look at
    for its work only opens with the filters of `opening`; `all_done` says that nothing
    is left of it. What has a form has a page of the changes made on it.
    """

    empty_value_display = "\N{EN DASH}"
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    actions_on_top = False
    actions_on_bottom = True
    save_on_top = False
    view_on_site = False
    filterset_class: ClassVar[Any] = None
    column_classes: ClassVar[dict[str, str]] = {}
    list_note: ClassVar[str] = ""
    opening: ClassVar[dict[str, str]] = {}
    all_done: ClassVar[str] = ""
    has_form: ClassVar[bool] = True
    formfield_overrides = {
        models.DateField: {"widget": DateInput},
        models.DecimalField: {"localize": False, "form_class": PlainDecimalField},
    }

    @property
    def media(self) -> Media:
        """Nothing but the skin's own script."""
        return Media()

    def column_class(self, column: Any) -> str:
        """Return the class of a column of the list."""
        return self.column_classes.get(column, "")

    def get_filterset_class(self, request: HttpRequest) -> Any:
        """Return the filter set of the list; None: it has none."""
        return self.filterset_class

    def list_links(self, request: HttpRequest) -> list[registry.Link]:
        """Return links above the list that are no actions, such as exports."""
        return []

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the change list with filter sets and capped counts."""
        return FinanceChangeList

    def found(
        self, rows: models.QuerySet[Any], text: str
    ) -> models.QuerySet[Any] | None:
        """Return the rows that a search finds; None: search as Django does."""
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Search where something was typed."""
        if search_term.strip():
            found = self.found(queryset, search_term.strip())
            if found is not None:
                return found, False
        return super().get_search_results(request, queryset, search_term)

    def row_class(self, subject: Any) -> str:
        """Return the class of a row: `pencil` for what is only planned."""
        return ""

    def row_url(self, subject: Any) -> str:
        """Return where the row of a list leads; empty: to the form."""
        return ""

    def facts(self, subject: Any) -> list[str]:
        """Return the line of facts under the title."""
        return []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted, unless a subclass allows it."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the pages and actions registered for this model."""
        wrap = self.admin_site.admin_view
        of_list = [
            path(f"{action.slug}/", wrap(action.view_of(self)), name=action.url_name())
            for action in list_actions
            if action.model is self.model
        ]
        below: list[ObjectPage | ObjectAction] = [*object_pages, *object_actions]
        of_object = [
            path(
                f"<path:object_id>/{page.slug}/",
                wrap(page.view_of(self)),
                name=page.url_name(),
            )
            for page in below
            if page.model is self.model
        ]
        return [*of_list, *of_object, *super().get_urls()]

    def object_buttons(self, request: HttpRequest, subject: Any) -> list[Action]:
        """Return the actions to offer for an object."""
        return [
            action
            for action in object_actions
            if action.model is self.model and action.is_offered(request, subject)
        ]

    def list_buttons(self, request: HttpRequest) -> list[Action]:
        """Return the actions to offer above the list."""
        return [
            action
            for action in list_actions
            if action.model is self.model and action.is_permitted(request)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the registered bulk actions to those who may."""
        return {
            action.slug: (action.function(), action.slug, action.label)
            for action in bulk_actions
            if action.model is self.model and request.user.has_perm(action.permission)
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open with filters; add the buttons above; refuse what is not permitted.

        The filters stand in the address, so that the page shows and clears them.
        """
        if self._opens(request):
            return HttpResponseRedirect(f"?{urlencode(self.opening)}")
        asked = request.POST.get("action")
        for action in bulk_actions:
            if action.model is self.model and action.slug == asked:
                action.refuse_others(request)
        context = {
            "list_buttons": self.list_buttons(request),
            "list_links": self.list_links(request),
            "list_note": self.list_note,
        }
        response = super().changelist_view(request, context | (extra_context or {}))
        shown: Any = getattr(response, "context_data", None)
        if shown and "cl" in shown:
            shown |= self.list_context(request, shown["cl"])
        return response

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Return what the list's template shows besides; nothing by default."""
        return {}

    def _opens(self, request: HttpRequest) -> bool:
        """Tell whether the list is opened without a word on what to show."""
        is_bare = request.method == "GET" and not request.GET
        return (
            bool(self.opening)
            and is_bare
            and self.has_view_or_change_permission(request)
        )

    def render_change_form(  # noqa: PLR0917 Django's signature
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 Django's signature
        change: bool = False,  # noqa: FBT001, FBT002 Django's signature
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add the object's actions, its pages, its panels and its facts."""
        context |= self.form_context(request, obj)
        if obj is not None:
            buttons = self.object_buttons(request, obj)
            in_menu = [button for button in buttons if button.tone == "danger"]
            if in_menu == buttons:  # what a reader's work is stands in the open
                in_menu = []
            context |= {
                "object_buttons": [one for one in buttons if one not in in_menu],
                "menu_buttons": in_menu,
                "object_pages": [
                    page
                    for page in object_pages
                    if page.model is self.model and page.is_offered(obj)
                ],
                "object_panels": [
                    panel
                    for make in registry.object_panels.get(self.model, ())
                    if (panel := make(request, obj))
                ],
                "facts": self.facts(obj),
                "has_form": self.has_form,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the template of an object's page shows besides.

        Nothing by default; `obj` is None while one is being added.
        """
        return {}

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Show foreign keys plainly, without pop-ups."""
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if formfield and isinstance(formfield.widget, RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
        return formfield


class ReadOnlyAdmin(FinanceModelAdmin):
    """Pages that show and never change: what services write."""

    has_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed here."""
        return False


class FinanceInlineFormSet(InlineFormSetBase):
    """Rows of a form; where one is needed, none is refused."""

    default_error_messages = forms.BaseFormSet.default_error_messages | {
        "too_few_forms": "Add at least one."
    }


class FinanceStackedInline(StackedInlineBase):
    """Rows of another model on a form, each a card; `duebook.js` adds and removes."""

    formset = FinanceInlineFormSet
    formfield_overrides = FinanceModelAdmin.formfield_overrides
    classes = ("lines",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Insist on the rows that are needed."""
        kwargs.setdefault("validate_min", bool(self.min_num))
        return super().get_formset(request, obj, **kwargs)

    @property
    def media(self) -> Media:
        """Nothing but the skin's own script."""
        return Media()

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Show foreign keys plainly, without pop-ups."""
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if formfield and isinstance(formfield.widget, RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
        return formfield
