"""The reason that staff give for a deed: without one, nothing is done."""


class ReasonMissing(ValueError):
    """Something that needs a reason was to be done without one."""

    def __init__(self, *, kept_with: str) -> None:
        super().__init__(f"Give a reason: it is kept with the {kept_with}.")


def given(reason: str, *, kept_with: str) -> str:
    """Return a reason as it is stored, without blanks around it.

    `kept_with` names the document or deed that it explains. Raises `ReasonMissing` for
    a blank one.
    """
    if not (stored := reason.strip()):
        raise ReasonMissing(kept_with=kept_with)
    return stored
