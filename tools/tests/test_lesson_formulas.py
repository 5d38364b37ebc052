"""The formulas of the lessons are right: each is computed as it stands there, and compared with
what torch, scikit-learn or autograd computes.
"""

import ast
import contextlib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo import ROOT
from dojo.catalog import load

# what a lesson writes its own way → Python
PYTHON = {
    r"\|(\w+)\|": r"abs(\1)",
    r"\^T": ".T",
    r"\^": "**",
    r"\b(\w)'": r"\1_new",
    r"\b(x|a1|d2|a1\.T|x\.T) (W1|W2|W2\.T|d1|d2)\b": r"\1 @ \2",
    r"a_\(k-1\) (W_k\.T)": r"a_before @ \1",
    r"\b2 TP": "2 * TP",
    r"exp\(z_k\) / sum_j exp\(z_j\)": "exp(z) / exp(z).sum(1, keepdim=True)",
    r"\(u_new S - u S_new\)": "(u_new * S - u * S_new)",
    r"-1/p dp/dz_j": "-1/p * slope",
    r"\+ \.\.\. \+ wd \* xd": "+ w2 * x2 + w3 * x3",
}
MATHS = {
    "exp": torch.exp,
    "log": torch.log,
    "ln": torch.log,
    "sin": torch.sin,
    "tanh": torch.tanh,
    "mean": torch.mean,
    "sum": torch.sum,
    "sqrt": lambda x: x**0.5,
    "abs": abs,
    "softmax": lambda z: torch.softmax(z, 1),
    "max": lambda a, b: (
        torch.maximum(torch.as_tensor(a).to(b), b)
        if isinstance(b, Tensor)
        else torch.maximum(a, torch.as_tensor(b).to(a))
    ),
}
RANDOM = torch.Generator().manual_seed(5)


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=RANDOM, dtype=torch.float64)


