"""What filters of lists need and the library does otherwise."""

from typing import Any

import django_filters
from django import forms


class DaysField(django_filters.fields.RangeField):
    """Two days, either of which may be missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        halves = (forms.DateField(required=False), forms.DateField(required=False))
        super().__init__(*args, fields=halves, **kwargs)


class DaysFilter(django_filters.RangeFilter):
    """Between two days, both included.

    The library's own makes points in time of them, in the time zone of the page; Django
    makes days of those again, in UTC, which may be the days before.
    """

    field_class = DaysField
