"""What people are told of the columns of a file before they make one.

The examples of all columns, side by side, are a sample file that can be read.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO


@dataclass(frozen=True, slots=True)
class ColumnGuide:
    """A column: its name, what it means, and its cell in each row of the sample.

    A column without examples is not in the sample.
    """

    name: str
    meaning: str
    examples: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def example(self) -> str:
        """Return the first cell of the sample that is filled in."""
        return next((cell for cell in self.examples if cell), "")


def sample_csv(columns: Sequence[ColumnGuide]) -> str:
    """Return the sample file that the examples of the columns make.

    >>> print(sample_csv([ColumnGuide("a", "", ("1", "2")), ColumnGuide("b", "")]))
    a
    1
    2
    <BLANKLINE>
    """
    shown = [column for column in columns if column.examples]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in shown])
    writer.writerows(zip(*(column.examples for column in shown), strict=True))
    return out.getvalue()
