"""Pictures of data, models and training. Nothing here is yours to solve; call it and look.

Every `plot_` function returns a new matplotlib Figure and shows nothing; `show` puts figures on the screen, or into files where
there is no screen. Features, labels and losses may be tensors on any device, with or without gradients, or arrays. A model is
asked in evaluation mode, on its own device and without gradients, and is left as it was found.

The colours are those of Okabe and Ito, which colour-blind eyes tell apart; in grey, the markers and the line styles do.
"""

import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn

from katas.given._values import Model, Values, ask, left_alone, name_of, to_array, to_classes, to_columns

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
MARKERS = "os^DvPX*"
LINES = ("-", "--", "-.", ":", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))
GRID = 240  # points along each side of the plane that a model is asked about
FILE_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}  # the ones of matplotlib that open no window
SIGNATURE = "torch-katas"  # written into every saved picture, so that `show` knows which files it may replace


def plot_data(features: Values, labels: Values) -> Figure:
    """The points in the plane, each class with a colour and a marker of its own.

    Args:
        features: (n, 2), the coordinates x1 and x2.
        labels: (n,) or (n, 1), class numbers (0, 1, ...) or class names.

    Raises:
        ValueError: a shape is another one, or the labels are neither.

    What to see: could a straight line part the classes, or does it need a bend?
    """
    points = to_columns(features, "features", 2)
    numbers, names = to_classes(labels, len(points), names=True)
    figure, (axes,) = _figure("The data", "x1", "x2")
    _scatter(axes, points, numbers, names)
    _legend(figure, [axes])
    return figure


def plot_boundary(model: Model, features: Values, labels: Values, threshold: float = 0.5) -> Figure:
    """The plane in the colours of the model's answers, the edges between them, the points, and rings where it is wrong.

    Args:
        model: maps (n, 2) to one output per example, (n, 1) or (n,), which means class 1 from the threshold on; or to one score
            per class, (n, C), of which the largest wins; or to a tuple that begins with one of these.
        features, labels: (n, 2), and class numbers, (n,) or (n, 1).
        threshold: where one output turns from class 0 to class 1: 0.5 for probabilities, 0.0 for logits.

    Raises:
        ValueError: a shape is another one, or the model answers nan or inf.

    What to see: which bends the model is able to make, and the points it gives up.
    """
    points = to_columns(features, "features", 2)
    numbers, names = to_classes(labels, len(points))
    with left_alone(model):
        right = _decide(ask(model, points), threshold) == numbers
        figure, (axes,) = _figure(f"{name_of(model)}: {_score(right)}", "x1", "x2")
        _regions(axes, points, lambda plane: ask(model, plane), threshold, "boundary")
    _scatter(axes, points, numbers, names, right)
    _legend(figure, [axes])
    return figure


def plot_hidden_space(model: nn.Module, features: Values, labels: Values) -> Figure:
    """The points as the last hidden layer sees them, and the line that the last layer draws there.

    Args:
        model: has `activation_results`, filled by each pass, and `linear_modules`, like the networks of k07 and k08; its last
            hidden layer has two neurons.
        features, labels: (n, d), what the model takes, and class numbers, (n,) or (n, 1).

    Raises:
        ValueError: a shape is another one, or the model has no hidden layer of two neurons.

    What to see: the last layer can only draw a straight line; all that bends, the layers before it have bent.
    """
    inputs = to_columns(features, "features")
    numbers, names = to_classes(labels, len(inputs))
    with left_alone(model):
        ask(model, inputs)
        results, layers = getattr(model, "activation_results", []), getattr(model, "linear_modules", [])
        if len(results) < 2 or not len(layers):
            raise ValueError(f"{name_of(model)} must have linear_modules, and after a pass at least 2 activation_results.")
        hidden, last = to_array(results[-2]), layers[-1]
        if hidden.shape != (len(inputs), 2):
            raise ValueError(f"activation_results[-2] must have the shape ({len(inputs)}, 2), and it has {hidden.shape}.")
        right = _decide(ask(last, hidden), 0.0) == numbers
        title = f"{name_of(model)}, last hidden layer: {_score(right)}"
        figure, (axes,) = _figure(title, "output of hidden neuron 1", "output of hidden neuron 2")
        _regions(axes, hidden, lambda plane: ask(last, plane), 0.0, "line of the last layer")
    _scatter(axes, hidden, numbers, names, right)
    _legend(figure, [axes])
    return figure


