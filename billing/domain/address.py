"""A postal address as a value: what stands on a paper, frozen when it is printed."""

from typing import NamedTuple


class Address(NamedTuple):
    """Recipient and postal address; `country` is an ISO 3166 alpha-2 code or blank."""

    name: str
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def is_given(self) -> bool:
        """Whether anything but the name and a second line is filled in."""
        return bool(self.line1 or self.city or self.postal_code or self.country)

    def as_dict(self) -> dict[str, str]:
        """Return the address as a plain mapping, the form that documents store."""
        return self._asdict()
