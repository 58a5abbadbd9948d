"""How wide a text is on a paper, and which signs the papers' own fonts have.

The fonts come with the papers, so both are known before anything is laid out.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from django.conf import settings
from fontTools.ttLib import TTFont

MM_PER_POINT: Final = 25.4 / 72
USUAL_SIZE: Final = 9  # points, of all that document.css gives no size of its own
_FONTS: Final = settings.BASE_DIR / "templates" / "invoicing" / "documents" / "fonts"
# A sign of a font that is not ours: Chinese, Japanese and Korean ones are square.
_SQUARE: Final = 1.0
_UNKNOWN: Final = 2.0


def width(text: str, *, size: float = USUAL_SIZE) -> float:
    """Return the millimetres of a text on one line, at most; `size` is in points.

    Every text counts as if it were printed bold.

    >>> round(width("1,234.00"), 1), round(width("1,234.00", size=18), 1)
    (14.3, 28.7)
    """
    return sum(map(_advance, text)) * size * MM_PER_POINT


def is_in_fonts(sign: str) -> bool:
    """Tell whether the papers' own fonts have a sign."""
    return sign in _advances("Paper-Regular") or sign in _advances(
        "PaperFallback-Regular"
    )


@cache
def _advance(sign: str) -> float:
    for font in ("Paper-SemiBold", "PaperFallback-Regular"):
        if sign in _advances(font):
            return _advances(font)[sign]
    return _SQUARE if unicodedata.east_asian_width(sign) in "WF" else _UNKNOWN


@cache
def _advances(font: str) -> Mapping[str, float]:
    """Return how far each sign of a font moves the pen, as a part of its size."""
    with TTFont(_FONTS / f"{font}.ttf", lazy=True) as read:
        units, advances = read["head"].unitsPerEm, read["hmtx"].metrics
        return {
            chr(code): advances[glyph][0] / units
            for code, glyph in read.getBestCmap().items()
        }
