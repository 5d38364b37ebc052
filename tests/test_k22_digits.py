"""k22: who gets which row, one scale for all, epochs of mini-batches, when the training stops and
what it leaves behind, and what is told of its wrong answers.
"""

import copy
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.diagnosis import counted
from katas.given import digits
from tests.support import batches, expect, formula, formulas, layers, placement, returned

SHARES = {"training": 0.5, "validation": 0.2, "test": 0.3}
COUNTS = [100, 500, 60, 340]  # of four classes: 1000 rows, sorted
LABELS = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))
MIXED = LABELS[torch.randperm(1000, generator=torch.Generator().manual_seed(7))]
OF_THE_REST = "the share of the second cut is one of the rest that the first one left"
ONCE_MORE = "the second cut takes all rows once more: it takes what the first one left"


@pytest.mark.task("split")
class TestSplit:
    def test_parts_are_50_20_and_30_percent(self, kata):
        seen, right = [len(part) for part in split(kata)], [500, 200, 300]
        causes = {
            (500, 300, 200): "validation and test are swapped: 40 % of the rest are to validate",
            (300, 200, 500): "training and test are swapped: training, validation, test",
            (500, 100, 400): f"20 % of the rest are too few: {OF_THE_REST}",
            (560, 140, 300): f"20 % of the rest are too few: {OF_THE_REST}",
            (500, 350, 150): f"30 % of the rest are too few: {OF_THE_REST}",
            (500, 250, 250): "the rest is cut into halves: 20 and 30 % are asked for",
            (500, 200, 800): ONCE_MORE,
            (500, 400, 600): ONCE_MORE,
        }
        told = [cause for sizes, cause in causes.items() if alike(seen, sizes)]
        likely = expect.told(*told) or "a share is wrong, or a part is cut twice"
        headline = "The parts of 1000 rows have the wrong sizes."
        expect.that(alike(seen, right), headline, seen=seen, expected=right, likely=likely)

    def test_every_row_is_in_exactly_one_part(self, kata):
        parts = split(kata)
        rows, within = torch.cat(parts).tolist(), max(part.max() for part in parts[1:]) < 500
        twice, lost = len(rows) - len(set(rows)), len(set(range(1000)) - set(rows))
        places = "the second cut gives places within the rest: rest[...] are the row numbers"
        if set(rows) <= {0, 1, 2, 3}:
            places = "these are labels, and not row numbers: labels[rows] instead of rows"
        likely = "the second cut has to take the rows that the first one left, and no others"
        expect.that(
            not twice and not lost,
            "Not every row is in exactly one part.",
            seen=f"{counted(twice, 'row')} twice, {lost} in no part",
            expected="each row once",
            likely=expect.told(places) if within else likely,
        )

    def test_every_part_has_the_classes_in_proportion(self, kata):
        few = torch.arange(30) % 3  # ten rows of each class
        for seed, labels in enumerate([LABELS, LABELS, MIXED, MIXED, few]):
            parts = split(kata, seed, labels)
            for (name, share), rows in zip(SHARES.items(), parts, strict=True):
                counts = torch.bincount(labels).tolist()
                seen = torch.bincount(labels[rows], minlength=len(counts)).tolist()
                right = [round(share * count) for count in counts]
                likely = "a cut is not stratified: the second stratifies by the labels of the rest"
                if not all(seen):
                    likely = "the rows are cut as they come, sorted by class: shuffle and stratify"
                elif labels is not LABELS:
                    likely = "are the labels taken to be sorted? They come in any order"
                expect.that(
                    alike(seen, right),
                    f"The {name} part has the classes in other proportions than the whole.",
                    seen=f"rows of each class: {seen}",
                    expected=right,
                    likely=likely if labels is not LABELS and all(seen) else expect.told(likely),
                )

    def test_parts_are_in_random_order(self, kata):
        for name, rows in zip(SHARES, split(kata), strict=True):
            changes = int((LABELS[rows].diff() != 0).sum())
            expect.that(
                changes > 20,
                f"The {name} part is not in random order.",
                seen=f"the class changes {counted(changes, 'time')} along {len(rows)} rows",
                expected="a random order",
                likely="the rows were put together class by class: shuffle them once more",
            )

    def test_the_seed_decides(self, kata):
        for name, one, again, other in zip(
            SHARES, split(kata, 1), split(kata, 1), split(kata, 2), strict=True
        ):
            told = "pass it on with every cut: random_state=seed"
            headline = f"The same seed gives another {name} part."
            is_same, rows = torch.equal(one, again), expect.describe(again)
            expect.that(is_same, headline, seen=rows, expected=expect.describe(one), likely=told)
            told = "a seed is written into the code: use the argument"
            headline, is_same = f"Another seed gives the same {name} part.", torch.equal(one, other)
            expect.that(not is_same, headline, seen=rows, expected="other rows", likely=told)
        seen, right, again = (torch.cat(split(kata, seed)).tolist() for seed in (None, 0, 0))
        headline, told = "Seed 0 gives other parts each time.", "0 is False: `seed or ...` drops it"
        expect.that(right == again, headline, seen=again[:6], expected=right[:6], likely=told)
        headline, told = "Without a seed the parts are not those of seed 0.", batches.LEAVE
        expect.that(seen == right, headline, seen=seen[:6], expected=right[:6], likely=told)


