"""The paper of an invoice (M1, M3, M7, D1, D2)."""

import hashlib
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from django.conf import settings
from django.db import connection
from PIL import Image, ImageChops, ImageOps
from pypdf import PdfReader

from billing.models import AuditEvent
from billing.services.logos import draw_logo, keep_logo, printed_logo
from invoicing.models import Invoice, InvoiceRevision
from invoicing.services import documents, rendering
from invoicing.services.documents import (
    DraftIsNotKept,
    current_pdf,
    ensure_revision,
    render_html,
    render_pdf,
    store_revision,
)
from invoicing.services.rendering import GlyphsMissing
from invoicing.services.sheet import VoidIsNotPrinted
from tests.invoicing.services.printed import (
    BILL_TO,
    SELLER,
    add_line,
    draft_invoice,
    issue,
    issued_invoice,
)

pytestmark = pytest.mark.django_db
NO_BREAK = "\u00a0"
TO = "\u2013"


def text_of(invoice: Invoice) -> str:
    """Return what the paper says, one cell or paragraph after the other."""
    return "\n".join(pages_of(render_html(invoice)))


def pages_of(html: str) -> list[str]:
    """Return the text of each page as laid out, its margins included."""
    press = rendering.load_press()
    laid_out = press.paper(html, press.fetcher).render(
        stylesheets=[press.stylesheet], font_config=press.fonts
    )
    return ["\n".join(_texts(page._page_box)) for page in laid_out.pages]


def unpacked(pdf: bytes) -> bytes:
    """Return a PDF with its streams unpacked."""
    return pdf + b"".join(
        zlib.decompress(packed)
        for packed in re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL)
    )


def _texts(box: Any) -> Iterator[str]:
    if hasattr(box, "text"):
        yield box.text
    for child in getattr(box, "children", ()):
        yield from _texts(child)


def test_paper_says_everything_a_customer_needs() -> None:
    paper = text_of(issued_invoice())

    for words in (
        "Nordhaven Systems GmbH",
        "DE136695976",
        "Halden Robotics GmbH",
        "24143 Kiel",
        "Germany",
        "2 Mar 2026",
        "1 Mar 2026",
        "1 Apr 2026",
        "4500123987",
        "DE287410556",
        "Cost centre",
        "4410",
        "Contract C-2025-0192",
        "Robot seats",
        f"1{TO}31 Mar 2026",
        "36.00",
        "13,740.00",
        f"VAT 19{NO_BREAK}% of 13,740.00",
        "2,610.60",
        f"16,350.60{NO_BREAK}EUR",
        "DE89 3704 0044 0532 0130 00",
        "COBADEFFXXX",
        "Page 1 of 1",
    ):
        assert words in paper


@pytest.mark.parametrize(
    ("currency", "amount", "printed"),
    [
        pytest.param("JPY", "1200.000", "1,200", id="yen_has_no_decimals"),
        pytest.param("KWD", "1200.500", "1,200.500", id="dinar_has_three_decimals"),
        pytest.param("EUR", "1200.500", "1,200.50", id="euro_has_two_decimals"),
        pytest.param("HUF", "1200.500", "1,200.50", id="forint_has_two_by_iso"),
        pytest.param(
            "EUR",
            "999999999999999.990",
            "999,999,999,999,999.99",
            id="more_than_a_float_holds",
        ),
    ],
)
def test_amounts_have_the_digits_of_their_currency(
    currency: str, amount: str, printed: str
) -> None:
    """M1: digits by ISO 4217, never through a float."""
    total = Decimal(amount)
    invoice = draft_invoice(
        0, currency=currency, subtotal=total, tax=0, total=total, taxes=[]
    )
    add_line(invoice, amount=total, tax_name="", tax_percent=None)

    paper = text_of(issue(invoice)).splitlines()

    assert printed in paper
    assert f"{printed}{NO_BREAK}{currency}" in paper


