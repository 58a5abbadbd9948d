"""Labelled values on a paper, and how they share the rows of its tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from invoicing.services.lettering import width
from invoicing.services.wording import plain

# Millimetres that document.css leaves of the columns.
LABEL: Final = 32
VALUE: Final = 36
SUM_LABEL: Final = 100
SUM: Final = 42
LONG_SUM: Final = 60
TOTAL_SIZE: Final = 10  # points


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A labelled value."""

    label: str
    value: str


Block = tuple[Fact, ...]
Blocks = tuple[Block, ...]
Columns = tuple[tuple[Block, Block], ...]


def filled(*pairs: tuple[str, str]) -> tuple[Fact, ...]:
    """Return the facts of labels and values as typed, empty ones left out."""
    facts = (Fact(label=plain(label), value=plain(value)) for label, value in pairs)
    return tuple(fact for fact in facts if fact.value)


def blocks(
    facts: Iterable[Fact], *, label: float = LABEL, value: float = VALUE
) -> Blocks:
    """Put facts that need one line each together: a row of a table is what costs.

    `label` and `value` are the widths of the columns in mm. What takes two lines of
    either has a row of its own, or what stands below it would lose its label.
    """
    rows: list[Block] = []
    for is_short, run in groupby(facts, key=lambda fact: _is_short(fact, label, value)):
        together = tuple(run)
        rows.extend([together] if is_short else [(fact,) for fact in together])
    return tuple(rows)


def sum_blocks(facts: Iterable[Fact]) -> Blocks:
    """Put the sums below a table together."""
    return blocks(facts, label=SUM_LABEL, value=LONG_SUM)


def are_long(facts: Iterable[Fact], *totals: str) -> bool:
    """Tell whether sums, or totals in large print, need a wider column than usual."""
    return any(width(fact.value) > SUM for fact in facts) or any(
        width(total, size=TOTAL_SIZE) > SUM for total in totals
    )


def in_two_columns(facts: Iterable[Fact]) -> Columns:
    """Put facts that need one line each side by side, to be read downwards."""
    return tuple(_halved(block) for block in blocks(facts))


def _halved(block: Block) -> tuple[Block, Block]:
    half = (len(block) + 1) // 2
    return block[:half], block[half:]


def _is_short(fact: Fact, label: float, value: float) -> bool:
    return _fits(fact.label, label) and _fits(fact.value, value)


def _fits(text: str, room: float) -> bool:
    return "\n" not in text and width(text) <= room
