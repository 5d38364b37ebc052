"""k15's network in NumPy, right and with the known mistakes, each under its likely cause."""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from dojo.diagnosis import counted
from dojo.suite import called
from tests.support import expect

NAMES = ("W1", "b1", "W2", "b2")
OTHER_ORDER = ("W2", "b2", "W1", "b1")
BY_ORDER = "the arrays are taken by their order in the dicts: take each by its name"
Arrays = dict[str, np.ndarray]


def example(
    points: int = 9, sizes: tuple[int, int, int] = (2, 5, 3), seed: int | None = None
) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """Parameters, features and labels of a network of these sizes (inputs, hidden units, classes),
    all float64.
    """
    random = np.random.default_rng(int(torch.randint(10**9, ())) if seed is None else seed)
    inputs, hidden, classes = sizes
    shapes = [(inputs, hidden), (1, hidden), (hidden, classes), (1, classes)]
    parameters = {
        name: random.standard_normal(shape) for name, shape in zip(NAMES, shapes, strict=True)
    }
    return parameters, random.standard_normal((points, inputs)), random.integers(0, classes, points)


def check_numpy_alone(call: Callable[[], object], who: str) -> None:
    """The call computes with NumPy, and with no function of torch, scikit-learn or SciPy."""
    with (
        called.functions() as functions,
        called.modules("torch") as torchs,
        called.modules("sklearn") as sklearns,
        called.modules("scipy") as scipys,
    ):
        call()
    used = sorted({*functions, *torchs, *sklearns, *scipys})
    headline, right = f"{who} is not in NumPy alone.", "functions of NumPy"
    seen = f"another library is at work: {', '.join(used[:3])}"
    likely = expect.told("the kata is there to write the formulas out, in NumPy")
    expect.that(not used, headline, seen=seen, expected=right, likely=likely)


def forward(parameters: Arrays, x: np.ndarray) -> Arrays:
    """a1, the scores z2 and the probabilities y_hat."""
    a1 = np.maximum(0, x @ parameters["W1"] + parameters["b1"])
    z2 = a1 @ parameters["W2"] + parameters["b2"]
    return {"a1": a1, "z2": z2, "y_hat": softmax(z2)}


def reordered(parameters: Arrays, *data: np.ndarray) -> tuple[Arrays, *tuple[np.ndarray, ...]]:
    """The same parameters, which stand in the dict in another order."""
    return {name: parameters[name] for name in OTHER_ORDER}, *data


def networks(*numbers: int):
    """Parameters and so many points, with names; also of sizes of 1, and in another order."""
    for points in numbers:
        parameters, x, _ = example(points, (3, 7, 4))
        yield counted(points, "point"), [parameters, x]
    yield "a network of one feature and one hidden unit", [*example(5, (1, 1, 2))[:2]]
    yield "parameters in another order", [*reordered(*example(6, (4, 4, 4))[:2])]


def by_order(parameters: Arrays) -> Arrays:
    return dict(zip(NAMES, parameters.values(), strict=True))


def part(function: Callable, place: int | None = None) -> Callable:
    """The array, or one of the two arrays, that a function gives, as a tensor."""

    @functools.wraps(function)
    def result(*given):
        array = function(*given)
        array = array if place is None else pair(array)[place]
        is_array = isinstance(array, np.ndarray)
        return torch.from_numpy(array) if is_array else array

    return result


def right_part(place: int) -> Callable:
    return part(
        lambda parameters, x: tuple(forward(parameters, x)[one] for one in ("a1", "y_hat")), place
    )


def predicted(choose: Callable) -> Callable:
    return part(lambda parameters, x: choose(forward(parameters, x)["y_hat"]))


def of_a1(change: Callable) -> Callable:
    return part(lambda parameters, x: change(x @ parameters["W1"], parameters["b1"]))


def of_z2(change: Callable) -> Callable:
    def result(parameters, x):
        with np.errstate(all="ignore"):
            return change(forward(parameters, x)["z2"])

    return part(result)


def ratio(powers: np.ndarray, axis: int | None = 1) -> np.ndarray:
    return powers / powers.sum(axis=axis, keepdims=True)


def right_loss(y_hat: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(y_hat[np.arange(len(labels)), labels]).mean())


def loss_with(change: Callable) -> Callable:
    """The loss with a mistake, of -ln of all probabilities and of those of the right classes."""
    return lambda y_hat, labels: change(
        -np.log(y_hat), -np.log(y_hat[np.arange(len(labels)), labels]), labels
    )


