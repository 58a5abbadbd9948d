"""The bundle for a portal: a ZIP of the papers, named as it asks, and a CSV index (F3).

It holds documents of one portal, and what belongs to them and waits to be submitted
too: replacement, old invoice and credit notes go together. It is written while it is
sent, one paper at a time, and its size is known and bounded before it begins. Making
one changes nothing.
"""

import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from billing.domain.money import plain_amount
from billing.domain.portal import DemandFacts
from billing.domain.portal_files import (
    SOURCES,
    field_source,
    file_name,
    left_out,
    split_source,
    unique_names,
)
from billing.models import PortalProfile
from customfields.domain.csv_cells import csv_line, plain_text
from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Kind
from customfields.models import CustomField
from invoicing.domain.portal import PortalState
from invoicing.models import Invoice, InvoiceRevision, PortalSubmission
from invoicing.queries.portal import asks_contracts, facts_of_documents
from invoicing.queries.portal_pairs import pairs_of
from invoicing.services.credit_documents import ensure_credit_paper
from invoicing.services.documents import ensure_revision
from invoicing.services.rendering import GlyphsMissing, PangoMissing
from invoicing.services.sheet_credit import NotIssuedIsNotPrinted

MOST_DOCUMENTS: Final = 100
MOST_BYTES: Final = 100_000_000
INDEX: Final = "index.csv"


class BundleNotPossible(ValueError):
    """Documents that make no bundle; the text says why and what to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleEntry:
    """A document of a bundle, the name of its file, and whether it came as a pair.

    `left_out` are the placeholders of which its name shows nothing.
    """

    submission: PortalSubmission
    name: str
    is_added: bool
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle holds, in the order of the index."""

    portal: PortalProfile
    entries: tuple[BundleEntry, ...]

    @property
    def file_name(self) -> str:
        """The safe name of the ZIP."""
        return (
            file_name(
                "{account}-{number}",
                {"account": self.portal.name, "number": "bundle"},
            ).removesuffix(".pdf")
            + ".zip"
        )


def plan_bundle(submissions: Collection[PortalSubmission]) -> Bundle:
    """Return the bundle of chosen documents and of the pairs that wait with them.

    Raises `BundleNotPossible`.
    """
    chosen = {row.pk: row for row in submissions}
    if not chosen:
        raise BundleNotPossible("Choose the documents first.")
    if void := [str(row) for row in chosen.values() if row.is_void]:
        raise BundleNotPossible(
            f"Void: {', '.join(void)}. Nothing void is uploaded; choose the others."
        )
    portals = {row.portal_id: row.portal for row in chosen.values()}
    if len(portals) > 1:
        named = ", ".join(sorted(portal.name for portal in portals.values()))
        raise BundleNotPossible(
            f"The chosen documents belong to several portals: {named}. Filter the list "
            "by portal and choose those of one."
        )
    (portal,) = portals.values()
    held = dict(chosen)
    for others in pairs_of(list(chosen.values())).values():
        for other in others:
            if other.state == PortalState.TO_SUBMIT and other.portal_id == portal.pk:
                held.setdefault(other.pk, other)
    if len(held) > MOST_DOCUMENTS:
        raise BundleNotPossible(
            f"With their pairs these are {len(held)} documents; a bundle holds at most "
            f"{MOST_DOCUMENTS}. Choose fewer."
        )
    rows = sorted(held.values(), key=lambda row: (row.issue_date, row.pk))
    values = [_placeholders(row) for row in rows]
    names = unique_names(file_name(portal.file_pattern, given) for given in values)
    return Bundle(
        portal=portal,
        entries=tuple(
            BundleEntry(
                submission=row,
                name=name,
                is_added=row.pk not in chosen,
                left_out=left_out(portal.file_pattern, given),
            )
            for row, name, given in zip(rows, names, values, strict=True)
        ),
    )


def make_papers(bundle: Bundle) -> None:
    """Have the papers of a bundle made and stored, so that sending it can't fail.

    Raises `BundleNotPossible`.
    """
    size = 0
    for entry in bundle.entries:
        try:
            size += len(document_pdf(entry.submission))
        except (PangoMissing, GlyphsMissing, NotIssuedIsNotPrinted) as hindrance:
            raise BundleNotPossible(f"{entry.submission}: {hindrance}") from hindrance
        if size > MOST_BYTES:
            raise BundleNotPossible(
                f"The papers are larger than {MOST_BYTES // 1_000_000} MB together. "
                "Choose fewer documents."
            )


def document_pdf(submission: PortalSubmission) -> bytes:
    """Return the stored paper of a document; it is made and stored where it is missing.

    Raises `PangoMissing`, `GlyphsMissing` and `NotIssuedIsNotPrinted`.
    """
    if submission.credit_note is not None:
        return bytes(ensure_credit_paper(note=submission.credit_note).pdf)
    return bytes(ensure_revision(invoice=submission.invoice).pdf)


