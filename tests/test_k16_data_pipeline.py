"""k16: where every row goes, what the names become, whose mean and standard deviation count, and
the class weights.
"""

import numpy as np
import pytest
import torch

from dojo.diagnosis import counted
from katas.given.data import spiral_arrays
from tests.support import expect, formula, refused, returned, splits

PARTS = ("x_train", "x_val", "x_test", "y_train", "y_val", "y_test")
COUNTS = {"c": 140, "a": 40, "b": 20}
BY_FIRST = "the classes are numbered in the order in which they appear: sort the names first"
BY_COUNT = "the classes are sorted by how often they occur, and not by the alphabet"
ROWS = [["0.1", "2", "red"], ["-3", "0.25", "blue"], ["1e3", "5", "red"], ["7", "8", "Green"]]
ROWS += [["-2.5", "0", "blue"]]


@pytest.mark.task("read")
class TestRead:
    @pytest.mark.parametrize("rows", [None, 3, 1], ids=["all rows", "three rows", "one row"])
    @pytest.mark.parametrize("columns", [2, 4], ids=["two columns of numbers", "four"])
    def test_gives_names_features_and_labels(self, kata, tmp_path, columns, rows):
        lines = [[*line[:-1] * (columns // 2), line[-1]] for line in ROWS]
        names = [*"aBcd"[:columns], "kind"]
        (tmp_path / "table.csv").write_text(
            "\n".join(",".join(line) for line in [names, *lines, []])
        )
        result = kata.read(tmp_path / "table.csv", **({} if rows is None else {"rows": rows}))
        seen, features, labels = returned.several(result, 3, "read", "names, features, labels")
        expect.equal(
            list(seen),
            names,
            what="The names of the columns",
            causes={"the last name is missing": names[:-1]},
        )
        some = counted(rows, "row") if rows else "all rows"
        kind = getattr(features, "dtype", type(features).__name__)
        expect.that(
            kind == np.float64,
            "The features have the wrong dtype.",
            seen=kind,
            expected="float64",
            likely="a file holds texts: convert them to numbers, float64",
        )
        right = np.array([[float(entry) for entry in line[:-1]] for line in lines])
        causes = {
            "the first row was taken for the names, or skipped with them": right[1:][:rows],
            "there is one row too many: `rows` of them, counted from the first": right[
                : (rows or 0) + 1
            ],
            "rows counts the rows, without the line of names: there is one too few": right[
                : (rows or 0) - 1
            ],
            "these are all rows: keep the first ones only, as `rows` says": right,
            "these are the last rows: `rows` counts from the first": right[-(rows or 0) :],
            "only two columns are read: their number is written into the code": right[:rows, :2],
            "a single row lost a dimension: features are always a table (n, d)": right[0],
        }
        expect.close(features, right[:rows], what=f"The features of {some}", causes=causes)
        wanted = [line[-1] for line in lines][:rows]
        expect.equal(np.asarray(labels).tolist(), wanted, what=f"The labels of {some}")

    def test_classes_stay_texts_and_the_last_line_needs_no_end(self, kata, tmp_path):
        (tmp_path / "table.csv").write_text("a,b,kind\n1,2,01\n3,4,2\n5,6,2")
        result = kata.read(str(tmp_path / "table.csv"))  # the path may be a text
        _, features, labels = returned.several(result, 3, "read", "names, features, labels")
        lost = {"the last line is left out where no line break ends it": np.array([[1, 2], [3, 4]])}
        right = np.array([[1.0, 2], [3, 4], [5, 6]])
        expect.close(np.asarray(features), right, "The features of three rows", lost)
        numbers = "classes are names: 01 and 2 stay the texts that they are in the file"
        wrong = {numbers: [1, 2, 2], f"{numbers} ": [1.0, 2.0, 2.0]}
        expect.equal(np.asarray(labels).tolist(), ["01", "2", "2"], "The labels", wrong)

    def test_gives_a_list_and_two_arrays(self, kata, tmp_path):
        (tmp_path / "table.csv").write_text("a,b,kind\n1,2,x\n")
        result = kata.read(tmp_path / "table.csv")
        parts = returned.several(result, 3, "read", "names, features, labels")
        expected = [list, np.ndarray, np.ndarray]
        expect.that(
            [*map(type, parts)] == expected,
            "read gives other types than its first line says.",
            seen=", ".join(type(part).__name__ for part in parts),
            expected="list, ndarray, ndarray",
            likely="the names are a list, features and labels are arrays of NumPy",
        )


@pytest.mark.task("split")
class TestSplit:
    def test_parts_are_70_15_and_15_percent(self, kata):
        # halving an odd number of rows leaves a choice, in each class
        for points_per_class in (500, 50):
            parts = split(kata, *spiral_arrays(points_per_class))
            seen, rows = [len(parts[name]) for name in PARTS[:3]], 3 * points_per_class
            expected = [int(rows * share) for share in (0.7, 0.15, 0.15)]
            right = sum(seen) == rows and all(
                abs(count - wanted) <= 3 for count, wanted in zip(seen, expected, strict=True)
            )
            expect.that(
                right,
                f"The parts of {rows} rows have the wrong sizes.",
                seen=seen,
                expected=expected,
                likely=splits.why_sizes(
                    seen, expected, "15 % of all rows is half of the remaining 30 %, not 15 % of it"
                ),
            )

    def test_every_row_lands_in_exactly_one_part(self, kata):
        parts = split(kata, *table())
        rows = np.concatenate([parts[name][:, 0] for name in PARTS[:3]]).astype(int)
        twice = len(rows) - len(set(rows))
        lost = len(set(range(200)) - set(rows))
        expect.that(
            not twice and not lost,
            "The parts do not hold every row exactly once.",
            seen=f"{counted(twice, 'row')} twice, {lost} in no part",
            expected="each row once",
            likely=splits.why_rows([parts[name] for name in PARTS[:3]], 200),
        )

    def test_labels_stay_with_their_rows(self, kata):
        parts, labels = split(kata, *table()), table()[1]
        xs, ys = ([parts[name] for name in names] for names in (PARTS[:3], PARTS[3:]))
        for name in PARTS[:3]:
            rows = parts[name][:, 0].astype(int)
            got = parts[name.replace("x", "y")]
            wrong = (
                len(rows) if len(got) != len(rows) else int((np.asarray(got) != labels[rows]).sum())
            )
            expect.that(
                not wrong,
                f"{name} and {name.replace('x', 'y')} do not belong together.",
                seen=f"{wrong} of {counted(len(rows), 'label')} belong to another row",
                expected=0,
                likely=splits.why_labels(xs, labels, ys),
            )

    def test_every_part_has_the_classes_in_proportion(self, kata):
        mixed = np.random.default_rng(3).permutation(200)  # in the order of no class
        for seed, order in ((1, None), (2, mixed), (3, mixed), (4, mixed)):
            given = table() if order is None else [part[order] for part in table()]
            parts = split(kata, *given, seed=seed)
            for name, expected in (
                ("y_train", [98, 28, 14]),
                ("y_val", [21, 6, 3]),
                ("y_test", [21, 6, 3]),
            ):
                seen = [int((parts[name] == label).sum()) for label in "cab"]
                right = all(
                    abs(count - wanted) <= 1 for count, wanted in zip(seen, expected, strict=True)
                )
                likely = why_unproportional(seen, expected)
                if order is not None:
                    likely = "are the labels taken to be sorted? They come in any order"
                if (np.diff(parts[name.replace("y", "x")][:, 0]) > 0).all():
                    likely = (
                        "the rows are cut as they come, sorted by class: shuffle them, and stratify"
                    )
                headline = f"The classes in {name} are not in the proportions of the whole."
                expect.that(
                    right, headline, seen=f"c, a, b: {seen}", expected=f"{expected}", likely=likely
                )

    def test_rows_are_shuffled(self, kata):
        parts = split(kata, *table())
        for name in PARTS[3:]:
            changes = int((parts[name][1:] != parts[name][:-1]).sum())
            likely = (
                "the rows come sorted by class, and batches cut from them would hold a single one:"
                " shuffle them"
            )
            expect.that(
                changes > 3,
                f"{name} is not shuffled.",
                seen=f"the class changes {counted(changes, 'time')} along {len(parts[name])} rows",
                expected="a random order",
                likely=likely,
            )

    @pytest.mark.parametrize(
        "shares", [(0.8, 0.2), (0.5, 0.3, 0.1, 0.1)], ids=["80 and 20 %", "50, 30, 10 and 10 %"]
    )
    def test_other_shares_give_other_parts(self, kata, shares):
        names = [f"{kind} of part {number}" for kind in "xy" for number in range(len(shares))]
        parts = split(kata, *table(), names=names, shares=shares)
        rows = sorted(row for name in names[: len(shares)] for row in parts[name][:, 0])
        xs = [parts[name] for name in names[: len(shares)]]
        expect.that(
            rows == list(range(200)),
            "The parts do not hold every row exactly once.",
            seen=rows[:9],
            expected="each row once",
            likely=splits.why_rows(xs, 200),
        )
        sizes = splits.why_sizes(list(map(len, xs)), [round(200 * share) for share in shares])
        for number, share in enumerate(shares):
            seen = {
                name: int((parts[names[len(shares) + number]] == name).sum()) for name in COUNTS
            }
            expected = {name: round(share * count) for name, count in COUNTS.items()}
            likely = why_unproportional(seen.values(), expected.values())
            if abs(sum(seen.values()) - sum(expected.values())) > 3:
                likely = sizes
            right = all(abs(seen[name] - expected[name]) <= 1 for name in COUNTS)
            expect.that(
                right,
                f"Part {number} has the wrong number of rows of classes c, a and b.",
                seen=seen,
                expected=expected,
                likely=likely,
            )

    def test_the_seed_decides(self, kata):
        one, same, other = (split(kata, *table(), seed=seed) for seed in (0, 0, 2))
        for name in PARTS[:3]:
            first, again, new = (parts[name][:, 0].tolist() for parts in (one, same, other))
            headline, seen = f"The same seed gives another {name}.", "different rows"
            likely = "pass it on to every split: random_state=seed; and 0 is a seed, too"
            right = "the same rows"
            expect.that(first == again, headline, seen=seen, expected=right, likely=likely)
            headline, seen = f"Another seed gives the same {name}.", "the same rows"
            likely, right = "a seed is written into the code: use the argument", "different rows"
            if first != new:
                seen, likely = "the same rows, in another order", "shuffle before the rows are cut"
            new_rows = sorted(first) != sorted(new)
            expect.that(new_rows, headline, seen=seen, expected=right, likely=likely)
        usual, named = (split(kata, *table(), **given)["x_train"] for given in ({}, {"seed": 1234}))
        likely = "the seed is 1234 where none is given: leave the line of def as it is in the stub"
        expect.that(
            np.array_equal(usual, named),
            "Without a seed, split gives other parts than with the seed 1234.",
            seen="different rows",
            expected="the same rows",
            likely=likely,
        )

    def test_leaves_the_data_as_it_was(self, kata):
        features, labels = table()
        with expect.untouched("The features", features):
            split(kata, features, labels)
        likely = "np.random.shuffle works in place: take a permutation of the row numbers instead"
        expect.that(
            (labels == table()[1]).all(),
            "The labels changed.",
            seen="another order",
            expected="as before",
            likely=likely,
        )


@pytest.mark.task("encode")
class TestEncode:
    def test_names_become_numbers_in_alphabetical_order(self, kata):
        labels = np.array(["c3", "c1", "c2", "c1", "c3", "c1"])
        numbers, classes = returned.several(kata.encode(labels), 2, "encode", "numbers, classes")
        turned = "the classes lead from name to number: classes[number] has to be the name"
        expect.that(
            not isinstance(classes, dict) or 0 in classes,
            "The classes are a dict whose keys are not the numbers.",
            seen=classes,
            expected=["c1", "c2", "c3"],
            likely=turned,
        )
        expect.equal(
            [classes[number] for number in range(len(classes))],
            ["c1", "c2", "c3"],
            what="The classes",
            causes={
                BY_FIRST: ["c3", "c1", "c2"],
                f"{BY_COUNT}, the rarest first": ["c2", "c3", "c1"],
                f"{BY_COUNT}, the most frequent first": ["c1", "c3", "c2"],
            },
        )
        causes = {
            BY_FIRST: np.array([0, 1, 2, 1, 0, 1]),
            "the numbers start at 1: classes count from 0": [3, 1, 2, 1, 3, 1],
        }
        expect.close(
            np.asarray(numbers), np.array([2, 0, 1, 0, 2, 0]), what="The numbers", causes=causes
        )
        kind = getattr(numbers, "dtype", type(numbers).__name__)
        expect.that(
            kind == np.int64,
            "The numbers have the wrong dtype.",
            seen=kind,
            expected="int64",
            likely="nn.CrossEntropyLoss wants int64: np.array(..., dtype=np.int64)",
        )

    def test_other_parts_get_the_numbers_of_the_training(self, kata):
        found = kata.encode(["mid", "high", "mid"], classes=["low", "mid", "high"])
        numbers, classes = returned.several(found, 2, "encode", "numbers, classes")
        causes = {
            "the names are numbered again, although the classes were given: use them": np.array(
                [1, 0, 1]
            ),
            "np.searchsorted needs sorted classes, and these have another order": np.array(
                [1, 0, 1]
            ),
            "the given classes were sorted: their order is the order of the numbers": np.array(
                [2, 0, 2]
            ),
        }
        what = "The numbers of mid, high, mid, with the classes low, mid, high"
        expect.close(np.asarray(numbers), np.array([1, 2, 1]), what=what, causes=causes)
        expect.equal(
            list(classes), ["low", "mid", "high"], what="The classes, when they were given"
        )

    def test_an_unknown_name_is_an_error(self, kata):
        # after, before and between the classes; with as many names as classes, and with fewer
        for name, *others in [("c9", "c2"), ("c0", "c2"), ("c11", "c2"), ("c9",), ("c11",)]:
            try:
                found = kata.encode(["c1", name, *others], classes=["c1", "c2", "c3"])
                seen = expect.describe(found)
                likely = "a name that the training never saw has no number: classes.index(name)"
                likely += " raises ValueError by itself"
                likely = expect.told(refused.RETURNED) if refused.handed_back(found) else likely
            except ValueError:
                continue
            except (KeyError, TypeError) as error:
                seen, likely = f"{type(error).__name__}: {error}", "raise ValueError(...) instead"
            headline = f"The name {name}, which is not among the classes, makes no ValueError."
            expect.unmet(headline, seen=seen, expected="ValueError", likely=likely)
        try:
            seen = expect.describe(kata.encode(["c1"], classes=[]))
        except ValueError:
            return
        headline = "A name makes no ValueError where the list of classes is empty."
        likely = "an empty list counts as false, as None does: ask `if classes is None`"
        expect.unmet(headline, seen=seen, expected="ValueError", likely=likely)

    def test_a_part_may_be_empty_or_lack_a_class(self, kata):
        draws = {"one name": [["b"], ["a", "b", "c"]], "no names": [[], ["a", "b"]]}

        def encode(labels, classes):
            found = returned.several(kata.encode(labels, classes), 2, "encode", "numbers, classes")
            return np.asarray(found[0]), list(found[1])

        def right(labels, classes):
            return np.array([classes.index(name) for name in labels], dtype=np.int64), classes

        floats = "an empty list makes an array of floats: np.array(..., dtype=np.int64)"
        wrong = {floats: lambda labels, classes: (np.array([*map(classes.index, labels)]), classes)}
        formula.check(encode, right, draws, "The numbers and classes", wrong, may_share=True)


@pytest.mark.task("standardize")
class TestStandardize:
    def test_every_part_takes_the_mean_and_std_of_the_training(self, kata):
        rows, columns = formula.sizes(2)
        random = np.random.default_rng(rows)
        draws = {"two features": list(measured())}
        draws |= {f"{columns} features": list(random.normal(3, 5, (2, rows, columns)))}
        draws |= {"features in small units": list(random.normal(0, 1e-6, (2, rows, 3)))}
        check_standardize(kata, draws)

    def test_takes_any_number_of_parts(self, kata):
        train, test = measured()
        draws = {"no others": [train], "four parts": [train, test, test[:1], train[:7]]}
        check_standardize(kata, draws | {"a single training row": [np.array([[3.0, -2]]), test]})

    def test_a_constant_feature_becomes_zero(self, kata):
        train, test = measured()
        train[:, 1], test[:, 1] = 7.0, 9.0
        more = np.stack([np.full(6, -4.0), np.arange(6.0)], axis=1)
        check_standardize(kata, {"7 in all training rows": [train, test], "-4": [more, more + 1]})


@pytest.mark.task("weights")
class TestWeights:
    def test_weight_is_one_over_the_count(self, kata):
        random, sizes = np.random.default_rng(8), formula.sizes(2)
        draws = {"ten labels": [np.array([2, 2, 1, 0, 0, 0, 0, 1, 0, 0])]}
        for classes in (*sizes, 1):
            labels = np.repeat(np.arange(classes), random.integers(1, 30, classes))
            draws[counted(classes, "class")] = [random.permutation(labels)]
        formula.check(kata.class_weights, inverse, draws, "The weights", WEIGHTS)

    @pytest.mark.placement
    def test_fits_the_loss(self, kata):
        weights = kata.class_weights(labels := np.repeat([0, 1, 2, 3], [3, 5, 1, 2]))
        expect.on_device(weights, torch.device("cpu"), what="The weights")
        loss = torch.nn.CrossEntropyLoss(weight=weights, reduction="sum")(
            torch.zeros(11, 4), torch.tensor(labels)
        )
        expect.close(
            loss,
            4 * np.log(4),
            what="The weighted loss of four classes with a weight of 1 in all each",
        )


def table() -> tuple[np.ndarray, np.ndarray]:
    """200 rows sorted by class: 140 "c", 40 "a", 20 "b". The first feature is the row's number."""
    return np.stack([np.arange(200.0), np.sin(np.arange(200))], axis=1), np.repeat(
        list(COUNTS), list(COUNTS.values())
    )


def measured() -> tuple[np.ndarray, np.ndarray]:
    """Two features of different sizes: 12 training rows and 5 others, from elsewhere."""
    random = np.random.default_rng(5)
    return random.normal([3, -200], [0.5, 40], (12, 2)), random.normal([4, -100], [2, 10], (5, 2))


def standardized(part: np.ndarray, train: np.ndarray) -> np.ndarray:
    """The part by the mean and standard deviation of the training part; what is 0 counts as 1."""
    std = train.std(axis=0)
    return (part - train.mean(axis=0)) / np.where(std == 0, 1, std)


def split(kata, features, labels, names=PARTS, **arguments) -> dict[str, np.ndarray]:
    """The learner's parts by name."""
    parts = returned.several(
        kata.split(features, labels, **arguments), len(names), "split", ", ".join(names)
    )
    splits.expect_order(parts)
    return dict(zip(names, parts, strict=True))


def check_standardize(kata, draws: dict[str, list[np.ndarray]]) -> None:
    def standardize(*parts: np.ndarray) -> tuple[np.ndarray, ...]:
        names = "one array for each that came in"
        found = returned.several(kata.standardize(*parts), len(parts), "standardize", names)
        return tuple(np.asarray(part) for part in found)

    def each(of_one) -> formula.Function:
        return lambda *parts: tuple(of_one(part, *parts) for part in parts)

    wrong = {
        cause: [*map(each, some if isinstance(some, list) else [some])]
        for cause, some in STANDARDS.items()
    }
    right = each(lambda part, train, *_: standardized(part, train))
    with np.errstate(all="ignore"):
        formula.check(standardize, right, draws, "The parts", wrong)


def why_unproportional(seen: list[int], expected: list[int]) -> str:
    """The likely cause where a part has the wrong numbers of the classes."""
    if abs(sum(seen) - sum(expected)) > len(expected):
        return "the part has the wrong size: first decide how many rows it takes, then which ones"
    return (
        "the split is not stratified: train_test_split(..., stratify=...), each cut by the labels"
        " of the rows that it cuts"
    )


STANDARDS = {  # likely cause → what it makes of a part, of all parts
    "mean and std are those of all parts together: the training must not know the others": (
        lambda x, *parts: standardized(x, np.concatenate(parts))
    ),
    "the other part is standardized by its own mean and std: use those of train": (
        lambda x, *_: standardized(x, x)
    ),
    "only the mean is subtracted: divide by the standard deviation": (
        lambda x, train, *_: x - train.mean(axis=0)
    ),
    "it is divided by the variance: std is its square root": (
        lambda x, train, *_: (x - train.mean(axis=0)) / train.var(axis=0)
    ),
    "a small std is divided by, too: only 0 is not": [
        lambda x, train, *_, e=e: (
            (x - train.mean(axis=0)) / np.where(train.std(axis=0) < e, 1.0, train.std(axis=0))
        )
        for e in (1e-2, 1e-3, 1e-4, 1e-5)
    ],
    "the mean is not subtracted": lambda x, train, *_: x / train.std(axis=0),
    "one mean and std for all features: each has its own, axis=0": (
        lambda x, train, *_: (x - train.mean()) / train.std()
    ),
    "this is the std with n - 1: np.std divides by n": (
        lambda x, train, *_: (
            (x - train.mean(axis=0)) / (train.std(axis=0) * (len(train) / (len(train) - 1)) ** 0.5)
        )
    ),
    "where a feature does not change this is a division by zero: divide by 1 there": (
        lambda x, train, *_: (x - train.mean(axis=0)) / train.std(axis=0)
    ),
    "a small number is added to the std: divide by 1 where it is 0, and by itself elsewhere": (
        lambda x, train, *_: (x - train.mean(axis=0)) / (train.std(axis=0) + 1e-8)
    ),
}


def inverse(labels: np.ndarray) -> torch.Tensor:
    return 1 / torch.tensor(np.bincount(labels), dtype=torch.float32)


WEIGHTS = {
    "these are the counts: the weight is 1 / count": lambda y: 1 / inverse(y),
    "these are shares of the rows: the lesson asks for 1 / count": lambda y: (
        1 / inverse(y) / len(y)
    ),
    "this is 1 minus the share: the lesson asks for 1 / count": lambda y: (
        1 - 1 / inverse(y) / len(y)
    ),
    "these weights are scaled (n / (classes * count)): the lesson asks for 1 / count": lambda y: (
        len(y) * inverse(y) / len(inverse(y))
    ),
    "these weights are scaled (n / count): the lesson asks for 1 / count": lambda y: (
        len(y) * inverse(y)
    ),
    "these weights are scaled to the sum 1: the lesson asks for 1 / count": lambda y: (
        inverse(y) / inverse(y).sum()
    ),
    "np.unique alone gives the class numbers: return_counts=True gives their counts, too": (
        lambda y: 1 / torch.unique(torch.tensor(y)).float()
    ),
    "there is a weight for each row: one for each class is asked for": lambda y: inverse(y)[y],
    "the last class is left out: its number is labels.max(), and the classes are one more": (
        lambda y: inverse(y)[:-1]
    ),
    "3 classes are written into the code": lambda y: inverse(y)[:3],
    "1 // count is 0 from two on: divide with /": lambda y: (inverse(y) == 1).float(),
    "1 is added to the counts: the lesson asks for 1 / count": lambda y: 1 / (1 / inverse(y) + 1),
    "this is the root of 1 / count": lambda y: inverse(y).sqrt(),
    "the weights are in the order of first appearance: they belong at their class's number": (
        lambda y: inverse(y)[list(dict.fromkeys(y.tolist()))]
    ),
}
