"""Settings > Custom Fields (F1), logged by Django's own admin log."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.adminsite.model_admin import FinanceModelAdmin
from customfields.choices import OWNERS
from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Kind
from customfields.forms.definition import CustomFieldForm
from customfields.models import CustomField
from customfields.queries import count_holders
from customfields.services import (
    FieldHoldsValues,
    delete_field,
    refuse_deletion_of_held,
)

FIXED = ("object", "key", "kind")


@admin.register(CustomField)
class CustomFieldAdmin(FinanceModelAdmin):
    """Staff define fields here; they are used from the next request on."""

    form = CustomFieldForm
    list_display = ("label", "object", "kind", "key", "remarks")
    list_filter = ("object", "kind", "archived")
    list_note = "Fields of your own. A new one is on the next page that is opened."
    search_fields = ("label", "key")
    search_help_text = "Label or key"
    ordering = ("object", "position", "id")
    sortable_by = ()
    column_classes = {
        "label": "m1",
        "object": "m4",
        "kind": "m5",
        "key": "w2",
        "remarks": "",
    }
    fieldsets = (
        (None, {"fields": (("object", "kind"), ("label", "key"), "choices")}),
        (
            "On forms",
            {"fields": ("required", "default", ("help_text", "position"))},
        ),
        ("Use", {"fields": ("printed", ("in_list", "in_filter"), "archived")}),
    )

    @admin.display(description="remarks")
    def remarks(self, field: CustomField) -> str:
        """Say what is special about a field."""
        said = {
            "required": field.required,
            f"{len(field.retired)} choices no longer offered": bool(field.retired),
            "shown on the invoice": field.printed,
            "archived": field.archived,
        }
        return ", ".join(text for text, holds in said.items() if holds)

    def facts(self, subject: CustomField) -> list[str]:
        """Say how many owners hold a value: then it is archived, not deleted."""
        words = OWNERS[FieldObject(subject.object)]
        count = count_holders(subject)
        held = words.counted(count) if count else f"No {words.singular}"
        verb = "hold" if count > 1 else "holds"
        return [
            subject.get_object_display(),
            subject.key,
            f"{held} {verb} a value",
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: CustomField | None = None
    ) -> tuple[str, ...]:
        """Object, key and type are chosen once."""
        return () if obj is None else FIXED

    def get_fieldsets(
        self, request: HttpRequest, obj: CustomField | None = None
    ) -> Any:
        """Ask what becomes of held choices where there can be any."""
        (_, first), *others = super().get_fieldsets(request, obj)
        if obj is None or obj.kind != Kind.CHOICE:
            return [(None, first), *others]
        return [(None, {"fields": (*first["fields"], "keep_held")}), *others]

    def has_delete_permission(
        self, request: HttpRequest, obj: CustomField | None = None
    ) -> bool:
        """A definition can go; `delete_field` refuses one that holds values."""
        return request.user.has_perm("customfields.delete_customfield")

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Refuse a field that holds values, and say how many."""
        field = self.get_object(request, unquote(object_id))
        try:
            if field is not None and self.has_delete_permission(request, field):
                refuse_deletion_of_held(field)
            return super().delete_view(request, object_id, extra_context)
        except FieldHoldsValues as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            change = reverse("admin:customfields_customfield_change", args=[object_id])
            return HttpResponseRedirect(change)

    def delete_model(self, request: HttpRequest, obj: CustomField) -> None:
        """Delete a definition that nothing holds a value of."""
        delete_field(field=obj)
