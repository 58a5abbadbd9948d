"""File names and columns of a portal's bundle: safe whatever is put in (F3)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.portal_files import (
    PLACEHOLDERS,
    Column,
    InvalidColumns,
    InvalidPattern,
    check_pattern,
    file_name,
    parse_columns,
    unique_names,
    write_columns,
)

FIELDS = ("bill_group.portal_id",)
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.pdf")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("{po_number}", "{number}", id="no_number"),
        pytest.param("{number}{password}", "no placeholder {password}", id="unknown"),
        pytest.param("../{number}", "letters without accents", id="path"),
        pytest.param("{number}\n", "letters without accents", id="line_break"),
        pytest.param("{number", "letters without accents", id="open_brace"),
        pytest.param("{number!r}", "no placeholder", id="format_trick"),
        pytest.param("{number.__class__}", "no placeholder", id="attribute_trick"),
        pytest.param("a" * 200 + "{number}", "at most 100", id="too_long"),
        pytest.param("", "{number}", id="blank"),
    ],
)
def test_f3_unsafe_pattern_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(InvalidPattern, match=re.escape(said)):
        check_pattern(pattern)


@given(st.dictionaries(st.sampled_from(list(PLACEHOLDERS)), st.text(max_size=300)))
def test_f3_file_name_is_safe_whatever_is_put_in(values: dict[str, str]) -> None:
    name = file_name("{po_number} {number}-{account}", values)

    assert SAFE.fullmatch(name), name
    assert len(name) <= 124
    assert ".." not in name.removesuffix(".pdf").strip(".") or "/" not in name


@given(st.lists(st.sampled_from(["a.pdf", "A.pdf", "a-2.pdf", "b.pdf"]), max_size=12))
def test_f3_names_of_a_bundle_are_unique_in_any_folder(names: list[str]) -> None:
    made = unique_names(names)

    assert len({name.casefold() for name in made}) == len(names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "at least one", id="none"),
        pytest.param("Total = totl", "there is no totl", id="unknown_source"),
        pytest.param("X = bill_group.other", "there is no", id="unknown_field"),
        pytest.param("A = total\na = tax", "twice", id="header_twice"),
        pytest.param("=1+1 = total", "formula", id="formula"),
        pytest.param("@SUM = total", "formula", id="at_sign"),
        pytest.param("A\x07b = total", "invisible", id="control_character"),
        pytest.param(f"{'x' * 61} = total", "more than 60", id="long_header"),
        pytest.param("Total =", "blank source", id="no_source"),
        pytest.param(
            "\n".join(f"H{n} = total" for n in range(61)), "at most 60", id="too_many"
        ),
    ],
)
def test_f3_columns_that_cannot_be_written_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidColumns, match=said):
        parse_columns(text, fields=FIELDS)


def test_f3_columns_come_out_as_they_went_in() -> None:
    text = "Invoice no = number\nSupplier = bill_group.portal_id\nIs a=b = total"

    columns = parse_columns(text, fields=FIELDS)

    assert columns[2] == Column(header="Is a=b", source="total")
    assert write_columns(columns).splitlines()[:2] == text.splitlines()[:2]
