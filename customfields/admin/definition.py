"""Settings > Custom Fields (F1), logged by Django's own admin log."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.adminsite.model_admin import FinanceModelAdmin
from customfields.choices import OWNERS
from customfields.domain.definition import FieldObject
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
    list_display = (
        "label",
        "key",
        "object",
        "kind",
        "required",
        "printed",
        "position",
        "archived",
    )
    list_filter = ("object", "kind", "archived")
    search_fields = ("label", "key")
    ordering = ("object", "position", "id")
    fieldsets = (
        (None, {"fields": ("object", "label", "key", "kind", "choices")}),
        (
            "On forms",
            {"fields": ("required", "default", "help_text", "position")},
        ),
        ("Use", {"fields": ("printed", "archived", "held_by")}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: CustomField | None = None
    ) -> tuple[str, ...]:
        """Object, key and type are chosen once."""
        return ("held_by",) if obj is None else (*FIXED, "held_by")

    @admin.display(description="Values")
    def held_by(self, field: CustomField) -> str:
        """Say how many owners hold a value."""
        if field._state.adding:
            return "None yet."
        words = OWNERS[FieldObject(field.object)]
        count = count_holders(field)
        if not count:
            return f"No {words.singular} holds a value. The field can be deleted."
        held = "holds" if count == 1 else "hold"
        return f"{words.counted(count)} {held} a value. The field can be archived."

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
