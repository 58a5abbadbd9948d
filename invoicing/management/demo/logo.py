"""The logo of the demo company: a ship's bow in a harbour, and its name."""

from io import BytesIO
from typing import Final

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

_FONT: Final = (
    settings.BASE_DIR / "templates/invoicing/documents/fonts/Paper-SemiBold.ttf"
)
_INK: Final = "#1b2130"
_SEA: Final = "#2f6f8f"
_SIZE: Final = (1720, 440)


def nordhaven_logo() -> bytes:
    """Return the logo as a PNG, twice as large as it is kept, for smooth edges."""
    picture = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 20, 400, 420), radius=84, fill=_INK)
    draw.polygon([(104, 292), (104, 120), (200, 292)], fill="white")
    draw.polygon([(296, 120), (296, 292), (200, 120)], fill="white")
    draw.rounded_rectangle((104, 324, 296, 346), radius=11, fill=_SEA)
    font = ImageFont.truetype(str(_FONT), 216)
    draw.text((472, 216), "Nordhaven", font=font, fill=_INK, anchor="lm")
    file = BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()
