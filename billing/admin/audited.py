"""Forms whose changes leave one audit entry, in the transaction of the change (M5)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest

from billing.services import audit
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import FinanceModelAdmin


class AuditedAdmin(FinanceModelAdmin):
    """A form whose saving writes `<audit_code>.added` or `<audit_code>.changed`.

    The entry holds the changed fields before and after, those of inline rows too.
    """

    audit_code: ClassVar[str]

    def audit_subject(self, subject: Any) -> str:
        """Return the name under which the change is found."""
        return str(subject)

    def audit_owners(self, subject: Any) -> dict[str, int]:
        """Return the ids by which the entry is found (`account_id`, ...)."""
        return {}

    def save_related(
        self,
        request: HttpRequest,
        form: "ModelForm[Any]",
        formsets: "list[BaseInlineFormSet[Any, Any, Any]]",
        change: bool,  # noqa: FBT001 Django's signature
    ) -> None:
        """Save the inline rows, then record all that was changed."""
        super().save_related(request, form, formsets, change)
        before, after = changed_fields(form)
        for formset in formsets:
            for row in formset.forms:
                if row.has_changed():
                    row_before, row_after = changed_fields(row)
                    name = f"{row.instance._meta.verbose_name} {row.instance.pk or ''}"
                    before[name.strip()] = row_before
                    after[name.strip()] = (
                        "removed" if row.cleaned_data.get("DELETE") else row_after
                    )
        if change and not after:
            return
        owners = self.audit_owners(form.instance)
        audit.record(
            f"{self.audit_code}.{'changed' if change else 'added'}",
            actor=actor_of(request),
            subject=self.audit_subject(form.instance)[:200],
            before=before if change else {},
            after=after,
            account_id=owners.get("account_id"),
            bill_group_id=owners.get("bill_group_id"),
            contract_id=owners.get("contract_id"),
        )


def changed_fields(form: "ModelForm[Any]") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a form changed, before and after, as JSON."""
    before, after = {}, {}
    for name in form.changed_data:
        before[name] = _named(form, name, form.initial.get(name))
        after[name] = plain(form.cleaned_data.get(name))
    return before, after


def _named(form: "ModelForm[Any]", name: str, value: Any) -> Any:
    """Return an initial value; a row is named, as the form holds its id only."""
    field = form.fields.get(name)
    if not isinstance(field, ModelChoiceField) or field.queryset is None:
        return plain(value)
    chosen = None if value is None else field.queryset.filter(pk=value).first()
    return plain(value if chosen is None else chosen)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it; rows by their names, the rest as text.

    A row whose key is a text is named by it: a logo by its sha256.
    """
    if isinstance(value, Model):
        return value.pk if isinstance(value.pk, str) else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)
