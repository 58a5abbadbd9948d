"""The list of a model, filtered by a filter set and counted up to a cap."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict


class FinanceChangeList(ChangeList):
    """Django's list, with the model admin's `filterset_class` beside its filters."""

    model_admin: Any
    filterset: Any = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        model_admin = kwargs.get("model_admin") or args[10]
        filterset_class = model_admin.get_filterset_class(request)
        if filterset_class is not None:
            self.filterset = filterset_class(
                request.GET, queryset=model_admin.model._default_manager.none()
            )
        self.given = request.GET.dict()
        super().__init__(request, *args, **kwargs)

    def get_filters_params(
        self, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Leave the filter set's parameters to the filter set."""
        found: dict[str, Any] = super().get_filters_params(params)
        if self.filterset is None:
            return found
        own = self._own_parameters
        return {name: value for name, value in found.items() if name not in own}

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Any]:
        """Filter by the filter set too; a value it refuses finds nothing."""
        rows = super().get_queryset(request, exclude_parameters)
        if self.filterset is None:
            return rows
        if not self.filterset.is_valid():
            return rows.none()
        filtered: QuerySet[Any] = self.filterset.filter_queryset(rows)
        return filtered

    def url_for_result(self, result: Any) -> str:
        """Link a row to the page that its model admin names, or to its form."""
        url: str = self.model_admin.row_url(result) or super().url_for_result(result)
        return url

    @property
    def filterset_is_active(self) -> bool:
        """Tell whether the filter set narrows the list."""
        return self.filterset is not None and any(
            self.filterset.data.get(name) for name in self._own_parameters
        )

    @property
    def everything(self) -> str:
        """The address of the whole list; one that opens filtered has blank filters."""
        blank = dict.fromkeys(self.model_admin.opening, "")
        return f"?{urlencode(blank)}"

    @property
    def is_as_opened(self) -> bool:
        """Tell whether the list shows what it opens with, and nothing else."""
        asked = {name: value for name, value in self.given.items() if value}
        return bool(asked) and asked == self.model_admin.opening

    @property
    def _own_parameters(self) -> set[str]:
        """The parameters that belong to the filter set, ranges in both halves."""
        if self.filterset is None:
            return set()
        fields = set(self.filterset.form.fields)
        return fields | {
            f"{field}_{half}"
            for field in fields
            for half in ("min", "max", "after", "before", "_from", "_to")
        }

    @property
    def kept_parameters(self) -> list[tuple[str, str]]:
        """The parameters of the address that a search or filter form carries on."""
        given: MultiValueDict[str, str] = MultiValueDict(self.filter_params)
        own = self._own_parameters
        return [
            (name, value)
            for name, values in given.lists()
            for value in values
            if name not in own
        ]
