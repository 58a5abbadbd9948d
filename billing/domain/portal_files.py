"""File names and the CSV index of a portal's bundle: what a profile can ask for (F3).

A pattern names a document's PDF from a fixed list of placeholders; whatever is put in
for one, the name is a safe one: letters, digits, dots, hyphens and underscores of
ASCII, no path, not hidden. Columns of the index name a source each, of a fixed list or
a custom field (`account.key`, `bill_group.key`, `contract.key`, `invoice.key`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from customfields.domain.definition import FieldObject
from customfields.domain.kinds import InvalidValue, Kind, parse

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "number": "the number of the document",
    "kind": "invoice or credit-note",
    "issue_date": "the date of issue, YYYY-MM-DD",
    "po_number": "the PO number",
    "account": "the account number",
    "bill_group": "the id of the bill group",
}
EXAMPLE: Final[Mapping[str, str]] = {
    "number": "INV-000123",
    "kind": "invoice",
    "issue_date": "2026-03-31",
    "po_number": "4500019934",
    "account": "A-1042",
    "bill_group": "BG-000123",
}
DEFAULT_PATTERN: Final = "{number}"
LONGEST_PATTERN: Final = 100
LONGEST_NAME: Final = 120
SUFFIX: Final = ".pdf"
LONGEST_HEADER: Final = 60
MOST_COLUMNS: Final = 60
FORMULA_STARTS: Final = ("=", "+", "-", "@")

SOURCES: Final[Mapping[str, str]] = {
    "number": "number of the document",
    "kind": "invoice or credit note",
    "file_name": "name of its PDF in the bundle",
    "issue_date": "date of issue, YYYY-MM-DD",
    "due_date": "due date; blank for a credit note",
    "bill_date": "bill date; blank for a credit note",
    "po_number": "PO number",
    "currency": "currency",
    "subtotal": "sum before tax",
    "tax": "tax",
    "total": "total with tax",
    "amount_due": "what is still due; blank for a credit note",
    "account_number": "account number",
    "account_name": "name of the account",
    "bill_group": "id of the bill group",
    "bill_group_name": "name of the bill group",
    "bill_to": "name that is billed",
    "customer_tax_id": "tax id of the customer",
    "seller_name": "name of the seller",
    "seller_tax_id": "tax id of the seller",
    "contracts": "numbers of the contracts",
    "replaces": "number of the invoice that it replaces",
    "credits": "number of the invoice that a credit note credits",
}
DEFAULT_COLUMNS: Final = (
    ("Document", "number"),
    ("Kind", "kind"),
    ("File", "file_name"),
    ("Date", "issue_date"),
    ("Due", "due_date"),
    ("PO number", "po_number"),
    ("Currency", "currency"),
    ("Net", "subtotal"),
    ("Tax", "tax"),
    ("Total", "total"),
    ("Replaces", "replaces"),
    ("Credits", "credits"),
)

_PARTS: Final = re.compile(r"\{([^{}]*)\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9 ._-]*")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class InvalidPattern(ValueError):
    """A file name pattern that can't be used; the text says why and what could."""


class InvalidColumns(ValueError):
    """Columns that can't be written; the text says which line and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the index: what stands above it, and what it shows."""

    header: str
    source: str


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that is unsafe or names no document; raises `InvalidPattern`.

    >>> check_pattern("{po_number}_{number}")
    """
    if len(pattern) > LONGEST_PATTERN:
        raise InvalidPattern(
            f"It has {len(pattern)} characters; at most {LONGEST_PATTERN} fit."
        )
    placed = _PARTS.findall(pattern)
    for name in placed:
        if name not in PLACEHOLDERS:
            raise InvalidPattern(
                f"There is no placeholder {{{name}}}. There are "
                f"{', '.join(f'{{{known}}}' for known in PLACEHOLDERS)}."
            )
    if not _LITERAL.fullmatch(_PARTS.sub("", pattern)):
        raise InvalidPattern(
            "Besides placeholders in braces, use letters without accents, digits, "
            "blanks, dots, hyphens and underscores."
        )
    if "number" not in placed:
        raise InvalidPattern("Put {number} into it: it tells the files apart.")


def file_name(pattern: str, values: Mapping[str, str]) -> str:
    """Return the safe name of a document's PDF; `values` are by placeholder.

    One that is too long loses signs of its longest parts, never of the number.

    >>> file_name("{po_number} {number}", {"po_number": "../P 7", "number": "INV-1"})
    'P_7_INV-1.pdf'
    """
    parts = {name: values.get(name, "") for name in _PARTS.findall(pattern)}
    others = parts.keys() - {"number"}
    name = _named(pattern, parts)
    while (over := len(name) - LONGEST_NAME) > 0 and any(map(parts.get, others)):
        longest = max(others, key=lambda part: len(parts[part]))
        parts[longest] = parts[longest][:-over]
        name = _named(pattern, parts)
    return name[:LONGEST_NAME].rstrip("._-") + SUFFIX


def _named(pattern: str, parts: Mapping[str, str]) -> str:
    return _safe(_PARTS.sub(lambda part: parts[part[1]], pattern))


def left_out(pattern: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the placeholders of a pattern of which a document's name shows nothing.

    Nothing is made up for them: a name that the customer reads holds only what is true.

    >>> left_out("{po_number}_{number}", {"po_number": " ", "number": "INV-1"})
    ('po_number',)
    """
    return tuple(
        name
        for name in dict.fromkeys(_PARTS.findall(pattern))
        if not _plain(values.get(name, ""))
    )


