"""Proofs of a step: what a file is, not what it is called (F3)."""

from io import BytesIO

import pytest
from PIL import Image

from invoicing.services import portal_files
from invoicing.services.portal_files import MOST_BYTES, FileRefused, check_file

PDF = b"%PDF-1.7\nsomething\n%%EOF\n"
MAIL = b"From: a@b.example\r\nDate: Fri, 9 Jan 2026 10:00:00 +0100\r\n\r\nAccepted.\r\n"


def picture(kind: str) -> bytes:
    made = BytesIO()
    more = [Image.new("RGB", (4, 3), "black")] if kind == "MPO" else []
    Image.new("RGB", (4, 3), "white").save(
        made, format=kind, **({"save_all": True, "append_images": more} if more else {})
    )
    return made.getvalue()


def torn_jpeg() -> bytes:
    """Return the first half of a picture: its head is whole, its dots are not."""
    made = BytesIO()
    Image.effect_noise((64, 64), 90).save(made, format="JPEG")
    return made.getvalue()[: len(made.getvalue()) // 2]


TORN_JPEG = torn_jpeg()


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        pytest.param("shot.png", picture("PNG"), "image/png", id="png"),
        pytest.param("shot.JPEG", picture("JPEG"), "image/jpeg", id="jpeg"),
        pytest.param("photo.jpg", picture("MPO"), "image/jpeg", id="two_pictures"),
        pytest.param("confirmation.pdf", PDF, "application/pdf", id="pdf"),
        pytest.param("answer.eml", MAIL, "message/rfc822", id="mail"),
    ],
)
def test_f3_file_is_taken_for_what_it_is(
    name: str, content: bytes, content_type: str
) -> None:
    file = check_file(name=name, content=content)

    assert (file.content_type, file.content) == (content_type, content)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.png", b"", "empty", id="empty"),
        pytest.param("a.pdf", b"x" * (MOST_BYTES + 1), "larger than 5 MB", id="large"),
        pytest.param("a.png", b"<script>alert(1)</script>", "neither", id="html"),
        pytest.param("a.png", b"\x89PNG\r\n\x1a\nrubbish", "neither", id="torn_png"),
        pytest.param("a.jpg", TORN_JPEG, "neither", id="torn_jpeg"),
        pytest.param("a.png", picture("GIF"), "neither", id="gif"),
        pytest.param("a.png", picture("JPEG"), "Inside, the file is JPG", id="claims"),
        pytest.param("a.exe", PDF, "Inside, the file is PDF", id="ending"),
        pytest.param("a.pdf", b"%PDF-1.7\ncut", "neither", id="torn_pdf"),
        pytest.param("a.eml", b"Hello there", "neither", id="no_headers"),
        pytest.param("a.eml", b"MZ\x00\x01" + MAIL, "neither", id="program"),
        pytest.param("a.svg", b"<svg onload='x'/>", "neither", id="svg"),
    ],
)
def test_f3_file_that_is_not_what_it_claims_is_refused(
    name: str, content: bytes, said: str
) -> None:
    with pytest.raises(FileRefused, match=said):
        check_file(name=name, content=content)


def test_f3_picture_of_too_many_dots_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(portal_files, "MOST_PIXELS", 11)

    with pytest.raises(FileRefused, match="neither"):
        check_file(name="shot.png", content=picture("PNG"))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/x.pdf", "x.pdf"),
        ("C:\\temp\\x.pdf", "x.pdf"),
        ('a"\r\nSet-Cookie: b=1.pdf', "aSet-Cookie b=1.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_f3_name_of_a_file_is_made_harmless(name: str, kept: str) -> None:
    assert check_file(name=name, content=PDF).name == kept
