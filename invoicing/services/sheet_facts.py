"""Labelled values on a paper, and how they share the rows of its tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from invoicing.services.wording import plain

SHORT_LABEL: Final = 20
SHORT_VALUE: Final = 22


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
    facts: Iterable[Fact], *, label: int = SHORT_LABEL, value: int = SHORT_VALUE
) -> Blocks:
    """Put facts that need one line each together: a row of a table is what costs.

    `label` and `value` are the most signs that surely fit into one line of a column.
    """
    rows: list[Block] = []
    for is_short, run in groupby(facts, key=lambda fact: _is_short(fact, label, value)):
        together = tuple(run)
        rows.extend([together] if is_short else [(fact,) for fact in together])
    return tuple(rows)


def in_two_columns(facts: Iterable[Fact]) -> Columns:
    """Put facts that need one line each side by side, to be read downwards."""
    return tuple(_halved(block) for block in blocks(facts))


def _halved(block: Block) -> tuple[Block, Block]:
    half = (len(block) + 1) // 2
    return block[:half], block[half:]


def _is_short(fact: Fact, label: int, value: int) -> bool:
    return len(fact.label) <= label and len(fact.value) <= value
