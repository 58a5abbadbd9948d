"""Files that prove a step in a portal: taken for what they are, not for their name.

A screenshot (PNG, JPEG), a confirmation (PDF) or a mail (EML), of at most 5 MB. What it
is decides its bytes; the name only has to agree. It is stored as it came and only ever
sent back as an attachment.
"""

import email.parser
import email.policy
import hashlib
import unicodedata
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

MOST_BYTES: Final = 5_000_000
MOST_PIXELS: Final = 50_000_000
LONGEST_NAME: Final = 120
_PICTURES: Final = ("PNG", "JPEG")
# A JPEG that carries a second picture, as phones take them, is an MPO to Pillow.
_PICTURE_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
}
ENDINGS: Final = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "application/pdf": (".pdf",),
    "message/rfc822": (".eml",),
}
_MAIL_HEADERS: Final = ("from", "date")
ACCEPTED: Final = ".png,.jpg,.jpeg,.pdf,.eml"


class FileRefused(ValueError):
    """A file that proves nothing; the text says why and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that is what its name says."""

    name: str
    content_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The digest of its content."""
        return hashlib.sha256(self.content).hexdigest()


def check_file(*, name: str, content: bytes) -> CheckedFile:
    """Return a file as it is stored, its type found in its content.

    Raises `FileRefused`.
    """
    if not content:
        raise FileRefused("The file is empty. Choose another one.")
    if len(content) > MOST_BYTES:
        raise FileRefused("The file is larger than 5 MB. Choose a smaller one.")
    content_type = _type_of(content)
    if content_type is None:
        raise FileRefused(
            "The file is neither PNG, JPEG, PDF nor a mail (EML), whatever its name "
            "says, or it is damaged. Take a screenshot and upload that."
        )
    safe = _safe_name(name)
    endings = ENDINGS[content_type]
    if not safe.lower().endswith(endings):
        raise FileRefused(
            f"Inside, the file is {endings[0].removeprefix('.').upper()}, but it is "
            f"named {safe}. Give it the ending {endings[0]} and upload it again."
        )
    return CheckedFile(name=safe, content_type=content_type, content=content)


def _type_of(content: bytes) -> str | None:
    if content.startswith(b"%PDF-"):
        return "application/pdf" if b"%%EOF" in content[-2048:] else None
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return _picture_type(content)
    return "message/rfc822" if _is_mail(content) else None


def _picture_type(content: bytes) -> str | None:
    """Return the type of a picture that can be shown whole; else None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=_PICTURES) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None
                picture.verify()
            with Image.open(BytesIO(content), formats=_PICTURES) as picture:
                picture.load()
                return _PICTURE_TYPES.get(str(picture.format))
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
    ):
        return None


def _is_mail(content: bytes) -> bool:
    """Tell whether a file is text that begins with the headers of a mail."""
    head = content[:65_536]
    if b"\x00" in head or head.lstrip()[:1] in {b"<", b"{", b""}:
        return False
    headers = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(
        head
    )
    return not headers.defects and all(name in headers for name in _MAIL_HEADERS)


def _safe_name(name: str) -> str:
    """Return the last part of a name without what a header or a disk can't take."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        sign
        for sign in unicodedata.normalize("NFC", last)
        if sign.isprintable() and sign not in '"<>:|?*;'
    ).strip(" .")
    return kept[-LONGEST_NAME:] or "file"
