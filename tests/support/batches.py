"""Epochs of mini-batches, and when they end: what is seen of a training, and checks of it. In
k22's data a row's first feature says its number, so that batches are known by their rows.
"""

import contextlib
import copy
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from dojo.diagnosis import counted
from dojo.training import passes, replay
from tests.support import expect, returned, training

Loss = Callable[[Tensor], Tensor]  # of a model's outputs
Of = Callable[[Loss], dict[str, Tensor]]  # the gradients of a loss
SOFTMAX = "softmax is applied before the loss: nn.CrossEntropyLoss contains it"
# Validation losses, one for each epoch, under which every known mistake makes another number of
# epochs: three new lows after a single worse one each, then after two, and then none after three.
SCRIPT = [0.9, 0.8, 0.85, 0.7, 0.75, 0.6, 0.65, 0.5, 0.55, 0.53, 0.4, 0.45, 0.44, 0.4]
SCRIPT += [0.5, 0.48, 0.55, 0.6, 0.65, 0.7]
ENDS = {  # patience, epochs → the last epoch
    (3, 20): 14,
    (1, 20): 3,
    (3, 4): 4,
}
EQUAL = "an equal loss counts as better: lower is asked for (<, not <=)"
NEVER = "it never stops early: count the epochs without a new lowest loss, and break"
LATE = "it stops one epoch too late: after `patience` epochs the count equals it"
BEYOND = "it makes more epochs than `epochs`"
CUT = "the lists end with the best epoch: every epoch that was made has its losses"
MADE = {  # patience, epochs → how many epochs mistakes make
    (3, 20): {
        20: NEVER,
        15: LATE,
        10: "it stops one epoch too early: `patience` epochs have to pass",
        7: "the count is never set back: a new lowest loss begins it again from 0",
        17: EQUAL,
        19: "each loss is compared with the one before: compare it with the lowest so far",
        16: "patience is written into the code: 5 is only its default",
        11: CUT,
        4: "the largest loss is taken for the best: a new lowest one is (<, not >)",
        3: "no loss is ever a new lowest one: begin with float('inf')",
        21: BEYOND,
    },
    (1, 20): {20: NEVER, 10: LATE},
    (3, 4): {5: BEYOND, 14: BEYOND},
}
NO_COPY = (
    "what was kept is not a copy: state_dict() holds the model's own tensors, which every step"
    " changes (copy.deepcopy)"
)
LAST_KEPT = "a state is kept at losses that are no new lowest validation loss, up to the last epoch"
TWO_LISTS = "training losses, validation losses"
LEAVE = "the first line has to stay as it stands in the stub, with its default arguments"
UNUSED = "the default argument stands there as in the stub: what does the code do with it?"
NOT_BACK = "the best state is never put back: model.load_state_dict(...) after the loop"


def rows_of(number: int, first: int = 0) -> tuple[Tensor, Tensor]:
    """Features (number, 4) and labels of three classes. The first feature says the row's number:
    a hundredth of it.
    """
    labels = torch.randint(3, (number,))
    features = torch.randn(number, 4) + labels[:, None]
    features[:, 0] = torch.arange(first, first + number) / 100
    return features, labels


@dataclass
class Pass:
    """A batch that went through a model."""

    inputs: Tensor
    outputs: Tensor
    training: bool
    records: bool
    learned: bool = False  # a gradient came back to it

    @property
    def rows(self) -> list[int]:
        """The numbers of its rows, where their first feature says them."""
        return (torch.atleast_2d(self.inputs)[:, 0] * 100).round().long().tolist()


@dataclass(frozen=True)
class Step:
    """What an optimizer found when it was to take a step, and the last batch before it."""

    optimizer: torch.optim.Optimizer
    weights: dict[str, Tensor]
    gradients: dict[str, Tensor | None]
    batch: Pass

    def gradients_of(self, model: nn.Module, inputs: Tensor, loss: Loss) -> dict[str, Tensor]:
        """The gradients of a loss of the model's outputs, at the weights that it had then."""
        weights = {name: one.clone().requires_grad_() for name, one in self.weights.items()}
        value = loss(replay.called(model, weights, inputs))
        return dict(zip(weights, torch.autograd.grad(value, list(weights.values())), strict=True))