def test_lines_stand_under_their_contract() -> None:
    invoice = draft_invoice(0)
    add_line(invoice, position=1, contract_number="C-1", product_name="Alpha")
    add_line(invoice, position=2, contract_number="C-1", product_name="Beta")
    add_line(invoice, position=3, contract_number="C-2", product_name="Gamma")

    paper = text_of(issue(invoice))

    words = ("Contract C-1", "Alpha", "Beta", "Contract C-2", "Gamma")
    places = [paper.index(word) for word in words]
    assert places == sorted(places)
    assert paper.count("Contract C-1") == 1


@pytest.mark.parametrize(
    ("start", "end", "printed"),
    [
        pytest.param((2026, 3, 5), (2026, 3, 5), "5 Mar 2026", id="one_day"),
        pytest.param(
            (2026, 3, 5), (2026, 4, 4), f"5 Mar {TO} 4 Apr 2026", id="two_months"
        ),
        pytest.param(
            (2025, 12, 5), (2026, 1, 4), f"5 Dec 2025 {TO} 4 Jan 2026", id="two_years"
        ),
    ],
)
def test_periods_are_inclusive_and_name_the_month(
    start: tuple[int, int, int], end: tuple[int, int, int], printed: str
) -> None:
    invoice = draft_invoice(0)
    add_line(invoice, period_start=date(*start), period_end=date(*end))

    assert printed in text_of(issue(invoice))


def test_discount_and_tax_columns_are_there_when_lines_differ() -> None:
    plain = text_of(issued_invoice())
    mixed = draft_invoice(1)
    add_line(mixed, position=2, discount_percent="12.5", tax_percent="7")

    paper = text_of(issue(mixed))

    assert "Discount" not in plain
    assert f"\u221212.5{NO_BREAK}%" in paper
    assert f"\n7{NO_BREAK}%\n" in paper


@pytest.mark.parametrize(
    ("quantity", "unit_price", "detail", "printed"),
    [
        pytest.param(
            "300",
            None,
            [("100", "0.5", "50"), ("150", "0.40", "60.00")],
            "included\nnext\nnext\n50\n100\n150\n0.50\n0.40\n50.00\n60.00",
            id="graduated_after_included_units",
        ),
        pytest.param(
            "250",
            None,
            [("250", "0.4567", "114.1750")],
            "all\n250\n0.4567\n114.175",
            id="volume",
        ),
        pytest.param("20", "0.10", [], "included\n20", id="all_of_it_included"),
    ],
)
def test_usage_shows_how_it_was_priced(
    quantity: str,
    unit_price: str | None,
    detail: list[tuple[str, str, str]],
    printed: str,
) -> None:
    invoice = draft_invoice(0)
    add_line(
        invoice,
        quantity=quantity,
        unit_price=unit_price,
        amount="110.00" if detail else "0.00",
        detail=[
            dict(zip(("quantity", "unit_price", "amount"), part, strict=True))
            for part in detail
        ],
    )

    assert printed in text_of(issue(invoice))


def test_usage_at_one_price_needs_no_tiers() -> None:
    invoice = draft_invoice(0)
    part = {"quantity": "20", "unit_price": "0.10", "amount": "2.00"}
    add_line(invoice, quantity="20", unit_price="0.10", amount="2.00", detail=[part])

    assert "\nall\n" not in text_of(issue(invoice))


def test_zero_invoice_asks_for_nothing() -> None:
    """M9."""
    invoice = draft_invoice(0, subtotal=0, tax=0, total=0, taxes=[])
    add_line(invoice, amount=0, unit_price=0)

    paper = text_of(issue(invoice))

    assert "There is nothing to pay." in paper
    assert "IBAN" not in paper


def test_paper_takes_nothing_from_live_data() -> None:
    """M7, D1: what changes later on account, group or company changes no paper."""
    invoice = issued_invoice()
    before = render_html(invoice)
    group, account, entity = (
        invoice.bill_group,
        invoice.account,
        invoice.legal_entity,
    )

    for row in (group, account, entity):
        row.name = "Changed"
        row.address_line1, row.city, row.country = "Elsewhere 1", "Oslo", "NO"
        row.save()
    group.po_number, group.bill_to, group.email = "PO-9", "Changed", "c@example.com"
    group.save()
    entity.iban = "GB33BUKB20201555555555"
    entity.save()

    assert render_html(Invoice.objects.get(pk=invoice.pk)) == before