def zip_chunks(bundle: Bundle) -> Iterator[bytes]:
    """Yield the ZIP piece by piece, a paper in memory at a time."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(
            _member(INDEX, bundle.entries[-1].submission), index_csv(bundle)
        )
        yield sink.taken()
        for entry in bundle.entries:
            pdf = document_pdf(entry.submission)
            archive.writestr(_member(entry.name, entry.submission), pdf)
            yield sink.taken()
    yield sink.taken()


def index_csv(bundle: Bundle) -> bytes:
    """Return the index of a bundle: UTF-8 with a mark, so that spreadsheets read it."""
    rows = [entry.submission for entry in bundle.entries]
    facts = facts_of_documents(rows, with_contracts=_shows_contracts(bundle.portal))
    replaced = dict(
        Invoice.objects.filter(
            pk__in=[row.invoice.replaces_id for row in rows if row.invoice.replaces_id]
        ).values_list("pk", "number")
    )
    columns = bundle.portal.index_columns
    numbers = _number_sources()
    lines = [csv_line(plain_text(column.header) for column in columns)]
    for entry in bundle.entries:
        row = entry.submission
        values = _values(
            entry, facts[row.pk], replaced.get(row.invoice.replaces_id or 0)
        )
        lines.append(
            csv_line(
                values[column.source]
                if column.source in SOURCES
                else _field_cell(column.source, facts[row.pk], numbers)
                for column in columns
            )
        )
    return "".join(lines).encode("utf-8-sig")


def _shows_contracts(portal: PortalProfile) -> bool:
    shown = {column.source for column in portal.index_columns}
    return "contracts" in shown or asks_contracts([portal])


def _placeholders(row: PortalSubmission) -> dict[str, str]:
    return {
        "number": str(row),
        "kind": "credit-note" if row.credit_note_id else "invoice",
        "issue_date": row.issue_date.isoformat(),
        "po_number": row.invoice.po_number,
        "account": row.invoice.account.number,
        "bill_group": row.bill_group.public_id,
    }


def _values(
    entry: BundleEntry, facts: DemandFacts, replaces: str | None
) -> dict[str, str]:
    """Return what each source of the fixed list shows of a document."""
    row = entry.submission
    invoice, document = row.invoice, row.document
    note = row.credit_note
    is_invoice = note is None
    currency = invoice.currency
    owners = {owner.owner: owner for owner in facts.owners}
    due = invoice.due_date.isoformat() if invoice.due_date else ""
    contracts = (o.name for o in facts.owners if o.owner is FieldObject.CONTRACT)
    bill_to = _bill_to(invoice) if is_invoice else document.bill_to
    texts = {
        "number": str(row),
        "po_number": facts.po_number,
        "account_number": invoice.account.number,
        "account_name": invoice.account.name,
        "bill_group_name": owners[FieldObject.BILL_GROUP].name,
        "bill_to": str(bill_to.get("name", "")),
        "customer_tax_id": facts.customer_tax_id,
        "seller_name": str(document.seller.get("name", "")),
        "seller_tax_id": facts.seller_tax_id,
        "contracts": ", ".join(contracts),
        "replaces": (replaces or "") if is_invoice else "",
        "credits": "" if is_invoice else str(invoice),
    }
    return {
        **{source: plain_text(text) for source, text in texts.items()},
        "kind": "invoice" if is_invoice else "credit note",
        "file_name": entry.name,
        "issue_date": row.issue_date.isoformat(),
        "due_date": due if is_invoice else "",
        "bill_date": invoice.bill_date.isoformat() if is_invoice else "",
        "bill_group": row.bill_group.public_id,
        "currency": currency,
        "subtotal": plain_amount(document.subtotal, currency),
        "tax": plain_amount(document.tax, currency),
        "total": plain_amount(document.total, currency),
        "amount_due": plain_amount(invoice.amount_due, currency) if is_invoice else "",
    }


def _bill_to(invoice: Invoice) -> dict[str, str]:
    revisions = InvoiceRevision.objects.filter(pk=invoice.current_revision_id or 0)
    stored = revisions.values_list("bill_to", flat=True).first()
    return dict(stored or invoice.bill_to)


def _number_sources() -> set[str]:
    fields = CustomField.objects.filter(kind=Kind.NUMBER)
    return {
        field_source(FieldObject(owner), key)
        for owner, key in fields.values_list("object", "key")
    }


def _field_cell(source: str, facts: DemandFacts, numbers: Collection[str]) -> str:
    """Return the values of a custom field, of several contracts each once."""
    shown = _values_of_field(source, facts)
    if len(shown) == 1 and source in numbers:
        return shown[0]  # a minus is no formula
    return plain_text(", ".join(shown))


def _values_of_field(source: str, facts: DemandFacts) -> list[str]:
    named = split_source(source)
    if named is None:
        return []
    owner, key = named
    found = [
        o.values[key] for o in facts.owners if o.owner is owner and key in o.values
    ]
    shown = [
        {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        for value in found
    ]
    return list(dict.fromkeys(shown))


def _member(name: str, row: PortalSubmission) -> zipfile.ZipInfo:
    day = row.issue_date
    member = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 0, 0, 0))
    member.external_attr = 0o644 << 16
    return member


class _Sink:
    """A file that can only be written to, and gives back what was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """Keep a piece until it is taken."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken
