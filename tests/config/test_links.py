"""No page shows a way that its reader may not go: every link, for every role."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from invoicing.management.demo.company import load_demo
from tests.staff import client_of

ROLES = ("Finance clerk", "Finance manager", "Support", "Auditor")
# What is refused with a sentence that says what to do first is a way, too.
REFUSED_WITH_A_SENTENCE = 409
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where an anchor leads."""
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def kind(address: str) -> str:
    """Return what pages of one kind have in common: all but ids, days and filters."""
    return re.sub(r"/\d+(?=/|$)", "/#", urlsplit(address).path)


def links_on(page: Any, address: str) -> Iterator[str]:
    if page.status_code in {301, 302}:
        yield urljoin(address, page.headers["Location"])
    elif not page.streaming and "html" in page.headers.get("Content-Type", ""):
        links = Links()
        links.feed(page.content.decode())
        for found in links.found:
            yield urljoin(address, found).split("#")[0]


def dead_ends(client: Client) -> tuple[int, list[str]]:
    """Open one page of each kind that can be reached; return what may not be opened."""
    todo, known = [("/admin/", "")], {"/admin/"}
    dead: list[str] = []
    while todo:
        address, shown_on = todo.pop(0)
        page = client.get(address)
        if page.status_code >= 400 and page.status_code != REFUSED_WITH_A_SENTENCE:
            dead.append(f"{page.status_code} {address} on {shown_on}")
        for link in links_on(page, address):
            if link.startswith("/admin/") and kind(link) not in known:
                known.add(kind(link))
                todo.append((link, address))
    return len(known), dead


@pytest.mark.django_db
def test_every_link_leads_where_its_reader_may_go() -> None:
    with time_machine.travel(NOON, tick=False):
        load_demo(actor=User.objects.create(username="demo"), today=NOON.date())
        found = {role: dead_ends(client_of(role)) for role in ROLES}

    assert {role: dead for role, (_, dead) in found.items() if dead} == {}
    assert min(pages for pages, _ in found.values()) > 80