def test_paper_has_the_address_of_the_current_revision() -> None:
    """D2."""
    invoice = issued_invoice()
    ensure_revision(invoice=invoice)
    store_revision(
        invoice=invoice,
        revision=2,
        bill_to=BILL_TO | {"city": "Lübeck"},
        pdf=b"%PDF-",
    )

    paper = text_of(Invoice.objects.get(pk=invoice.pk))

    assert "24143 Lübeck" in paper
    assert "Kiel" not in paper


def test_draft_is_marked_on_every_page_and_never_kept() -> None:
    invoice = draft_invoice(60)

    pages = pages_of(render_html(invoice))
    pdf = current_pdf(invoice=invoice)

    assert len(pages) > 2
    assert all("Draft" in page.splitlines() for page in pages)
    assert "Nothing is to be paid on a draft." in "".join(pages)
    assert pdf.startswith(b"%PDF-")
    assert not InvoiceRevision.objects.exists()
    with pytest.raises(DraftIsNotKept):
        ensure_revision(invoice=invoice)


def test_long_table_repeats_its_head_and_tears_no_line() -> None:
    invoice = draft_invoice(0)
    for position in range(1, 31):
        add_line(
            invoice,
            position=position,
            product_name=f"Product {position}.",
            description=f"Described {position}.",
            quantity=300,
            unit_price=None,
            detail=[
                {"quantity": "50", "unit_price": f"{position}", "amount": "9"}
                for _ in range(6)
            ],
        )

    pages = pages_of(render_html(issue(invoice)))

    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert page.count("Description") == 1
        assert page.count("\nnext") == 5 * page.count("\nfirst")
        assert page.count("Product ") == page.count("Described ")
        assert page.count("Product ") == page.count("\nfirst")
    assert sum(page.count("Product ") for page in pages) == 30


def test_sums_never_stand_alone_on_the_last_page() -> None:
    for lines in range(11, 14):
        pages = pages_of(render_html(issue(draft_invoice(lines))))

        sums_page = next(page for page in pages if "Subtotal" in page)
        assert "Robot seats" in sums_page
        assert "Amount due" in sums_page


EVIL = (
    "javascript:alert(1) url(file:///etc/passwd) url(http://127.0.0.1:9/z)"
    '<img src="http://127.0.0.1:9/x.png"><link rel=stylesheet href=file:///etc/passwd>'
    "<style>@import url(http://127.0.0.1:9/y)</style>&amp;"
)


def test_nothing_typed_can_fetch_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    press = rendering.load_press()
    fetch = type(press.fetcher).fetch

    def noticing(fetcher: Any, url: str, headers: object = None) -> Any:
        asked.append(url)
        return fetch(fetcher, url, headers)

    monkeypatch.setattr(type(press.fetcher), "fetch", noticing)
    invoice = draft_invoice(
        0,
        po_number=EVIL[:100],
        tax_id=EVIL[:40],
        bill_to=dict.fromkeys(BILL_TO, EVIL),
        seller=dict.fromkeys(SELLER, EVIL),
        printed_fields=[{"label": EVIL, "value": EVIL}],
        taxes=[{"name": EVIL, "percent": "19", "taxable": "1.00", "tax": "0.19"}],
    )
    add_line(
        invoice,
        contract_number=EVIL[:100],
        product_name=EVIL[:200],
        description=EVIL,
        tax_name=EVIL[:60],
    )

    html = render_html(invoice)
    pdf = render_pdf(invoice)

    assert asked == []
    assert pdf.startswith(b"%PDF-")
    assert "<img" not in html
    assert "<link" not in html
    assert html.count("&lt;img") >= 10


