"""Logos: what is taken, what is refused, and that none ever changes (M3)."""

import struct
import zlib
from io import BytesIO

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from PIL import Image, ImageFile

from billing.models import Logo
from billing.services.logos import LogoRefused, draw_logo, keep_logo

pytestmark = pytest.mark.django_db


def picture_file(
    file_format: str = "PNG",
    size: tuple[int, int] = (300, 100),
    mode: str = "RGB",
    colour: str | int | tuple[int, ...] = "navy",
) -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, format=file_format)
    return file.getvalue()


def claiming(width: int, height: int) -> bytes:
    """Return a small PNG whose head claims to be huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(head))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + picture_file()[33:]
    )


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(picture_file(), (300, 100), id="png"),
        pytest.param(picture_file("JPEG"), (300, 100), id="jpeg"),
        pytest.param(
            picture_file("JPEG", mode="CMYK", colour=(0, 0, 0, 0)),
            (300, 100),
            id="jpeg_for_print",
        ),
        pytest.param(picture_file(mode="P", colour=0), (300, 100), id="palette"),
        pytest.param(picture_file(size=(1654, 80)), (827, 40), id="too_wide"),
        pytest.param(picture_file(size=(90, 426)), (45, 213), id="too_high"),
    ],
)
def test_logo_is_flat_and_no_larger_than_papers_need(
    content: bytes, size: tuple[int, int]
) -> None:
    with Image.open(BytesIO(draw_logo(content).png)) as drawn:
        assert (drawn.format, drawn.mode, drawn.size) == ("PNG", "RGB", size)


def test_what_is_transparent_becomes_white() -> None:
    content = picture_file(mode="RGBA", colour=(0, 0, 0, 0))

    with Image.open(BytesIO(draw_logo(content).png)) as drawn:
        assert drawn.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"<svg onload='x'/>", "neither PNG nor JPEG", id="svg"),
        pytest.param(b"", "neither PNG nor JPEG", id="empty"),
        pytest.param(picture_file("GIF"), "neither PNG nor JPEG", id="gif"),
        pytest.param(picture_file("TIFF"), "neither PNG nor JPEG", id="tiff"),
        pytest.param(picture_file()[:80], "is damaged", id="torn"),
        pytest.param(claiming(5000, 5000), "more than 20 million", id="many_pixels"),
        pytest.param(claiming(12000, 12000), "more than 20 million", id="warned_of"),
        pytest.param(claiming(60000, 60000), "more than 20 million", id="bomb"),
        pytest.param(b"x" * 1_000_001, "larger than 1 MB", id="large_file"),
    ],
)
def test_what_makes_no_logo_is_refused_with_a_sentence(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(LogoRefused, match=sentence):
        draw_logo(content)


def test_torn_file_is_refused_in_a_process_that_made_a_pdf_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    with pytest.raises(LogoRefused, match="is damaged"):
        draw_logo(picture_file()[:80])


def test_same_picture_is_kept_once() -> None:
    keep_logo(draw_logo(picture_file()))
    keep_logo(draw_logo(picture_file()))

    assert Logo.objects.count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_logo SET png = png, sha256 = sha256",
        "DELETE FROM billing_logo",
    ],
)
def test_database_refuses_to_change_a_logo(statement: str) -> None:
    """M3: papers print it for good."""
    keep_logo(draw_logo(picture_file()))

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_database_refuses_a_logo_under_another_name() -> None:
    with pytest.raises(IntegrityError, match="logo_is_named_by_its_content"):
        Logo.objects.create(sha256="0" * 64, png=picture_file())
