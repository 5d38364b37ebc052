"""Training and evaluation mode: a model has one, and so has each of its layers."""

from torch import nn

from tests.support import expect

KEEP = "note model.training at the start, and restore it at the end: model.train(mode)"
ALONE = (
    "the model alone is switched back, and its layers are not: model.train(mode) reaches them all,"
    " model.training = mode does not"
)


def expect_left(model: nn.Module, in_training: bool) -> None:
    """A model that came in a mode is left in it, with all its layers."""
    name, seen = _name(in_training), [part.training for part in model.modules()]
    is_alone = model.training == in_training
    others = sum(each != in_training for each in seen)
    expect.that(
        not others,
        f"A model that came in {name} mode is left in another one.",
        seen=f"{others} of its layers in {_name(not in_training)} mode"
        if is_alone
        else f"training={model.training}",
        expected=f"all in {name} mode" if is_alone else f"training={in_training}",
        likely=expect.told(ALONE) if is_alone else KEEP,
    )


def _name(in_training: bool) -> str:
    return "training" if in_training else "evaluation"