UNWRITABLE = (
    "A"
    + "".join(map(chr, (*range(0x01, 0x20), *range(0x7F, 0xA0))))
    + "\ufeff\ufffe\uffff"
    + "B"
)


def test_paper_leaves_out_what_no_xml_can_hold() -> None:
    """M7: papers are written as XML, and what was typed may hold anything."""
    invoice = draft_invoice(
        0,
        po_number=UNWRITABLE,
        tax_id=UNWRITABLE[:40],
        bill_to=dict.fromkeys(BILL_TO, UNWRITABLE),
        seller=dict.fromkeys(SELLER, UNWRITABLE),
        printed_fields=[{"label": UNWRITABLE, "value": UNWRITABLE}],
        taxes=[{"name": UNWRITABLE, "percent": "19", "taxable": "1.00", "tax": "0.19"}],
    )
    add_line(
        invoice,
        contract_number=UNWRITABLE,
        product_name=UNWRITABLE,
        description=UNWRITABLE,
        tax_name=UNWRITABLE[:60],
    )

    assert render_html(invoice).count("A") >= 10
    assert render_pdf(invoice).startswith(b"%PDF-")


def test_logo_goes_into_the_paper_as_it_is() -> None:
    """A JPEG: WeasyPrint would pack anything else anew for every paper."""
    file = BytesIO()
    Image.effect_noise((400, 100), 80).convert("RGB").save(file, format="PNG")
    logo = draw_logo(file.getvalue())
    keep_logo(logo)

    pdf = render_pdf(issued_invoice(seller=SELLER | {"logo": logo.pk}))

    assert printed_logo(logo) in pdf
    with (
        Image.open(BytesIO(logo.png)) as kept,
        Image.open(BytesIO(printed_logo(logo))) as printed,
    ):
        difference = ImageChops.difference(kept, printed)
    assert max(difference.tobytes()) <= 16


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "https://example.com/",
        "ftp://example.com/a.ttf",
        "file:///etc/passwd",
        "data:text/css,a",
        f"{(rendering._FOLDER / 'document.css').as_uri()}",
        f"{(rendering._FOLDER / 'fonts').as_uri()}/../../x.ttf",
        f"{(rendering._FOLDER / 'fonts').as_uri()}/Paper-OFL.txt",
    ],
)
def test_fetcher_refuses_all_but_the_packaged_fonts(url: str) -> None:
    fetcher = rendering.load_press().fetcher

    with pytest.raises(rendering.FetchRefused):
        fetcher.fetch(url)


def test_packaged_fonts_are_used_whatever_the_machine_has() -> None:
    fonts = rendering._FOLDER / "fonts"
    sizes = [file.stat().st_size for file in fonts.iterdir()]

    pdf = render_pdf(issued_invoice())

    names = set(re.findall(rb"/FontName /([^ /]+)", unpacked(pdf)))
    assert names
    assert all(b"Duebook-Paper" in name for name in names)
    assert sum(sizes) < 1_000_000
    assert (fonts / "Paper-OFL.txt").is_file()
    assert (fonts / "PaperFallback-LICENSE.txt").is_file()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("شركة المثال التجارية ذ.م.م", id="arabic"),
        pytest.param("חברה לדוגמה בע״מ", id="hebrew"),
        pytest.param("株式会社サンプル", id="japanese"),
        pytest.param("👩‍🚀 Space & Söhne 🇩🇪", id="emoji"),
        pytest.param("Icon \ue000 and \U000f0001", id="private_use"),
        pytest.param("⭐ ✅ Step 1️⃣ ⌚ ⏩ ⬛ ❌ ♿", id="emoji_of_older_blocks"),
        pytest.param("\u202egnp.exe\u202c \x07bell\u2028line", id="control_characters"),
        pytest.param("W" * 200, id="no_place_to_break"),
    ],
)
def test_odd_names_make_a_paper_all_the_same(name: str) -> None:
    invoice = draft_invoice(
        0, bill_to=BILL_TO | {"name": name}, seller=SELLER | {"name": name}
    )
    add_line(invoice, product_name=name[:200], description=name)

    pdf = render_pdf(issue(invoice))

    assert pdf.startswith(b"%PDF-")
    assert not set("\u202e\u202c\x07\u2028") & set(render_html(invoice))


