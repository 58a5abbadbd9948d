"""Proofs of a step: what a file is, not what it is called (F3)."""

from io import BytesIO

import pytest
from PIL import Image

from invoicing.services.portal_files import MOST_BYTES, FileRefused, check_file

PDF = b"%PDF-1.7\nsomething\n%%EOF\n"
MAIL = b"From: a@b.example\r\nDate: Fri, 9 Jan 2026 10:00:00 +0100\r\n\r\nAccepted.\r\n"


def picture(kind: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (4, 3), "white").save(made, format=kind)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        pytest.param("shot.png", picture("PNG"), "image/png", id="png"),
        pytest.param("shot.JPEG", picture("JPEG"), "image/jpeg", id="jpeg"),
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
