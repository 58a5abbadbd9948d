"""Keys and choices that a field can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customfields.domain.definition import (
    RESERVED_KEYS,
    InvalidChoices,
    InvalidKey,
    check_choices,
    check_key,
)
from customfields.domain.kinds import Kind


@pytest.mark.parametrize("key", ["a", "po", "portal_id", "x2", "a_1", "a" * 40])
def test_identifier_is_a_key(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "Portal",
        "portal id",
        "portal-id",
        "portal.id",
        "2nd",
        "_id",
        "id_",
        "a__b",
        "größe",
        "a\n",
        "cf:a",
        "'; DROP TABLE",
        "<b>",
        "a\x00",
    ],
)
def test_what_is_no_identifier_is_refused(key: str) -> None:
    with pytest.raises(InvalidKey, match="starts with a small letter"):
        check_key(key)


def test_key_too_long_is_refused() -> None:
    with pytest.raises(InvalidKey, match="41 characters; at most 40 fit"):
        check_key("a" * 41)


@pytest.mark.parametrize("key", sorted(RESERVED_KEYS))
def test_reserved_key_is_refused_with_another_to_take(key: str) -> None:
    with pytest.raises(InvalidKey, match="is reserved"):
        check_key(key)

    check_key(f"{key}_value")


@given(st.from_regex(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", fullmatch=True))
def test_key_can_be_looked_up_by_its_name(key: str) -> None:
    try:
        check_key(key)
    except InvalidKey:
        return

    assert key.isidentifier()
    assert "__" not in key


def test_choices_that_can_be_told_apart_are_taken() -> None:
    check_choices(Kind.CHOICE, ("Ariba", "Coupa"))
    check_choices(Kind.TEXT, ())


@pytest.mark.parametrize(
    ("kind", "choices", "sentence"),
    [
        pytest.param(Kind.CHOICE, (), "Write the choices", id="none"),
        pytest.param(Kind.TEXT, ("a",), "Only a field of the type", id="other_type"),
        pytest.param(Kind.CHOICE, ("a", "A"), "A is there twice", id="twice"),
        pytest.param(Kind.CHOICE, ("a ",), "blanks around it", id="blank_around"),
        pytest.param(Kind.CHOICE, (" ",), "It is blank", id="blank"),
        pytest.param(Kind.CHOICE, ("a\x07",), "U\\+0007", id="control_character"),
        pytest.param(Kind.CHOICE, ("x" * 101,), "at most 100 fit", id="too_long"),
        pytest.param(
            Kind.CHOICE,
            tuple(f"C{number}" for number in range(201)),
            "201 choices; at most 200",
            id="too_many",
        ),
    ],
)
def test_choices_that_mislead_are_refused(
    kind: Kind, choices: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InvalidChoices, match=sentence):
        check_choices(kind, choices)