@dataclass
class Watch:
    model: nn.Module
    passes: list[Pass] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    result: object = None

    @property
    def recording(self) -> list[Pass]:
        """The passes that recorded gradients."""
        return [one for one in self.passes if one.records]

    @property
    def learning(self) -> list[Pass]:
        """Of these the ones of rows to learn from, whose numbers are not below 0."""
        return [one for one in self.recording if min(one.rows, default=0) >= 0]

    @property
    def measured(self) -> list[Pass]:
        """The passes of the same rows that only measure."""
        return [one for one in self.passes if not one.records and min(one.rows, default=0) >= 0]

    @property
    def order(self) -> list[int]:
        return [row for one in self.learning for row in one.rows]


@contextlib.contextmanager
def watching(model: nn.Module) -> Iterator[Watch]:
    """See what goes through the model, and the steps of all optimizers that follow."""
    watch = Watch(model)

    def passed(module: nn.Module, given: Tensor, output: Tensor) -> None:
        kept = given.detach().clone(), output.detach().clone()
        watch.passes.append(one := Pass(*kept, module.training, output.requires_grad))
        if output.requires_grad:
            output.register_hook(lambda gradient: setattr(one, "learned", True))

    def gradients() -> dict[str, Tensor | None]:
        return {
            name: None if one.grad is None else one.grad.clone()
            for name, one in model.named_parameters()
        }

    def before(*_: object) -> None:
        weights = {name: one.detach().clone() for name, one in model.named_parameters()}
        found[:] = [weights, gradients(), len(watch.recording)]

    def after(optimizer: torch.optim.Optimizer, *_: object) -> None:
        weights, kept, passes = found
        if len(watch.recording) > passes:  # a closure made the loss within the step
            kept = gradients()
        if watch.recording:
            watch.steps.append(Step(optimizer, weights, kept, watch.recording[-1]))

    found: list = []
    handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
    try:
        with passes.shown(model, passed):
            yield watch
    finally:
        for handle in handles:
            handle.remove()


def check_batches(watch: Watch, rows: int, batch_size: int) -> None:
    seen = [len(one.rows) for one in watch.learning]
    whole, left = divmod(rows, batch_size)
    right = [batch_size] * whole + [left] * (left > 0)
    causes = {
        "the last batch, the smaller one, is left out": [batch_size] * whole,
        "the epoch ends after its first batch: is `return` inside the loop?": [batch_size],
        "all rows are in a single batch: take batch_size of them at a time": [rows],
        "batch_size is not used: a size is written into the code": [
            len(part) for part in torch.arange(rows).split(64)
        ],
        "these are as many batches as batch_size says: it is the number of rows in one": [
            len(part) for part in torch.arange(rows).chunk(batch_size)
        ],
        "each batch goes through the model twice: the loss before the step is asked for": [
            size for size in right for _ in range(2)
        ],
        "each batch is a single row": [1] * rows,
        "an empty batch comes last where batch_size divides the number of rows, and its mean loss"
        " is NaN": [*right, 0],
    }
    told = [cause for cause, sizes in causes.items() if sizes == seen][:1]
    expect.that(
        seen == right,
        "The batches have the wrong sizes.",
        seen=f"{', '.join(map(str, seen[:10]))} rows" if seen else "model(...) is not called",
        expected=f"{', '.join(map(str, right))} rows",
        likely=expect.told(*told)
        or "batch_size rows at a time, and the last batch has what is left",
    )
    lost = rows - len(set(watch.order))
    expect.that(
        not lost,
        "Not every row is in one batch.",
        seen=f"{counted(lost, 'row')} in no batch, and others in several",
        expected="each row once",
        likely=expect.told(
            "every batch is drawn from all rows: cut a single permutation into batches"
        ),
    )


def check_mean(
    loss: object, batches: Sequence[Pass], labels: Tensor, what: str, measured: Sequence[Pass] = ()
) -> None:
    """The mean loss of the rows in these batches; `measured` are other passes of the same rows."""
    sizes, losses = (
        torch.tensor([float(len(one.rows)) for one in batches]),
        torch.stack([F.cross_entropy(one.outputs, labels[one.rows]) for one in batches]),
    )
    causes = {
        "this is the mean over the batches: the last one has fewer rows, and counts for fewer": (
            losses.mean()
        ),
        "this is the sum over the batches: divide by the rows, each batch counted by its rows": (
            losses.sum()
        ),
        "this is the sum over the rows: divide by their number": (losses * sizes).sum(),
        "this is the loss of the last batch alone": losses[-1],
        "the last batch counts with batch_size rows, and has fewer: loss * len(rows)": (
            (losses * sizes[0]).sum() / sizes.sum()
        ),
        "the sum over the batches is divided by the number of rows: a batch counts by its rows,"
        " loss * rows": losses.sum() / sizes.sum(),
    }
    if measured:
        rows = [row for one in measured for row in one.rows]
        causes[
            "this is measured after the steps: add up the losses that backward() was called on"
        ] = F.cross_entropy(torch.cat([one.outputs for one in measured]), labels[rows])
    expect.close(loss, (losses * sizes).sum() / sizes.sum(), what=what, causes=causes)


