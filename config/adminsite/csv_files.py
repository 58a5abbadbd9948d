"""CSV files that an admin page sends, line by line as they are written."""

from collections.abc import Iterator
from typing import Final

from django.http import StreamingHttpResponse

# So many rows of the database are held at once.
CHUNK: Final = 2_000


def csv_response(lines: Iterator[str], file_name: str) -> StreamingHttpResponse:
    """Return a file of lines, sent while they are written."""
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