@pytest.mark.task("scale")
class TestScale:
    def test_every_part_takes_mean_and_std_of_the_training(self, kata):
        one, other, rows = pixels(300), 2 * pixels(200) + 3, formula.sizes(2)
        draws = {"300 and 200 rows": [one, other]}
        draws |= {
            f"{300 + rows[0]} and {rows[1]} rows": [pixels(300 + rows[0]) / 5, pixels(rows[1])]
        }
        check_scale(kata, draws)

    def test_takes_any_number_of_parts(self, kata):
        train, more = pixels(300), pixels(410)  # so many that n or n - 1 makes no difference
        draws = {"no others": [train], "a single row": [more, pixels(1)]}
        check_scale(kata, draws | {"four parts": [more, pixels(7), train, pixels(12)]})

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        parts = (pixels(90), pixels(20))
        placement.check(kata.scale, *parts, device=device, what="The parts")


@pytest.mark.task("model")
class TestModel:
    def test_sizes_come_from_the_arguments(self, kata):
        for features, classes in ((64, 10), (5, 3), formula.sizes(2)):
            model = kata.make_model(features, classes)
            expect.that(
                isinstance(model, nn.Module),
                "make_model(...) gives no model.",
                seen=type(model),
                expected="an nn.Module",
                likely="`return` is missing"
                if model is None
                else "return an nn.Module, such as nn.Sequential(...)",
            )
            for rows in (7, 1):
                what = f"The scores of ({rows}, {features}) numbers, {counted(classes, 'class')}"
                scores = model.eval()(torch.randn(rows, features))
                expect.shape(scores, (rows, classes), what=what)

    def test_every_call_makes_another_model(self, kata):
        layers.check_each_new(lambda: kata.make_model(20, 5))

    def test_scores_are_raw(self, kata):
        model, x = kata.make_model(20, 5).eval(), 100 * torch.randn(300, 20)
        scores = model(x).detach()
        low, high = scores.min(), scores.max()
        ends = {  # the inputs are large: an activation at the end is at its limits
            "a softmax stands at the end": near(scores.sum(dim=1), 1),
            "a log-softmax stands at the end": near(scores.exp().sum(dim=1), 1),
            "a sigmoid stands at the end": low >= 0 and 0.99 < high <= 1,
            "a tanh stands at the end": low < -0.99 and 0.99 < high <= 1,
            "a relu stands at the end": low == 0 and (scores == 0).sum() > 1 and high > 1,
        }
        told = [f"{cause}: leave it out" for cause, fits in ends.items() if fits][:1]
        if not told and not layers.ends_raw(model, x):
            told = ["an activation stands behind the last layer: leave it out"]
        expect.that(
            not told,
            "The scores are not raw.",
            seen=expect.describe(scores),
            expected="any numbers, straight from the last layer",
            likely=expect.told(*told),
        )

    def test_has_a_hidden_layer(self, kata):
        start, end = 4 * torch.rand(2, 20, 1, 64)  # where no number is negative, relu(x) is x
        points = start + (end - start) * torch.linspace(0, 1, 9).reshape(1, 9, 1)
        scores = kata.make_model(64, 10).eval()(points.reshape(180, 64)).reshape(20, 9, 10)
        expect.that(
            scores.diff(n=2, dim=1).abs().max() > 1e-4 * scores.abs().max(),
            "The model has no hidden layer with an activation behind it.",
            seen="scores that rise evenly along every straight line",
            expected="scores that bend",
            likely=expect.told(
                "all its layers together are one linear layer: put an activation,"
                " such as nn.ReLU(), between them, and not before the first"
            ),
        )

    def test_gradients_reach_every_parameter(self, kata):
        model = kata.make_model(20, 5).eval()
        F.cross_entropy(model(torch.randn(300, 20)), torch.arange(300) % 5).backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = kata.make_model(20, 5)
        for parameter in model.parameters():
            expect.on_device(parameter, torch.device("cpu"), what="A parameter of a new model")
        model = expect.moved(model, device)
        placement.check(model.eval().cpu(), torch.randn(7, 20), device=device, what="The scores")


