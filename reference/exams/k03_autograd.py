"""Questions on k03: the loss of a weight, its gradient in two ways, the descent, seven gradients by
hand, and the record.
"""

import numpy as np
import torch
from torch import Tensor

from dojo.exam import Draw, question, training_steps

# where data stands first
FIRST = (lambda z, data: data * z, lambda z, data: data - z, lambda z, data: data / z)
OTHERS = (
    *(
        lambda z, data: z * data,
        lambda z, data: z + data,
        lambda z, data: z - data,
        lambda z, data: z**2,
        lambda z, data: -z,
    ),
    *(
        lambda z, data: z.exp(),
        lambda z, data: z.tanh(),
        lambda z, data: z.abs(),
        lambda z, data: z.sigmoid(),
    ),
)
SUMS = (Tensor.sum, Tensor.mean, lambda z: z)


def points(draw: Draw) -> list[Tensor]:
    """Weight (1,), inputs (n,) and targets (n,)."""
    n = draw.integer(4, 12)
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


@question("by_hand", times=2)
def gradient_by_hand(kata, draw: Draw):
    (weight, x, y), found = points(draw), {}
    with training_steps.untouched(found, weight=weight, x=x, y=y):
        recording = kata.gradient_by_hand(weight.requires_grad_(), x, y)
        with torch.no_grad():  # nobody can use autograd here
            by_hand = kata.gradient_by_hand(weight, x, y)
    return {
        "recording": recording,
        "by hand": by_hand,
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
    return {"losses": [first, second], "between": between, "weight": weight, **found}


@question("descend")
def descent_on_another_device(kata, draw: Draw):
    weight, x, y = (part.to(draw.device) for part in points(draw))
    losses = kata.descend(weight.requires_grad_(), x, y, lr=0.05, steps=3)
    return {"losses": losses, "weight": weight}


def network(draw: Draw) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Seven parameters by name, and a point."""
    return (
        {name: draw.normal(1) for name in ("w1", "w2", "w3", "w4", "b1", "b2", "b3")},
        draw.normal(1),
        3 * draw.normal(1),
    )


@question("two_layers", times=3)
def seven_gradients(kata, draw: Draw):
    (parameters, x, y), found = network(draw), {}
    # nobody can use autograd here
    with training_steps.untouched(found, x=x, y=y, **parameters), torch.no_grad():
        found["by hand"] = kata.network_gradients(parameters, x, y)
    recording = {name: parameter.requires_grad_() for name, parameter in parameters.items()}
    found["recording"] = kata.network_gradients(recording, x, y)
    return {**found, "as they came": [[one.requires_grad, one.grad] for one in parameters.values()]}


@question("two_layers")
def seven_gradients_on_another_device(kata, draw: Draw):
    parameters, x, y = network(draw)
    moved = {name: parameter.to(draw.device) for name, parameter in parameters.items()}
    return {"gradients": kata.network_gradients(moved, x.to(draw.device), y.to(draw.device))}


def chain(random: np.random.Generator) -> list[int]:
    """Numbers of steps, in FIRST and after it OTHERS; some of each."""
    first, others = (
        random.integers(0, len(FIRST), 2),
        random.integers(len(FIRST), len(FIRST + OTHERS), random.integers(2, 5)),
    )
    return random.permutation([*first, *others]).tolist()


@question("record", times=4)
def record(kata, draw: Draw):
    weight, data, taken = draw.normal(1).requires_grad_(), draw.normal(5), draw.made(chain)
    result = weight
    for number in taken:
        result = (*FIRST, *OTHERS)[number](result, data)
    unrecorded = [kata.recorded_steps(data * 3), kata.recorded_steps(weight)]
    return {"steps": kata.recorded_steps(draw.choice(SUMS)(result)), "nothing recorded": unrecorded}


@question("record")
def record_on_another_device(kata, draw: Draw):
    weight, data = (part.to(draw.device) for part in (draw.normal(1), draw.normal(5)))
    return {"steps": kata.recorded_steps((data * weight.requires_grad_().exp()).sum())}
