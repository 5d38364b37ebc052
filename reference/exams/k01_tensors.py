"""Questions on k01: what is made of fresh lists, shapes, tables, arrays and tensors, on which
device, and whose memory it is.
"""

import numpy as np
import torch

from dojo.exam import Draw, question, random_numbers, training_steps

LARGE = (100, 160)  # so many random numbers that their distribution shows
KINDS = ("float64", "float32", "int64", "int32")  # of arrays


def shape(random: np.random.Generator) -> tuple[int, ...]:
    return tuple(random.integers(1, 5, int(random.integers(1, 5))).tolist())


def lists(random: np.random.Generator) -> list[list]:
    """Numbers without decimal points, with them, with one in a single place, and whole ones with
    points.
    """
    whole, fractions = (
        random.integers(-9, 10, int(random.integers(1, 7))).tolist(),
        random.normal(size=5).tolist(),
    )
    return [whole, fractions, [*whole, 2.5], [float(number) for number in whole]]


EVEN = random_numbers.drawn_from(lambda x: x.clamp(0, 1), "the uniform distribution")
BELL = random_numbers.drawn_from(torch.special.ndtr, "the normal distribution")


@question("make", times=2)
def made(kata, draw: Draw):
    found = {}
    for numbers in draw.made(lists):
        sizes = (1, len(numbers)) if not found else draw.made(shape)
        one = kata.make(numbers, sizes)
        found[str(len(found))] = {
            **one,
            **{name: torch.zeros_like(one[name]) for name in ("uniform", "normal")},
        }
    return found


@question("make", uniform=EVEN, normal=BELL)
def distributions(kata, draw: Draw):
    calls = [kata.make([1], LARGE) for _ in range(2)]
    return {name: [call[name] for call in calls] for name in ("uniform", "normal")}


@question("make", times=2)
def about(kata, draw: Draw):
    dtype = draw.choice(
        (torch.float32, torch.float64, torch.int64, torch.int16, torch.uint8, torch.bool)
    )
    tensors = (
        torch.zeros(draw.made(shape), dtype=dtype),
        torch.tensor(1.5),
        torch.zeros(draw.made(shape)).to(draw.device),
    )
    found = [kata.about(tensor) for tensor in tensors]
    return {"about": found, "a dtype": isinstance(found[0][0], torch.dtype)}


@question("combine", times=2)
def combinations(kata, draw: Draw):
    n, found = draw.integer(2, 6), {}
    row, column = draw.normal(1, n), draw.normal(n, 1)
    with training_steps.untouched(found, row=row, column=column):
        combined = kata.combine(row, column)
    alone = kata.combine(draw.normal(1, 1), draw.normal(1, 1))
    return {"combined": combined, "alone": alone, **found}


@question("combine", times=3)
def crosses(kata, draw: Draw):
    rows, columns, dtype = (
        draw.integer(1, 5),
        draw.integer(2, 5),
        draw.choice((torch.float32, torch.int64, torch.float64)),
    )
    row, column = kata.cross(
        (100 * draw.normal(rows, columns)).to(dtype), draw.integer(0, min(rows, columns) - 1)
    )
    last = kata.cross(draw.classes(rows * columns, 9).reshape(rows, columns), -1)
    narrow = [kata.cross(draw.normal(*size), 0) for size in ((1, columns), (columns, 1))]
    return {"row": row, "column": column, "last": list(last), "narrow": list(map(list, narrow))}


@question("combine")
def combinations_on_another_device(kata, draw: Draw):
    row, column, table = (draw.normal(*size).to(draw.device) for size in ((1, 3), (3, 1), (3, 4)))
    return {
        "combined": kata.combine(row, column),
        "cross": list(kata.cross(table, draw.integer(0, 2))),
    }


@question("puzzles", times=2)
def puzzles(kata, draw: Draw):
    """Of a table that is wider, longer or square."""
    found = {}
    for name, rows, columns in (("wide", 2, 5), ("long", 6, 3), ("square", 4, 4)):
        table, numbers = draw.uniform(0.5, 9, rows, columns), draw.normal(draw.integer(2, 6))
        classes = draw.integer(2, 7)
        labels = draw.classes(draw.integer(3, 9), classes)
        with training_steps.untouched(found, **{f"{name} table": table, f"{name} labels": labels}):
            found[name] = [
                kata.centered(table),
                kata.shares(table),
                kata.gaps(numbers),
                kata.one_hot(labels, classes),
            ]
    spread = draw.normal(30)
    found["huge"], found["tiny"] = kata.gaps(1e20 * spread) / 1e20, kata.gaps(spread / 1e25) * 1e25
    found["tiny shares"] = kata.shares(draw.uniform(0.5, 9, 4, 3) * 1e-20)
    found["single"] = [kata.gaps(draw.normal(1)), kata.one_hot(draw.classes(1, 1), 3)]
    return found


@question("puzzles")
def puzzles_on_another_device(kata, draw: Draw):
    table, numbers = (part.to(draw.device) for part in (draw.uniform(1, 9, 4, 3), draw.normal(5)))
    labels = draw.classes(6, 3).to(draw.device)
    made = [kata.centered(table), kata.shares(table), kata.gaps(numbers), kata.one_hot(labels, 3)]
    return {"made": made}


@question("to_tensors", times=2)
def tensors_of_arrays(kata, draw: Draw):
    """The arrays change afterwards, and what was made of them must not."""
    found = {}
    for kind in KINDS:
        n, d = (1, 1) if kind == "int32" else (draw.integer(2, 40), draw.integer(1, 6))
        arrays = [(100 * draw.normal(*size)).numpy().astype(kind) for size in ((n, d), (n,))]
        before = [array.copy() for array in arrays]
        found[kind] = list(kata.to_tensors(*arrays))
        for array, old in zip(arrays, before, strict=True):
            found[kind].append(np.array_equal(array, old))
            array += 7
    return found


@question("to_class_indices", times=2)
def class_indices(kata, draw: Draw):
    found = {}
    for kind in KINDS:
        count = 1 if kind == "int32" else draw.integer(2, 40)
        labels = draw.classes(count, draw.integer(1, 9)).numpy().astype(kind)
        labels = labels.reshape(draw.choice(((-1,), (-1, 1))))
        before = labels.copy()
        found[kind] = [kata.to_class_indices(labels), np.array_equal(labels, before)]
        labels += 1
    far = draw.made(lambda random: random.integers(0, 100_000, 5).astype(np.float64))
    return {**found, "far apart": kata.to_class_indices(far)}


@question("to_numpy", times=2)
def arrays_of_tensors(kata, draw: Draw):
    """The tensors change afterwards, and what was made of them must not."""
    plain = draw.made(lambda random: torch.tensor(random.integers(1, 100, shape(random))))
    tensors = [
        plain.to(dtype)
        for dtype in (torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool)
    ]
    weights = draw.normal(*draw.made(shape)).requires_grad_()
    tensors += [weights, weights * 2, draw.normal()]
    arrays = [kata.to_numpy(tensor) for tensor in tensors]
    with torch.no_grad():
        for tensor in tensors:
            tensor.fill_(0)
    return {"arrays": arrays, "recording": [tensor.requires_grad for tensor in tensors]}


@question("to_numpy")
def arrays_from_another_device(kata, draw: Draw):
    tensor, found = draw.normal(*draw.made(shape)).to(draw.device), {}
    recording = tensor.clone().requires_grad_()
    with training_steps.untouched(found, tensor=tensor, recording=recording):
        arrays = [kata.to_numpy(tensor), kata.to_numpy(recording)]
    return {"arrays": arrays, **found}
