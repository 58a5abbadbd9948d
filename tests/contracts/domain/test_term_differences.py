"""The terms before and after an amendment, from what it keeps (A1)."""

from datetime import date
from typing import Any

from contracts.domain.term_differences import term_differences

JAN_1 = "2026-01-01"


def stretch(day: str, quantity: str = "2", **more: str) -> dict[str, str]:
    values = {
        "from": day,
        "quantity": quantity,
        "unit_price": "10",
        "discount_percent": "0",
    }
    return values | more


def line(*stretches: dict[str, str], line_id: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "line": line_id,
        "start": JAN_1,
        "last_day": None,
        "stretches": list(stretches),
    } | more


def marks(before: list[Any], after: list[Any]) -> list[tuple[int, date, str]]:
    return [
        (one.line_id, one.from_date, one.mark)
        for one in term_differences({"lines": before}, {"lines": after})
    ]


def test_a1_every_stretch_is_shown_and_only_the_new_one_is_changed() -> None:
    before = [line(stretch(JAN_1))]
    after = [line(stretch(JAN_1), stretch("2026-03-01", "3"))]

    assert marks(before, after) == [
        (7, date(2026, 1, 1), ""),
        (7, date(2026, 3, 1), "changed"),
    ]


def test_a1_stretches_that_say_the_same_are_one() -> None:
    both = [line(stretch(JAN_1), stretch("2026-03-01"))]

    assert marks(both, both) == [(7, date(2026, 1, 1), "")]


def test_a1_added_and_ended_lines_are_marked() -> None:
    ended = line(stretch(JAN_1), last_day="2026-02-28")

    assert marks([line(stretch(JAN_1))], [ended, line(stretch(JAN_1), line_id=8)]) == [
        (7, date(2026, 1, 1), "ended"),
        (8, date(2026, 1, 1), "added"),
    ]


def test_a1_new_tiers_of_usage_are_a_change() -> None:
    before = [line(stretch(JAN_1, tiers="", included_quantity="0"))]
    after = [line(stretch(JAN_1, tiers="volume *:1", included_quantity="0"))]

    assert marks(before, after) == [(7, date(2026, 1, 1), "changed")]


def test_amendments_without_tiers_are_still_read() -> None:
    """Those that were kept before tiers were."""
    (one,) = term_differences({"lines": [line(stretch(JAN_1))]}, {"lines": []})

    assert one.before is not None
    assert (one.before.tiers, one.after) == ("", None)
