import pytest

from billing.services.reasons import ReasonMissing, given


def test_a_reason_is_stored_without_the_blanks_around_it() -> None:
    assert given("  Moved out\n", kept_with="bill group") == "Moved out"


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\xa0"])
def test_a_blank_reason_is_refused_and_says_where_it_would_stand(blank: str) -> None:
    with pytest.raises(ReasonMissing) as refusal:
        given(blank, kept_with="credit")

    assert str(refusal.value) == "Give a reason: it is kept with the credit."
