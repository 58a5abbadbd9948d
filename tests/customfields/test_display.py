"""Values as people read them."""

import pytest

from customfields.display import display_value
from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import Kind


@pytest.mark.parametrize(
    ("kind", "stored", "shown"),
    [
        pytest.param(Kind.TEXT, "<b>", "<b>", id="text_is_not_marked_safe"),
        pytest.param(Kind.DATE, "2026-03-02", "2 Mar 2026", id="date"),
        pytest.param(Kind.YES_NO, False, "No", id="no"),
        pytest.param(Kind.NUMBER, "12.5", "12.5", id="number"),
        pytest.param(
            Kind.URL,
            "https://x.example/?a=1&b=2",
            '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer">'
            "https://x.example/?a=1&amp;b=2</a>",
            id="url_is_a_link",
        ),
        pytest.param(
            Kind.URL, "javascript:alert(1)", "javascript:alert(1)", id="script_is_not"
        ),
        pytest.param(Kind.DATE, "yesterday", "yesterday", id="broken_date"),
    ],
)
def test_value_is_shown_for_reading(kind: Kind, stored: object, shown: str) -> None:
    definition = FieldDefinition(key="a", label="A", kind=kind)

    text = display_value(definition, stored)

    assert text == shown
    assert hasattr(text, "__html__") == shown.startswith("<a ")
