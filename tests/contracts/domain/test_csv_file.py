"""I5: UTF-8, one dialect, and a name for each row that can't be read."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.domain.csv_file import (
    MAX_BYTES,
    Row,
    RowError,
    read_rows,
    shown,
)


def cells_of(data: bytes) -> list[list[str]]:
    rows = list(read_rows(data))
    assert all(isinstance(row, Row) for row in rows)
    return [row.cells for row in rows if isinstance(row, Row)]


def errors_of(data: bytes) -> list[RowError]:
    return [row for row in read_rows(data) if isinstance(row, RowError)]


def workbook() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("a,b\nä,ß\n".encode(), id="plain"),
        pytest.param("a,b\nä,ß\n".encode("utf-8-sig"), id="byte_order_mark"),
        pytest.param("a,b\r\nä,ß\r\n".encode(), id="windows_line_ends"),
        pytest.param("a,b\rä,ß\r".encode(), id="old_mac_line_ends"),
        pytest.param("a,b\nä,ß".encode(), id="no_last_line_end"),
        pytest.param('"a","b"\n"ä","ß"\n'.encode(), id="quoted"),
        pytest.param("a,b\n\n,\nä,ß\n \n".encode(), id="blank_rows"),
    ],
)
def test_utf8_with_commas_is_read(data: bytes) -> None:
    assert cells_of(data) == [["a", "b"], ["ä", "ß"]]


def test_file_object_is_read_like_its_bytes() -> None:
    assert list(read_rows(BytesIO(b"a,b\n1,2\n"))) == list(read_rows(b"a,b\n1,2\n"))


def test_quoted_cell_keeps_commas_quotes_and_line_breaks() -> None:
    assert cells_of(b'a,b\n"x, ""y""","1\n2"\n') == [["a", "b"], ['x, "y"', "1\n2"]]


def test_lines_are_counted_as_a_spreadsheet_numbers_its_rows() -> None:
    rows = list(read_rows(b'a,b\n"1\n2",x\n\n3,y\n'))

    assert [row.line for row in rows] == [1, 2, 4]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf", "empty", id="byte_order_mark_only"),
        pytest.param(workbook(), "Excel workbook", id="xlsx_renamed"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel", id="xls_renamed"),
        pytest.param(b"%PDF-1.7\n", "PDF", id="pdf_renamed"),
        pytest.param(b"\x1f\x8b\x08\x00", "gzip", id="gzip"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "UTF-16", id="utf_16"),
        pytest.param("a,b\n1,2\n".encode("utf-16-be"), "UTF-16", id="utf_16_no_mark"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "not a text in UTF-8", id="picture"),
        pytest.param(b"\x7fELF\x02\x01\x01\x00", "not a text", id="program"),
        pytest.param(b"a" * (MAX_BYTES + 1), "more than 50 MB", id="too_large"),
    ],
)
def test_what_is_no_csv_file_is_refused_as_a_whole(data: bytes, complaint: str) -> None:
    (error,) = read_rows(data)

    assert isinstance(error, RowError)
    assert (error.line, error.column) == (1, "")
    assert complaint in error.message