def check_float(value: object, what: str) -> None:
    expect.that(
        type(value) is float,
        f"{what}: no plain number.",
        seen=type(value).__name__,
        expected="a float",
        likely="`return` is missing"
        if value is None
        else "loss is a tensor: loss.item() is the number",
    )


def check_recorded(passes: Sequence[Pass]) -> None:
    expect.that(
        not any(one.records for one in passes),
        "Autograd records while the model is only measured.",
        seen="the scores have requires_grad=True",
        expected="False",
        likely="`with torch.no_grad():` is missing around the model's call",
    )


def check_steps(
    watch: Watch,
    features: Tensor,
    labels: Tensor,
    number: int,
    optimizer: torch.optim.Optimizer | None = None,
) -> None:
    """So many steps, of this optimizer, each along the gradient of the mean loss of its batch."""
    seen = len(watch.steps)
    causes = {
        0: "optimizer.step() is missing: it makes the steps, and no line of your own",
        1: "the optimizer steps once an epoch: step() belongs to every batch",
        3 * 3: "batch_size is not passed on to train_epoch",
    }
    expect.that(
        seen == number,
        "Not one step for each batch.",
        seen=f"{counted(seen, 'step')}, {counted(len(watch.learning), 'batch')}",
        expected=counted(number, "step"),
        likely=expect.told(causes[seen])
        if seen in causes
        else "every batch has one optimizer.step()",
    )
    expect.that(
        optimizer is None or all(step.optimizer is optimizer for step in watch.steps),
        "Another optimizer than the one handed in takes the steps.",
        seen="an optimizer made inside",
        expected="steps of the argument `optimizer`",
        likely=expect.told("the argument `optimizer` is not used: it is made outside, once"),
    )
    pile: dict[str, Tensor] = {}
    for count, step in enumerate(watch.steps):
        rows, start = step.batch.rows, 20 * (count % len(labels.split(20)))
        x, y = features[rows], labels[rows]
        right = step.gradients_of(watch.model, x, lambda z, y=y: F.cross_entropy(z, y))
        pile = {name: pile.get(name, 0) + one for name, one in right.items()}
        if any(one is None for one in step.gradients.values()):
            given, likely = "no gradient", expect.told("loss.backward() is missing before the step")
        else:
            if alike(step.gradients, right):
                continue
            given = expect.describe(step.gradients["weight"])
            of = partial(step.gradients_of, watch.model, x)
            likely = _why(step, pile, of, y, labels[start : start + len(y)])
        expect.unmet(
            f"Step {count + 1} does not follow the gradient of its batch's loss.",
            seen=given,
            expected=expect.describe(right["weight"]),
            likely=likely,
        )


def _why(step: Step, pile: Mapping[str, Tensor], of: Of, y: Tensor, unshuffled: Tensor):
    """The likely causes of a step along another gradient than the one of the batch's loss."""
    wrong = {
        training.PILED_UP: pile,
        "the gradients are cleared between loss.backward() and optimizer.step()": {
            name: torch.zeros_like(one) for name, one in pile.items()
        },
        SOFTMAX: of(lambda z: F.cross_entropy(F.softmax(z, dim=1), y)),
        "the loss is summed over the batch: its mean is asked for": of(
            lambda z: F.cross_entropy(z, y, reduction="sum")
        ),
    }
    if len(unshuffled) == len(y):
        wrong[
            "the features are shuffled and the labels are not: take the same row numbers for both"
        ] = of(lambda z: F.cross_entropy(z, unshuffled))
    told = [cause for cause, other in wrong.items() if alike(step.gradients, other)]
    return expect.told(*told) or (
        "features and labels of a batch are not the same rows; or the loss is the wrong one"
    )


