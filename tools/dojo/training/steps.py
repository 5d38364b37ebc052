"""Whether the steps of a training are what its stub says."""

import torch
from torch import Tensor

from dojo.diagnosis import Cause, Diagnosis, counted
from dojo.training import batches, evidence
from dojo.training.follow import WHICH_LOSS, each_follows_the_gradient
from dojo.training.record import BACKWARD, NO_BACKWARD, TrainingRecord
from dojo.training.rules import Check, Training, shown
from dojo.training.runs import the_best_is_kept

WHICH_WEIGHTS = "Print a weight before and after each line of the loop: which line changes it?"


def problem(training: Training) -> Diagnosis | None:
    """What is wrong with the steps of a training: the first of all that can be."""
    checks: tuple[Check, ...] = (
        _an_optimizer_steps,
        _it_has_the_parameters,
        _gradients_are_there,
        _nothing_else_changes_the_model,
        _one_step_an_epoch,
        each_follows_the_gradient,
        _one_optimizer,
        the_best_is_kept,
    )
    return next(filter(None, (check(training) for check in checks)), None)


def _an_optimizer_steps(training: Training) -> Diagnosis | None:
    if training.record.taken:
        return None
    likely = (
        "optimizer.step() is missing",
        "the parameters are changed by hand: make an optimizer of model.parameters() from"
        " torch.optim, and let it step",
    )
    changed = not torch.equal(training.record.start, training.record.end)
    return Diagnosis(
        "No optimizer of torch.optim takes a step in this training.",
        "no step" + (", and the parameters change" if changed else ""),
        "a step after each loss.backward()",
        (Cause(likely[changed], told=True),),
    )


def _it_has_the_parameters(training: Training) -> Diagnosis | None:
    record = training.record
    names, held = record.names, record.held.all(dim=0)
    if held.all() and not record.foreign.any():
        return None
    expected = "all parameters of the model, and no others"
    has = [name for name, one in zip(names, held, strict=True) if one]
    lacks = [name for name in names if name not in has]
    if not record.held.any():
        seen = "none of the model's parameters"
        told = (
            "the optimizer has the parameters of another model: make it of model.parameters(),"
            " after the last change of the model's layers"
        )
    elif lacks and record.held.any(dim=0).all():
        seen = "in no step all of them: " + ", ".join(lacks)
        told = "several optimizers take turns: one optimizer gets model.parameters(), all at once"
    elif lacks:
        seen = f"{', '.join(has)}, and not {', '.join(lacks)}"
        told = (
            "only a part of the parameters is handed to the optimizer: give it model.parameters()"
        )
    else:
        seen = f"{int(record.foreign.max())} more than the model has"
        told = "the optimizer also has parameters that are not this model's"
    return Diagnosis(
        "The optimizer does not have the parameters of the model.",
        seen,
        expected,
        (Cause(told, told=True),),
    )


def _gradients_are_there(training: Training) -> Diagnosis | None:
    record = training.record
    is_there = record.reached & _any_number(record)
    headline = "The steps have no gradient to follow."
    expected = "a gradient at every parameter"
    if not is_there.any():
        flows = int(record.backward.max())
        if flows == BACKWARD:
            told = ["zero_grad() stands between backward() and step(): it clears what was computed"]
        elif flows == NO_BACKWARD:
            told = [
                "loss.backward() is missing",
                "the loss does not come from the model's outputs any more: detach(), .data, item(),"
                " torch.no_grad() or a new tensor cuts the way to the weights",
            ]
        else:
            told = [
                "the loss is computed from something that does not move with the weights, such as"
                " rounded outputs or answers of 0 and 1: it needs the outputs themselves"
            ]
        right = training.right_gradients(record.before[:1])
        if right is not None and not right.any():
            return None
        seen = "no gradient" if not record.reached.any() else "a gradient of zeros"
        return Diagnosis(
            headline, f"{seen} at any parameter", expected, tuple(Cause(t, told=True) for t in told)
        )
    if not record.reached[0].any() and len(record) > 1:
        return Diagnosis(
            "The first step has no gradient to follow.",
            "no gradient at any parameter in the first step, one in the later steps",
            expected,
            (Cause(evidence.STEP_FIRST, told=True),),
        )
    without = [
        name for name, one in zip(record.names, record.reached.any(dim=0), strict=True) if not one
    ]
    if not without:
        return None
    frozen = bool(record.frozen.any())
    told_or_not = (
        Cause("requires_grad is off there: the training freezes a part of the model", told=True)
        if frozen
        else Cause("the way to it is cut by detach(), .data or torch.no_grad()")
    )
    return Diagnosis(
        "The steps have no gradient to follow at some parameters.",
        f"none at {', '.join(without)}",
        expected,
        (told_or_not,),
        "" if frozen else WHICH_LOSS,
    )