def plot_loss_history(losses: Values) -> Figure:
    """The loss of each epoch, on a logarithmic axis where it spans more than a factor of 100.

    Args:
        losses: (epochs,) numbers, at least one.

    Raises:
        ValueError: the shape is another one.

    What to see: a curve that falls, then levels off. A saw means too large a learning rate; a gentle slope means unfinished.
    """
    history = np.asarray(to_array(losses), dtype=float)
    if history.ndim != 1 or not len(history):
        raise ValueError(f"losses must have the shape (epochs,), a number for each epoch, and these have {history.shape}.")
    epochs, finite = np.arange(1, len(history) + 1), np.isfinite(history)
    low, high = (history[finite].min(), history[finite].max()) if finite.any() else (0.0, 1.0)
    title = f"Loss: {history[0]:.4g} in the first epoch, {history[-1]:.4g} in the last"
    figure, (axes,) = _figure(title, "epoch", "loss (logarithmic)" if 0 < 100 * low < high else "loss")
    axes.plot(epochs, history, color=COLOURS[0], marker="o" if len(history) <= 30 else None, label="loss")
    if not finite.all():
        first = int(epochs[~finite][0])
        axes.axvline(first, color=COLOURS[5], linestyle="--", label=f"no number (nan or inf) from epoch {first}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(*((0.5, len(history) + 0.5) if len(history) <= 30 else (0, len(history))))
    if 0 < 100 * low < high:
        axes.set_yscale("log")
    elif low >= 0:
        axes.set_ylim(0, 1.05 * high or 1)
    _legend(figure, [axes])
    return figure


def plot_activations(functions: Mapping[str, Callable[[Tensor], Tensor]]) -> Figure:
    """Each function from -6 to 6 in a panel of its own, with its slope where autograd can tell it.

    Args:
        functions: name → function that maps (n,) float32 to (n,).

    Raises:
        ValueError: there is no function, or one gives another shape.

    What to see: where the slope is 0, a neuron learns nothing.
    """
    if not functions:
        raise ValueError("plot_activations needs at least one function, as a dict from name to function.")
    figure, panels = _figure("Activation functions and their slopes", "z", "value", len(functions))
    for axes, (name, function) in zip(panels, functions.items(), strict=True):
        z = torch.linspace(-6, 6, 481, requires_grad=True)
        with torch.enable_grad():
            values = function(z)
        if np.shape(values) != z.shape:
            raise ValueError(f"{name} must map the shape (481,) to (481,), and it gives {tuple(np.shape(values))}.")
        x = to_array(z)
        axes.plot(x, to_array(values), color=COLOURS[0], linewidth=2, label="function")
        if isinstance(values, Tensor) and values.requires_grad:
            slopes = torch.autograd.grad(values.sum(), z, allow_unused=True)[0]
            axes.plot(x, to_array(torch.zeros_like(z) if slopes is None else slopes), "--", color=COLOURS[5], label="slope")
        axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_title(name, fontsize="medium")
        axes.set_xticks(range(-6, 7, 3))
    _legend(figure, panels)
    return figure


def plot_regression(model: Model, features: Values, targets: Values) -> Figure:
    """The points of a regression with one feature, and the model's curve through them.

    Args:
        model: maps (n, 1) to (n, 1), (n,) or a tuple that begins with one of these.
        features, targets: (n, 1) or (n,).

    Raises:
        ValueError: a shape is another one, or the model answers nan or inf.

    What to see: where the curve follows the points, and where it cannot.
    """
    inputs = to_columns(features, "features", 1)
    wanted = to_columns(targets, "targets", 1, len(inputs))
    with left_alone(model):
        x = np.linspace(inputs.min(), inputs.max(), 2 * GRID)[:, None]
        curve, answers = ask(model, x, 1), ask(model, inputs, 1)
    error = np.mean((answers - wanted) ** 2)
    figure, (axes,) = _figure(f"{name_of(model)}: mean squared error {error:.4g}", "x", "y")
    axes.scatter(
        inputs, wanted, s=36 if len(inputs) <= 100 else 14, color=COLOURS[0], alpha=0.5, linewidths=0, label="examples"
    )
    axes.plot(x, curve, color="black", linewidth=2.5, label="model")
    _legend(figure, [axes])
    return figure


def plot_nodes(model: nn.Module, features: Values) -> Figure:
    """What each node of each hidden layer makes of the one feature, and the output that is mixed from them.

    A hidden layer's outputs are read where the next nn.Linear takes them in, so any activation will do, module or function.

    Args:
        model: maps (n, 1) to (n, 1), by way of two nn.Linear or more.
        features: (n, 1) or (n,); the curves reach from the smallest to the largest.

    Raises:
        ValueError: a shape is another one, or the model has no hidden layer.

    What to see: the model's curve is a weighted sum of its last hidden nodes: each bend comes from one of them.
    """
    inputs = to_columns(features, "features", 1)
    x = np.linspace(inputs.min(), inputs.max(), 2 * GRID)[:, None]
    seen: list[np.ndarray] = []
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)] if isinstance(model, nn.Module) else []
    hooks = [layer.register_forward_pre_hook(lambda _, received: seen.append(to_array(received[0]))) for layer in layers]
    try:
        with left_alone(model):
            output = ask(model, x, 1)
    finally:
        for hook in hooks:
            hook.remove()
    hidden = [nodes for nodes in seen[1:] if nodes.ndim == 2 and len(nodes) == len(x)]
    if not hidden:
        raise ValueError(f"{name_of(model)} must have a hidden layer for plot_nodes, that is two nn.Linear in a row.")
    figure, panels = _figure(f"{name_of(model)}: from the nodes to the output", "x", "output", len(hidden) + 1)
    for number, (axes, nodes) in enumerate(zip(panels, hidden, strict=False), start=1):
        few = nodes.shape[1] <= 10  # more would not fit into the legend
        axes.set_title(f"hidden layer {number}: {nodes.shape[1]} node{'s' * (nodes.shape[1] != 1)}", fontsize="medium")
        for node, values in enumerate(nodes.T):
            axes.plot(x, values, linewidth=2 if few else 1, label=f"node {node + 1}" if few else None, **_line(node))
    panels[-1].plot(x, output, color="black", linewidth=2.5, label="model")
    panels[-1].set_title("the model's output", fontsize="medium")
    _legend(figure, panels)
    return figure


