"""For maintainers: what things cost. Figures to look at, never a test.

suite     the time of every kata and test, and the share that is training
feedback  from a save to the verdict in watch mode, beside a cold pytest
grading   a class of made-up students, graded, and killed while it is; the attacks that are tried
"""

import argparse
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from dojo import catalog
from dojo.catalog import Catalog, Kata


@dataclass(frozen=True)
class Times:
    """What was timed, by the names in its text fields, and its times."""


Timed = TypeVar("Timed", bound=Times)


def parser(program: str, doc: str | None, repeat: int, what: str) -> argparse.ArgumentParser:
    """The options that the benchmarks of katas share.

    Args:
        doc: the text of the module; its first line is the description.
        repeat: how often by default.
        what: what --repeat counts, and what --json shows all of.
    """
    description, text = (doc or "").partition("\n")[0], f"{what} ({repeat})"
    parser = argparse.ArgumentParser(f"python tools/bench/{program}", description=description)
    parser.add_argument("kata", nargs="*", help="only these katas, such as k06")
    parser.add_argument("--repeat", type=int, default=repeat, metavar="N", help=text)
    parser.add_argument("--json", action="store_true", help="all times as JSON")
    return parser


def find(names: Sequence[str]) -> tuple[Catalog, Sequence[Kata]]:
    """The catalog, and the katas of these names; all if there are none.

    Raises:
        SystemExit: there is no such kata; with a sentence.
    """
    try:
        whole = catalog.load()
        return whole, [whole.find(name) for name in names] or whole.katas
    except (catalog.CatalogError, catalog.UnknownKata) as problem:
        raise SystemExit(str(problem)) from None


def medians(times: Iterable[Timed]) -> list[Timed]:
    """The median of each time, over those with the same names."""
    groups: dict[tuple[str, ...], list[Timed]] = {}
    for timed in times:
        names = tuple(value for value in vars(timed).values() if isinstance(value, str))
        groups.setdefault(names, []).append(timed)
    return [_median(group) for group in groups.values()]


def _median(group: Sequence[Timed]) -> Timed:
    rows = [vars(timed) for timed in group]
    columns = [name for name, value in rows[0].items() if not isinstance(value, str)]
    median = {name: statistics.median(row[name] for row in rows) for name in columns}
    return replace(group[0], **median)


def as_json(times: Iterable[Times]) -> str:
    return json.dumps([asdict(timed) for timed in times], indent=1)
