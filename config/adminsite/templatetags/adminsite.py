"""Tags of the frame: rows and heads of a list with the skin's classes, links."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_headers, results
from django.utils.safestring import SafeString, mark_safe

from config.adminsite.actions import ListAction, ObjectAction
from config.adminsite.pages import ObjectPage

register = template.Library()


@register.simple_tag
def list_heads(cl: Any) -> list[dict[str, Any]]:
    """Return the heads of a list, each with the classes of its column."""
    heads = []
    for name, head in zip(cl.list_display, result_headers(cl), strict=True):
        extra = cl.model_admin.column_class(name)
        attributes = str(head.get("class_attrib", "")).replace(
            'class="', f'class="{extra} ', 1
        )
        # Django made it of field names, we of our own class names.
        heads.append(head | {"class_attrib": mark_safe(attributes)})  # noqa: S308
    return heads


@register.simple_tag
def list_rows(cl: Any) -> Iterator[tuple[str, list[SafeString]]]:
    """Yield the rows of a list: the class of the row, and its cells."""
    classes = [cl.model_admin.column_class(name) for name in cl.list_display]
    for subject, cells in zip(cl.result_list, results(cl), strict=True):
        yield (
            cl.model_admin.row_class(subject),
            [
                _with_class(cell, extra)
                for cell, extra in zip(cells, classes, strict=True)
            ],
        )


def _with_class(cell: SafeString, extra: str) -> SafeString:
    if not extra:
        return cell
    # The cell was escaped where it was made; `extra` is a literal of ours.
    return mark_safe(cell.replace('class="', f'class="{extra} ', 1))  # noqa: S308


@register.simple_tag
def action_url(action: ObjectAction | ListAction, subject: Any = None) -> str:
    """Return where an action is, of an object or of a list."""
    if isinstance(action, ObjectAction):
        return action.url(subject.pk)
    return action.url()


@register.filter
def initials(user: Any) -> str:
    """Return two letters that stand for a user."""
    name = user.get_full_name() or user.get_username()
    parts = name.replace(".", " ").split()
    if len(parts) > 1:
        return f"{parts[0][:1]}{parts[-1][:1]}".upper()
    return str(name[:2]).upper()


@register.simple_tag
def chosen(choices: list[dict[str, Any]]) -> str:
    """Return what a filter is set to; empty when it lets everything through."""
    for choice in choices[1:]:
        if choice["selected"]:
            return str(choice["display"])
    return ""


@register.filter
def page_url(page: ObjectPage, subject: Any) -> str:
    """Return where a page of an object is."""
    return page.url(subject.pk)


@register.filter
def is_filled(value: Any) -> bool:
    """Tell whether a filter is set; a range is when either half is."""
    return any(value) if isinstance(value, list) else bool(value)


@register.filter
def chosen_text(field: Any) -> str:
    """Write what a filter is set to: the label of a choice, a range by its halves."""
    value = field.value()
    if isinstance(value, list):
        low, high = (_half(half) for half in (*value, "", "")[:2])
        if low and high:
            return f"{low} to {high}"
        return f"from {low}" if low else f"to {high}"
    choices = getattr(field.field, "choices", ())
    labels = {str(choice): label for choice, label in choices}
    return str(labels.get(str(value), value))


def _half(value: Any) -> str:
    """Write a half of a range; a date of the address as people read it."""
    try:
        day = date.fromisoformat(str(value or ""))
    except ValueError:
        return str(value or "")
    return f"{day.day} {day:%b %Y}"


@register.filter
def plain_label(field: Any) -> SafeString:
    """Return the label of an admin field, without a colon, named by its kind."""
    classes = "required" if field.field.field.required else ""
    attributes = {"class": classes} if classes else {}
    label: SafeString = field.field.label_tag(attrs=attributes, label_suffix="")
    return label