def plot_confusion(y_true: Values, y_pred: Values, classes: Sequence[str]) -> Figure:
    """How often each class was given each answer; the darker the cell, the larger its share of the row.

    Args:
        y_true, y_pred: (n,) or (n, 1), the right class numbers and the answered ones.
        classes: the name of each class number.

    Raises:
        ValueError: a shape is another one, or a number has no name in classes.

    What to see: the diagonal holds the right answers; a dark cell beside it is a pair of classes the model mixes up.
    """
    right, _ = to_classes(y_true, what="y_true")
    answers, _ = to_classes(y_pred, len(right), what="y_pred")
    if (largest := max(right.max(), answers.max())) >= len(classes):
        raise ValueError(f"Every class number must have its name in classes; {largest} has none among {len(classes)}.")
    table = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(table, (right, answers), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = _figure(f"Confusion: {_score(right == answers)}", "the model's answer", "true class")
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, label="share of the true class")
    slant = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, classes)) > 8 else {}
    axes.set_xticks(range(len(classes)), classes, **slant)
    axes.set_yticks(range(len(classes)), classes)
    for (row, column), number in np.ndenumerate(table):
        colour = "white" if shares[row, column] > 0.65 else "black"
        axes.text(column, row, str(number), ha="center", va="center", color=colour, fontsize=max(7, 15 - len(classes)))
    return figure


def show(*figures: Figure) -> None:
    """Show the figures in windows and wait until they are closed; without a display, save them and print where.

    The files are `pictures/k06-1.png` and so on in the working directory, named after the program that runs. The pictures of an
    earlier run are replaced; a file of the same name that is not from here is kept, and the next number is taken.

    Raises:
        ValueError: `pictures` is there, but is not a folder.
    """
    if not figures or _in_windows(figures):
        return
    folder = Path("pictures")
    if folder.exists() and not folder.is_dir():
        raise ValueError("Pictures are saved in the folder pictures, but a file has that name here: rename it.")
    folder.mkdir(exist_ok=True)
    stem = Path(getattr(sys.modules["__main__"], "__file__", None) or "picture").stem
    name = re.match(r"k\d+|[^_].*|", stem)[0] or "picture"  # k06 of k06_logistic_regression.py, and picture of __main__.py
    free = (path for number in count(1) if _may_write(path := folder / f"{name}-{number}.png"))
    paths = []
    for figure, path in zip(figures, free, strict=False):
        figure.savefig(path, metadata={"Software": SIGNATURE})
        paths.append(path.as_posix())
    listed = " and ".join(filter(None, [", ".join(paths[:-1]), paths[-1]]))
    print(f"There is no display here, so the picture{'s are' if len(paths) > 1 else ' is'} saved as {listed}.")


