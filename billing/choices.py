"""Labels and badge tones of the words that billing stores.

The values are the StrEnums of `billing.domain`; here they get what people read and
the tone of their badge (pencil, ink, done, wait, stop, out, past, struck).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from billing.domain.bill_group import BillGroupStatus, DeliveryMethod, InvoicingMode


@dataclass(frozen=True, slots=True)
class Badge:
    """What a reader sees of a stored value."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class ChoiceSet:
    """The values of one enum with their badges; iterates as Django choices.

    >>> list(BILL_GROUP_STATUSES)[0]
    ('ACTIVE', 'Active')
    """

    badges: Mapping[StrEnum, Badge]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((value.value, badge.label) for value, badge in self.badges.items())

    def badge(self, value: str) -> Badge:
        """Return the badge of a stored value; KeyError for a value not in the set."""
        return next(badge for key, badge in self.badges.items() if key == value)

    def condition_values(self) -> list[str]:
        """Return the stored values, for check constraints."""
        return [value.value for value in self.badges]


BILL_GROUP_STATUSES = ChoiceSet(
    {
        BillGroupStatus.ACTIVE: Badge("Active", "ink"),
        BillGroupStatus.INACTIVE: Badge("Inactive", "past"),
        BillGroupStatus.CANCELED: Badge("Canceled", "struck"),
    }
)

# Active, but its next invoice is made by hand (G4).
BILL_GROUP_AWAITING = Badge("Waits for you", "wait")

INVOICING_MODES = ChoiceSet(
    {
        InvoicingMode.AUTOMATIC: Badge("Automatic", "ink"),
        InvoicingMode.MANUAL: Badge("Manual", "past"),
    }
)

DELIVERY_METHODS = ChoiceSet(
    {
        DeliveryMethod.EMAIL: Badge("Mail", "ink"),
        DeliveryMethod.PORTAL: Badge("Portal", "out"),
        DeliveryMethod.BOTH: Badge("Mail and portal", "out"),
        DeliveryMethod.NONE: Badge("None", "past"),
    }
)
