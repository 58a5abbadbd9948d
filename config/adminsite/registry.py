"""What the apps' admin packages hand to the site: work, panels, counts, search hits.

The site knows no app. Each app registers callables here when its admin package is
imported; they are asked once a request, and each looks at the user's permissions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db.models import Model
from django.http import HttpRequest

NOBODY: Final = "Nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A row of *Needs a person*: how many, what, why, for how much, and where."""

    count: int
    label: str
    detail: str
    url: str
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel of the dashboard: a template and what it shows."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One thing that the global search found; `is_exact` when it is what was typed."""

    kind: str
    title: str
    detail: str
    url: str
    is_exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A count beside a door of the navigation, with the word for it."""

    door: str
    count: int
    noun: str
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A button of the dashboard; `tone` is a class such as `default`."""

    label: str
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A request that was refused: what, on what, what it needs, and who may."""

    action: str
    subject: Model | None
    permissions: tuple[str, ...]
    who: str

    @property
    def is_for_others(self) -> bool:
        """Tell whether somebody may do it."""
        return self.who not in {"", NOBODY}

    @property
    def sentence(self) -> str:
        """Say who may do it; `who` is empty where no permission would help."""
        what = self.action
        if self.subject is not None:
            what += f" ({self.subject._meta.verbose_name} {self.subject})"
        if self.who == NOBODY:
            return f"{what}: nobody does this by hand, whatever their permissions."
        if not self.who:
            return f"{what}: there is nothing here for you."
        return f"{what} is for {self.who}."


today_links: list[Callable[[HttpRequest], Iterable[Link]]] = []
work: list[Callable[[HttpRequest], Iterable[WorkItem]]] = []
main_panels: list[Callable[[HttpRequest], Panel | None]] = []
side_panels: list[Callable[[HttpRequest], Panel | None]] = []
# Panels beside an object's form, for pages that have room for them.
object_panels: dict[type[Model], list[Callable[[HttpRequest, Any], Panel | None]]] = {}
counts: list[Callable[[HttpRequest], Iterable[Count]]] = []
searches: list[Callable[[HttpRequest, str], Iterable[SearchHit]]] = []
suggestions: dict[str, Callable[[HttpRequest, str], Iterable[tuple[str, str]]]] = {}
# What the server refused; whoever is registered notes it.
refused: list[Callable[[HttpRequest, Refused], None]] = []