def _in_windows(figures: Sequence[Figure]) -> bool:
    """Show the figures and answer True, or answer False where no window can be opened."""
    if plt.get_backend().lower() in FILE_BACKENDS:
        return False
    try:
        for figure in figures:
            plt.figure(FigureClass=lambda *_, _figure=figure, **__: _figure)  # a window for the figure that is there
    except ImportError:  # what matplotlib raises when a backend is demanded that has no display
        return False
    plt.show()
    return True


def _may_write(path: Path) -> bool:
    """Whether the path is free, or a picture that `show` has saved."""
    if not os.path.lexists(path):
        return True
    return path.is_file() and SIGNATURE.encode() in path.read_bytes()[:500]


def _decide(outputs: np.ndarray, threshold: float) -> np.ndarray:
    return (outputs[:, 0] >= threshold).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _regions(axes: Axes, points: np.ndarray, answer: Callable[[np.ndarray], np.ndarray], threshold: float, edge: str) -> None:
    """Colour the plane around the points by the answers, and draw the edges between them; edge is their name."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.where(high > low, 0.12 * (high - low), 1.0)
    x1, x2 = np.linspace(low - margin, high + margin, GRID).T
    outputs = answer(np.stack([axis.ravel() for axis in np.meshgrid(x1, x2)], axis=1))
    answers = _decide(outputs, threshold)
    scores = np.hstack([threshold - outputs, outputs - threshold]) if outputs.shape[1] == 1 else outputs
    drawn = np.unique(answers)
    for number in drawn:
        lead = (scores[:, number] - np.delete(scores, number, axis=1).max(axis=1)).reshape(GRID, GRID)
        lead = lead if len(drawn) > 1 else np.ones_like(lead)
        axes.contourf(x1, x2, lead, levels=[0, max(lead.max(), 1e-9)], colors=[COLOURS[number % len(COLOURS)]], alpha=0.25)
        if len(drawn) > 1:
            axes.contour(x1, x2, lead, levels=[0], colors="black", linewidths=1.5)
    if len(drawn) > 1:
        axes.plot([], [], color="black", linewidth=1.5, label=edge)  # for the legend


def _scatter(axes: Axes, points: np.ndarray, numbers: np.ndarray, names: list[str], right: np.ndarray | None = None) -> None:
    size = 50 if len(points) <= 100 else 20 if len(points) <= 1000 else 10
    for number in np.unique(numbers):
        style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "label": names[number]}
        axes.scatter(*points[numbers == number].T, s=size, edgecolors="black", linewidths=0.6, zorder=3, **style)
    if right is not None and not right.all():
        style = {"facecolors": "none", "edgecolors": "black", "linewidths": 1.2, "label": "answered wrong"}
        axes.scatter(*points[~right].T, s=3.5 * size, marker="o", zorder=4, **style)


def _line(number: int) -> dict[str, Any]:
    """Colour and style of a line; without the last colour, a yellow that is too light for lines."""
    return {"color": COLOURS[number % 6], "linestyle": LINES[(number + number // 6) % 6]}


def _figure(title: str, x: str, y: str, panels: int = 1) -> tuple[Figure, list[Axes]]:
    columns = min(panels, 4 if panels > 6 else 3)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(7, 5.2) if panels == 1 else (3.3 * columns, 2.8 * rows + 1), layout="constrained", dpi=100)
    figure.suptitle(title)
    return figure, [figure.add_subplot(rows, columns, number + 1, xlabel=x, ylabel=y) for number in range(panels)]


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend below all panels, with each label once."""
    entries = {entry.get_label(): entry for panel in panels for entry in panel.get_legend_handles_labels()[0]}
    rows = math.ceil(len(entries) / (5 if figure.get_figwidth() < 8 else 6))
    style = {"loc": "outside lower center", "frameon": False, "columnspacing": 1.2, "handletextpad": 0.5}
    figure.legend(handles=list(entries.values()), ncols=math.ceil(len(entries) / rows), **style)


def _score(right: np.ndarray) -> str:
    return f"{right.sum()} of {len(right)} points answered right"
