"""Questions on k12: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import Tensor

from dojo.exam import Draw, question, same, training_steps, written_out

READY_MADE = (
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy",
    "cross_entropy",
    "soft_margin_loss",
)
BY_HAND = {"bce_with_logits": written_out.CROSS_ENTROPY}
FIGURES = ("accuracy", "f1")


def shape_of(draw: Draw) -> tuple[int, ...]:
    n = draw.integer(4, 9)
    return draw.choice([(n,), (n, 1), (n, draw.integer(2, 4))])


def huge(draw: Draw, *shape: int) -> Tensor:
    """Where exp overflows, on both sides of 0."""
    return draw.uniform(1e3, 1e4, *shape) * (
        1 - 2 * draw.classes(shape[0], 2).reshape(-1, *[1] * (len(shape) - 1))
    )


def near_half(random: np.random.Generator) -> Tensor:
    """Logits on both sides of 0 and 0 itself, many of them smaller than 0.5; none so small that
    float32 has lost its sign.
    """
    sizes = np.concatenate([random.uniform(0.02, 0.48, 8), random.uniform(0.52, 9, 6), np.zeros(2)])
    return torch.tensor(random.permutation(sizes * random.choice([-1, 1], 16)), dtype=torch.float32)


def answers_to(random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Right labels and answers, class 1 rare or common; more 1s are said in vain than missed, or
    fewer, but never as many.
    """
    right, said = (random.random(40) < random.uniform(0.15, 0.85) for _ in range(2))
    right[:5], said[:5] = [0, 0, 0, 1, 1], [0, 0, 1, 0, 1]
    said[0] = np.sum(right > said) == np.sum(right < said)
    return torch.tensor(right, dtype=torch.int64), torch.tensor(said, dtype=torch.int64)


@question("probabilities", times=3)
def probabilities(kata, draw: Draw):
    shape, found = shape_of(draw), {}
    z, weights = 4 * draw.normal(*shape), draw.normal(*shape)
    with training_steps.untouched(found, logits=z):
        found |= {"values": kata.to_probabilities(z), "one": kata.to_probabilities(z.flatten()[0])}
        found["huge"] = kata.to_probabilities(huge(draw, *shape))
    for name, at in (("near", z), ("huge", huge(draw, *shape)), ("far", z * 50)):
        place = at.clone().requires_grad_()
        (weights * kata.to_probabilities(place)).sum().backward()
        found[f"{name} gradients"] = place.grad
    found["none"] = kata.to_probabilities(draw.normal(0, 1))
    return found


@question("probabilities")
def probabilities_on_another_device(kata, draw: Draw):
    return {"values": kata.to_probabilities(draw.normal(7, 1).to(draw.device))}


@question("labels", times=3)
def labels(kata, draw: Draw):
    z, found = draw.made(near_half), {}
    with training_steps.untouched(found, logits=z):
        found |= {
            "row": kata.to_labels(z),
            "column": kata.to_labels(z[:, None]),
            "huge": kata.to_labels(huge(draw, 5, 1)),
        }
    for name, one in (("row", z[:1]), ("column", z[:1, None])):
        found[f"{name} of one"] = kata.to_labels(one.clone().requires_grad_())
    return found


@question("labels")
def labels_on_another_device(kata, draw: Draw):
    return {"labels": kata.to_labels(draw.made(near_half)[:, None].to(draw.device))}


@question("loss", times=4, by_hand=BY_HAND)
def loss(kata, draw: Draw):
    shape, found = shape_of(draw), {}
    targets = draw.uniform(0, 1, *shape).round()
    for name, z in (("near", 3 * draw.normal(*shape)), ("huge", huge(draw, *shape))):
        with training_steps.untouched(found, **{f"{name} logits": z, f"{name} targets": targets}):
            found[name], found[f"{name} ready-made"] = training_steps.used(
                lambda z=z: kata.bce_with_logits(z, targets), READY_MADE
            )
        place = z.clone().requires_grad_()
        (3 * kata.bce_with_logits(place, targets)).backward()
        found[f"{name} gradients"] = place.grad
    z, soft = 3 * draw.normal(*shape), draw.uniform(0, 1, *shape)
    found |= {
        "between 0 and 1": kata.bce_with_logits(z, soft),
        "a single number": kata.bce_with_logits(z.flatten()[0], soft.flatten()[0]),
    }
    return found


@question("loss", times=2)
def loss_of_other_shapes(kata, draw: Draw):
    n, found = draw.integer(2, 6), {}
    pairs = [((n, 1), (n,)), ((n,), (n, 1)), ((n,), (1,)), ((n, 2), (2,)), ((n, 1), (1, n))]
    for logits, targets in (*pairs, ((n, 3), (n, 1)), ((n,), (n + 1,))):
        z, y = draw.normal(*logits), draw.uniform(0, 1, *targets)
        try:
            found[f"{logits} {targets}"] = kata.bce_with_logits(z, y)
        except ValueError:
            found[f"{logits} {targets}"] = "refused"
    return found


@question("loss")
def loss_on_another_device(kata, draw: Draw):
    z = draw.normal(6, 1).to(draw.device).requires_grad_()
    value = kata.bce_with_logits(z, draw.uniform(0, 1, 6, 1).to(draw.device))
    value.backward()
    return {"loss": value.detach(), "gradients": z.grad}


@question("figures", times=4, halves=same(rtol=5e-5, atol=1e-6))
def figures(kata, draw: Draw):
    """Of rows and columns, of whole numbers and floats, side by side; and where there is no 1 among
    labels or answers.
    """
    (y_true, y_pred), found = draw.made(answers_to), {}
    kinds = [
        (torch.int64, torch.int64),
        (torch.float32, torch.float32),
        (torch.float32, torch.int64),
        (torch.int64, torch.float32),
        (torch.float32, torch.bool),
        (torch.uint8, torch.uint8),
    ]
    one, other = draw.choice(kinds)
    halves = [labels.repeat(301).to(torch.float16) for labels in (y_true, y_pred)]
    bytes_alone = [labels.to(torch.uint8) for labels in (y_true, y_pred)]
    y_true, y_pred, none = y_true.to(one), y_pred.to(other), torch.zeros(40, dtype=other)
    pairs = {
        "rows": (y_true, y_pred),
        "columns": (y_true[:, None], y_pred[:, None]),
        "a column and a row": (y_true[:, None], y_pred),
        "a row and a column": (y_true, y_pred[:, None]),
        "never said": (y_true, none),
        "never right": (none, y_pred),
        "no 1 at all": (none, none.clone()),
        "uint8": bytes_alone,
    }
    for pair, (right, said) in pairs.items():
        with training_steps.untouched(found, y_true=right, y_pred=said):
            found[pair] = [getattr(kata, name)(right, said) for name in FIGURES]
    found["halves"] = [
        [getattr(kata, name)(*pair) for name in FIGURES]
        for pair in (halves, (halves[0], halves[1].long()), (halves[0].long(), halves[1]))
    ]
    return found


@question("figures")
def figures_from_another_device(kata, draw: Draw):
    y_true, y_pred = (one.to(draw.device) for one in draw.made(answers_to))
    return {name: getattr(kata, name)(y_true, y_pred) for name in FIGURES}
