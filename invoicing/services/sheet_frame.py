"""What every paper has, whatever it claims: from whom, to whom, when, and its taxes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from invoicing.services.sheet_facts import Blocks, Fact, filled
from invoicing.services.sheet_parties import Party, print_logo, print_party
from invoicing.services.wording import Writer, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Head and foot of a paper; `mark` is written across it, "" for none.

    `logo` is a JPEG in base64 or "". `page` and `of` number its pages.
    """

    language: str
    page: str
    of: str
    mark: str
    title: str
    logo: str
    seller: Party
    seller_facts: tuple[Fact, ...]
    bill_to: Party
    facts: Blocks


def compose_frame(
    write: Writer,
    *,
    title: str,
    mark: str,
    seller: Mapping[str, str],
    bill_to: Mapping[str, str],
    facts: Blocks,
) -> Frame:
    """Return head and foot of a paper between a stored seller and bill-to."""
    return Frame(
        language=write.locale.language,
        page=write.say("Page"),
        of=write.say("of"),
        mark=mark,
        title=title,
        logo=print_logo(seller),
        seller=print_party(write, seller),
        seller_facts=filled(
            (write.say("Tax id"), seller.get("tax_id", "")),
            (write.say("Email"), seller.get("email", "")),
        ),
        bill_to=print_party(write, bill_to),
        facts=facts,
    )


def print_sums(
    write: Writer, *, subtotal: Decimal, taxes: Iterable[Mapping[str, str]]
) -> Iterable[Fact]:
    """Return the subtotal and the tax of each rate, as a document stored them."""
    yield Fact(label=write.say("Subtotal"), value=write.amount(subtotal))
    for tax in taxes:
        yield _tax(write, tax)


def _tax(write: Writer, tax: Mapping[str, str]) -> Fact:
    percent = write.percent(Decimal(tax["percent"]))
    taxable = write.amount(Decimal(tax["taxable"]))
    name = plain(tax["name"])
    if not name or name == f"{tax['percent']} %":  # a rate that an import made
        name = write.say("Tax")
    return Fact(
        label=write.say(
            "{tax} {percent} of {amount}", tax=name, percent=percent, amount=taxable
        ),
        value=write.amount(Decimal(tax["tax"])),
    )
