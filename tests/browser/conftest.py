"""A real browser on a live server; without Chromium these tests say so and are skipped.

The live server answers from the test's own process, on 127.0.0.1 only.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.staff import person

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


def pytest_configure(config: pytest.Config) -> None:
    config.option.liveserver = config.option.liveserver or "127.0.0.1"
    config.addinivalue_line("markers", "browser: opens pages in Chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed, so no page was opened in a browser.")
    # Playwright runs a loop of its own in this thread; the database is not behind it.
    # Beside a loop Django keeps other connections. Those of before are closed, or a
    # forked process, which has no loop, would find them open and share its parent's.
    # Those beside the loop are closed with it: nobody else could reach them.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    connections.close_all()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()
        connections.close_all()


class Staff:
    """Someone at a browser, who notices every error of the console."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.is_wide = (page.viewport_size or WIDE)["width"] == WIDE["width"]
        self.errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: object) -> None:
        if getattr(message, "type", "") == "error":
            self.errors.append(getattr(message, "text", ""))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def press(self, name: str) -> None:
        """Press a button or follow a link by its words, and wait for the page."""
        found = self.page.get_by_role("button", name=name, exact=True)
        if not found.count():
            found = self.page.get_by_role("link", name=name, exact=True)
        found.first.click()
        self.page.wait_for_load_state("load")

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)

    @property
    def text(self) -> str:
        return self.page.inner_text("main")

    def accept(self) -> None:
        """The page has no serious fault, no console error, and fits the screen."""
        errors, self.errors = self.errors, []
        assert errors == [], f"console of {self.page.url}"
        too_wide = self.page.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        assert too_wide <= 0, f"{self.page.url} is {too_wide} px too wide"
        found = [
            (violation["id"], [node["target"] for node in violation["nodes"]][:3])
            for violation in Axe().run(self.page).response["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]
        assert found == [], f"axe on {self.page.url}"
        self.errors = []  # axe reads style sheets in ways that the policy forbids


@pytest.fixture(params=["wide_light", "narrow_dark"])
def staff(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[Staff]:
    """A finance manager who has logged in through the form."""
    user = person("Finance manager")
    user.set_password("a good passphrase")
    user.save()
    is_wide = request.param == "wide_light"
    context = browser.new_context(
        viewport=WIDE if is_wide else NARROW,  # type: ignore[arg-type]
        color_scheme="light" if is_wide else "dark",
    )
    someone = Staff(context.new_page(), live_server.url)
    someone.open("/admin/")
    someone.fill("Username", user.username)
    someone.fill("Password", "a good passphrase")
    someone.press("Log in")
    yield someone
    context.close()
