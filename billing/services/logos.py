"""Logos: a file that somebody uploaded becomes a small flat picture, or is refused.

What is printed is never the file itself but what was drawn anew from its pixels, so
that nothing else it may carry (metadata, colour profiles, code) gets into a paper.
"""

import hashlib
import warnings
from io import BytesIO
from typing import Final

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from billing.models import Logo

FORMATS: Final = ("PNG", "JPEG")
MOST_BYTES: Final = 1_000_000
MOST_PIXELS: Final = 20_000_000
LARGEST: Final = (827, 213)  # 70 x 18 mm at 300 dpi, as papers print it at most
PAPER: Final = "white"
AS_GOOD_AS_LOSSLESS: Final = 95


class LogoRefused(ValueError):
    """A file that makes no logo; the text says why and what would."""


def draw_logo(content: bytes) -> Logo:
    """Return an unsaved logo of a PNG or JPEG file: RGB on white, at most 827 x 213.

    A file of at most 1 MB and 20 million pixels; the same picture gives the same logo.
    Raises `LogoRefused`.
    """
    if len(content) > MOST_BYTES:
        raise LogoRefused("The logo's file is larger than 1 MB. Choose a smaller one.")
    picture = BytesIO()
    _flat(content).save(picture, format="PNG", optimize=True)
    png = picture.getvalue()
    return Logo(sha256=hashlib.sha256(png).hexdigest(), png=png)


def keep_logo(logo: Logo) -> None:
    """Store a logo unless it is there already."""
    Logo.objects.bulk_create([logo], ignore_conflicts=True)


def printed_logo(logo: Logo) -> bytes:
    """Return a stored logo as a JPEG, in full colour, as good as the eye can tell.

    It goes into a PDF as it is; a PNG is unpacked and packed anew for every paper.
    """
    printed = BytesIO()
    with Image.open(BytesIO(logo.png)) as picture:
        picture.save(
            printed, format="JPEG", quality=AS_GOOD_AS_LOSSLESS, subsampling="4:4:4"
        )
    return printed.getvalue()


def _flat(content: bytes) -> Image.Image:
    # Pillow's switch is one for the whole process, and WeasyPrint turns it on.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                _check_size(opened)
                mode = "RGBA" if opened.has_transparency_data else "RGB"
                upright = ImageOps.exif_transpose(opened).convert(mode).convert("RGBA")
    except UnidentifiedImageError as fault:
        raise LogoRefused(
            "The logo's file is neither PNG nor JPEG, whatever its name says. "
            "Save it as PNG and upload that."
        ) from fault
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise _too_many_pixels() from fault
    except (OSError, SyntaxError, ValueError, EOFError) as fault:
        if isinstance(fault, LogoRefused):
            raise
        raise LogoRefused(
            "The logo's file is damaged. Save it as PNG again and upload that."
        ) from fault
    upright.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", upright.size, PAPER)
    return Image.alpha_composite(paper, upright).convert("RGB")


def _check_size(picture: Image.Image) -> None:
    """Look at the size that the file claims, before any of it is unpacked."""
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> LogoRefused:
    return LogoRefused(
        "The logo has more than 20 million pixels. 827 x 213 are enough; scale it down."
    )