def alike(some: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    return all(torch.allclose(some[name], others[name], rtol=1e-3, atol=1e-5) for name in others)


def watched_epoch(kata, batch_size: int, rows: int = 0, data: tuple[Tensor, Tensor] | None = None):
    """An epoch of a linear model that comes in evaluation mode: what was seen, its data and its
    optimizer.
    """
    model, data = nn.Linear(4, 3).eval(), data or rows_of(rows)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watching(model) as watch, expect.untouched("The data", *data):
        watch.result = kata.train_epoch(model, optimizer, *data, batch_size=batch_size)
    return watch, data, optimizer


def check_default_size(kata) -> None:
    """Without batch_size an epoch has batches of 64 rows."""
    model, data = nn.Linear(4, 3), rows_of(150)
    with watching(model) as watch:
        kata.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), *data)
    seen, right = [len(one.rows) for one in watch.learning], [64, 64, 22]
    headline = "Without batch_size the batches of an epoch have the wrong sizes."
    likely = _of_default(kata.train_epoch, batch_size=64)
    expect.that(seen == right, headline, seen=seen, expected=right, likely=likely)


def _of_default(function: Callable[..., object], **wanted: int) -> str:
    """What to say of defaults that do not show: they are others than these, or unused."""
    parameters = inspect.signature(function).parameters
    named = {name: one.default for name, one in parameters.items() if name in wanted}
    return UNUSED if named == wanted else LEAVE


def check_default_limits(kata) -> None:
    """Without further arguments a training makes batches of 64 rows, ends after 40 epochs, and
    after 5 without a new lowest loss.
    """
    falling = [1 - 0.02 * number for number in range(45)]
    for script, right in ((falling, 40), ([0.1, *falling], 6)):
        model, (x, y), (x_val, y_val) = Scripted(script), rows_of(100), rows_of(30, first=-40)
        x_val[:, 1] = y_val.float()
        with watching(model) as watch:
            losses = kata.train(model, x, y, x_val, y_val)
        made = len(returned.several(losses, 2, "train", TWO_LISTS)[1])
        name, limit = ("epochs", 40) if right == 40 else ("patience", 5)
        headline = f"Without further arguments the training does not end by {name}={limit}."
        seen, wanted = counted(made, "epoch"), counted(right, "epoch")
        likely = _of_default(kata.train, **{name: limit})
        expect.that(made == right, headline, seen=seen, expected=wanted, likely=likely)
        sizes, wanted = [len(one.rows) for one in watch.learning[:2]], [64, 36]
        headline = "Without further arguments the batches of 100 rows have the wrong sizes."
        likely = _of_default(kata.train, batch_size=64)
        expect.that(sizes == wanted, headline, seen=sizes, expected=wanted, likely=likely)


def watched_training(kata, epochs: int):
    """A training of a linear model on 150 rows in batches of 20, with 30 to validate, whose row
    numbers lie below 0: what was seen, the 150 rows, and the two lists of losses.
    """
    model, data, validation = nn.Linear(4, 3), rows_of(150), rows_of(30, first=-40)
    with watching(model) as watch, expect.untouched("The data", *data, *validation):
        losses = kata.train(
            model, *data, *validation, epochs=epochs, patience=epochs, batch_size=20
        )
    losses = returned.several(losses, 2, "train", TWO_LISTS)
    is_64 = [len(one.rows) for one in watch.learning[:3]] == [64, 64, 22]
    headline, likely = "batch_size has no effect.", "batch_size is not passed on to train_epoch"
    expect.that(not is_64, headline, seen="64 rows", expected="20 rows", likely=likely)
    strange = [one for one in watch.passes if len(one.rows) == 30 and min(one.rows) < 0]
    if strange and losses[0] and isinstance(losses[0][0], float):
        headline, likely = "The two lists are swapped.", "the training losses come first"
        validated = F.cross_entropy(strange[0].outputs, validation[1]).item()
        is_first = abs(losses[0][0] - validated) > 1e-6
        expect.that(is_first, headline, seen=losses[0], expected=losses[1], likely=likely)
    return watch, data, losses


def check_shuffled(one: Sequence[int], other: Sequence[int]) -> None:
    """The orders of two epochs are random, and not the same."""
    kept = sum(second == first + 1 for first, second in zip(one, one[1:], strict=False))
    faults = {
        "The rows are not shuffled": (
            list(one) == list(range(len(one))),
            "torch.randperm(len(features)) gives row numbers in random order",
        ),
        "The batches are shuffled, and the rows in them are not": (
            kept > len(one) / 2,
            "cut the batches out of a permutation of the row numbers",
        ),
        "Two epochs have the same order": (
            list(one) == list(other),
            "a seed is set in the code, or the order is made only once: shuffle in each call",
        ),
    }
    for headline, (is_so, likely) in faults.items():
        expect.that(
            not is_so,
            f"{headline}.",
            seen=f"rows {', '.join(map(str, one[:6]))}, ...",
            expected="a new random order in each call",
            likely=expect.told(likely),
        )


