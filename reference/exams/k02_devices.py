"""Questions on k02: which device is picked on which machine, and what becomes of a batch that is
moved.
"""

import numpy as np
import torch
from torch import Tensor

from dojo.exam import Draw, fake_devices, question, training_steps

META, CPU = torch.device("meta"), torch.device("cpu")  # every machine has both
MACHINES = ([], ["cuda"], ["mps"], ["cuda", "mps"])
DTYPES = (torch.float32, torch.int64, torch.float64, torch.bool, torch.uint8)
OTHERS = (["a", "b"], 7, None, "name", 2.5)


@question("pick")
def picked(kata, draw: Draw):
    """All machines, in an order that can't be known."""
    found = []
    for number in draw.made(lambda random: random.permutation([*range(4), *range(4)]).tolist()):
        with fake_devices.machine(kata, MACHINES[number]):
            device = kata.pick_device()
        is_first = isinstance(device, torch.device) and not device.index  # "cuda:0" is fine, too
        found.append(device.type if is_first else repr(device))
    return {"picked": found}


def entries(random: np.random.Generator) -> list[list]:
    """Names and tensors of several dtypes, with other things among them."""
    count, names = int(random.integers(2, 5)), random.permutation(list("abcdefghijklmnop")).tolist()
    values = [
        torch.tensor(9 * random.random(random.integers(1, 4, 2).tolist())).to(dtype)
        for dtype in DTYPES[:count]
    ]
    values += [OTHERS[number] for number in random.permutation(len(OTHERS))[:3]]
    return [[names[place], values[place]] for place in random.permutation(len(values))]


def batch_of(kind: type, pairs: list[list]) -> tuple | list | dict:
    return dict(pairs) if kind is dict else kind(value for _, value in pairs)


def held(batch: tuple | list | dict) -> list:
    return list(batch.values()) if isinstance(batch, dict) else list(batch)


def told(batch: tuple | list | dict) -> dict[str, object]:
    """A batch, as an answer: a tensor without numbers is told by its form."""
    parts = [
        (
            [one.device, one.shape, one.dtype, one.requires_grad]
            if isinstance(one, Tensor) and one.is_meta
            else one
        )
        for one in held(batch)
    ]
    return {
        "kind": type(batch).__name__,
        "names": list(batch) if isinstance(batch, dict) else [],
        "parts": parts,
    }


@question("move", times=2)
def batches(kata, draw: Draw):
    """From the CPU to several devices; the batch that was given keeps its own tensors where they
    were.
    """
    found = {}
    for kind in (tuple, list, dict):
        for device in (META, CPU, draw.device):
            pairs = draw.made(entries)
            if device == draw.device:  # it has no float64
                pairs = [
                    [name, value.float() if getattr(value, "dtype", 0) == torch.float64 else value]
                    for name, value in pairs
                ]
            batch = batch_of(kind, pairs)
            moved = kata.move_batch(batch, device)
            own = [one is value for one, (_, value) in zip(held(batch), pairs, strict=True)]
            stayed = [value.device for _, value in pairs if isinstance(value, Tensor)]
            another = kind is tuple or moved is not batch  # nobody can write into a tuple
            found[f"{kind.__name__} {device.type}"] = [told(moved), own, stayed, another]
    return found


@question("move")
def short_batches(kata, draw: Draw):
    found = {}
    for kind in (tuple, list, dict):
        for pairs in ([["x", draw.normal(3)]], []):
            batch = batch_of(kind, pairs)
            found[f"{kind.__name__} of {len(pairs)}"] = told(kata.move_batch(batch, META))
    return found


@question("move")
def unusual_batches(kata, draw: Draw):
    """No entries, names that are numbers, and tensors that are easily taken for something else."""
    tensors = [torch.tensor(draw.real(1, 9)), draw.normal(0, 3), torch.nn.Parameter(draw.normal(4))]
    tensors = [tensors[number] for number in draw.made(lambda random: random.permutation(3))]
    found = {}
    for kind in (list, dict):
        pairs = [[draw.integer(10, 99) + 100 * place, one] for place, one in enumerate(tensors)]
        empty = batch_of(kind, [])
        found[kind.__name__] = [
            told(kata.move_batch(batch_of(kind, pairs), META)),
            kata.move_batch(empty, META) is not empty,
        ]
    return found


@question("move")
def a_model_among_the_entries(kata, draw: Draw):
    found = {}
    for kind in (tuple, list, dict):
        model = torch.nn.Linear(draw.integer(1, 5), 1)
        moved = kata.move_batch(batch_of(kind, [["x", draw.normal(3)], ["m", model]]), META)
        found[kind.__name__] = [model.weight.device, type(held(moved)[1]).__name__]
    return found


@question("move")
def batches_back_to_the_cpu(kata, draw: Draw):
    found = {}
    for kind in (tuple, list, dict):
        features, labels = draw.normal(4, 2).to(draw.device), draw.classes(4, 3).to(draw.device)
        with training_steps.untouched(
            found, **{f"{kind.__name__}'s features": features, f"{kind.__name__}'s labels": labels}
        ):
            moved = kata.move_batch(
                batch_of(kind, [["features", features], ["labels", labels]]), CPU
            )
        found[kind.__name__] = told(moved)
    return found


@question("move")
def gradients_through_a_moved_batch(kata, draw: Draw):
    weight, found = draw.normal(5).requires_grad_(), []
    for device in (CPU, draw.device):
        moved = kata.move_batch([weight * 3], device)[0]
        (moved * moved).sum().backward()
        found.append(moved.requires_grad)
    return {"recording": found, "gradient": weight.grad}


@question("move")
def number_of_the_device(kata, draw: Draw):
    found = {}
    for kind in (tuple, list, dict):
        batch = batch_of(kind, draw.made(entries))
        tensors = [one for one in held(batch) if isinstance(one, Tensor)]
        for place, lying in (("the CPU", ()), ("another GPU", tensors)):
            with fake_devices.Pretended(fake_devices.SECOND_GPU, on_first=lying) as there:
                kata.move_batch(batch, fake_devices.SECOND_GPU)
            found[f"{kind.__name__} from {place}"] = sorted(there.sent)
    return found
