"""A postal address as a value: what stands on a paper, frozen when it is printed."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Recipient and postal address; `country` is an ISO 3166 alpha-2 code or blank."""

    name: str
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the address as a plain mapping, the form that documents store."""
        return asdict(self)
