"""From HTML to PDF, by WeasyPrint: the only module that knows it.

WeasyPrint costs seconds to import and needs the Pango libraries, so it is imported when
the first paper is rendered; stylesheet, fonts and their configuration are then kept for
the life of the process. The same HTML gives the same bytes on one machine: there is no
date and no random name in the file.

Papers are written as XML, so that expat reads them in a tenth of the time that a parser
for whatever the web calls HTML would take. Nothing is ever fetched but the stylesheet's
own fonts, whatever a paper asks for; pictures stand in the paper itself.
"""

import logging
import re
import threading
import warnings
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from cssselect2 import ElementWrapper
from django.conf import settings

logger = logging.getLogger(__name__)

PANGO_PACKAGES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
MORE_FONTS: Final = "fonts-noto-cjk fonts-noto-core"
_FOLDER: Final[Path] = settings.BASE_DIR / "templates" / "invoicing" / "documents"
_PICTURE: Final = re.compile(r"data:(image/(?:png|jpeg));base64,(.*)", re.DOTALL)
_OPTIONS: Final = {"pdf_variant": "pdf/a-3b", "output_intent": "sRGB"}
_ONE_AT_A_TIME: Final = threading.Lock()  # Pango's fonts are not for two threads


class PangoMissing(RuntimeError):
    """This machine can't make PDFs; the text says what to install."""

    def __init__(self) -> None:
        super().__init__(
            "No PDF can be made because the Pango libraries are missing: "
            f"apt-get install {PANGO_PACKAGES} (macOS: brew install pango)."
        )


class GlyphsMissing(RuntimeError):
    """Signs that no font has; the paper would show empty boxes in their place."""

    def __init__(self, signs: Iterable[str]) -> None:
        named = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in signs)
        super().__init__(
            f"No font on this machine has {named}, so the paper can't be printed. "
            f"Install a font that has it, for example: apt-get install {MORE_FONTS}."
        )


class FetchRefused(ValueError):
    """A paper asked for something from outside; it is printed without it."""


@dataclass(frozen=True, slots=True)
class Press:
    """WeasyPrint, with the stylesheet, fonts and colours that all papers share."""

    paper: Any
    stylesheet: Any
    fonts: Any
    colours: Any
    fetcher: Any


def render(html: str) -> bytes:
    """Return a PDF/A-3b of HTML, as XML, that uses the stylesheet of the papers.

    Raises `PangoMissing` and `GlyphsMissing`.
    """
    with _ONE_AT_A_TIME, _noticing_missing_glyphs() as missing:
        press = load_press()
        pdf: bytes = press.paper(html, press.fetcher).write_pdf(
            stylesheets=[press.stylesheet],
            font_config=press.fonts,
            color_profiles={"sRGB": press.colours},
            **_OPTIONS,
        )
    if missing:
        raise GlyphsMissing(missing)
    return pdf


@contextmanager
def _noticing_missing_glyphs() -> Iterator[list[str]]:
    """Collect the signs for which WeasyPrint warns that it draws an empty box."""
    missing: list[str] = []

    class Noticing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if str(record.msg).startswith(".notdef") and isinstance(record.args, tuple):
                sign = str(record.args[0])
                if sign not in missing:
                    missing.append(sign)

    logger, noticing = logging.getLogger("weasyprint"), Noticing(logging.WARNING)
    logger.addHandler(noticing)
    try:
        yield missing
    finally:
        logger.removeHandler(noticing)


@cache
def load_press() -> Press:
    """Import WeasyPrint and read stylesheet and fonts, once in a process.

    Raises `PangoMissing`.
    """
    logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    weasyprint = _import_weasyprint()

    class PackagedFilesOnly(weasyprint.urls.URLFetcher):  # type: ignore[misc,name-defined]
        def fetch(self, url: str, headers: object = None) -> Any:
            """Return a packaged font or a picture in the HTML; refuse all else."""
            if picture := _PICTURE.fullmatch(url):
                return weasyprint.urls.URLFetcherResponse(
                    url,
                    b64decode(picture[2], validate=True),
                    {"Content-Type": picture[1]},
                )
            font = _FOLDER / "fonts" / url.rpartition("/")[2]
            if url != font.as_uri() or font.suffix != ".ttf":
                raise FetchRefused(f"A paper asked for {url}.")
            return weasyprint.urls.URLFetcherResponse(url, font.read_bytes())

    class Paper(weasyprint.HTML):  # type: ignore[misc,name-defined]
        def __init__(self, html: str, fetcher: Any) -> None:
            """Read the HTML as XML: all that is not Duebook's in it was escaped."""
            root = ET.fromstring(html)  # noqa: S314
            self.wrapper_element = ElementWrapper.from_html_root(root)
            self.etree_element = self.wrapper_element.etree_element
            self.base_url = None
            self.url_fetcher = fetcher
            self.media_type = "print"

        def _ua_stylesheets(self, forms: bool = False) -> list[Any]:  # noqa: FBT001, FBT002
            """Return none: what papers need of it stands in their own stylesheet."""
            return []

    fonts = weasyprint.text.fonts.FontConfiguration()
    fetcher = PackagedFilesOnly()
    stylesheet = weasyprint.CSS(
        string=(_FOLDER / "document.css").read_text(encoding="utf-8"),
        base_url=_FOLDER.as_uri() + "/",
        url_fetcher=fetcher,
        font_config=fonts,
    )
    return Press(
        paper=Paper,
        stylesheet=stylesheet,
        fonts=fonts,
        colours=_read_colours(weasyprint),
        fetcher=fetcher,
    )


def _read_colours(weasyprint: Any) -> Any:
    """Read the colour profile that PDF/A asks for, once; WeasyPrint would each time.

    Its name is read here: the profile gives other bytes from then on, and the first
    paper of a process would differ from the next.
    """
    file = resources.files("weasyprint.pdf") / "sRGB2014.icc"
    profile = weasyprint.css.ColorProfile(
        BytesIO(file.read_bytes()),
        "sRGB2014.icc",
        "relative-colorimetric",
        (["r"], ["g"], ["b"]),
    )
    logger.debug("Papers are printed in %s.", profile.name)
    return profile


def _import_weasyprint() -> Any:
    try:
        # It prints what it misses, and warns of what its next version will need.
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)
            import weasyprint
            import weasyprint.css
            import weasyprint.text.fonts
            import weasyprint.urls
    except OSError as fault:
        raise PangoMissing from fault
    return weasyprint