def check_validated(passes: int, learned: int) -> None:
    learns = "only train_epoch with x_train and y_train makes steps; x_val is for evaluate"
    unused = "nothing is validated: evaluate takes x_val and y_val, which make no steps"
    expect.that(
        passes and not learned,
        "The validation part is not used as it should be: to measure, and not to learn.",
        seen=f"{passes} passes with rows of x_val, {learned} of them with gradients",
        expected="passes without gradients",
        likely=expect.told(learns if learned else unused),
    )


def check_modes(passes: Sequence[Pass], training: bool) -> None:
    modes, name = [one.training for one in passes], "training" if training else "evaluation"
    call = "model.train()" if training else "model.eval()"
    expect.that(
        modes and all(mode == training for mode in modes),
        f"The model is not in {name} mode.",
        seen=f"training={not training}" if modes else "model(...) is not called",
        expected=f"training={training}",
        likely=expect.told(f"{call} is missing before the rows go through the model"),
    )


def check_optimizer(steps: Sequence[Step], model: nn.Module) -> None:
    """One optimizer takes all steps, and it has all parameters of the model."""
    if not steps:
        return  # check_steps says so
    optimizers = {id(step.optimizer): step.optimizer for step in steps}
    expect.that(
        len(optimizers) == 1,
        "Several optimizers take the steps.",
        seen=f"{len(optimizers)} optimizers",
        expected="one for the whole training",
        likely=expect.told(
            "an optimizer is made anew in each epoch, and forgets what it has gathered: make it"
            " before the loop"
        ),
    )
    groups = next(iter(optimizers.values())).param_groups
    own = {id(one) for group in groups for one in group["params"]}
    left = [name for name, one in model.named_parameters() if id(one) not in own]
    expect.that(
        not left,
        "The optimizer does not have all parameters of the model.",
        seen=f"without {', '.join(left)}",
        expected="all of them",
        likely=expect.told("the optimizer has to take model.parameters(), all of them"),
    )


