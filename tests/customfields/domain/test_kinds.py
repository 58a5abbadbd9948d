"""The seven types: what each takes, stores, shows and refuses (F1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customfields.domain.kinds import (
    InvalidValue,
    Kind,
    Stored,
    check,
    is_blank,
    parse,
    show,
)

CHOICES = ("Ariba", "Coupa", "Grüne Straße", "=SUM(A1)")

GOOD: list[tuple[str, Kind, str, Stored]] = [
    ("plain", Kind.TEXT, "4711", "4711"),
    ("blanks_around", Kind.TEXT, " \t4711 \r\n\xa0", "4711"),
    ("longest_text", Kind.TEXT, "x" * 500, "x" * 500),
    ("accents_composed", Kind.TEXT, "e\u0301", "\u00e9"),
    ("html_stays_text", Kind.TEXT, "<b>1</b>", "<b>1</b>"),
    ("formula_stays_text", Kind.TEXT, "=1+1", "=1+1"),
    ("other_scripts", Kind.TEXT, "株式会社 نص 👩‍💻", "株式会社 نص 👩‍💻"),
    ("lines_and_tabs", Kind.LONG_TEXT, "a\r\nb\rc\n\td", "a\nb\nc\n\td"),
    ("longest_long_text", Kind.LONG_TEXT, "x" * 5000, "x" * 5000),
    ("whole_number", Kind.NUMBER, "12", "12"),
    ("shortest_form", Kind.NUMBER, "012.500", "12.5"),
    ("negative", Kind.NUMBER, "-0.000001", "-0.000001"),
    ("minus_zero", Kind.NUMBER, "-0.0", "0"),
    ("no_exponent", Kind.NUMBER, "1000000", "1000000"),
    ("largest", Kind.NUMBER, "999999999999999.999999", "999999999999999.999999"),
    ("leap_day", Kind.DATE, "2028-02-29", "2028-02-29"),
    ("first_day", Kind.DATE, "1900-01-01", "1900-01-01"),
    ("last_day", Kind.DATE, "2200-12-31", "2200-12-31"),
    ("yes", Kind.YES_NO, "yes", True),
    ("no", Kind.YES_NO, "No", False),
    ("true", Kind.YES_NO, "TRUE", True),
    ("false", Kind.YES_NO, "false", False),
    ("choice", Kind.CHOICE, "Ariba", "Ariba"),
    ("decomposed_choice", Kind.CHOICE, "Gru\u0308ne Straße", "Grüne Straße"),
    ("https", Kind.URL, "https://x.example/a?b=c#d", "https://x.example/a?b=c#d"),
    ("http_in_the_house", Kind.URL, "http://portal:8080", "http://portal:8080"),
    ("capital_scheme", Kind.URL, "HTTPS://x.example", "HTTPS://x.example"),
    ("ipv6", Kind.URL, "http://[::1]/", "http://[::1]/"),
    ("idn", Kind.URL, "https://bücher.example", "https://bücher.example"),
]

BAD: list[tuple[str, Kind, str, str]] = [
    ("blank", Kind.TEXT, " \t\r\n\xa0", "It is blank"),
    ("wide_blanks", Kind.TEXT, "\u3000\u2003", "It is blank"),
    ("nothing_seen", Kind.TEXT, "\u2800\u3164\u180e \u200d", "It is blank"),
    ("too_long", Kind.TEXT, "x" * 501, "It has 501 characters; at most 500 fit."),
    ("two_lines", Kind.TEXT, "a\nb", "Write it on one line"),
    ("tab", Kind.TEXT, "a\tb", "Write it on one line"),
    ("null", Kind.TEXT, "a\x00b", "invisible character (U+0000)"),
    ("escape", Kind.TEXT, "a\x1bb", "invisible character (U+001B)"),
    ("right_to_left_override", Kind.TEXT, "a\u202eb", "invisible character (U+202E)"),
    ("zero_width_blank", Kind.TEXT, "a\u200bb", "invisible character (U+200B)"),
    ("half_a_character", Kind.TEXT, "a\ud800b", "invisible character (U+D800)"),
    ("lost_character", Kind.TEXT, "M\ufffdller", "A character was lost"),
    ("too_long", Kind.LONG_TEXT, "x" * 5001, "at most 5000 fit"),
    ("form_feed", Kind.LONG_TEXT, "a\x0cb", "invisible character (U+000C)"),
    ("line_separator", Kind.LONG_TEXT, "a\u2028b", "invisible character (U+2028)"),
    ("word", Kind.NUMBER, "twelve", "It is not a number"),
    ("comma", Kind.NUMBER, "12,5", "A comma can be"),
    ("thousands", Kind.NUMBER, "1 200", "It is not a number"),
    ("plus", Kind.NUMBER, "+1", "It is not a number"),
    ("exponent", Kind.NUMBER, "1e3", "It is not a number"),
    ("not_finite", Kind.NUMBER, "NaN", "It is not a number"),
    ("other_digits", Kind.NUMBER, "١٢", "It is not a number"),
    ("no_digit_before_point", Kind.NUMBER, ".5", "It is not a number"),
    ("16_digits", Kind.NUMBER, "1000000000000000", "more than 15 digits before"),
    ("7_decimals", Kind.NUMBER, "0.0000001", "more than 6 digits after"),
    ("german_date", Kind.DATE, "31.01.2026", "YYYY-MM-DD"),
    ("american_date", Kind.DATE, "01/31/2026", "YYYY-MM-DD"),
    ("date_and_time", Kind.DATE, "2026-01-31T00:00", "YYYY-MM-DD"),
    ("other_digits", Kind.DATE, "\u0662026-01-31", "YYYY-MM-DD"),
    ("no_such_day", Kind.DATE, "2026-02-29", "no such day"),
    ("too_early", Kind.DATE, "1899-12-31", "between 1900 and 2200"),
    ("too_late", Kind.DATE, "2201-01-01", "between 1900 and 2200"),
    ("one", Kind.YES_NO, "1", "Write yes or no."),
    ("perhaps", Kind.YES_NO, "perhaps", "Write yes or no."),
    ("not_offered", Kind.CHOICE, "Tungsten", "Write one of: Ariba, Coupa"),
    ("other_case", Kind.CHOICE, "ariba", "Write one of: Ariba, Coupa"),
    ("script", Kind.URL, "javascript:alert(1)", "Start the web address"),
    ("data", Kind.URL, "data:text/html,x", "Start the web address"),
    ("ftp", Kind.URL, "ftp://x.example", "Start the web address"),
    ("no_scheme", Kind.URL, "x.example/path", "Start the web address"),
    ("scheme_relative", Kind.URL, "//x.example", "Start the web address"),
    ("no_host", Kind.URL, "https://", "It is not a web address"),
    ("no_slashes", Kind.URL, "https:x.example", "Start the web address"),
    ("only_port", Kind.URL, "https://:80", "It is not a web address"),
    ("wrong_port", Kind.URL, "https://x.example:99999", "It is not a web address"),
    ("broken_ipv6", Kind.URL, "https://[::1", "It is not a web address"),
    ("password", Kind.URL, "https://me:secret@x.example", "Leave user name"),
    ("quote", Kind.URL, 'https://x.example/"onclick=', "no blanks, quotes"),
    ("tag", Kind.URL, "https://x.example/<b>", "no blanks, quotes"),
    ("blank", Kind.URL, "https://x.example/a b", "no blanks, quotes"),
    ("backslash", Kind.URL, "https://x.example\\@y.example", "no blanks, quotes"),
    ("line_break", Kind.URL, "java\nscript:alert(1)", "Write it on one line"),
    ("too_long", Kind.URL, "https://x.example/" + "a" * 2000, "at most 2000 fit"),
]

any_kind = st.sampled_from(Kind)
any_text = st.one_of(
    st.text(),
    st.text(alphabet=" \t\r\n\xa0-.0123456789"),
    st.dates().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from([*CHOICES, "YES", "no", "https://x.example/", "-0", "007.10"]),
)


def named(rows: list[tuple[str, Kind, str, Stored]]) -> list[object]:
    return [
        pytest.param(kind, text, expected, id=f"{kind.lower()}-{name}")
        for name, kind, text, expected in rows
    ]


@pytest.mark.parametrize(("kind", "text", "stored"), named(GOOD))
def test_good_text_is_stored_in_its_one_form(
    kind: Kind, text: str, stored: Stored
) -> None:
    value = parse(kind, text, choices=CHOICES)

    assert value == stored
    assert type(value) is type(stored)
    assert check(kind, value, choices=CHOICES) == stored


@pytest.mark.parametrize(("kind", "text", "sentence"), named([*BAD]))
def test_bad_text_is_refused_with_a_sentence(
    kind: Kind, text: str, sentence: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(kind, text, choices=CHOICES)

    assert sentence in str(refusal.value)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("kind", Kind)
def test_blank_text_is_no_value_of_any_type(kind: Kind) -> None:
    with pytest.raises(InvalidValue, match="It is blank"):
        parse(kind, "", choices=CHOICES)


def test_long_list_of_choices_is_not_recited() -> None:
    choices = [f"C{number}" for number in range(12)]

    with pytest.raises(InvalidValue, match="C9 or one of 2 more"):
        parse(Kind.CHOICE, "D", choices=choices)


@given(kind=any_kind, text=any_text)
def test_what_is_parsed_shows_as_what_parses_to_it(kind: Kind, text: str) -> None:
    try:
        stored = parse(kind, text, choices=CHOICES)
    except InvalidValue:
        return

    assert parse(kind, show(kind, stored), choices=CHOICES) == stored
    assert check(kind, stored, choices=CHOICES) == stored
    assert not is_blank(show(kind, stored))


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_equal_numbers_are_stored_alike(number: object) -> None:
    try:
        stored = parse(Kind.NUMBER, f"{number:f}")
    except InvalidValue:
        return

    padded = str(stored) if "." in str(stored) else f"{stored}.0"
    assert parse(Kind.NUMBER, padded) == stored


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        pytest.param(Kind.NUMBER, "12.50", id="trailing_zero"),
        pytest.param(Kind.NUMBER, 12, id="json_number"),
        pytest.param(Kind.TEXT, " x", id="blank_around"),
        pytest.param(Kind.TEXT, True, id="bool_in_text"),
        pytest.param(Kind.YES_NO, "yes", id="text_in_yes_no"),
        pytest.param(Kind.YES_NO, 1, id="number_in_yes_no"),
        pytest.param(Kind.CHOICE, "Tungsten", id="choice_not_offered"),
        pytest.param(Kind.TEXT, ["a"], id="list"),
        pytest.param(Kind.DATE, None, id="null"),
        pytest.param(Kind.URL, "javascript:alert(1)", id="script"),
    ],
)
def test_value_not_in_its_stored_form_is_noticed(kind: Kind, stored: object) -> None:
    with pytest.raises(InvalidValue):
        check(kind, stored, choices=CHOICES)


@given(
    kind=any_kind, stored=st.recursive(st.none() | st.booleans() | st.text(), st.lists)
)
def test_showing_never_fails(kind: Kind, stored: object) -> None:
    assert isinstance(show(kind, stored), str)