WRONG_A1 = {
    "this is y_hat: the hidden activations a1 come first": part(
        lambda parameters, x: forward(parameters, x)["y_hat"]
    ),
    "this is the largest of each column: np.max takes 0 as an axis, np.maximum goes entry by"
    " entry": of_a1(lambda xw, b: np.zeros_like(xw) + (xw + b).max(axis=0)),
    BY_ORDER: part(lambda parameters, x: forward(by_order(parameters), x)["a1"]),
    "this is z1: the ReLU, max(0, z1), is not applied": of_a1(lambda xw, b: xw + b),
    "the bias b1 is left out": of_a1(lambda xw, b: np.maximum(0, xw)),
    "b1 is added after the ReLU: z1 = x W1 + b1 comes first": of_a1(
        lambda xw, b: np.maximum(0, xw) + b
    ),
    "this is tanh: the lesson's activation is max(0, z1)": of_a1(lambda xw, b: np.tanh(xw + b)),
    "this is the sigmoid: the lesson's activation is max(0, z1)": of_a1(
        lambda xw, b: 1 / (1 + np.exp(-xw - b))
    ),
    "this is |z1|: the ReLU gives 0 below 0": of_a1(lambda xw, b: abs(xw + b)),
    "these are 0 and 1: the ReLU keeps z1 where it is positive": of_a1(
        lambda xw, b: (xw + b > 0).astype(float)
    ),
}
WRONG_Y_HAT = {
    BY_ORDER: part(lambda parameters, x: forward(by_order(parameters), x)["y_hat"]),
    "these are the scores z2: the softmax is not applied": of_z2(lambda z: z),
    "the sum runs down the columns: every row has a sum of its own, axis=1, keepdims=True": [
        of_z2(lambda z: ratio(np.exp(z), 0)),
        of_z2(lambda z: ratio(np.exp(z - z.max(axis=1, keepdims=True)), 0)),
    ],
    "the sum runs over all scores: every row has a sum of its own, axis=1, keepdims=True": [
        of_z2(lambda z: ratio(np.exp(z), None)),
        of_z2(lambda z: ratio(np.exp(z - z.max(axis=1, keepdims=True)), None)),
        of_z2(lambda z: ratio(np.exp(z - z.max()), None)),
    ],
    "the largest of each column is subtracted: each row has its own, axis=1, keepdims=True": of_z2(
        lambda z: ratio(np.exp(z - z.max(axis=0)))
    ),
    "each row's smallest score is subtracted, and exp overflows: subtract its largest": of_z2(
        lambda z: ratio(np.exp(z - z.min(axis=1, keepdims=True)))
    ),
    "the scores are cut off at 0: the last layer has no ReLU": of_z2(
        lambda z: softmax(np.maximum(0, z))
    ),
    "this is a1: y_hat comes second": part(lambda parameters, x: forward(parameters, x)["a1"]),
    "the softmax runs down the columns: axis=1 runs along a row": of_z2(
        lambda z: ratio(np.exp(z - z.max(axis=0)), 0)
    ),
    "exp(z2) is not divided by the sum of its row": [
        of_z2(lambda z: np.exp(z - z.max(axis=1, keepdims=True))),
        of_z2(np.exp),
    ],
    "exp overflows: subtract z2.max(axis=1, keepdims=True) from z2 first, which leaves the softmax"
    " the same": of_z2(lambda z: ratio(np.exp(z))),
    "the largest of all scores is subtracted, and the powers of other rows become 0: each row has"
    " its own, z2.max(axis=1, keepdims=True)": of_z2(lambda z: ratio(np.exp(z - z.max()))),
    "the scores are cut off: subtract z2.max(axis=1, keepdims=True) from z2 instead": [
        of_z2(lambda z, top=top: ratio(np.exp(z.clip(-top, top)))) for top in (50, 100, 500, 700)
    ],
    "the bias b2 is left out": part(
        lambda parameters, x: softmax(forward(parameters, x)["a1"] @ parameters["W2"])
    ),
    "z2 is made of z1: it is a1 W2 + b2": part(
        lambda parameters, x: softmax(
            (x @ parameters["W1"] + parameters["b1"]) @ parameters["W2"] + parameters["b2"]
        )
    ),
    "this is the sigmoid of each score: the softmax divides by the row's sum": of_z2(
        lambda z: 1 / (1 + np.exp(-z))
    ),
    "these are logarithms: y_hat is the softmax itself": of_z2(lambda z: np.log(softmax(z))),
    "these are 0 and 1: y_hat has probabilities": of_z2(
        lambda z: np.eye(z.shape[1])[z.argmax(axis=1)]
    ),
}
WRONG_LARGE = {  # of these large scores tell
    cause: wrong
    for cause, wrong in WRONG_Y_HAT.items()
    if cause.startswith(("exp overflows", "the largest of", "the scores are cut off", "each row's"))
}
WRONG_LOSSES = {
    "this is the sum over the points: the loss is their mean": loss_with(
        lambda logs, picked, labels: float(picked.sum())
    ),
    "the minus is missing": loss_with(lambda logs, picked, labels: float(-picked.mean())),
    "these are the right classes' probabilities: the logarithm is missing": loss_with(
        lambda logs, picked, labels: float(np.exp(-picked).mean())
    ),
    "the mean comes before the logarithm: it is taken of the -ln": loss_with(
        lambda logs, picked, labels: float(-np.log(np.exp(-picked).mean()))
    ),
    "every class is counted: pick the right one of each row": [
        loss_with(lambda logs, picked, labels: float(logs.mean())),
        loss_with(lambda logs, picked, labels: float(logs.sum(axis=1).mean())),
    ],
    "the wrong classes are in the mean as zeros: it runs over the points alone": [
        loss_with(lambda logs, picked, labels: float(picked.sum() / logs.size)),
        loss_with(
            lambda logs, picked, labels: float((np.eye(logs.shape[1])[labels] * logs).mean())
        ),
    ],
    "y_hat[labels] picks whole rows: each row's own entry is y_hat[np.arange(n), labels]": [
        loss_with(lambda logs, picked, labels: float(logs[labels].mean())),
        loss_with(lambda logs, picked, labels: float(logs[labels].sum(axis=1).mean())),
    ],
    "this picks the right class's column for every row: y_hat[np.arange(n), labels]": loss_with(
        lambda logs, picked, labels: float(logs[:, labels].mean())
    ),
    "this picks each row's largest probability: pick the one of its label": loss_with(
        lambda logs, picked, labels: float(logs.min(axis=1).mean())
    ),
    "the wrong classes count, times 0, and 0 * ln(0) is NaN: pick each row's right probability"
    " before the logarithm": lambda y_hat, labels: float(
        -(np.eye(y_hat.shape[1])[labels] * np.log(y_hat)).sum() / len(labels)
    ),
    "the logarithm has the base 10 or 2: np.log is ln": [
        loss_with(lambda logs, picked, labels, base=base: float(picked.mean() / np.log(base)))
        for base in (2, 10)
    ],
    "a tiny number is added, or the probabilities are cut off: the logarithm of 1e-300 is finite": [
        loss_with(
            lambda logs, picked, labels, e=e, change=change: float(
                -np.log(change(np.exp(-picked), e)).mean()
            )
        )
        for e in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)
        for change in (np.add, lambda p, e: p.clip(e, 1), lambda p, e: p.clip(e, 1 - e))
    ],
    "the term of the other classes, ln(1 - p), is added: of several classes the right one counts"
    " alone": [
        loss_with(lambda logs, picked, labels: float((picked - np.log1p(-np.exp(-picked))).mean())),
        loss_with(
            lambda logs, picked, labels: float(
                (picked + np.log1p(-np.exp(-picked)) - np.log1p(-np.exp(-logs)).sum(axis=1)).mean()
            )
        ),
    ],
}


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@np.errstate(divide="ignore")  # of a descent with steps that are too large
def loss(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(forward(parameters, x)["y_hat"][np.arange(len(labels)), labels]).mean())


