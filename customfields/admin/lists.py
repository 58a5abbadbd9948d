"""Custom fields in the list of an owner: columns, filters, search, CSV (F2).

The fields of the list are read once a request, with one query; their values come with
the rows. A list has room for a few: `in_list` and `in_filter`, the first by position.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar, Final

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
)
from django.urls import URLPattern, path, reverse

from config.adminsite.csv_files import CHUNK, csv_response
from config.adminsite.model_admin import FinanceModelAdmin
from config.adminsite.registry import Link
from customfields.display import brief_value
from customfields.domain.csv_cells import csv_line, plain_text
from customfields.domain.definition import (
    MOST_COLUMNS,
    MOST_FILTERS,
    FieldDefinition,
    FieldObject,
)
from customfields.domain.kinds import Kind
from customfields.domain.values import csv_cell
from customfields.filters import BlankFilterSet, custom_filterset
from customfields.forms.owner import field_name
from customfields.queries import definitions, definitions_in_list, search_values

MOST_FOUND: Final = 500
COLUMN_PREFIX: Final = "cf:"


class CustomFieldLists(FinanceModelAdmin):
    """A list with the custom fields of its object, and its export.

    `fields_in_sight` have room on a usual screen, `most_fields` on the widest.
    `export_columns` are the columns of the file that are no custom fields: name and
    what an object has in it.
    """

    custom_fields_object: ClassVar[FieldObject]
    amounts_last: ClassVar[bool] = False
    most_fields: ClassVar[int] = MOST_COLUMNS
    fields_in_sight: ClassVar[int] = MOST_COLUMNS
    export_columns: ClassVar[tuple[tuple[str, Callable[[Any], str]], ...]] = ()

    def list_definitions(self, request: HttpRequest) -> tuple[FieldDefinition, ...]:
        """Return the fields that the list shows or filters by, read once a request."""
        name = f"_listed_fields_{self.custom_fields_object}"
        if not hasattr(request, name):
            setattr(request, name, definitions_in_list(self.custom_fields_object))
        found: tuple[FieldDefinition, ...] = getattr(request, name)
        return found

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Add the columns of the first fields."""
        shown = (d for d in self.list_definitions(request) if d.in_list)
        columns = [
            _column(definition, is_extra=place >= self.fields_in_sight)
            for place, definition in enumerate(islice(shown, self.most_fields))
        ]
        own = tuple(super().get_list_display(request))
        return (
            (*own[:-2], *columns, *own[-2:]) if self.amounts_last else (*own, *columns)
        )

    def column_class(self, column: Any) -> str:
        """Give way on narrow screens."""
        if callable(column):
            return str(getattr(column, "classes", ""))
        return super().column_class(column)

    def get_filterset_class(self, request: HttpRequest) -> Any:
        """Add the filters of the first fields."""
        offered = offered_filters(self.list_definitions(request))
        base = super().get_filterset_class(request)
        if not offered:
            return base
        return custom_filterset(base or BlankFilterSet, offered)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the words of values too."""
        rows, repeats = super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return rows, repeats
        return with_values(rows, queryset, search_term), repeats

    def list_links(self, request: HttpRequest) -> list[Link]:
        """Offer the list as a file, filtered as it is."""
        links = super().list_links(request)
        if not self.export_columns:
            return links
        meta = self.model._meta
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_export_csv")
        asked = request.GET.urlencode()
        return [
            *links,
            Link(label="Export CSV", url=f"{url}?{asked}" if asked else url),
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        if not self.export_columns:
            return super().get_urls()
        meta = self.model._meta
        view = self.admin_site.admin_view(self.export_view)
        name = f"{meta.app_label}_{meta.model_name}_export_csv"
        return [path("export-csv/", view, name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> Any:
        """Send what the list shows at the same address, all pages of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changes: Any = self.get_changelist_instance(request)
        if changes.filterset is not None and not changes.filterset.is_valid():
            return unreadable_filters()
        fields = definitions(self.custom_fields_object)
        name = str(self.model._meta.verbose_name_plural).replace(" ", "_")
        return csv_response(self._csv_lines(changes.queryset, fields), f"{name}.csv")

    def _csv_lines(
        self, rows: QuerySet[Any], fields: tuple[FieldDefinition, ...]
    ) -> Iterator[str]:
        columns = [name for name, _ in self.export_columns]
        yield csv_line([*columns, *custom_columns(fields)])
        for row in rows.iterator(chunk_size=CHUNK):
            own = [plain_text(read(row)) for _, read in self.export_columns]
            yield csv_line([*own, *custom_cells(fields, row.custom_fields)])


def offered_filters(fields: Sequence[FieldDefinition]) -> list[FieldDefinition]:
    """Return the fields that a list filters by."""
    return [field for field in fields if field.in_filter][:MOST_FILTERS]


def with_values(found: QuerySet[Any], rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return what a search found, and the rows with values of its words."""
    holders = search_values(rows.model._default_manager.all(), text)
    ids = list(holders.values_list("pk", flat=True)[:MOST_FOUND])
    # Ids, because a subquery beside an OR reads every row.
    return found | rows.filter(pk__in=ids) if ids else found


def custom_columns(fields: Sequence[FieldDefinition]) -> list[str]:
    """Return the names of the columns of fields, as a file to import has them."""
    return [f"{COLUMN_PREFIX}{definition.key}" for definition in fields]


def custom_cells(
    fields: Sequence[FieldDefinition], values: dict[str, Any]
) -> list[str]:
    """Return the cells of an owner's values, as a file to import has them."""
    return [csv_cell(definition, values.get(definition.key)) for definition in fields]


def unreadable_filters() -> HttpResponse:
    """Refuse filters that the list can't read either."""
    return HttpResponseBadRequest(
        "These filters can't be read. Go back and set them again.",
        content_type="text/plain; charset=utf-8",
    )


def _column(definition: FieldDefinition, *, is_extra: bool) -> Callable[[Any], str]:
    def read(owner: Any) -> str:
        stored = owner.custom_fields.get(definition.key)
        return "" if stored is None else brief_value(definition, stored)

    read.__name__ = field_name(definition.key)
    setattr(read, "short_description", definition.label)  # noqa: B010 (not typed)
    room = "w1 w0" if is_extra else "w1"
    align = "num" if definition.kind is Kind.NUMBER else "ell cf"
    setattr(read, "classes", f"{align} {room}")  # noqa: B010
    return read
