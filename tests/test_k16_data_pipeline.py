"""k16: where every row goes, what the names become, whose mean and standard deviation count, and
the class weights.
"""

import numpy as np
import pytest
import torch

from katas.given.data import spiral_arrays
from tests.support import expect, returned

PARTS = ("x_train", "x_val", "x_test", "y_train", "y_val", "y_test")
COUNTS = {"c": 140, "a": 40, "b": 20}
BY_FIRST = "the classes are numbered in the order in which they appear: sort the names first"
ROWS = [["0.1", "2", "red"], ["-3", "0.25", "blue"], ["1e3", "5", "red"], ["7", "8", "green"]]


@pytest.mark.task("read")
class TestRead:
    @pytest.mark.parametrize("rows", [None, 3, 1], ids=["all rows", "three rows", "one row"])
    @pytest.mark.parametrize("columns", [2, 4], ids=["two columns of numbers", "four"])
    def test_gives_names_features_and_labels(self, kata, tmp_path, columns, rows):
        lines = [[*line[:-1] * (columns // 2), line[-1]] for line in ROWS]
        names = [*"abcd"[:columns], "kind"]
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
            "rows counts the rows, without the line of names: there is one too few": right[
                : (rows or 0) - 1
            ],
            "these are all rows: keep the first ones only, as `rows` says": right,
            "only two columns are read: their number is written into the code": right[:rows, :2],
            "a single row lost a dimension: features are always a table (n, d)": right[0],
        }
        expect.close(
            features, right[:rows], what=f"The features of {rows or 'all'} rows", causes=causes
        )
        wanted = [line[-1] for line in lines][:rows]
        expect.equal(
            np.asarray(labels).tolist(), wanted, what=f"The labels of {rows or 'all'} rows"
        )


@pytest.mark.task("split")
class TestSplit:
    def test_parts_are_70_15_and_15_percent(self, kata):
        # halving an odd number of rows leaves a choice, in each class
        for points_per_class in (500, 50):
            parts = split(kata, *spiral_arrays(points_per_class))
            seen, rows = [len(parts[name]) for name in PARTS[:3]], 3 * points_per_class
            expected = [int(rows * share) for share in (0.7, 0.15, 0.15)]
            likely = "first split off 70 %, then split the rest into halves"
            if min(abs(part - rows * 0.3 * 0.15) for part in seen[1:]) < 2:
                likely = "15 % of the remaining 30 % are too few: the second split halves the rest"
            right = sum(seen) == rows and all(
                abs(count - wanted) <= 3 for count, wanted in zip(seen, expected, strict=True)
            )
            expect.that(
                right,
                f"The parts of {rows} rows have the wrong sizes.",
                seen=seen,
                expected=expected,
                likely=likely,
            )

    def test_every_row_lands_in_exactly_one_part(self, kata):
        parts = split(kata, *table())
        rows = np.concatenate([parts[name][:, 0] for name in PARTS[:3]]).astype(int)
        twice = len(rows) - len(set(rows))
        lost = len(set(range(200)) - set(rows))
        expect.that(
            not twice and not lost,
            "The parts do not hold every row exactly once.",
            seen=f"{twice} rows twice, {lost} in no part",
            expected="each row once",
            likely="the second split has to divide what the first one left, not all rows again",
        )

    def test_labels_stay_with_their_rows(self, kata):
        features, labels = table()
        parts = split(kata, features, labels)
        for name in PARTS[:3]:
            rows = parts[name][:, 0].astype(int)
            got = parts[name.replace("x", "y")]
            likely = (
                "shuffle features and labels by the same permutation, and return them in"
                " the order asked for"
            )
            wrong = (
                len(rows) if len(got) != len(rows) else int((np.asarray(got) != labels[rows]).sum())
            )
            expect.that(
                not wrong,
                f"{name} and {name.replace('x', 'y')} do not belong together.",
                seen=f"{wrong} of {len(rows)} labels are another row's",
                expected=0,
                likely=likely,
            )

    def test_every_part_has_the_classes_in_proportion(self, kata):
        for seed in (1, 2, 3):
            parts = split(kata, *table(), seed=seed)
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
                seen=f"the class changes {changes} times along {len(parts[name])} rows",
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
        expected = list(range(200))
        likely = "each cut has to divide what the cut before it left over"
        expect.that(
            rows == expected,
            "The parts do not hold every row exactly once.",
            seen=rows[:9],
            expected="each row once",
            likely=likely,
        )
        for number, share in enumerate(shares):
            seen = {
                name: int((parts[names[len(shares) + number]] == name).sum()) for name in COUNTS
            }
            expected = {name: round(share * count) for name, count in COUNTS.items()}
            likely = "each share is a share of the whole: of what is left it is a larger one"
            right = all(abs(seen[name] - expected[name]) <= 1 for name in COUNTS)
            expect.that(
                right,
                f"Part {number} has the wrong number of rows of classes c, a and b.",
                seen=seen,
                expected=expected,
                likely=likely,
            )

    def test_the_seed_decides(self, kata):
        one, same, other = (
            split(kata, *table(), seed=seed)["x_train"][:, 0].tolist() for seed in (1, 1, 2)
        )
        headline = "The same seed gives a different split."
        likely = "pass it on to every split: random_state=seed"
        expect.that(
            one == same, headline, seen="different rows", expected="the same rows", likely=likely
        )
        headline = "Another seed gives the same split."
        likely = "a seed is written into the code: use the argument"
        expect.that(
            one != other, headline, seen="the same rows", expected="different rows", likely=likely
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
        labels = np.array(["c3", "c1", "c2", "c2", "c3"])
        numbers, classes = returned.several(kata.encode(labels), 2, "encode", "numbers, classes")
        expect.equal(
            list(classes),
            ["c1", "c2", "c3"],
            what="The classes",
            causes={BY_FIRST: ["c3", "c1", "c2"]},
        )
        causes = {
            BY_FIRST: np.array([0, 1, 2, 2, 0]),
            "the numbers start at 1: classes count from 0": [3, 1, 2, 2, 3],
        }
        expect.close(
            np.asarray(numbers), np.array([2, 0, 1, 1, 2]), what="The numbers", causes=causes
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
        try:
            seen = kata.encode(["c1", "c9"], classes=["c1", "c2"])
        except ValueError:
            return
        expect.unmet(
            "An unknown name gets a number.",
            seen=expect.describe(seen),
            expected="ValueError",
            likely=(
                "a name that the training never saw has no number: classes.index(name) raises"
                " ValueError by itself"
            ),
        )


@pytest.mark.task("standardize")
class TestStandardize:
    def test_every_part_takes_the_mean_and_std_of_the_training(self, kata):
        train, test = measured()
        with expect.untouched("A part", train, test):
            parts = standardize(kata, train, test)
        both = np.concatenate([train, test])
        for name, part, seen in (("training", train, parts[0]), ("test", test, parts[1])):
            causes = mistakes(part, train, both)
            expect.close(
                np.asarray(seen), standardized(part, train), what=f"The {name} part", causes=causes
            )

    def test_takes_any_number_of_parts(self, kata):
        train, test = measured()
        for others in ([], [test, test[:1], train]):
            parts = standardize(kata, train, *others)
            for number, (part, seen) in enumerate(zip([train, *others], parts, strict=True)):
                expect.close(
                    np.asarray(seen),
                    standardized(part, train),
                    what=f"Part {number} of {1 + len(others)}",
                )

    def test_a_constant_feature_becomes_zero(self, kata):
        train, test = measured()
        train[:, 1], test[:, 1] = 7.0, 9.0
        here, there = (np.asarray(part)[:, 1] for part in standardize(kata, train, test))
        expect.close(
            here, np.zeros(len(train)), what="A feature that is the same in all training rows"
        )
        expect.close(there, np.full(len(test), 2.0), what="The same feature in the test part")


@pytest.mark.task("weights")
class TestWeights:
    def test_weight_is_one_over_the_count(self, kata):
        labels = np.array([2, 2, 1, 0, 0, 0, 0, 1, 0, 0])
        weights, counts = kata.class_weights(labels), torch.tensor([6.0, 2.0, 2.0])
        causes = {
            "these are the counts: the weight is 1 / count": counts,
            "these weights are scaled (10 / (3 * count)): the lesson asks for 1 / count": (
                10 / (3 * counts)
            ),
            "these weights are scaled to the sum 1: the lesson asks for 1 / count": (
                (1 / counts) / (1 / counts).sum()
            ),
            "the weights are in the order of first appearance: they belong at their class's "
            "number": (1 / counts.flip(0)),
        }
        expect.dtype(weights, torch.float32, what="The weights")
        expect.close(weights, 1 / counts, what="The weights", causes=causes)

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
    """The part by the mean and standard deviation of the training part."""
    return (part - train.mean(axis=0)) / train.std(axis=0)


def split(kata, features, labels, names=PARTS, **arguments) -> dict[str, np.ndarray]:
    """The learner's parts by name."""
    parts = returned.several(
        kata.split(features, labels, **arguments), len(names), "split", ", ".join(names)
    )
    return dict(zip(names, parts, strict=True))


def standardize(kata, *parts) -> tuple[np.ndarray, ...]:
    """The learner's standardized parts, the training part first."""
    return returned.several(
        kata.standardize(*parts), len(parts), "standardize", "one array for each that came in"
    )


def why_unproportional(seen: list[int], expected: list[int]) -> str:
    """The likely cause where a part has the wrong numbers of the classes."""
    if abs(sum(seen) - sum(expected)) > len(expected):
        return "the part has the wrong size: first decide how many rows it takes, then which ones"
    return "the split is not stratified: train_test_split(..., stratify=labels), both times"


def mistakes(part: np.ndarray, train: np.ndarray, both: np.ndarray) -> dict[str, np.ndarray]:
    """What known mistakes make of a part: likely cause → the array that it gives."""
    mean, std = train.mean(axis=0), train.std(axis=0)
    return {
        "mean and std are those of all parts together: the training must not know the others": (
            standardized(part, both)
        ),
        "the other part is standardized by its own mean and std: use those of train": standardized(
            part, part
        ),
        "only the mean is subtracted: divide by the standard deviation": part - mean,
        "it is divided by the variance: std is its square root": (part - mean) / std**2,
        "the mean is not subtracted": part / std,
        "one mean and std for all features: each has its own, axis=0": (
            (part - train.mean()) / train.std()
        ),
        "this is the std with n - 1: np.std divides by n": (
            (part - mean) / train.std(axis=0, ddof=1)
        ),
    }