class Scripted(nn.Module):
    """Learns its training rows; what it gives for validation rows makes the loss that a script has
    for the epoch.

    Attributes:
        start, states: its state_dict as it came, and as it was after each epoch.
        loaded: load_state_dict was called.
        is_own: what it was given are the model's own tensors, so no copy of them.
    """

    def __init__(self, script: Sequence[float]) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm1d(3), nn.Linear(3, 3)
        self.script, self.states, self.is_new = script, [], False
        self.loaded, self.is_own = False, False
        self.start = copy.deepcopy(self.state_dict())

    def load_state_dict(self, state_dict, *args, **kwargs):
        self.loaded, own = True, self.state_dict()
        self.is_own = any(
            own[name].data_ptr() == one.data_ptr()
            for name, one in state_dict.items()
            if name in own
        )
        return super().load_state_dict(state_dict, *args, **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        if x[0, 0] >= 0:
            self.is_new = True
            return self.linear(self.norm(x[:, 1:]))
        if self.is_new:
            self.states.append({name: one.clone() for name, one in self.state_dict().items()})
            self.is_new = False
        loss = self.script[min(max(len(self.states), 1), len(self.script)) - 1]
        margin = math.log(2 / (math.exp(loss) - 1))
        return margin * F.one_hot(x[:, 1].long(), 3) + 0 * self.linear(x[:, 1:]).nan_to_num(0, 0, 0)


def scripted(kata, script: Sequence[float], epochs: int, patience: int):
    """A training whose validation losses are these: the model afterwards, and the two lists."""
    model, (x, y), (x_val, y_val) = Scripted(script), rows_of(50), rows_of(30, first=-40)
    x_val[:, 1] = y_val.float()
    losses = kata.train(model, x, y, x_val, y_val, epochs=epochs, patience=patience, batch_size=20)
    check_validated(len(model.states), learned=0)
    return model, returned.several(losses, 2, "train", TWO_LISTS)


def check_end(kata, patience: int, epochs: int) -> None:
    """The training of a script ends in time. Each known mistake makes another number of epochs."""
    _, (train_losses, losses) = scripted(kata, SCRIPT, epochs=epochs, patience=patience)
    right, made = ENDS[patience, epochs], len(losses)
    shown = ", ".join(map(str, SCRIPT[:right]))
    told = [cause for number, cause in MADE[patience, epochs].items() if number == made]
    if made == (_end(train_losses, patience) or epochs):
        told.append("the count goes by the training loss: the validation loss says when to stop")
    expect.that(
        made == right,
        "The training ends after another number of epochs.",
        seen=counted(made, "epoch"),
        expected=f"{right}, with patience={patience}, epochs={epochs}, validation losses {shown}",
        likely=expect.told(*told)
        or "count the epochs in a row that brought no new lowest validation loss",
    )


def _end(losses: Sequence[float], patience: int) -> int | None:
    """After how many epochs a training ends that stops by these losses; None if it does not."""
    best, waited = math.inf, 0
    for number, loss in enumerate(losses, start=1):
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == patience:
            return number
    return None


BEST = {  # case → the validation losses, patience, the best epoch
    "in the middle": ([1.0, 0.9, 0.5, 0.8, 0.5, 0.6, 0.7], 7, 3),
    "stopped early": ([1.0, 0.6, 0.8, 0.7, 0.9, 0.4], 3, 2),
    "the first": ([0.5, 0.6, 0.7], 3, 1),
    "the last": ([0.9, 0.8, 0.7], 3, 3),
    "by a little": ([1.0, 0.7, 0.69995, 0.8], 4, 3),
    "far above": ([300.0, 250.0, 200.0, 260.0], 4, 3),
}


def check_state(kata, script: Sequence[float], patience: int, best: int) -> None:
    """The model ends with the state after the first epoch with the lowest validation loss."""
    is_high = script[0] > 100
    begins = "the lowest loss so far begins with a number that may be too low: begin with"
    begins = expect.told(f"{begins} float('inf')")
    try:
        model, (_, losses) = scripted(kata, script, epochs=len(script), patience=patience)
    except (UnboundLocalError, TypeError) as error:
        if not is_high:
            raise
        headline = f"Of validation losses like {script[0]:g} none is taken for the lowest."
        right = f"the state after epoch {best}, with a loss of {script[best - 1]:g}"
        expect.unmet(headline, seen=error, expected=right, likely=begins)
    now, names = model.state_dict(), [name for name, _ in model.named_parameters()]
    fits = [n for n, state in enumerate(model.states, 1) if _same(now, state, now)]
    weights = [n for n, state in enumerate(model.states, 1) if _same(now, state, names)]
    found = (fits or weights or [0])[0]
    equal = [n for n, loss in enumerate(script, 1) if loss == script[best - 1]]
    likely: expect.Likely = (
        "copy state_dict() when the loss is a new lowest one, and load it after the loop"
    )
    if best in weights:
        likely = expect.told(
            "the parameters are put back, and not the rest of the state, such as the running means"
            " of nn.BatchNorm1d"
        )
    elif is_high and (not model.loaded or _same(now, model.start, now)):
        low, _ = scripted(kata, SCRIPT, epochs=4, patience=4)  # does it load what was kept there?
        likely = begins if low.loaded else expect.told(NOT_BACK)
    elif found == len(losses):
        kept = NO_COPY if model.is_own else LAST_KEPT
        likely = expect.told(kept if model.loaded else NOT_BACK)
    elif found in equal:
        likely = expect.told(EQUAL)
    elif found == best + 1:
        likely = expect.told(
            "the state is kept one epoch late: it belongs to the epoch of the lowest loss"
        )
    elif found and script[found - 1] - script[best - 1] < 0.001:
        likely = expect.told("a loss that is lower by a little is lower: compare with < alone")
    elif _same(now, model.start, now):
        likely = expect.told("no epoch's state was put back: the first epoch may be the best one")
    elif found == 1:
        likely = expect.told(
            "the first epoch's state is put back: keep a new one at every new lowest loss"
        )
    shown = ", ".join(map(str, script[: len(losses)]))
    expect.that(
        best in fits,
        "The model does not end as it was after the best epoch.",
        seen=f"its state after epoch {found}" if fits else "another state",
        expected=f"the state after epoch {best}: the validation losses are {shown}",
        likely=likely,
    )


def _same(now: Mapping[str, Tensor], state: Mapping[str, Tensor], names: Iterable[str]) -> bool:
    return all(torch.allclose(now[name].float(), state[name].float(), 0, 1e-7) for name in names)
