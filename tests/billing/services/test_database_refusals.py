import pytest
from django.db import IntegrityError, connection

from billing.services.database_refusals import refused_as

pytestmark = pytest.mark.django_db


class GroupStays(ValueError):
    """What the trigger of these tests refuses."""


def refuse(constraint: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DO $$ BEGIN RAISE EXCEPTION 'BG-000001 stays.' USING ERRCODE = "
            f"'integrity_constraint_violation', CONSTRAINT = '{constraint}'; END $$"
        )


def test_a_refusal_that_is_named_is_raised_with_the_sentence_of_the_database() -> None:
    with (
        pytest.raises(GroupStays, match=r"^BG-000001 stays\.$"),
        refused_as({"group_stays": GroupStays}),
    ):
        refuse("group_stays")

    assert connection.is_usable()


def test_any_other_refusal_is_raised_as_it_came() -> None:
    with (
        pytest.raises(IntegrityError, match="BG-000001 stays"),
        refused_as({"group_stays": GroupStays}),
    ):
        refuse("another")
