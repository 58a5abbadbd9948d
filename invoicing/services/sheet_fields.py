"""The custom fields on a paper, written as its language writes them (F2).

An entry is what was copied when the invoice was generated: label, kind and value.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from customfields.domain.kinds import Kind, Stored
from invoicing.services.sheet_facts import Fact, filled
from invoicing.services.wording import Writer


def print_fields(
    write: Writer, entries: Iterable[Mapping[str, Stored]]
) -> dict[str, tuple[Fact, ...]]:
    """Return labelled values by contract number; "" has those of all contracts."""
    facts: defaultdict[str, tuple[Fact, ...]] = defaultdict(tuple)
    for entry in entries:
        value = _written(write, str(entry.get("kind", Kind.TEXT)), entry["value"])
        facts[str(entry.get("contract", ""))] += filled((str(entry["label"]), value))
    return dict(facts)


def _written(write: Writer, kind: str, value: Stored) -> str:
    if isinstance(value, bool):
        return write.say("Yes") if value else write.say("No")
    match kind:
        case Kind.DATE:
            return write.day(date.fromisoformat(value))
        case Kind.NUMBER:
            return write.number(Decimal(value))
        case _:
            return value
