"""k20: a model of raw scores, a training within its budget, and three marks on points that it has
not seen.
"""

import math
from functools import cache, partial

import pytest
import torch
from torch import nn

from dojo.diagnosis import counted
from dojo.training import passes
from katas.given.data import moons
from tests.support import expect, placement, training

LINEAR = (
    "the model is a linear one: without activations between them, all its layers draw a single"
    " straight line"
)
COPY = "a copy of the model is trained: the model handed in has to learn"
PROBABILITIES = (
    "the outputs lie between 0 and 1, as after a sigmoid: the model gives raw scores, the loss has"
    " the sigmoid"
)


@pytest.mark.task("model")
class TestModel:
    def test_gives_a_score_for_each_point(self, kata):
        model = kata.build_model()
        likely = (
            "`return` is missing"
            if model is None
            else "return an nn.Module, such as nn.Sequential(...)"
        )
        headline = "build_model() does not return a model."
        expect.that(
            isinstance(model, nn.Module),
            headline,
            seen=type(model),
            expected="an nn.Module",
            likely=likely,
        )
        causes = {
            "the last layer has two outputs: one score is enough for two classes": (7, 2),
            "the column was lost: leave out the squeeze or flatten at the end": (7,),
        }
        expect.shape(
            model.eval()(torch.randn(7, 2)), (7, 1), what="The scores of 7 points", causes=causes
        )
        causes = {"a single point loses its row: squeeze() drops every dimension of size 1": (1,)}
        causes |= {"a single point loses its row and its column: leave out squeeze()": ()}
        scores = model(torch.randn(1, 2))
        expect.shape(scores, (1, 1), what="The score of a single point", causes=causes)

    def test_gives_raw_scores(self, kata):
        model, points = kata.build_model().eval(), 10 * torch.randn(100, 2)
        scores = scores_of_any_weights(model, points)
        if scores.isfinite().all():
            never = "no score is ever negative, as after a ReLU: every answer would be 1"
            expect.that(
                scores.min() < 0,
                "The model does not give raw scores, whatever its weights are.",
                seen=f"from {scores.min():.4g} to {scores.max():.4g}",
                expected="numbers below 0 and above",
                likely=expect.told(PROBABILITIES if scores.max() <= 1 else never),
            )

    def test_is_untrained(self, kata):
        with training.counted() as steps:
            model = kata.build_model()
        features, labels = moons()
        with torch.no_grad():
            share = ((model.eval()(features) >= 0) == labels).float().mean().item()
        expect.that(
            not steps and share < 0.96,
            "build_model() gives a model that was trained before.",
            seen=f"{len(steps)} optimizer steps, {share:.0%} of the points classified correctly",
            expected="new weights, which know nothing of the moons",
            likely=expect.told(
                "the training belongs in train, where it draws on the budget: build_model only"
                " makes the layers"
            ),
        )

    def test_has_parameters_to_train(self, kata):
        likely = (
            "layers must be attributes of the model or belong to an nn.Sequential or nn.ModuleList"
        )
        trained = [value for value in kata.build_model().parameters() if value.requires_grad]
        expect.that(
            trained,
            "The model has nothing to train.",
            seen="no parameters",
            expected="weights and biases",
            likely=likely,
        )

    def test_makes_a_new_model_each_time(self, kata):
        first, second = kata.build_model(), kata.build_model()
        shared = {id(value) for value in first.parameters()} & {
            id(value) for value in second.parameters()
        }
        likely = (
            "layers are made outside the function: make them inside, or a second training goes on"
            " with the first one's weights"
        )
        expect.that(
            not shared,
            "Two models share parameters.",
            seen=f"{len(shared)} shared",
            expected="none",
            likely=likely,
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model, points = kata.build_model(), torch.randn(7, 2)
        for parameter in model.parameters():
            expect.on_device(parameter, torch.device("cpu"), what="A parameter of a new model")
        for mode in (True, False):
            placement.check(model.train(mode), points, device=device, what="The scores")


@pytest.mark.task("train", needs="model")
class TestTrain:
    @pytest.mark.parametrize("points", [40, 8, 264])
    def test_returns_the_loss_of_each_epoch(self, kata, points):
        model, (features, labels) = kata.build_model(), moons(points=points)
        with expect.untouched("The data", features, labels):
            losses, seen = passes.watch(
                lambda: kata.train(model, features, labels, epochs=16), model, points
            )
        if seen.made:
            check_count(losses, seen, epochs=16)
        check_number(losses, epochs=16)
        expect.that(
            all(map(math.isfinite, losses)),
            f"Losses of a training on {points} points are no numbers.",
            seen=losses[:5],
            expected="finite numbers",
            likely=expect.told(
                "the mean of a batch without points is nan: len(features) is their number, and"
                " the range of the rows ends there",
                "the steps are too large",
            ),
        )
        expect.that(
            seen.made > 0,
            f"The training never sends gradients back, with {points} points.",
            seen=f"{len(losses)} losses, and no pass over the points",
            expected="at least one pass",
            likely="backward() does not reach the model: detach() or a new tensor cuts the way"
            if seen.called
            else expect.told(
                "only whole batches of a fixed size are taken: with few points there is none"
            ),
        )

    @pytest.mark.parametrize("epochs", [1, 20, 820])
    def test_keeps_the_budget(self, kata, epochs):
        (features, labels), model = moons(points=100), kata.build_model()
        losses, seen = passes.watch(
            lambda: kata.train(model, features, labels, epochs=epochs), model, len(features)
        )
        check_budget(seen, epochs)
        check_number(losses, epochs)

    def test_every_step_follows_the_gradient(self, kata):
        model, (features, labels) = kata.build_model(), moons(points=40)
        # no loss is prescribed: any gradient will do that does not outlive its step
        _, seen = passes.watch(
            lambda: kata.train(model, features, labels, epochs=4), model, len(features)
        )
        expect.that(
            not seen.left_over,
            "A step of the training does not follow the gradient of its loss.",
            seen="gradients of the step before are still there as backward() begins",
            expected="gradients of None or zeros",
            likely=expect.told(training.PILED_UP),
        )

    @pytest.mark.parametrize("medal", ["bronze", "silver", "gold"])
    def test_answers_new_points(self, kata, mark, seed, medal):
        share, losses, causes = answers(kata.build_model, kata.train, seed)
        expect.reaches(mark(f"k20.{medal}.accuracy"), share, history=losses, causes=causes)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model, data = (
            expect.moved(kata.build_model(), device),
            [part.to(device) for part in moons(points=40)],
        )
        placement.check_training(partial(kata.train, epochs=4), model, data, epochs=None)


def scores_of_any_weights(model: nn.Module, points: torch.Tensor) -> torch.Tensor:
    """What the model gives with several other weights: with its own, all scores may be of one
    sign.
    """
    rows = []
    with torch.no_grad():
        for _ in range(8):
            for weight in model.parameters():
                weight += torch.randn_like(weight)
            rows.append(model(points))
    return torch.stack(rows)


@cache  # the three medals are for the same training
def answers(build_model, train, seed):
    """The share of new points that a model classifies correctly after training within the budget,
    its losses, and what may be wrong.
    """
    (features, labels), (new, right) = moons(), moons(points=20000, seed=2024)
    model = build_model()
    start = [value.detach().clone() for value in model.parameters()]
    losses, seen = passes.watch(lambda: train(model, features, labels), model, len(features))
    check_budget(seen, 800)
    if seen.made:
        check_count(losses, seen, epochs=800)
    with torch.no_grad():
        scores = model.eval()(new)
    causes = (
        [PROBABILITIES]
        if scores.min() >= 0 and scores.max() <= 1
        else [LINEAR]
        if is_linear(model)
        else [COPY]
        if is_falling(losses) and all(map(torch.equal, start, model.parameters()))
        else [f"it stops after {len(losses)} of the 800 epochs, with the loss still falling"]
        if is_falling(losses[-50:]) and len(losses) < 800
        else []
    )
    return ((scores >= 0) == right).float().mean(), losses, causes


def check_number(losses: object, epochs: int) -> None:
    """A list of numbers, at least one and at most so many: a training may stop early."""
    is_short = isinstance(losses, list) and 0 < len(losses) < epochs
    expect.losses(losses, epochs=len(losses) if is_short else epochs)


def check_budget(seen: passes.Passes, epochs: int) -> None:
    likely = (
        "a loop is longer than `epochs`, or every batch, or every beginning, takes all the points"
        " once more"
    )
    if epochs + 1e-6 >= seen.made - seen.of_copies > 0:
        likely = "a search on copies of the model draws on the same budget: count its passes, too"
    expect.that(
        seen.made <= epochs + 1e-6,
        "The training makes more passes over its points than the budget allows.",
        seen=f"{seen.made:.4g} passes",
        expected=f"at most {epochs}",
        likely=expect.told(likely),
    )


def check_count(losses: object, seen: passes.Passes, epochs: int) -> None:
    """There is one loss for each pass; budgets are for another check."""
    number = len(losses) if isinstance(losses, list) else 0
    is_kept = not number or seen.made > epochs + 1e-6
    expect.that(
        is_kept or not seen.counted_wrongly(number),
        "The losses are not one for each epoch that was made.",
        seen=f"{counted(number, 'loss')}, and {seen.made:.4g} passes over the points",
        expected="one loss for each pass",
        likely="append one loss for each pass to a list that each call makes anew"
        if seen.made < number != seen.steps
        else expect.told(
            "a loss is kept for each batch: keep one for each epoch, such as their mean"
            if number > seen.made
            else "only some of the losses are returned: append one in every epoch"
        ),
    )


def is_falling(losses: list[float]) -> bool:
    """The last fifth of the losses is lower than the fifth before it, by a hundredth and more."""
    part = len(losses) // 5
    return part > 0 and sum(losses[-part:]) < 0.99 * sum(losses[-2 * part : -part])


def is_linear(model: nn.Module) -> bool:
    """Along straight lines the scores rise evenly."""
    start, way = torch.randn(20, 1, 2), torch.randn(20, 1, 2)
    with torch.no_grad():
        scores = model(
            (start + way * torch.linspace(-2, 2, 9).reshape(1, 9, 1)).reshape(180, 2)
        ).reshape(20, 9)
    return bool(scores.diff(n=2, dim=1).abs().max() <= 1e-4 * scores.abs().max())