@pytest.mark.task("epoch", needs="model")
class TestEpoch:
    def test_every_row_is_in_one_batch(self, kata):
        for rows in (150, 61, 60, 7):
            watch, _, _ = batches.watched_epoch(kata, rows=rows, batch_size=20)
            batches.check_batches(watch, rows, 20)

    def test_takes_64_rows_by_itself(self, kata):
        batches.check_default_size(kata)

    def test_shuffles_anew_in_each_call(self, kata):
        data = batches.rows_of(150)
        one, other = (
            batches.watched_epoch(kata, data=data, batch_size=20)[0].order for _ in range(2)
        )
        batches.check_shuffled(one, other)

    def test_every_batch_takes_a_step_along_its_gradient(self, kata):
        watch, data, optimizer = batches.watched_epoch(kata, rows=90, batch_size=20)
        batches.check_steps(watch, *data, 5, optimizer=optimizer)

    @pytest.mark.parametrize("rows", [150, 61, 60, 7])
    def test_returns_the_mean_loss_of_the_rows(self, kata, rows):
        watch, (_, y), _ = batches.watched_epoch(kata, rows=rows, batch_size=20)
        batches.check_batches(watch, rows, 20)
        what = "The loss of the epoch"
        batches.check_mean(watch.result, watch.learning, y, what, watch.measured)
        batches.check_float(watch.result, "The loss of the epoch")

    def test_works_in_training_mode(self, kata):
        watch, _, _ = batches.watched_epoch(kata, rows=50, batch_size=20)
        batches.check_modes(watch.learning, training=True)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        def train(model: nn.Module, *data: Tensor) -> list[float]:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            return [kata.train_epoch(model, optimizer, *data, batch_size=20)]

        model, data = nn.Linear(4, 3).to(device), [part.to(device) for part in batches.rows_of(50)]
        placement.check_training(train, model, data, epochs=1)