def slope(of: Tensor, to: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(of, to, retain_graph=True)
    return found


def worlds() -> dict[str, list[tuple[str, Mapping[str, Any], Any]]]:
    """Kata → its formulas, as they stand there; what their names mean; what they should give."""
    from sklearn.metrics import f1_score, precision_score, recall_score
    from sklearn.preprocessing import StandardScaler

    from katas.given import data

    given = data.curve()
    X, W, b = numbers(5, 3), numbers(4, 3), numbers(4)
    Z = F.linear(X, W, b)
    x, y, w = numbers(6), numbers(6), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    line = {"x": x, "y": y, "weight": w, "n": 6}
    small = {"x": torch.tensor([1.0, 2, 3]), "y": torch.tensor([2.0, 4, 6]), "weight": 1, "n": 3}
    w1, b1, w3, w4, b3, one = numbers(6)
    net = {"w1": w1, "b1": b1, "w2": w3, "b2": b3, "x": one, "w3": w3, "w4": w4, "b3": b3}
    z1 = (w1 * one + b1).requires_grad_()
    net |= {"z1": z1, "z2": w4, "a1": torch.tanh(z1), "a2": b1, "y_hat": w4, "y": b3}
    many = numbers(6, 3)
    plane = {f"w{n}": value for n, value in enumerate(numbers(4))}
    plane |= {f"x{n}": many[:, n - 1] for n in (1, 2, 3)}
    weights = torch.stack([plane["w1"], plane["w2"], plane["w3"]])
    z, t = 3 * numbers(8), torch.tensor([0.0, 1, 1, 0, 1, 0, 0, 1], dtype=torch.float64)
    labels, answers = [0, 1, 1, 0, 1, 1], [1, 1, 0, 0, 1, 0]
    counts = {"TP": 2, "FP": 1, "FN": 2}
    share = {"precision": precision_score(labels, answers), "recall": recall_score(labels, answers)}
    f1 = f1_score(labels, answers)
    deep = {"x": numbers(6, 4), "W1": numbers(4, 5), "b1": numbers(1, 5)}
    deep |= {"W2": numbers(5, 3), "b2": numbers(1, 3), "n": 6}
    deep = {name: v.requires_grad_() if isinstance(v, Tensor) else v for name, v in deep.items()}
    deep["z1"] = F.linear(deep["x"], deep["W1"].T, deep["b1"][0])
    deep["a1"] = F.relu(deep["z1"])
    deep["z2"] = F.linear(deep["a1"], deep["W2"].T, deep["b2"][0])
    classes = torch.tensor([0, 2, 1, 1, 0, 2])
    loss = F.cross_entropy(deep["z2"], classes)
    deep |= {"y_hat": F.softmax(deep["z2"], 1), "one_hot": F.one_hot(classes, 3)}
    deep |= {"d2": slope(loss, deep["z2"]), "d1": slope(loss, deep["z1"])}
    deep |= {"learning_rate": 0.3, "dW": slope(loss, deep["W1"]), "W": deep["W1"]}
    sgd = nn.Parameter(deep["W1"].detach().clone())
    sgd.grad = deep["dW"]
    torch.optim.SGD([sgd], lr=0.3).step()
    scores = numbers(3).requires_grad_()
    p = F.softmax(scores, 0)[1]
    powers = scores.exp().detach()
    quotient = {
        "u": powers[1],
        "S": powers.sum(),
        "S_new": powers,
        "p": p,
        "slope": slope(p, scores),
    }
    quotient["u_new"] = torch.tensor([0, powers[1], 0])
    table = numbers(9, 2)
    scaled = torch.as_tensor(StandardScaler().fit_transform(table.numpy()))
    standard = {"x": table, "mean": table.mean(0), "std": table.std(0, correction=0)}
    drawn = nn.init.xavier_normal_(torch.empty(500, 300), nn.init.calculate_gain("relu"), RANDOM)
    wide = {"inputs": 300, "outputs": 500, "gain": math.sqrt(2)}
    return {
        "k00": [
            ("Z = X @ W.T + b", {"X": X, "W": W, "b": b}, Z),
            ("A = activation(Z)", {"Z": Z, "activation": F.relu}, F.relu(Z)),
        ],
        "k03": [
            ("y_hat = weight * x", line, F.linear(x[:, None], w.reshape(1, 1))[:, 0]),
            ("mse = mean((weight * x - y) ** 2)", line, F.mse_loss(w * x, y)),
            (
                "gradient = 2 / n * sum(x * (weight * x - y))",
                line,
                slope(F.mse_loss(w * x, y), w),
            ),
            ("gradient = 2 / n * sum(x * (weight * x - y))", small, -9.3333),
            ("z1 = w1 * x + b1", net, F.linear(one[None], w1.reshape(1, 1), b1[None])),
            ("z2 = w2 * x + b2", net, F.linear(one[None], w3.reshape(1, 1), b3[None])),
            ("a1 = tanh(z1)", net, nn.Tanh()(z1)),
            ("a2 = tanh(z2)", net, nn.Tanh()(w4)),
            (
                "y_hat = w3 * a1 + w4 * a2 + b3",
                net,
                F.linear(torch.stack([net["a1"], b1]), torch.stack([w3, w4])[None], b3[None]),
            ),
            ("loss = (y_hat - y) ** 2", net, F.mse_loss(w4, b3)),
            ("d a1 / d z1 = 1 - a1 ** 2", net, slope(net["a1"], z1)),
        ],
        "k04": [
            (
                "y_hat = w0 + w1 * x1 + ... + wd * xd",
                plane,
                F.linear(many, weights[None], plane["w0"][None])[:, 0],
            ),
            ("mean((outputs - targets) ** 2)", {"outputs": x, "targets": y}, nn.MSELoss()(x, y)),
        ],
        "k06": [
            (
                "z = w1 * x1 + w2 * x2 + b",
                {**plane, "b": plane["w0"]},
                F.linear(many[:, :2], weights[None, :2], plane["w0"][None])[:, 0],
            ),
            (
                "y_hat = sigmoid(z) = 1 / (1 + exp(-z))",
                {"z": z, "sigmoid": nn.Sigmoid()},
                torch.sigmoid(z),
            ),
            (
                "loss = -mean(y * log(y_hat) + (1 - y) * log(1 - y_hat))",
                {"y": t, "y_hat": torch.sigmoid(z)},
                nn.BCELoss()(torch.sigmoid(z), t),
            ),
        ],
        "k11": [("y = x**2 + 15 * sin(x)**3", {"x": given[0]}, given[1])],
        "k12": [
            (
                "loss = mean(log(1 + exp(z)) - y * z)",
                {"z": z, "y": t},
                nn.BCEWithLogitsLoss()(z, t),
            ),
            ("log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))", {"z": z}, F.softplus(z)),
            ("F1 = 2 TP / (2 TP + FP + FN)", counts, f1),
        ],
        "k13": [("relu(z) = max(0, z)", {"z": z, "relu": nn.ReLU()}, F.relu(z))],
        "k14": [
            ("p_k = exp(z_k) / sum_j exp(z_j)", {"z": Z}, F.softmax(Z, 1)),
        ],
        "k15": [
            ("z1 = x W1 + b1", deep, deep["z1"]),
            ("a1 = max(0, z1)", deep, deep["a1"]),
            ("z2 = a1 W2 + b2", deep, deep["z2"]),
            ("y_hat = softmax(z2)", deep, deep["y_hat"]),
            ("d2 = (y_hat - one_hot) / n", deep, deep["d2"]),
            ("dW2 = a1^T d2", deep, slope(loss, deep["W2"])),
            ("dW1 = x^T d1", deep, slope(loss, deep["W1"])),
            ("W := W - learning_rate * dW", deep, sgd),
            ("dp/dz_j = (u' S - u S') / S^2", quotient, slope(p, scores)),
            ("dJ/dz_j = -1/p dp/dz_j", quotient, slope(-torch.log(p), scores)),
        ],
        "k16": [("x := (x - mean) / std", standard, scaled)],
        "k17": [("f1 = 2 * precision * recall / (precision + recall)", share, f1)],
        "k18": [("std = gain * sqrt(2 / (inputs + outputs))", wide, float(drawn.std()))],
        "k19": [
            ("z_k = a_(k-1) W_k^T + b_k", {"a_before": X, "W_k": W, "b_k": b}, Z),
            ("a_k = activation(z_k)", {"z_k": Z, "activation": F.relu}, F.relu(Z)),
        ],
    }


WORLDS = worlds()
FORMULAS = [(kata, *each) for kata, formulas in WORLDS.items() for each in formulas]
NAMES = [f"{kata} {formula}" for kata, formula, *_ in FORMULAS]
# lines that look like one: the moves of a training in code, and formulas in words
NO_FORMULA = re.compile(
    r"(outputs|loss) = (model|nn|criterion)\b|answers|d loss / d w|^S[GA]D|Momentum"
)


def sides(formula: str) -> list[str]:
    """What is computed: all sides of an equation but a name that it gives a value."""
    first, *others = re.split(r" :?= ", formula)
    is_name = re.fullmatch(r"[\w']+|d\w* ?\w* ?/ ?d ?\w+", first)
    return others if others and is_name else [first, *others]


def computed(text: str, names: Mapping[str, Any]) -> Tensor:
    for written, python in PYTHON.items():
        text = re.sub(written, python, text)
    return torch.as_tensor(eval(text, dict(MATHS), dict(names)))


def is_right(formula: str, names: Mapping[str, Any], truth: Any) -> bool:
    right = torch.as_tensor(truth).double().squeeze()
    found = [computed(side, names).double().squeeze() for side in sides(formula)]
    return all(
        one.shape == right.shape and torch.allclose(one, right, rtol=5e-3, atol=1e-6)
        for one in found
    )


def texts_of(kata: str) -> str:
    """The docstrings of a reference."""
    (path,) = (ROOT / "reference").glob(f"{kata}_*.py")
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    kinds = ast.Module | ast.FunctionDef | ast.ClassDef
    return "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds))


@pytest.mark.parametrize(("kata", "formula", "names", "truth"), FORMULAS, ids=NAMES)
def test_it_gives_what_it_says(kata, formula, names, truth):
    assert formula in texts_of(kata)
    assert is_right(formula, names, truth)


NOT_COMPUTED = (SyntaxError, TypeError, RuntimeError, NameError, ZeroDivisionError)


def spoiled(formula: str) -> Iterator[str]:
    """The formula with another sign, or another number, at one place after the first `=`."""
    begin = max(formula.find("= "), 0)
    others = {
        "+": "-",
        "-": "+",
        "*": "/",
        "/": "*",
        "1": "2",
        "2": "3",
        "max": "min",
        "sin": "cos",
    }
    for place in re.finditer(r"(?<![*\w'])(?:[-+/]|\*(?!\*)|[12](?!\d)|max|sin)(?![*_])", formula):
        if place.start() > begin and place[0] in others:
            yield formula[: place.start()] + others[place[0]] + formula[place.end() :]


@pytest.mark.parametrize(("kata", "formula", "names", "truth"), FORMULAS, ids=NAMES)
def test_a_slip_in_it_is_seen(kata, formula, names, truth):
    for wrong in spoiled(formula):
        with contextlib.suppress(*NOT_COMPUTED):
            assert not is_right(wrong, names, truth), wrong


@pytest.mark.parametrize("kata", [kata.short for kata in load().katas])
def test_every_formula_of_a_text_is_computed_here(kata):
    known = [formula for formula, *_ in WORLDS.get(kata, [])]
    known += OPTIMIZERS if kata == "k21" else []
    for line in texts_of(kata).splitlines():
        _, equals, rest = line.partition(" = ")
        looks = equals and re.match(r" {4,}\S", line) and re.search(r"[-+*/@(]", rest)
        if looks and not NO_FORMULA.search(line.strip()):
            assert any(formula in line for formula in known), line


# k21: what torch does in three steps
OPTIMIZERS = [
    "b = momentum * b + g",
    "w -= lr * b",
    "w -= lr * g",
    "v = alpha * v + (1 - alpha) * g**2",
    "w -= lr * g / (sqrt(v) + eps)",
    "m = beta1 * m + (1 - beta1) * g",
    "v = beta2 * v + (1 - beta2) * g**2",
    "m' = m / (1 - beta1**t)",
    "v' = v / (1 - beta2**t)",
    "w -= lr * m' / (sqrt(v') + eps)",
]
HOW = {"lr": 0.1, "momentum": 0.8, "alpha": 0.9, "beta1": 0.7, "beta2": 0.95, "eps": 1e-3}
TORCH = {
    "SGD": lambda w: torch.optim.SGD([w], lr=0.1, weight_decay=0.01),
    "Momentum": lambda w: torch.optim.SGD([w], lr=0.1, momentum=0.8, weight_decay=0.01),
    "RMSprop": lambda w: torch.optim.RMSprop([w], 0.1, alpha=0.9, eps=1e-3, weight_decay=0.01),
    "Adam": lambda w: torch.optim.Adam([w], 0.1, (0.7, 0.95), eps=1e-3, weight_decay=0.01),
}


def rules() -> dict[str, list[str]]:
    """Optimizer → what the lesson says that it does in a step."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in texts_of("k21").splitlines():
        if begins := re.match(r" {4}(SGD|Momentum|RMSprop|Adam) +(?=\w)", line):
            name = begins[1]
        if name and re.search(r"\w'? -?= ", line) and line.startswith("    "):
            text = line.removeprefix(begins[0]) if begins else line
            parts = re.split(r",\s+then\s+|\s{3,}", text.strip())
            found.setdefault(name, []).extend(parts)
        elif found.get(name):
            name = ""
    return found


def descended(rule: list[str], steps: list[Tensor]) -> Tensor:
    """Where the weights are after these gradients, by the lesson's rule."""
    names = {"w": torch.ones(4, dtype=torch.float64), "b": 0.0, "m": 0.0, "v": 0.0, **HOW}
    for t, grad in enumerate(steps, start=1):
        names |= {
            "t": t,
            "g": computed("grad + weight_decay * w", {**names, "grad": grad, "weight_decay": 0.01}),
        }
        for text in rule:
            name, sign, right = re.fullmatch(r"(\w'?) (-?)= (.*)", text).groups()
            value = computed(right, names)
            names[name.replace("'", "_new")] = names["w"] - value if sign else value
    return names["w"]


@pytest.mark.parametrize("name", TORCH)
def test_an_optimizer_does_what_its_lesson_says(name):
    rule, steps = rules()[name], [numbers(4) for _ in range(3)]
    assert all(text in OPTIMIZERS for text in rule)
    assert "g = grad + weight_decay * w" in texts_of("k21")
    weights = nn.Parameter(torch.ones(4, dtype=torch.float64))
    optimizer = TORCH[name](weights)
    for grad in steps:
        weights.grad = grad.clone()
        optimizer.step()
    assert torch.allclose(descended(rule, steps), weights)
    for number, text in enumerate(rule):
        for wrong in spoiled(text):
            other = [*rule[:number], wrong, *rule[number + 1 :]]
            with contextlib.suppress(*NOT_COMPUTED):
                assert not torch.allclose(descended(other, steps), weights), wrong
