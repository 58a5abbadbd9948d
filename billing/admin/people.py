"""Users and groups: Django's own, in the skin; permissions come with groups."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.http import HttpRequest

from config.adminsite.model_admin import FinanceModelAdmin

admin.site.unregister(User)
admin.site.unregister(Group)

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
else:
    UserAdminBase = UserAdmin

HIDDEN_APPS = ("admin", "contenttypes", "sessions", "django_q")


@admin.register(User)
class DuebookUserAdmin(FinanceModelAdmin, UserAdminBase):
    """People who log in. What they may do comes with their groups."""

    list_display = ("username", "full_name", "groups_of", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser")
    list_note = "What a person may do comes with their groups."
    ordering = ("username",)
    sortable_by = ("username",)
    filter_horizontal = ()
    column_classes = {
        "username": "m1",
        "full_name": "m4",
        "groups_of": "w2",
        "is_active": "m2",
        "last_login": "m5",
    }
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "May do",
            {"fields": ("groups", ("is_active", "is_staff", "is_superuser"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Read the groups of all users at once."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave the password to those who may set it."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return shown
        return ((None, {"fields": ("username",)}), *shown[1:])

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        """Show the person's name."""
        return user.get_full_name()

    @admin.display(description="groups")
    def groups_of(self, user: User) -> str:
        """Show what the person may do."""
        names = [group.name for group in user.groups.all()]
        return ", ".join(["Administrator", *names] if user.is_superuser else names)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the groups as boxes to tick."""
        kwargs["widget"] = forms.CheckboxSelectMultiple
        kwargs["help_text"] = ""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            field.help_text = ""
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are made inactive, because what they did names them."""
        return False


@admin.register(Group)
class DuebookGroupAdmin(FinanceModelAdmin, GroupAdmin):
    """Groups and their permissions; the four that we make are kept up on migrate."""

    list_display = ("name",)
    list_note = "Finance clerk, Finance manager, Support and Auditor are kept up by us."
    filter_horizontal = ()
    sortable_by = ()
    column_classes = {"name": "m1"}

    def formfield_for_manytomany(
        self, db_field: Any, request: Any = None, **kwargs: Any
    ) -> Any:
        """Offer the permissions of our own models as boxes to tick."""
        field: Any = admin.ModelAdmin.formfield_for_manytomany(
            self, db_field, request, widget=forms.CheckboxSelectMultiple, **kwargs
        )
        if field is not None:
            field.help_text = ""
            field.queryset = (
                Permission.objects.exclude(content_type__app_label__in=HIDDEN_APPS)
                .select_related("content_type")
                .order_by("content_type__app_label", "content_type__model", "codename")
            )
            field.label_from_instance = lambda permission: permission.name
        return field
