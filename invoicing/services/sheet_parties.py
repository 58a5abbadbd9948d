"""Who writes and who is written to: names, addresses and the logo of a paper."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from billing.domain.address import Address
from billing.models import Logo
from billing.services.logos import printed_logo
from invoicing.services.wording import Writer, plain

WINDOW_COLUMNS: Final = 40
WINDOW_ROWS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A name and the address lines below it.

    One that `is_tall` needs the notes' zone of a window envelope too (DIN 5008).
    """

    name: str
    lines: tuple[str, ...]
    is_tall: bool


def print_party(write: Writer, stored: Mapping[str, str]) -> Party:
    """Return a stored name and address as they are printed."""
    parts = ("name", "line1", "line2", "city", "region", "postal_code", "country")
    address = Address(**{part: stored.get(part, "") for part in parts})
    name, lines = plain(address.name), write.address(address)
    rows = sum(-(-len(line) // WINDOW_COLUMNS) for line in (name, *lines))
    return Party(name=name, lines=lines, is_tall=rows > WINDOW_ROWS)


def print_logo(seller: Mapping[str, str]) -> str:
    """Return the logo that an invoice stored, a JPEG in base64, or "" for none (M3)."""
    name = seller.get("logo", "")
    return _printed(name) if name else ""


@lru_cache(maxsize=8)
def _printed(name: str) -> str:
    """Draw a logo once in a process: its name is its content's."""
    return b64encode(printed_logo(Logo.objects.get(pk=name))).decode()
