"""Uploaded files of every kind: made, kept with what the check found, refused.

A file is checked completely, kept, and later applied as a whole or not at all; the same
file is applied once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, TypeVar

from django.contrib.auth.models import AbstractBaseUser

from billing.display import count_text, instant_text
from contracts.domain.csv_file import RowError
from contracts.models.file_upload import FileUpload

Upload = TypeVar("Upload", bound=FileUpload)

_MAX_FILE_NAME: Final = 200


class ImportNotDone(ValueError):
    """A file of which nothing was written; the text says why and what to do."""


class ImportRefused(ImportNotDone):
    """A file that can't be taken; `errors` name every row that is wrong."""

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        self.errors = errors
        first = errors[0]
        if not first.column and first.line == 1:
            super().__init__(f"Nothing was written. {first.message}")
            return
        rows = count_text(len({error.line for error in errors}), "row")
        super().__init__(
            f"The file has errors in {rows}. Nothing was written. The first: line "
            f"{first.line}, {first.message}"
        )


def new_file(
    kind: type[Upload], content: bytes, file_name: str, actor: AbstractBaseUser | None
) -> Upload:
    """Return an upload of a file, neither checked nor stored yet."""
    return kind(
        file_name=file_name[-_MAX_FILE_NAME:],
        content=content,
        uploaded_by_id=actor.pk if actor else None,
    )


def keep_file(
    upload: Upload, *, errors: Sequence[RowError], summary: Mapping[str, Any]
) -> Upload:
    """Store a checked upload: refused with its errors, or ready with its figures."""
    upload.state = "REFUSED" if errors else "CHECKED"
    upload.errors = [asdict(error) for error in errors]
    upload.summary = {} if errors else dict(summary)
    upload.save()
    return upload


def digest(content: bytes) -> str:
    """Return what tells the same file again."""
    return hashlib.sha256(content).hexdigest()


def taken_before(
    earlier: FileUpload, *, at: datetime, deed: str, time_zone: str = "", more: str = ""
) -> str:
    """Say when and by whom the same file was taken: `deed` is imported, recorded.

    The time is of `time_zone`, or else of the current one.
    """
    by = f" by {earlier.uploaded_by}" if earlier.uploaded_by else ""
    return (
        f"This file was {deed} already: {instant_text(at, time_zone)}, as "
        f"“{earlier}”{by}{more}. A file is {deed} once."
    )