def _any_number(record: TrainingRecord) -> Tensor:
    parts = torch.split(record.gradients, record.sizes, dim=1)
    return torch.stack([(part != 0).any(dim=1) for part in parts], dim=1)


def _nothing_else_changes_the_model(training: Training) -> Diagnosis | None:
    record, restarts = training.record, training.rule.restarts
    before, after, end = record.before, record.after, record.end
    expected = "each step begins with the weights that the step before it left"
    if restarts:
        return None if record.run() else _end_is_elsewhere(record)
    if not torch.equal(before[0], record.start):
        return Diagnosis(
            "The training does not begin with the weights that the model came with.",
            shown(before[0]),
            shown(record.start),
            (
                Cause(
                    "the training gives the model new weights first: what is learned is kept in the"
                    " model, and a training goes on from there",
                    told=True,
                ),
            ),
        )
    jumps = (before[1:] != after[:-1]).any(dim=1) & before[1:].isfinite().all(dim=1)
    if jumps.any():
        step = int(jumps.nonzero()[0]) + 1
        is_reset = torch.equal(before[step], record.start)
        told = "the weights are set back to those of the start: every epoch begins anew"
        return Diagnosis(
            f"Something else than the optimizer changes the weights before step {step + 1}.",
            shown(before[step]),
            f"{shown(after[step - 1])}: {expected}",
            (
                Cause(told, told=True)
                if is_reset
                else Cause(
                    "the weights are drawn anew, rounded, cut off or set by hand in the loop"
                ),
            ),
            "" if is_reset else WHICH_WEIGHTS,
        )
    return None if torch.equal(end, after[-1]) or end.isnan().any() else _end_is_elsewhere(record)


def _end_is_elsewhere(record: TrainingRecord) -> Diagnosis:
    after, end = record.after, record.end
    earlier = (after == end).all(dim=1).nonzero().flatten()
    pointer = ""
    if torch.equal(end, record.start):
        cause = Cause(
            "a copy of the model is trained, or its first weights are put back: the model handed in"
            " has to learn",
            told=True,
        )
    elif len(earlier):
        step = int(earlier[-1]) + 1
        cause = Cause(
            f"the model is given back its weights of after step {step}, and the losses go on to"
            f" step {len(after)}",
            told=True,
        )
    else:
        cause, pointer = (
            Cause("the weights are changed once more after the last step"),
            WHICH_WEIGHTS,
        )
    return Diagnosis(
        "The model is not left with the weights of the last step.",
        shown(end),
        shown(after[-1]),
        (cause,),
        pointer,
    )


def _one_step_an_epoch(training: Training) -> Diagnosis | None:
    if training.rule.batch_size:
        return batches.problem(training)
    run, epochs, examples = training.run(), training.epochs, len(training.data[0])
    taken = len(run) if training.rule.restarts else training.record.taken
    if taken == epochs:
        return None
    default = training.rule.default
    sizes = {len(run.rows(step)) for step in range(len(run))}
    told, pointer = "", ""
    if taken > epochs and max(sizes) < examples:
        told = (
            f"the steps are taken on batches of {counted(max(sizes), 'example')}: each epoch is one"
            f" step on all {examples}"
        )
    elif epochs != default and taken == default:
        told = "the argument epochs is not used: the number is written into the code"
    elif taken % epochs == 0:
        told = f"each epoch takes {taken // epochs} steps: it is one step on all examples"
    elif abs(taken - epochs) == 1:
        told = f"range(...) makes one epoch too {'many' if taken > epochs else 'few'}"
    elif taken < epochs:
        told = "the training stops early: the stub promises all epochs"
    else:
        pointer = "Count the calls of optimizer.step(): where do they come from?"
    of_run = ", in the run that the model is left with" if training.rule.restarts else ""
    return Diagnosis(
        "The training does not take one step for each epoch.",
        f"{counted(taken, 'step')}{of_run}",
        f"{counted(epochs, 'step')} for {counted(epochs, 'epoch')}",
        (Cause(told or "a loop too many, or a break in one", told=bool(told)),),
        pointer,
    )


def _one_optimizer(training: Training) -> Diagnosis | None:
    run = training.run()
    used = sorted(set(run.optimizers.tolist()))
    fewest = training.epochs if training.rule.batch_size else len(run)
    if len(run) < 3 or len(used) < max(fewest, 2):
        return None
    if not any(training.record.states[number] for number in used):
        return None  # plain gradient descent remembers nothing
    kind = training.record.kinds[used[0]]
    told = (
        f"a new optimizer is made in every {'epoch' if len(used) == training.epochs else 'batch'}:"
        f" torch.optim.{kind} forgets what it has seen, so make it once, before the loop"
    )
    return Diagnosis(
        "One optimizer after the other takes the steps.",
        f"{len(used)} optimizers in {len(run)} steps",
        "one optimizer for all steps",
        (Cause(told, told=True),),
    )