class Endless(BytesIO):
    """A gigabyte of it, that says how much was taken."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        self.taken += size
        return b"a" * size


def test_gigabyte_is_refused_without_reading_it() -> None:
    file = Endless()

    (error,) = read_rows(file)

    assert isinstance(error, RowError)
    assert file.taken == MAX_BYTES + 1


def test_each_cell_that_is_not_utf8_is_named() -> None:
    data = "name,city\nMüller,Köln\nSmith,Ely\nAcme,Zürich\n".encode("cp1252")

    errors = errors_of(data)

    assert [(error.line, error.column, error.value) for error in errors] == [
        (2, "name", "Müller"),
        (2, "city", "Köln"),
        (4, "city", "Zürich"),
    ]
    assert all("Windows-1252 or Latin-1" in error.message for error in errors)


def test_each_cell_with_a_nul_byte_is_named() -> None:
    (error,) = errors_of(b"a,b\n1,2\n3,x\0y\n")

    assert (error.line, error.column, error.value) == (3, "b", "x␀y")
    assert "NUL byte" in error.message


def test_nothing_of_a_file_with_foreign_bytes_is_read() -> None:
    assert not any(isinstance(row, Row) for row in read_rows(b"a\n1\n\xff\n"))


@pytest.mark.parametrize(
    ("data", "line", "column", "value"),
    [
        pytest.param(b'a,b\n1,"x,2\n', 2, "b", "x,2", id="to_the_end_of_the_file"),
        pytest.param(b'a,b\n1,"x\n2,y\n3,"z"\n', 2, "b", "x", id="to_the_next_quote"),
        pytest.param(
            b'a,b\n1,"x\n' + b"2,y\n" * 60_000, 2, "b", "x", id="over_many_rows"
        ),
        pytest.param(b'a,b\n"1,x\n', 2, "a", "1,x", id="in_the_first_cell"),
    ],
)
def test_unclosed_quote_is_named_where_it_opens(
    data: bytes, line: int, column: str, value: str
) -> None:
    (error,) = errors_of(data)

    assert (error.line, error.column, error.value) == (line, column, value)
    assert "A quote opens in this row" in error.message


def test_rows_after_an_unclosed_quote_are_read_on() -> None:
    rows = list(read_rows(b'a,b\n1,"x\n2,y\n3,"z"\n4,u\n'))

    assert [row.cells for row in rows if isinstance(row, Row)] == [
        ["a", "b"],
        ["2", "y"],
        ["3", "z"],
        ["4", "u"],
    ]
    assert [row.line for row in rows] == [1, 2, 3, 4, 5]


def test_quote_inside_a_quoted_cell_must_be_doubled() -> None:
    (error,) = errors_of(b'a,b\n"17" screen",x\n2,y\n')

    assert error.line == 2
    assert "quote" in error.message


def test_text_after_a_closed_quote_is_named() -> None:
    (error,) = errors_of(b'a,b\n1,"x"y\n2,y\n')

    assert (error.line, error.value) == (2, '1,"x"y␊')
    assert "written twice" in error.message


def test_every_one_of_many_unclosed_quotes_is_named() -> None:
    errors = errors_of(b"a,b\n" + b'"1,x\n' * 5_000)

    assert [error.line for error in errors] == list(range(2, 5_002))


def test_reading_stops_where_too_much_had_to_be_read_again() -> None:
    block = b'"1,x\n' + (b"x" * 9_000 + b",y\n") * 12

    *_, last = read_rows(b"a,b\n" + block * 150)

    assert isinstance(last, RowError)
    assert "the rows from here on were not read" in last.message


def test_row_of_immense_length_is_named_and_the_next_are_read() -> None:
    long, *rest = list(read_rows(b"a,b\n1," + b"x" * 11_000_000 + b"\n2,y\n"))[1:]

    assert isinstance(long, RowError)
    assert long.line == 2
    assert "100,000 characters" in long.message
    assert len(long.value) <= 100
    assert rest == [Row(3, ["2", "y"])]


def test_file_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.domain.csv_file.MAX_ROWS", 1_000)
    assert not errors_of(b"a\n" + b"1\n" * 1_000)

    (error,) = errors_of(b"a\n" + b"1\n" * 1_001)

    assert error.line == 1_002
    assert "more than 1,000 rows" in error.message


@pytest.mark.parametrize(
    ("value", "printable"),
    [
        pytest.param("plain ä €", "plain ä €", id="printable"),
        pytest.param("a\x00\x1f\n", "a␀␟␊", id="control"),
        pytest.param("1\u00a0234", "1 234", id="no_break_space"),
        pytest.param("a\u202eb", "a\ufffdb", id="direction"),
        pytest.param("a\udcffb", "a\ufffdb", id="lone_surrogate"),
        pytest.param("x" * 101, "x" * 99 + "…", id="long"),
    ],
)
def test_values_are_shown_printable_and_short(value: str, printable: str) -> None:
    assert shown(value) == printable


@settings(deadline=None)
@given(st.binary(max_size=500) | st.text('a",;\n\r\t x', max_size=200).map(str.encode))
def test_any_bytes_give_rows_or_errors(data: bytes) -> None:
    lines = [row.line for row in read_rows(data)]

    assert lines == sorted(lines)
