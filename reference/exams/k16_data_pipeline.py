"""Questions on k16: the same asking code runs on the submission, confined, and on the reference."""

import tempfile
from pathlib import Path

import numpy as np

from dojo.exam import Draw, equal_as, every, question, training_steps, within

SHARES = [(0.8, 0.2), (0.6, 0.2, 0.2), (0.5, 0.3, 0.1, 0.1), (0.4, 0.35, 0.25)]
WORDS = [
    "amber",
    "birch",
    "cedar",
    "dune",
    "elm",
    "fern",
    "grove",
    "heath",
    "iris",
    "juniper",
    "kelp",
    "larch",
    "moss",
]


def words(random: np.random.Generator, number: int) -> list[str]:
    """Different words, in the reverse order of the alphabet."""
    return sorted(random.permutation(WORDS)[:number].tolist(), reverse=True)


def file(random: np.random.Generator):
    """The text of a table, and how many of its rows to keep."""
    columns, rows = random.integers(2, 6), random.integers(6, 12)
    numbers = [
        [f"{value:.4g}" for value in line]
        for line in random.normal(0, 10.0 ** random.integers(0, 6), (rows, columns))
    ]
    kinds = [word.title() if n == 1 else word for n, word in enumerate(words(random, 3))]
    lines = [words(random, columns + 1), *([*line, str(random.choice(kinds))] for line in numbers)]
    return "".join(f"{','.join(line)}\n" for line in lines), int(random.integers(2, 6))


def classes_in_a_row(random: np.random.Generator):
    """2000 rows sorted by class; each class has a multiple of 100 of them, so that every part's
    share is a whole number.
    """
    few, some = 100 * int(random.integers(1, 3)), 100 * int(random.integers(3, 6))
    features, kinds = random.standard_normal((2000, 3)), words(random, 3)
    counts = [2000 - few - some, some, few]
    numbers = np.repeat(np.arange(3), counts)
    given = {"features": features, "kinds": kinds, "numbers": numbers}
    return given, {"features": features, "numbers": numbers, "counts": np.array(counts)}


def mixed_classes(random: np.random.Generator):
    """The same in random order."""
    given, hidden = classes_in_a_row(random)
    order = random.permutation(len(given["numbers"]))
    given |= {name: given[name][order] for name in ("features", "numbers")}
    return given, hidden | {name: given[name] for name in ("features", "numbers")}


def misplaced(answer, right, hidden) -> float:
    """Rows that are lost, or there twice, or that have another row's label."""
    xs, ys = (np.concatenate([part.data for part in parts]) for parts in (answer["x"], answer["y"]))
    known = {
        row.tobytes(): int(number)
        for row, number in zip(hidden["features"].data, hidden["numbers"].data, strict=True)
    }
    found = {
        row.tobytes(): int(number) for row, number in zip(xs.astype(np.float64), ys, strict=True)
    }
    return (
        len(known)
        - sum(found.get(row) == number for row, number in known.items())
        + abs(len(xs) - len(known))
    )


def unlike(answer, right, hidden) -> float:
    """The rows of a class by which a part is too large or too small, the most."""
    counts = [[int((part.data == number).sum()) for number in range(3)] for part in answer["y"]]
    return float(np.abs(counts - np.outer(hidden["shares"].data, hidden["counts"].data)).max())


def changes(answer, right, hidden) -> float:
    """How often the class changes along a part, the least."""
    return min(int((np.diff(part.data) != 0).sum()) for part in answer["y"])


# Rounding leaves a choice of rows, so none of them is the reference's. It costs a part a row of a
# class, and the last part has what three cuts left. Not stratified, a part is off by 7 rows of a
# frequent class on average; sorted, its class changes twice.
is_split = every(
    within(0, "at most", misplaced, "rows lost, twice, or with another row's label"),
    within(3, "at most", unlike, "rows of a class too many or too few in a part"),
    within(20, "at least", changes, "changes of the class along a part"),
)


def cut(kata, given: dict, names: bool, seed: int, shares: tuple | None = None):
    """The parts of a split, their labels as numbers; a table with names as labels is cut as
    well.
    """
    labels = np.array(given["kinds"])[given["numbers"]] if names else given["numbers"]
    parts = kata.split(
        given["features"], labels, seed=seed, **({} if shares is None else {"shares": shares})
    )
    half, places = len(parts) // 2, {kind: number for number, kind in enumerate(given["kinds"])}
    ys = [
        np.array([places[str(name)] for name in part] if names else part, dtype=np.int64)
        for part in parts[half:]
    ]
    return {"x": [np.asarray(part) for part in parts[:half]], "y": ys}