def numerical_gradients(
    parameters: Arrays, x: np.ndarray, labels: np.ndarray, step: float = 1e-5
) -> Arrays:
    """Central differences: the change of the loss per step when a single number of a parameter
    moves.
    """
    gradients = {}
    for name, value in parameters.items():
        gradients[name] = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            move = np.zeros_like(value)
            move[place] = step
            up, down = (
                loss(parameters | {name: value + sign * move}, x, labels) for sign in (1, -1)
            )
            gradients[name][place] = (up - down) / (2 * step)
    return gradients


def autograd_gradients(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> Arrays:
    """The same gradients, by torch."""
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    hidden = torch.relu(torch.tensor(x) @ tensors["W1"] + tensors["b1"])
    F.cross_entropy(hidden @ tensors["W2"] + tensors["b2"], torch.tensor(labels)).backward()
    return {name: tensor.grad.numpy() for name, tensor in tensors.items()}


def wrong_gradients(name: str) -> dict[str, list[Callable]]:
    """Likely cause → what its mistake gives for this parameter."""

    def back(d2_of: Callable, mask_of: Callable = lambda a1, d1: a1 > 0, change=lambda g, p: g):
        def gradient(parameters, x, labels, a1, y_hat):
            d2 = d2_of(y_hat, np.eye(y_hat.shape[1])[labels], len(labels))
            d1 = d2 @ parameters["W2"].T
            d1 = d1 * mask_of(a1, d1)
            sums = {"b1": d1.sum(axis=0, keepdims=True), "b2": d2.sum(axis=0, keepdims=True)}
            found = {"W1": x.T @ d1, "W2": a1.T @ d2, **sums}
            return torch.from_numpy(change(found[name], (parameters[name], len(labels))))

        return gradient

    def right(y_hat, one_hot, n):
        return (y_hat - one_hot) / n

    return {
        BY_ORDER: lambda parameters, *more: back(right)(by_order(parameters), *more),
        "the gradient is not divided by the number of points": back(lambda y, one, n: y - one),
        "the gradient is divided by the number of points twice": back(
            lambda y, one, n: (y - one) / n**2
        ),
        "the gradient is divided by the number of classes: n is the number of points": back(
            lambda y, one, n: (y - one) / y.shape[1]
        ),
        "n is written into the code: it is the number of points given": [
            back(lambda y, one, n, m=m: (y - one) / m) for m in (1050, 1500, 100, 500, 1000)
        ],
        "the sum of a bias runs over everything: it runs over the points, axis=0": back(
            right, change=lambda g, p: np.full_like(g, g.sum()) if name[0] == "b" else g
        ),
        "d1 is built of y_hat, before the 1 is subtracted": back(
            lambda y, one, n: (y - one if name.endswith("2") else y) / n
        ),
        "the sign is reversed: d2 = (y_hat - one_hot) / n": back(lambda y, one, n: (one - y) / n),
        "the ReLU is forgotten: d1 is 0 wherever the ReLU gave 0, which a1 > 0 tells": back(
            right, lambda a1, d1: 1
        ),
        "d1 is multiplied by a1: the ReLU's slope is 1 where it is active, and 0 elsewhere": back(
            right, lambda a1, d1: a1
        ),
        "your d1 is set to 0 by its own sign: it has to be 0 wherever a1 is 0": back(
            right, lambda a1, d1: d1 > 0
        ),
        "d1 is 0 where the ReLU is active: it is 0 wherever a1 is 0": back(
            right, lambda a1, d1: a1 <= 0
        ),
        "nothing is subtracted at the right classes: d2 = (y_hat - one_hot) / n": back(
            lambda y, one, n: y / n
        ),
        "the 1 is subtracted in every column: d2[np.arange(n), labels] -= 1": back(
            lambda y, one, n: (y - 1) / n
        ),
        "d2[labels] takes whole rows, those of the first points: each row has its 1 subtracted at"
        " its own label, d2[np.arange(n), labels] -= 1": back(
            lambda y, one, n: (y - np.isin(np.arange(n), one.argmax(axis=1))[:, None]) / n
        ),
        "the slope of the softmax is there twice: y_hat - one_hot has it already": back(
            lambda y, one, n: (y - one) * y * (1 - y) / n
        ),
        "the loss is taken for a squared error: d2 = (y_hat - one_hot) / n, without a 2": back(
            lambda y, one, n: 2 * (y - one) / n
        ),
        "the gradient of a bias is the sum over the points, not their mean": back(
            right, change=lambda g, p: g / p[1] if name[0] == "b" else g
        ),
        "a multiple of the parameter is added, as weight decay is: the loss has no such term": [
            back(right, change=lambda g, p, k=k: g + k * p[0])
            for k in (1.0, 0.1, 0.01, 0.001, 0.0001, 0.02, 0.002)
        ],
    }


def pair(result: object) -> tuple[np.ndarray, np.ndarray]:
    """a1 and y_hat, after a check that there are two arrays."""
    right = (
        isinstance(result, tuple | list)
        and len(result) == 2
        and all(isinstance(part, np.ndarray) for part in result)
    )
    seen = (
        [type(part).__name__ for part in result]
        if isinstance(result, tuple | list)
        else type(result).__name__
    )
    likely = "`return` is missing" if result is None else "return a1, y_hat"
    expect.that(
        right,
        "forward(...) does not give two arrays.",
        seen=seen,
        expected="a1 and y_hat",
        likely=likely,
    )
    return result