def test_sign_that_no_font_has_is_named_instead_of_an_empty_box() -> None:
    invoice = issued_invoice(bill_to=BILL_TO | {"name": "Uruk \U000120fb & Sons"})

    with pytest.raises(GlyphsMissing, match=r"has \U000120fb \(U\+120FB\)"):
        render_pdf(invoice)


def test_draft_thrown_away_has_no_paper() -> None:
    with pytest.raises(VoidIsNotPrinted):
        render_html(draft_invoice(status="VOID"))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "de",
            ("Rechnung NH-", "1.\u201331. M\u00e4rz 2026", "16.350,60", "Zahlbetrag"),
        ),
        ("fr", ("Facture NH-", "1\u201331 mars 2026", "Montant \u00e0 payer")),
        ("es", ("Factura NH-", "1\u201331 mar 2026", "Importe a pagar")),
        ("tlh", ("Invoice NH-", "16,350.60", "Amount due")),
    ],
    ids=["german", "french", "spanish", "unknown_is_english"],
)
def test_paper_is_in_the_language_of_its_account(
    language: str, words: tuple[str, ...]
) -> None:
    paper = text_of(issued_invoice(language=language))

    for word in words:
        assert word in paper


def test_code_on_the_paper_pays_this_invoice() -> None:
    """What a banking app reads from the PDF is account, amount and number."""
    invoice = issued_invoice(5)

    reader: Any = PdfReader(BytesIO(render_pdf(invoice)))
    (page,) = reader.pages
    (picture,) = page.images
    (code,) = zxingcpp.read_barcodes(
        ImageOps.expand(picture.image.convert("L"), border=40, fill=255)
    )

    assert code.text.splitlines()[5:8] == [
        "Nordhaven Systems GmbH",
        "DE89370400440532013000",
        "EUR16350.60",
    ]
    assert code.text.splitlines()[-1] == invoice.number


def test_pdf_holds_its_fonts_and_nothing_that_acts() -> None:
    """What PDF/A-3b asks of structure; veraPDF finds no more on these papers."""
    reader: Any = PdfReader(BytesIO(render_pdf(issued_invoice(2))))

    root = reader.trailer["/Root"]
    assert not reader.is_encrypted
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root)
    assert root["/Lang"] == "en"
    assert reader.metadata.title.startswith("Invoice NH-")
    (intent,) = root["/OutputIntents"]
    assert "/DestOutputProfile" in intent.get_object()
    fonts = reader.pages[0]["/Resources"]["/Font"].values()
    assert fonts
    for font in fonts:
        for descendant in font.get_object()["/DescendantFonts"]:
            embedded = descendant.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(embedded)


def test_stylesheet_has_every_element_that_papers_use() -> None:
    """WeasyPrint's own sheet is left out, so an unknown element would run inline."""
    folder = settings.BASE_DIR / "templates" / "invoicing" / "documents"
    used = {
        name
        for template in folder.glob("*.html")
        for name in re.findall(r"<([a-z][a-z0-9]*)", template.read_text("utf-8"))
    }
    css = (folder / "document.css").read_text("utf-8")
    told = {
        name
        for names in re.findall(r"^([a-z0-9, ]+) \{ display:", css, re.MULTILINE)
        for name in names.split(", ")
    }

    assert used - told == {"img", "span"}


def test_pdf_is_an_archive_format_and_the_same_each_time() -> None:
    invoice = issued_invoice(5)

    pdf = render_pdf(invoice)

    assert pdf == render_pdf(invoice)
    assert pdf.startswith(b"%PDF-1.7")
    inside = unpacked(pdf)
    assert b"/S /GTS_PDFA1" in inside
    assert b'pdfaid:part="3"' in inside
    assert b'pdfaid:conformance="B"' in inside


