"""The CSV files of the demo company, with dates relative to the month of today.

`{M-3}` is the first day of the month three months before this one, `{M-3.31}` the 31st
of that month or, where it has none, its last day.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from billing.domain.period import add_months

FOLDER = Path(__file__).parent
RELATIVE_DATE = re.compile(r"\{M(?P<months>[+-]\d+)(?:\.(?P<day>\d+))?\}")

Row = Mapping[str, str]


def month(today: date, months: int, *, day: int = 1) -> date:
    """Return a day of the month so many months after today's, or its last day.

    >>> month(date(2027, 1, 15), 1, day=31)
    datetime.date(2027, 2, 28)
    """
    return add_months(today.replace(day=1), months, anchor_day=day)


def read_demo(name: str, *, today: date) -> list[Row]:
    """Return the rows of a file, its relative dates written out."""

    def written(match: re.Match[str]) -> str:
        day = int(match["day"] or 1)
        return month(today, int(match["months"]), day=day).isoformat()

    text = (FOLDER / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(RELATIVE_DATE.sub(written, text))))


def contract_files(today: date) -> Iterator[tuple[date, str, bytes]]:
    """Yield the contract files: import date, name of the seller, content; by date.

    Each row of `contract_lines.csv` is completed with the cells of its bill group and
    account, as a contract CSV has them.
    """
    accounts = {row["number"]: row for row in read_demo("accounts.csv", today=today)}
    groups = {_key(row): row for row in read_demo("bill_groups.csv", today=today)}
    rows = [
        {**line, **groups[_key(line)]}
        | {"account_name": accounts[line["account_number"]]["name"]}
        for line in read_demo("contract_lines.csv", today=today)
    ]
    by_file = itemgetter("imported", "seller")
    for (imported, seller), same in groupby(sorted(rows, key=by_file), by_file):
        yield date.fromisoformat(imported), seller, _as_csv(list(same))


def _key(row: Row) -> tuple[str, str]:
    return row["account_number"], row["bill_group"]


def _as_csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    names = [name for name in rows[0] if name not in {"imported", "seller"}]
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
