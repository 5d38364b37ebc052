"""Questions on k03: the loss of a weight, its gradient in two ways, the descent, learning rates,
and the chain rule through a small network.
"""

import torch
from torch import Tensor

from dojo.exam import Draw, question, training_steps, written_out

AUTOGRAD = ("backward", "grad")
BY_HAND = {"gradient_by_hand": written_out.AUTOGRAD}
CHAIN = {"network_gradients": written_out.AUTOGRAD}


def points(draw: Draw) -> list[Tensor]:
    """Weight (1,), inputs (n,) and targets (n,)."""
    n = draw.choice([1, draw.integer(4, 12), draw.integer(13, 30)])
    return [draw.normal(1), draw.normal(n), 2 * draw.normal(n)]


@question("mse", times=2)
def loss(kata, draw: Draw):
    (weight, x, y), found = points(draw), {}
    with training_steps.untouched(found, weight=weight, x=x, y=y):
        value = kata.mse(weight.requires_grad_(), x, y)
    return {"loss": value, "gradient": torch.autograd.grad(value, weight)[0], **found}


@question("mse")
def loss_on_another_device(kata, draw: Draw):
    return {"loss": kata.mse(*(part.to(draw.device) for part in points(draw)))}


@question("gradient", times=2)
def gradient_in_every_call(kata, draw: Draw):
    """Of a weight that records, of one whose .grad holds something, and of one that does not
    record.
    """
    answers = {}
    for case, recording, old in (
        ("recording", True, None),
        ("old", True, draw.normal(1)),
        ("plain", False, None),
    ):
        (weight, x, y), found = points(draw), {}
        weight.requires_grad_(recording).grad = None if old is None else old.clone()
        with training_steps.untouched(found, weight=weight, x=x, y=y):
            gradients = [kata.gradient(weight, x, y).detach() for _ in range(3)]
        answers[case] = {
            "gradients": gradients,
            "as it came": [weight.requires_grad, weight.grad],
            **found,
        }
    return answers


@question("gradient")
def gradient_on_another_device(kata, draw: Draw):
    return {"gradient": kata.gradient(*(part.to(draw.device) for part in points(draw))).detach()}


@question("by_hand", times=2, by_hand=BY_HAND)
def gradient_by_hand(kata, draw: Draw):
    (weight, x, y), found = points(draw), {}
    with training_steps.untouched(found, weight=weight, x=x, y=y):
        recording = kata.gradient_by_hand(weight.requires_grad_(), x, y)
        plain = weight.detach().clone()
        by_hand = training_steps.used(lambda: kata.gradient_by_hand(plain, x, y), AUTOGRAD)
    return {
        "recording": recording,
        "by hand": list(by_hand),
        "as it came": [weight.requires_grad, weight.grad],
        **found,
    }


@question("by_hand")
def gradient_by_hand_on_another_device(kata, draw: Draw):
    return {"gradient": kata.gradient_by_hand(*(part.to(draw.device) for part in points(draw)))}


@question("descend", times=3)
def descent(kata, draw: Draw):
    """Two descents, the second from where the first ended; .grad holds something before."""
    (weight, x, y), found = points(draw), {}
    weight.requires_grad_().grad = draw.normal(1)
    with training_steps.untouched(found, x=x, y=y):
        first = kata.descend(weight, x, y, lr=draw.real(0.02, 0.08), steps=draw.integer(3, 9))
        between = weight.detach().clone()
        second = kata.descend(weight, x, y, lr=draw.real(0.02, 0.08), steps=draw.integer(1, 30))
        none = kata.descend(weight, x, y, lr=0.1, steps=0)
    return {"losses": [first, second, none], "between": between, "weight": weight, **found}


@question("descend")
def descent_on_another_device(kata, draw: Draw):
    weight, x, y = (part.to(draw.device) for part in points(draw))
    losses = kata.descend(weight.requires_grad_(), x, y, lr=0.05, steps=3)
    return {"losses": losses, "weight": weight}


@question("rates", times=2)
def rates(kata, draw: Draw):
    """Of a weight that records, with something in its .grad, and of one that does not record; one
    of the rates stands there twice.
    """
    answers = {}
    for case, recording in (("recording", True), ("plain", False)):
        (weight, x, y), found = points(draw), {}
        weight.requires_grad_(recording).grad = draw.normal(1) if recording else None
        tried = draw.uniform(0.01, 0.2, draw.integer(2, 5)).tolist()
        tried.append(tried[0])
        steps = draw.integer(2, 8)
        with training_steps.untouched(found, weight=weight, x=x, y=y):
            losses = kata.compare_rates(weight, x, y, tried, steps)
        answers[case] = {
            "losses": losses,
            "as it came": [weight.requires_grad, weight.grad],
            **found,
        }
    return answers


@question("rates")
def rates_on_another_device(kata, draw: Draw):
    parts = (part.to(draw.device) for part in points(draw))
    return {"losses": kata.compare_rates(*parts, [0.02, 0.1], 3)}


def network(draw: Draw) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Seven parameters by name, in another order than the lesson's, and a point."""
    return (
        {name: draw.normal(1) for name in ("b3", "w4", "w1", "b2", "w3", "b1", "w2")},
        draw.normal(1),
        3 * draw.normal(1),
    )


@question("chain", times=3, by_hand=CHAIN)
def two_gradients(kata, draw: Draw):
    (parameters, x, y), found = network(draw), {}
    with training_steps.untouched(found, x=x, y=y, **parameters):
        found["by hand"], found["autograd"] = training_steps.used(
            lambda: kata.network_gradients(parameters, x, y), AUTOGRAD
        )
    recording = {name: parameter.requires_grad_() for name, parameter in parameters.items()}
    found["recording"] = kata.network_gradients(recording, x, y)
    return {**found, "as they came": [[one.requires_grad, one.grad] for one in parameters.values()]}


@question("chain")
def two_gradients_on_another_device(kata, draw: Draw):
    parameters, x, y = network(draw)
    moved = {name: parameter.to(draw.device) for name, parameter in parameters.items()}
    return {"gradients": kata.network_gradients(moved, x.to(draw.device), y.to(draw.device))}
