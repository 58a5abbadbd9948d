"""Where things stand on the paper: its window, its logo, its many pages."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from billing.models import LegalEntity, Logo
from billing.services.logos import draw_logo, keep_logo
from invoicing.models import Invoice
from invoicing.services.documents import render_pdf
from invoicing.services.papers import seller_of
from tests.factories import LegalEntityFactory
from tests.invoicing.services.printed import (
    BILL_TO,
    SELLER,
    add_line,
    draft_invoice,
    issue,
    issued_invoice,
)

pytestmark = pytest.mark.django_db
POINTS_PER_MM = 72 / 25.4
PAPER_HEIGHT = 297


def pages_of(invoice: Invoice) -> list[Any]:
    reader: Any = PdfReader(BytesIO(render_pdf(invoice)))
    return list(reader.pages)


def places_of(page: Any) -> dict[str, tuple[float, float]]:
    """Return where texts begin: mm from the left, and of the baseline from the top."""
    places: dict[str, tuple[float, float]] = {}

    def note(text: str, ctm: list[float], matrix: list[float], *_: object) -> None:
        x = matrix[4] * ctm[0] + matrix[5] * ctm[2] + ctm[4]
        y = matrix[4] * ctm[1] + matrix[5] * ctm[3] + ctm[5]
        if text.strip():
            place = (x / POINTS_PER_MM, PAPER_HEIGHT - y / POINTS_PER_MM)
            places.setdefault(text.strip(), place)

    page.extract_text(visitor_text=note)
    return places


def logo_of(colour: str) -> Logo:
    file = BytesIO()
    Image.new("RGB", (400, 100), colour).save(file, format="PNG")
    logo = draw_logo(file.getvalue())
    keep_logo(logo)
    return logo


def colours_on(invoice: Invoice) -> set[tuple[int, ...]]:
    """Return the colour in the middle of each coloured picture on the first page."""
    pictures = [picture.image.convert("RGB") for picture in pages_of(invoice)[0].images]
    middles = {
        picture.getpixel((picture.width // 2, picture.height // 2))
        for picture in pictures
    }
    return middles - {(0, 0, 0), (255, 255, 255)}


@pytest.mark.parametrize(
    "bill_to",
    [
        pytest.param(BILL_TO, id="usual"),
        pytest.param(
            BILL_TO
            | {
                "line1": "Accounts payable, building 4, second floor",
                "line2": "c/o Shared services",
                "region": "Schleswig-Holstein",
                "name": "Halden Robotics Manufacturing and Services Europe GmbH",
            },
            id="tall",
        ),
    ],
)
@pytest.mark.parametrize("has_logo", [True, False], ids=["logo", "no_logo"])
def test_address_stands_in_the_window_of_the_envelope(
    bill_to: dict[str, str], *, has_logo: bool
) -> None:
    """Form B of DIN 5008: 45 to 90 mm from the top, 20 to 105 mm from the left."""
    invoice = issued_invoice(bill_to=bill_to)
    if has_logo:
        seller = invoice.seller | {"logo": logo_of("navy").pk}
        invoice = issued_invoice(bill_to=bill_to, seller=seller)

    places = places_of(pages_of(invoice)[0])

    address = [
        place
        for text, place in places.items()
        if any(part and part.split()[0] in text for part in bill_to.values())
        and place[0] < 105
        and place[1] < 95
    ]
    assert len(address) >= 3
    for left, baseline in address:
        assert 20 <= left <= 105
        assert 45 + 3 <= baseline <= 90 - 1


def test_two_hundred_lines_go_over_pages_untorn_under_repeated_heads() -> None:
    invoice = draft_invoice(0)
    for position in range(1, 201):
        add_line(
            invoice,
            position=position,
            product_name=f"Product {position}.",
            description=f"Described {position}.",
        )

    texts = [page.extract_text() for page in pages_of(issue(invoice))]

    assert len(texts) > 5
    for text in texts:
        assert text.count("Unit price") == ("Product " in text)
    for position in range(1, 201):
        (page,) = [text for text in texts if f"Product {position}." in text]
        assert f"Described {position}." in page


def test_paper_keeps_the_logo_that_its_company_had() -> None:
    """M3, M7: another logo, or none, is for the papers that follow."""
    entity: LegalEntity = LegalEntityFactory.create(logo=logo_of("#c00000"))
    older = issued_invoice(seller=seller_of(entity))

    entity.logo = logo_of("#0000c0")
    entity.save()
    newer = issued_invoice(seller=seller_of(entity))
    entity.logo = None
    entity.save()
    without = issued_invoice(seller=seller_of(entity))

    assert colours_on(older) == {(192, 0, 0)}
    assert colours_on(newer) == {(0, 0, 192)}
    assert colours_on(without) == set()


def test_no_viewer_may_smooth_a_picture_on_the_paper() -> None:
    """PDF/A-3b (ISO 19005-3, 6.2.8): logo and code are drawn as they are."""
    entity: LegalEntity = LegalEntityFactory.create(logo=logo_of("#c00000"))
    invoice = issued_invoice(seller={**seller_of(entity), "iban": SELLER["iban"]})

    inside = render_pdf(invoice)

    assert inside.count(b"/Subtype /Image") == 2
    assert b"/Interpolate true" not in inside


def test_paper_from_before_there_were_logos_is_printed_without_one() -> None:
    """M3."""
    invoice = issued_invoice()

    assert "logo" not in invoice.seller
    assert colours_on(invoice) == set()


@pytest.mark.parametrize(
    "po_number",
    [
        pytest.param("4500123987", id="usual"),
        pytest.param("PO-2026-HQADMM-0012345", id="capitals"),
        pytest.param("W" * 10, id="widest_that_fits"),
        pytest.param("W" * 12, id="widest_that_does_not"),
        pytest.param("東京都千代田区丸の内一丁目契約番号第二", id="square"),
        pytest.param("0" * 18, id="digits"),
    ],
)
def test_every_value_stands_beside_its_label(po_number: str) -> None:
    invoice = issued_invoice(po_number=po_number, tax_id="DE287410556")

    places = places_of(pages_of(invoice)[0])

    assert places["Your tax id"][1] == pytest.approx(places["DE287410556"][1], abs=0.1)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Cost centre", "4410"),
        ("COST CENTRE MANAGER", "Anna"),
        ("Buyer", "BUYER WORKGROUP MMWWMM"),
        ("Notes", "One\nTwo"),
        ("原価センタ管理者の名前と番号", "Anna"),
    ],
)
def test_every_printed_field_stands_beside_its_label(label: str, value: str) -> None:
    fields = {label: value, "Project": "P-77", "Site": "Kiel"}
    invoice = issued_invoice(
        printed_fields=[{"label": k, "value": v} for k, v in fields.items()]
    )

    places = places_of(pages_of(invoice)[0])

    for beside in ("Project", "Site"):
        assert places[beside][1] == pytest.approx(places[fields[beside]][1], abs=0.1)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("1.5", "36.00", "54.00"),
        ("123456.7", "123456.78", "123456789.12"),
        ("12345.678901", "123456.789012", "1234567890.12"),
        ("999999999999.999999", "999999999.999999", "999999999999.99"),
    ],
)
def test_no_figure_is_torn(quantity: str, price: str, amount: str) -> None:
    invoice = draft_invoice(0)
    add_line(
        invoice,
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        amount=Decimal(amount),
        discount_percent=Decimal("99.999"),
    )
    add_line(invoice, position=2, tax_percent=Decimal("10.387"))

    places = places_of(pages_of(issue(invoice))[0])

    rates = "\N{MINUS SIGN}99.999 % 19 %"
    figures = f"{Decimal(quantity):,} {Decimal(price):,} {rates} {Decimal(amount):,}"
    assert figures in {text.replace("\N{NO-BREAK SPACE}", " ") for text in places}


def test_each_tier_stands_in_one_row() -> None:
    invoice = draft_invoice(0)
    parts = [
        ("1234567.123456", "1234567.123456", "12345678901.123456"),
        ("1000000", "0.4", "400000.00"),
    ]
    add_line(
        invoice,
        quantity=Decimal("2234567.123456"),
        unit_price=None,
        detail=[
            dict(zip(("quantity", "unit_price", "amount"), part, strict=True))
            for part in parts
        ],
    )

    places = places_of(pages_of(issue(invoice))[0])

    for label, figures in (
        ("first", ("1,234,567.123456", "12,345,678,901.123456")),
        ("next", ("1,000,000", "0.40", "400,000.00")),
    ):
        for figure in figures:
            assert places[figure][1] == pytest.approx(places[label][1], abs=0.1)


@pytest.mark.parametrize("total", ["999999999999999", "1234567890123"])
def test_no_sum_is_torn(total: str) -> None:
    sums: dict[str, Any] = dict.fromkeys(("subtotal", "total"), Decimal(total))
    invoice = issued_invoice(currency="JPY", tax=Decimal(0), taxes=[], **sums)

    places = places_of(pages_of(invoice)[0])

    assert f"{Decimal(total):,}\N{NO-BREAK SPACE}JPY" in places