@pytest.mark.task("epoch", needs="model")
class TestEvaluate:
    def test_gives_the_mean_loss_in_evaluation_mode(self, kata):
        model, (x, y) = with_dropout(), batches.rows_of(150)
        scores = model.eval()(x).detach()
        each = F.cross_entropy(scores, y, reduction="none")
        with batches.watching(model.train()) as watch, expect.untouched("The data", x, y):
            loss = kata.evaluate(model, x, y)
        batches.check_modes(watch.passes, training=False)
        right = (scores.argmax(dim=1) == y).float().mean()
        causes = {
            batches.SOFTMAX: F.cross_entropy(F.softmax(scores, dim=1), y),
            "this is the sum over the rows: take their mean": each.sum(),
            "this is the accuracy: the mean loss is asked for": right,
            "this is the share of wrong answers: the mean loss is asked for": 1 - right,
            "this is the loss of the first batch alone: all rows count": each[:64].mean(),
            "this is the loss of the last batch alone: all rows count": each[128:].mean(),
            "the mean over batches counts the small one as much as the others: weigh each by its"
            " rows": torch.stack([part.mean() for part in each.split(64)]).mean(),
        }
        batches.check_float(loss, "evaluate(...)")
        expect.close(loss, each.mean(), what="The loss of 150 rows", causes=causes)
        expect.close(kata.evaluate(model, x[:1], y[:1]), each[0], what="The loss of a single row")

    def test_records_and_changes_nothing(self, kata):
        model, (x, y) = with_dropout(), batches.rows_of(50)
        before = copy.deepcopy(model.state_dict())
        with batches.watching(model) as watch:
            kata.evaluate(model, x, y)
        frozen = [name for name, one in model.named_parameters() if not one.requires_grad]
        is_on = torch.is_grad_enabled()
        torch.set_grad_enabled(True)  # for all tests that follow
        likely = "torch.set_grad_enabled(False) stays: `with torch.no_grad():` ends with its block"
        headline = "Autograd is off after evaluate(...), for all code that follows."
        expect.that(is_on, headline, seen="off", expected="on", likely=expect.told(likely))
        batches.check_recorded(watch.passes)
        likely = "requires_grad_(False) stays: `with torch.no_grad():` ends with its block"
        headline, seen = "The model is frozen after evaluate(...).", f"frozen: {', '.join(frozen)}"
        right = "parameters that learn, as before"
        expect.that(not frozen, headline, seen=seen, expected=right, likely=expect.told(likely))
        changed = [
            name for name, one in before.items() if not torch.equal(model.state_dict()[name], one)
        ]
        grads = [name for name, one in model.named_parameters() if one.grad is not None]
        expect.that(
            not changed and not grads and not watch.steps,
            "The model learns from the rows that only measure it.",
            seen=f"changed: {', '.join(changed or grads) or 'nothing'}",
            expected="parameters as before, without gradients",
            likely="backward() or a step has no place in evaluate",
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        def measure(model: nn.Module, *data: Tensor) -> list[float]:
            return [kata.evaluate(model, *data)]

        model, data = with_dropout().to(device), [part.to(device) for part in batches.rows_of(50)]
        placement.check_training(measure, model, data, epochs=1)


@pytest.mark.task("train", needs="epoch")
class TestTrain:
    def test_returns_the_losses_of_each_epoch(self, kata):
        watch, (_, y), both = batches.watched_training(kata, epochs=3)
        for what, losses in zip(("training", "validation"), both, strict=True):
            expect.losses(losses, 3, what=f"The {what} part of train(...)")
        seen, again = watch.learning, watch.measured
        for number in range(3):
            what, start = f"The training loss of epoch {number + 1}", 8 * number
            one = slice(start, start + 8)
            after = again[number : number + 1] if len(again) == 3 else again[one]
            batches.check_mean(both[0][number], seen[one], y, what, after)

    def test_every_epoch_is_a_train_epoch(self, kata):
        watch, _, _ = batches.watched_training(kata, epochs=3)
        batches.check_modes(watch.learning, training=True)
        batches.check_shuffled(watch.order[:150], watch.order[150:300])

    def test_takes_a_step_for_every_batch_of_one_optimizer(self, kata):
        watch, data, _ = batches.watched_training(kata, epochs=3)
        batches.check_optimizer(watch.steps, watch.model)
        batches.check_steps(watch, *data, 3 * 8)

    def test_validation_losses_belong_to_their_epochs(self, kata):
        script = [1.0, 0.6, 0.8, 0.5, 0.7]
        _, (train_losses, val_losses) = batches.scripted(kata, script, epochs=5, patience=5)
        expect.losses(val_losses, 5, what="The validation part of train(...)")
        swapped, lowest = np.allclose(train_losses[:5], script, 0, 1e-4), np.minimum.accumulate
        causes = {
            "these are the lowest losses so far: each epoch has its own": lowest(script),
            "it validates before the epoch: evaluate comes after train_epoch": np.array(
                [script[0], *script[:-1]]
            ),
            "the two lists are swapped: training losses first"
            if swapped
            else "these are the training losses once more": np.array(
                val_losses if swapped else train_losses
            ),
        }
        expect.close(np.array(val_losses), np.array(script), "The validation losses", causes)

    @pytest.mark.parametrize(("patience", "epochs"), [(3, 20), (1, 20), (3, 4)])
    def test_stops_after_patience_epochs_without_a_new_lowest_loss(self, kata, patience, epochs):
        batches.check_end(kata, patience, epochs)

    def test_has_the_limits_of_the_stub_by_itself(self, kata):
        batches.check_default_limits(kata)

    @pytest.mark.parametrize("case", batches.BEST)
    def test_ends_with_the_state_of_the_best_epoch(self, kata, case):
        batches.check_state(kata, *batches.BEST[case])

    def test_never_learns_from_the_validation_part(self, kata):
        watch, _, _ = batches.watched_training(kata, epochs=2)
        strangers = [one for one in watch.passes if min(one.rows) < 0]
        batches.check_validated(len(strangers), sum(one.learned for one in strangers))
        batches.check_recorded(strangers)
        batches.check_modes(strangers, training=False)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        def train(model: nn.Module, *data: Tensor) -> list[float]:
            return kata.train(model, *data, epochs=2, batch_size=20)[1]

        data = [part.to(device) for part in (*batches.rows_of(50), *batches.rows_of(30))]
        placement.check_training(train, nn.Linear(4, 3).to(device), data, epochs=2)


@pytest.mark.task("train", needs="epoch")
class TestMedals:
    @pytest.mark.parametrize("medal", ["bronze", "silver", "gold"])
    def test_answers_new_digits(self, kata, mark, seed, medal):
        share, losses = answers(kata.make_model, kata.train, seed)
        guess = "the losses end above ln(10) = 2.3, which is that of mere guessing: the steps are"
        causes = [f"{guess} too large (learning rate)"] * (not losses[-1] < 2.4)
        expect.reaches(mark(f"k22.{medal}.accuracy"), share, history=losses, causes=causes)


@pytest.mark.task("look")
class TestConfusion:
    def test_counts_every_pair_of_class_and_answer(self, kata):
        def table(labels: Tensor, given: Tensor, number: int) -> Tensor:
            try:
                found = kata.confusion(labels, given, number)
            except RuntimeError as error:
                if f"shape '[{number}, {number}]' is invalid" not in str(error):
                    raise
                headline, right = "The counts make no table.", f"{number} rows of {number} counts"
                likely = "bincount ends at the largest number it met: minlength=num_classes**2"
                if int(str(error).split()[-1]) > number**2:
                    likely = "a pair's number is too large: it is i * num_classes + j"
                expect.unmet(headline, seen=error, expected=right, likely=likely)
            check_tensor(found, "The table")
            return found

        rows, number = formula.sizes(2)
        labels = torch.tensor([0, 0, 0, 2, 2, 1, 1, 1, 1, 2, 0, 4, 4])
        given = torch.tensor([0, 0, 1, 2, 0, 1, 1, 4, 1, 0, 2, 4, 1])
        draws = {
            "5 classes": [labels, given, 5],
            counted(number, "class"): [*torch.randint(number, (2, 5 * rows)), number],
            "4 classes, the last of which does not occur": [*torch.randint(3, (2, rows)), 4],
            "no rows": [labels[:0], given[:0], 3],
        }
        formula.check(table, formulas.pairs, draws, "The table", formulas.TABLES)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        labels, given = torch.tensor([0, 2, 1, 2, 2]), torch.tensor([0, 1, 1, 2, 0])
        placement.check(kata.confusion, labels, given, 3, device=device, what="The table")


@pytest.mark.task("look")
class TestMostWrong:
    def test_the_surest_wrong_answer_comes_first(self, kata):
        def most_wrong(scores: Tensor, labels: Tensor) -> Tensor:
            try:
                return kata.most_wrong(scores, labels)
            except IndexError as error:
                if formulas.are_wrong(scores, labels).sum() != 1:
                    raise
                headline, right = "Where a single row is wrong, there is an error.", "its number"
                likely = "squeeze() takes the dimension of a single row away: flatten() keeps it"
                expect.unmet(headline, seen=error, expected=right, likely=likely)

        draws = {}
        for rows, classes in (40, 5), formula.sizes(2):
            scores = 2 * torch.randn(rows, classes) + 3 * torch.randn(rows, 1)
            draws[counted(rows, "row")] = [scores, torch.arange(rows) % classes]
        scores = 2 * torch.randn(30, 4) + 300 * torch.randn(30, 1)
        draws["scores of several hundred"] = [scores, torch.arange(30) % 4]
        one = torch.where(torch.arange(30) == 17, scores.argmin(dim=1), scores.argmax(dim=1))
        draws["30 rows, one of them wrong"] = [scores, one]
        formula.check(most_wrong, formulas.surest, draws, "The row numbers", formulas.ORDERS)

    def test_is_empty_where_nothing_is_wrong(self, kata):
        scores = 3 * F.one_hot(torch.arange(6) % 3, 3).float()
        expect.shape(kata.most_wrong(scores, torch.arange(6) % 3), (0,), what="The row numbers")

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        scores, labels = torch.randn(20, 3), torch.arange(20) % 3
        placement.check(kata.most_wrong, scores, labels, device=device, what="The row numbers")


def split(kata, seed: int | None = 0, labels: Tensor = LABELS) -> list[Tensor]:
    """The learner's parts of these labels, each a row of whole numbers."""
    names = "row numbers of training, validation, test"
    given = () if seed is None else (seed,)
    with expect.untouched("The labels", labels):
        parts = returned.several(kata.split(labels, *given), 3, "split", names)
    for name, part in zip(SHARES, parts, strict=True):
        check_tensor(part, f"The {name} part")
        expect.dtype(part, torch.int64, what=f"The {name} part")
        expect.that(
            part.ndim == 1,
            f"The {name} part is no row of numbers.",
            seen=f"shape {tuple(part.shape)}",
            expected="(rows,)",
            likely="return row numbers, not the rows themselves",
        )
    return list(parts)


def alike(seen: Sequence[int], right: Sequence[int]) -> bool:
    """Give or take two rows."""
    return all(abs(one - other) <= 2 for one, other in zip(seen, right, strict=True))


def near(numbers: Tensor, right: float) -> bool:
    return torch.allclose(numbers, torch.full_like(numbers, right), atol=1e-3)


def pixels(rows: int) -> Tensor:
    """Rows of 50 numbers with another mean and another std in each column."""
    columns = torch.linspace(1, 4, 50)
    return columns * torch.randn(rows, 50) + columns.flip(0) ** 2


def check_scale(kata, draws: dict[str, list[Tensor]]) -> None:
    def scale(*parts: Tensor) -> tuple[Tensor, ...]:
        names, kept = "one tensor for each that came in", [part.clone() for part in parts]
        found = tuple(returned.several(kata.scale(*parts), len(parts), "scale", names))
        for number, (part, old) in enumerate(zip(found, kept, strict=True), start=1):
            check_tensor(part, what := f"Part {number} of {len(parts)}")
            headline = f"{what} comes back as it came."
            is_old = isinstance(part, Tensor) and torch.equal(part, old)
            likely = "the formula is for each part: train and all others"
            expect.that(not is_old, headline, seen="its numbers", expected="scaled", likely=likely)
        return found

    def each(formula_of_one) -> formula.Function:
        return lambda *parts: tuple(formula_of_one(part, *parts) for part in parts)

    wrong = {cause: each(one) for cause, one in formulas.SCALES.items()}
    right = each(lambda x, train, *_: formulas.standard(x, train))
    formula.check(scale, right, draws, "The parts", wrong, atol=2e-4)


def check_tensor(value: object, what: str) -> None:
    kinds = {np.ndarray: "an array of NumPy", list: "a list", tuple: "a tuple"}
    kind = kinds.get(type(value), "")
    headline, seen = f"{what}: {kind}, and no tensor.", type(value).__name__
    likely = f"{kind} comes back: torch.tensor(...) makes a tensor of it"
    if kind == "a tuple":
        likely = "a star unpacks a tuple into another one: (train, *others)"
    expect.that(not kind, headline, seen=seen, expected="a tensor", likely=expect.told(likely))


def with_dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 30), nn.ReLU(), nn.Dropout(0.5), nn.Linear(30, 3))


@cache
def parts(seed: int = 12) -> list[Tensor]:
    """The digits, cut and scaled: features and labels of the training, the validation and the test
    part.
    """
    images, labels = digits.load()
    train, rest = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=seed
    )
    validation, test = train_test_split(
        rest, train_size=0.4, stratify=labels[rest], random_state=seed
    )
    images = (images - images[train].mean()) / images[train].std()
    return [part[rows] for rows in (train, validation, test) for part in (images, labels)]


@cache  # the three medals are for the same training
def answers(make_model, train, seed: int):
    """The share of test digits that a model classifies correctly, and its training losses."""
    *data, x, y = parts()
    model = make_model(64, 10)
    losses = returned.several(
        train(model, *data, epochs=40, patience=40), 2, "train", "training losses, others"
    )
    with torch.no_grad():
        return (model.eval()(x).argmax(dim=1) == y).float().mean(), losses[0]