def test_issued_paper_is_rendered_once_and_kept() -> None:
    """M7: everybody is given the bytes of revision 1."""
    invoice = issued_invoice()

    first = current_pdf(invoice=invoice)
    again = current_pdf(invoice=invoice)

    revision = InvoiceRevision.objects.get(invoice=invoice)
    invoice.refresh_from_db()
    assert first == again == bytes(revision.pdf)
    assert revision.revision == 1
    assert revision.sha256 == hashlib.sha256(first).hexdigest()
    assert revision.bill_to == BILL_TO
    assert invoice.current_revision == revision


def test_stored_paper_stays_when_the_stylesheet_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M3."""
    invoice = issued_invoice()
    first = current_pdf(invoice=invoice)

    monkeypatch.setattr(documents, "render", lambda html: b"%PDF-another")

    assert current_pdf(invoice=invoice) == first


def test_storing_a_paper_leaves_one_audit_entry() -> None:
    """M5."""
    invoice = issued_invoice()

    current_pdf(invoice=invoice)
    current_pdf(invoice=invoice)

    event = AuditEvent.objects.get(invoice_id=invoice.pk)
    assert event.code == "invoice.paper_stored"
    assert event.after["revision"] == 1
    assert event.account_id == invoice.account_id


def test_invoice_issued_meanwhile_is_not_kept_as_a_draft() -> None:
    invoice = draft_invoice()
    stale = Invoice.objects.get(pk=invoice.pk)
    issue(invoice)

    ensure_revision(invoice=stale)

    assert "NH-2026-" in text_of(Invoice.objects.get(pk=invoice.pk))
    assert InvoiceRevision.objects.get().pdf[:5] == b"%PDF-"
    assert b"Draft" not in bytes(InvoiceRevision.objects.get().pdf)


def test_revision_that_is_there_is_returned_unchanged() -> None:
    invoice = issued_invoice()
    first = ensure_revision(invoice=invoice)

    again = store_revision(invoice=invoice, revision=1, bill_to={}, pdf=b"other")

    assert again == first
    assert InvoiceRevision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_store_one_revision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7: both have rendered before either stores; the second finds it done."""
    invoice = issued_invoice()
    both_rendered = threading.Barrier(2, timeout=20)

    def slow(html: str) -> bytes:
        both_rendered.wait()
        return f"%PDF-{threading.get_ident()}".encode()

    def work(_: int) -> bytes:
        try:
            return current_pdf(invoice=invoice)
        finally:
            connection.close()

    monkeypatch.setattr(documents, "render", slow)
    with ThreadPoolExecutor(2) as workers:
        seen = list(workers.map(work, range(2)))

    assert seen[0] == seen[1]
    assert InvoiceRevision.objects.count() == 1
    assert AuditEvent.objects.filter(code="invoice.paper_stored").count() == 1


WITHOUT_PANGO = """
import cffi

def refuse(*args, **options):
    raise OSError("cannot load library 'libpango-1.0-0'")

cffi.FFI.dlopen = refuse

import django
django.setup()
from invoicing.services import delivery, documents, rendering
try:
    rendering.render("<p>")
except rendering.PangoMissing as fault:
    print(fault)
"""


def test_missing_pango_is_one_sentence_and_all_else_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANGO],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == (
        "No PDF can be made because the Pango libraries are missing: apt-get install "
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 "
        "(macOS: brew install pango).\n"
    )


def test_tax_rate_named_by_its_percent_prints_it_once() -> None:
    taxes = [{"name": "8.1 %", "percent": "8.1", "taxable": "100.00", "tax": "8.10"}]
    invoice = draft_invoice(
        taxes=taxes,
        subtotal=Decimal("100.00"),
        tax=Decimal("8.10"),
        total=Decimal("108.10"),
    )

    assert f"Tax 8.1{NO_BREAK}% of 100.00" in render_html(invoice)