@question("read", times=2)
def table_from_a_file(kata, draw: Draw):
    (text, some), found = draw.made(file), {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_text(text)
        for name, rows in (("all", None), ("some", some), ("one", 1)):
            names, features, labels = kata.read(
                path if rows else str(path), **({"rows": rows} if rows else {})
            )
            found[name] = [[str(one) for one in names], features, np.asarray(labels).tolist()]
            found[f"{name}: types"] = [type(part).__name__ for part in (names, features, labels)]
        lines = [f"{number},{number / 2},0{number % 3}" for number in range(draw.integer(3, 9))]
        path.write_text("\n".join(["a,b,kind", *lines]))
        _, features, labels = kata.read(path)
        found["no end"] = [features, np.asarray(labels).tolist()]
    return found


@question("split", parts=is_split)
def three_parts(kata, draw: Draw):
    given = draw.data(classes_in_a_row)
    draw.hidden("shares", lambda: np.array([0.7, 0.15, 0.15]))
    return {"parts": cut(kata, given, True, draw.seed())}


@question("split", parts=is_split)
def rows_in_any_order(kata, draw: Draw):
    given = draw.data(mixed_classes)
    draw.hidden("shares", lambda: np.array([0.7, 0.15, 0.15]))
    return {"parts": cut(kata, given, True, draw.seed())}


@question("split", parts=is_split)
def other_shares(kata, draw: Draw):
    given, shares = draw.data(classes_in_a_row), draw.choice(SHARES)
    draw.hidden("shares", lambda: np.array(shares))
    return {"parts": cut(kata, given, False, draw.seed(), shares)}


def rows(part: np.ndarray) -> np.ndarray:
    return part[np.lexsort(part.T)]


@question("split", parts=every(equal_as(), equal_as(rows)), more=equal_as())
def the_seed(kata, draw: Draw):
    given, seed = draw.data(classes_in_a_row), draw.integer(0, 10**6)
    seeds = (seed, seed, seed + draw.integer(1, 99))
    splits = [cut(kata, given, True, one)["x"] for one in seeds]
    more = [
        [np.asarray(part) for part in pair]
        for settings in (({"seed": 0}, {"seed": 0}), ({}, {"seed": 1234}))
        for pair in zip(*(plain(kata, given, some)[:3] for some in settings), strict=True)
    ]
    return {"parts": [list(parts) for parts in zip(*splits, strict=True)], "more": more}


def plain(kata, given: dict, settings: dict) -> tuple[np.ndarray, ...]:
    """The parts of a split with these settings alone."""
    return kata.split(given["features"].copy(), given["numbers"].copy(), **settings)


@question("encode", times=2)
def numbers_of_names(kata, draw: Draw):
    kinds, labels = draw.made(
        lambda random: (known := words(random, 5), [*known, *map(str, random.choice(known, 20))])
    )
    # neither sorted nor all there: the second part lacks the first and the last
    given = [*kinds[1:3], kinds[0], *kinds[3:]]
    found = [
        kata.encode(np.array(labels)),
        kata.encode(labels),
        kata.encode(np.array(kinds[1:4]), given),
    ]
    return {
        "numbers": [one[0] for one in found],
        "classes": [[str(one[1][number]) for number in range(len(one[1]))] for one in found],
    }


@question("encode")
def an_unknown_name(kata, draw: Draw):
    kinds = draw.made(lambda random: words(random, 4))
    return {
        "refused": [
            training_steps.refused(lambda lacks=lacks: kata.encode(np.array(kinds), lacks))
            for lacks in (kinds[1:], kinds[:-1], [kinds[0], kinds[3]], sorted(kinds)[1:3])
        ],
        "one refused": training_steps.refused(
            lambda: kata.encode(np.array(kinds[:2]), [kinds[0], *kinds[2:]])
        ),
        "no classes": training_steps.refused(lambda: kata.encode(kinds, [])),
        "empty": kata.encode([], kinds)[0],
    }


@question("standardize", times=2)
def by_the_training_part(kata, draw: Draw):
    parts = draw.made(
        lambda random: [random.normal(random.normal(0, 50), 10.0**n, (20 + n, 3)) for n in range(3)]
    )
    for part in parts:
        part[:, 0] *= 1e-6  # in small units
    # Where a feature does not change: whole numbers, whose mean and deviation NumPy has without
    # rounding.
    constant = draw.integer(2, 40)
    parts = [np.insert(part, 1, constant + 3 * number, axis=1) for number, part in enumerate(parts)]
    found = kata.standardize(*parts)
    return {
        "parts": [np.asarray(part) for part in found],
        "alone": np.asarray(kata.standardize(parts[0])[0]),
        "given": parts,
        "one row": [
            np.asarray(part) for part in kata.standardize(np.array([[2.0, -3.0]]), np.eye(2))
        ],
    }


@question("weights", times=2)
def one_over_the_count(kata, draw: Draw):
    counted = draw.made(
        lambda random: random.permutation(np.repeat(np.arange(5), random.integers(1, 40, 5)))
    )
    single = np.zeros(draw.integer(2, 9), dtype=np.int64)
    return {
        "weights": kata.class_weights(counted),
        "labels": counted,
        "one class": kata.class_weights(single),
    }