def _safe(text: str) -> str:
    return _plain(text) or "document"


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNSAFE.sub("_", plain).strip("._-")


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in their order, each once in a folder that ignores case.

    >>> unique_names(["a.pdf", "A.pdf", "b.pdf"])
    ('a.pdf', 'A-2.pdf', 'b.pdf')
    """
    taken: set[str] = set()
    given: list[str] = []
    for name in names:
        stem, count, free = name.removesuffix(SUFFIX), 1, name
        while free.casefold() in taken:
            count += 1
            free = f"{stem}-{count}{SUFFIX}"
        taken.add(free.casefold())
        given.append(free)
    return tuple(given)


def field_source(owner: FieldObject, key: str) -> str:
    """Return the source of a custom field.

    >>> field_source(FieldObject.BILL_GROUP, "portal_id")
    'bill_group.portal_id'
    """
    return f"{owner.value.lower()}.{key}"


def split_source(source: str) -> tuple[FieldObject, str] | None:
    """Return whose custom field a source is, and its key; None for one of the list.

    >>> split_source("bill_group.portal_id")
    (<FieldObject.BILL_GROUP: 'BILL_GROUP'>, 'portal_id')
    """
    owner, dot, key = source.partition(".")
    if not dot or owner.upper() not in set(FieldObject):
        return None
    return FieldObject(owner.upper()), key


def parse_columns(text: str, *, fields: Collection[str]) -> tuple[Column, ...]:
    r"""Read columns, one a line: `Header = source`; a source alone is its own header.

    `fields` are the sources of custom fields. Raises `InvalidColumns`.

    >>> [c.header for c in parse_columns("Invoice no = number\ntotal", fields=())]
    ['Invoice no', 'total']
    """
    columns: list[Column] = []
    seen: set[str] = set()
    for line, written in enumerate(text.splitlines(), start=1):
        if not written.strip():
            continue
        header, _, source = (part.strip() for part in written.rpartition("="))
        column = Column(header=header or source, source=source)
        if fault := _column_fault(column, fields, seen):
            raise InvalidColumns(f"Line {line}: {fault}")
        seen.add(column.header.casefold())
        columns.append(column)
    if not columns:
        raise InvalidColumns("Write at least one column, for example: Number = number")
    if len(columns) > MOST_COLUMNS:
        raise InvalidColumns(
            f"There are {len(columns)} columns; at most {MOST_COLUMNS} fit."
        )
    return tuple(columns)


def _column_fault(column: Column, fields: Collection[str], seen: set[str]) -> str:
    if column.source not in SOURCES and column.source not in fields:
        return (
            f"there is no {column.source or 'blank source'} to show. Take one of the "
            "list, as: Header = source"
        )
    try:
        parse(Kind.TEXT, column.header)
    except InvalidValue as fault:
        return f"the header can't be used. {fault}"
    if len(column.header) > LONGEST_HEADER:
        return f"the header has more than {LONGEST_HEADER} characters."
    if column.header.startswith(FORMULA_STARTS):
        return "a spreadsheet would run this header as a formula. Begin with a letter."
    if column.header.casefold() in seen:
        return f"the header {column.header} is there twice."
    return ""


def write_columns(columns: Iterable[Column]) -> str:
    """Return columns as they are typed, one a line."""
    return "\n".join(f"{column.header} = {column.source}" for column in columns)
