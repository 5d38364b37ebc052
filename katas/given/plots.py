"""Pictures of data, models and training. Nothing here is yours to solve; call it and look.

Every `plot_` function returns a new matplotlib Figure and shows nothing; `show` puts figures on the
screen, or into files where there is no screen. Features, labels and losses may be tensors on any
device, with or without gradients, or arrays. A model is asked in evaluation mode, on its own device
and without gradients, and is left as it was found.

The colours are those of Okabe and Ito, which colour-blind eyes tell apart; in grey, the markers and
the line styles do.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn

from katas.given._drawing import (
    COLOURS,
    MOST_NODES,
    across,
    decide,
    draw_curves,
    draw_network,
    legend,
    line,
    plane,
    regions,
    scatter,
    score,
    sheet,
)
from katas.given._values import (
    Model,
    Values,
    ask,
    left_alone,
    name_of,
    to_array,
    to_classes,
    to_columns,
)
from katas.given._windows import show

__all__ = [
    "plot_activations",
    "plot_boundary",
    "plot_confusion",
    "plot_data",
    "plot_descents",
    "plot_hidden_space",
    "plot_loss_history",
    "plot_network",
    "plot_nodes",
    "plot_regression",
    "plot_surface",
    "show",
]


def plot_data(
    features: Values, labels: Values, curves: Sequence[Values] = (), part: str = ""
) -> Figure:
    """The points in the plane, each class with a colour and a marker of its own.

    Args:
        features: (n, 2), the coordinates x1 and x2.
        labels: (n,) or (n, 1), class numbers (0, 1, ...) or class names.
        curves: for each class, in order, the points (m, 2) of a curve to draw, such as the one its
            points come from.
        part: which of the data these are, such as "test part", for the title.

    Raises:
        ValueError: a shape is wrong, or the labels are neither.

    What to see: could a straight line part the classes, or does it need a bend?
    """
    points = to_columns(features, "features", 2)
    numbers, names = to_classes(labels, len(points), names=True)
    figure, (axes,) = sheet(f"The data, {part}" if part else "The data", "x1", "x2")
    draw_curves(axes, curves)
    scatter(axes, points, numbers, names)
    legend(figure, [axes])
    return figure


def plot_boundary(
    model: Model, features: Values, labels: Values, threshold: float = 0.5, part: str = ""
) -> Figure:
    """The plane in the colours of the model's answers, the edges between them, the points, and
    rings where it is wrong.

    Args:
        model: maps (n, 2) to one output per example, (n, 1) or (n,), which means class 1 from the
            threshold on; or to one score per class, (n, C), of which the largest wins; or to a
            tuple that begins with one of these.
        features, labels: (n, 2), and class numbers, (n,) or (n, 1).
        threshold: where one output turns from class 0 to class 1: 0.5 for probabilities, 0.0 for
            logits.
        part: which of the data these are, such as "test part", for the title.

    Raises:
        ValueError: a shape is wrong, or the model answers nan or inf.

    What to see: which bends the model is able to make, and the points it gives up.
    """
    points = to_columns(features, "features", 2)
    numbers, names = to_classes(labels, len(points))
    with left_alone(model):
        right = decide(ask(model, points), threshold) == numbers
        title = f"{name_of(model)}, {part}" if part else name_of(model)
        figure, (axes,) = sheet(f"{title}: {score(right)}", "x1", "x2")
        regions(axes, points, lambda nodes: ask(model, nodes), threshold, "boundary")
    scatter(axes, points, numbers, names, right)
    legend(figure, [axes])
    return figure


def plot_hidden_space(
    model: nn.Module, features: Values, labels: Values, curves: Sequence[Values] = ()
) -> Figure:
    """The points as the last hidden layer sees them, and the line that the last layer draws there.

    Args:
        model: has `activation_results`, filled by each pass, and `linear_modules`, like the
            networks of k07 and k08; its last hidden layer has two neurons.
        features, labels: (n, d), what the model takes, and class numbers, (n,) or (n, 1).
        curves: for each class, in order, the points (m, 2) of a curve, already as the hidden layer
            sees them.

    Raises:
        ValueError: a shape is wrong, or the model has no hidden layer of two neurons.

    What to see: the last layer can only draw a straight line; all that bends, the layers before it
    have bent.
    """
    inputs = to_columns(features, "features")
    numbers, names = to_classes(labels, len(inputs))
    with left_alone(model):
        ask(model, inputs)
        results, layers = (
            getattr(model, "activation_results", []),
            getattr(model, "linear_modules", []),
        )
        if len(results) < 2 or not len(layers):
            raise ValueError(
                f"{name_of(model)} must have linear_modules, and after a pass at least 2"
                " activation_results."
            )
        hidden, last = to_array(results[-2]), layers[-1]
        if hidden.shape != (len(inputs), 2):
            raise ValueError(
                f"activation_results[-2] must have the shape ({len(inputs)}, 2), and it has"
                f" {hidden.shape}."
            )
        right = decide(ask(last, hidden), 0.0) == numbers
        title = f"{name_of(model)}, last hidden layer: {score(right)}"
        figure, (axes,) = sheet(title, "output of hidden neuron 1", "output of hidden neuron 2")
        regions(axes, hidden, lambda nodes: ask(last, nodes), 0.0, "line of the last layer")
    draw_curves(axes, curves)
    scatter(axes, hidden, numbers, names, right)
    legend(figure, [axes])
    return figure


def plot_loss_history(losses: Values) -> Figure:
    """The loss of each epoch, on a logarithmic axis where it spans more than a factor of 100.

    Args:
        losses: (epochs,) numbers, at least one.

    Raises:
        ValueError: the shape is wrong.

    What to see: a curve that falls, then levels off. A saw means too large a learning rate; a
    gentle slope means unfinished.
    """
    history = np.asarray(to_array(losses), dtype=float)
    if history.ndim != 1 or not len(history):
        raise ValueError(
            "losses must have the shape (epochs,), a number for each epoch, and these have"
            f" {history.shape}."
        )
    epochs, finite = np.arange(1, len(history) + 1), np.isfinite(history)
    low, high = (history[finite].min(), history[finite].max()) if finite.any() else (0.0, 1.0)
    title = f"Loss: {history[0]:.4g} in the first epoch, {history[-1]:.4g} in the last"
    figure, (axes,) = sheet(
        title, "epoch", "loss (logarithmic)" if 0 < 100 * low < high else "loss"
    )
    axes.plot(
        epochs, history, color=COLOURS[0], marker="o" if len(history) <= 30 else None, label="loss"
    )
    if not finite.all():
        first = int(epochs[~finite][0])
        axes.axvline(
            first,
            color=COLOURS[5],
            linestyle="--",
            label=f"no number (nan or inf) from epoch {first}",
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(*((0.5, len(history) + 0.5) if len(history) <= 30 else (0, len(history))))
    if 0 < 100 * low < high:
        axes.set_yscale("log")
    elif low >= 0:
        axes.set_ylim(0, 1.05 * high or 1)
    legend(figure, [axes])
    return figure


def plot_descents(height: Callable[[Tensor], Tensor], paths: Mapping[str, Values]) -> Figure:
    """Walks of several optimizers over the same landscape, each in a panel of its own, on lines of
    equal height.

    Args:
        height: gives the height of a point (2,), as a tensor with one number.
        paths: name → the places of a walk, (steps + 1, 2), the start first.

    Raises:
        ValueError: there is no walk, a shape is wrong, or a place is nan or inf.

    What to see: which walks go from wall to wall, and which along the floor.
    """
    walks = {name: to_columns(places, f"paths[{name!r}]", 2) for name, places in paths.items()}
    if not walks:
        raise ValueError("paths must hold at least one walk.")
    x1, x2 = (axis[::4] for axis in plane(np.concatenate(list(walks.values())))[:2])
    points = [torch.tensor([one, other], dtype=torch.float32) for other in x2 for one in x1]
    with torch.no_grad():
        landscape = np.reshape([float(height(point)) for point in points], (len(x2), len(x1)))
    low, high = landscape.min(), landscape.max()
    levels = low + (high - low) * np.linspace(0.1, 1, 9) ** 3  # closer together near the bottom
    figure, panels = sheet("The walk of each optimizer", "x1", "x2", len(walks))
    for number, (axes, (name, places)) in enumerate(zip(panels, walks.items(), strict=True)):
        if high > low:
            axes.contour(x1, x2, landscape, levels=levels, colors="0.75", linewidths=0.8)
        style = {"color": COLOURS[number % 6], "linewidth": 1.2, "markersize": 3}
        axes.plot(*places.T, marker="o", **style)
        axes.plot(*places[0], "ks", markersize=6, label="start", linestyle="none")
        axes.plot(*places[-1], "kX", markersize=8, label="end", linestyle="none")
        axes.set_title(name, fontsize="medium")
    legend(figure, panels)
    return figure


def plot_activations(functions: Mapping[str, Callable[[Tensor], Tensor]]) -> Figure:
    """Each function from -6 to 6 in a panel of its own, with its slope where autograd can tell it.

    Args:
        functions: name → function that maps (n,) float32 to (n,).

    Raises:
        ValueError: there is no function, or one gives the wrong shape.

    What to see: where the slope is 0, a neuron learns nothing.
    """
    if not functions:
        raise ValueError(
            "plot_activations needs at least one function, as a dict from name to function."
        )
    figure, panels = sheet("Activation functions and their slopes", "z", "value", len(functions))
    for axes, (name, function) in zip(panels, functions.items(), strict=True):
        z = torch.linspace(-6, 6, 481, requires_grad=True)
        with torch.enable_grad():
            values = function(z)
        if np.shape(values) != z.shape:
            raise ValueError(
                f"{name} must map the shape (481,) to (481,), and it gives"
                f" {tuple(np.shape(values))}."
            )
        x = to_array(z)
        axes.plot(x, to_array(values), color=COLOURS[0], linewidth=2, label="function")
        if isinstance(values, Tensor) and values.requires_grad:
            slopes = torch.autograd.grad(values.sum(), z, allow_unused=True)[0]
            axes.plot(
                x,
                to_array(torch.zeros_like(z) if slopes is None else slopes),
                "--",
                color=COLOURS[5],
                label="slope",
            )
        axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_title(name, fontsize="medium")
        axes.set_xticks(range(-6, 7, 3))
    legend(figure, panels)
    return figure


def plot_regression(
    model: Model, features: Values, targets: Values, others: Mapping[str, Model] | None = None
) -> Figure:
    """The points of a regression with one feature, and the model's curve through them.

    Args:
        model: maps (n, 1) to (n, 1), (n,) or a tuple that begins with one of these.
        features, targets: (n, 1) or (n,).
        others: name → another such model, to compare with: drawn as a thin line on top of the
            model's.

    Raises:
        ValueError: a shape is wrong, or a model answers nan or inf.

    What to see: where the curve follows the points, and where it cannot.
    """
    inputs = to_columns(features, "features", 1)
    wanted = to_columns(targets, "targets", 1, len(inputs))
    with left_alone(model):
        x = across(inputs)
        curve, answers = ask(model, x, 1), ask(model, inputs, 1)
    error = np.mean((answers - wanted) ** 2)
    figure, (axes,) = sheet(f"{name_of(model)}: mean squared error {error:.4g}", "x", "y")
    axes.scatter(
        inputs,
        wanted,
        s=36 if len(inputs) <= 100 else 14,
        color=COLOURS[0],
        alpha=0.5,
        linewidths=0,
        label="examples",
    )
    axes.plot(x, curve, color="black", linewidth=4 if others else 2.5, label="model")
    for number, (name, other) in enumerate((others or {}).items(), start=1):
        with left_alone(other):
            axes.plot(x, ask(other, x, 1), linewidth=1.8, label=name, **line(number))
    legend(figure, [axes])
    return figure


def plot_surface(model: Model, features: Values, targets: Values) -> Figure:
    """A regression with two features, from above: the targets of the points, and the model's
    answers over the same plane.

    Args:
        model: maps (n, 2) to (n, 1), (n,) or a tuple that begins with one of these.
        features: (n, 2).
        targets: (n, 1) or (n,).

    Raises:
        ValueError: a shape is wrong, or the model answers nan or inf.

    What to see: the two panels share their colours, so a place where they differ is one where the
    model is wrong.
    """
    points = to_columns(features, "features", 2)
    wanted = to_columns(targets, "targets", 1, len(points))
    x1, x2, nodes = plane(points, margin=0.0)
    with left_alone(model):
        surface, answers = ask(model, nodes, 1).reshape(len(x2), len(x1)), ask(model, points, 1)
    error = np.mean((answers - wanted) ** 2)
    figure, (data, learned) = sheet(
        f"{name_of(model)}: mean squared error {error:.4g}", "x1", "x2", 2
    )
    figure.set_size_inches(9, 4.3)
    low, high = min(wanted.min(), surface.min()), max(wanted.max(), surface.max())
    colours = {"cmap": "viridis", "vmin": low, "vmax": high if high > low else low + 1}
    size = 50 if len(points) <= 100 else 20 if len(points) <= 1000 else 8
    data.scatter(*points.T, c=wanted[:, 0], s=size, linewidths=0, **colours)
    data.set_title("the points and their targets", fontsize="medium")
    picture = learned.pcolormesh(x1, x2, surface, rasterized=True, **colours)
    if surface.max() > surface.min():
        lines = learned.contour(
            x1, x2, surface, levels=8, colors="black", linewidths=0.8, linestyles="solid"
        )
        learned.clabel(lines, fontsize="x-small")
    learned.set_title("the model's answers", fontsize="medium")
    for axes in (data, learned):
        axes.set_xlim(x1[0], x1[-1])
        axes.set_ylim(x2[0], x2[-1])
    figure.colorbar(picture, ax=[data, learned], label="target or answer")
    return figure


def plot_network(sizes: Sequence[int]) -> Figure:
    """A network as circles and lines: a column for each layer, from the inputs on the left to the
    outputs on the right.

    Args:
        sizes: the number of inputs, the nodes of each hidden layer, the number of outputs, such as
            [2, 3, 1].

    Raises:
        ValueError: there are fewer than two sizes, or one is not a whole number from 1 on.

    What to see: how fast the number of parameters grows with the sizes. Of a layer of more than 8
    nodes only 6 are drawn.
    """
    if len(sizes) < 2 or not all(isinstance(size, int) and size >= 1 for size in sizes):
        raise ValueError(
            "sizes must be at least two whole numbers from 1 on, such as [2, 3, 1], and these are"
            f" {sizes}."
        )
    weights, biases = sum(one * other for one, other in pairwise(sizes)), sum(sizes[1:])
    title = (
        f"{weights} weight{'s' * (weights != 1)} + {biases} bias{'es' * (biases != 1)} ="
        f" {weights + biases} parameters"
    )
    left_out = "\n(dots: nodes that are not drawn)" if max(sizes) > MOST_NODES else ""
    figure, (axes,) = sheet(
        title, f"each line is a weight, each circle after the inputs has a bias{left_out}", ""
    )
    draw_network(axes, sizes)
    return figure


def plot_nodes(model: nn.Module, features: Values) -> Figure:
    """What each node of each hidden layer makes of the one feature, and the output that is mixed
    from them.

    A hidden layer's outputs are read where the next nn.Linear takes them in, so any activation will
    do, module or function.

    Args:
        model: maps (n, 1) to (n, 1), by way of two nn.Linear or more.
        features: (n, 1) or (n,); the curves reach from the smallest to the largest.

    Raises:
        ValueError: a shape is wrong, or the model has no hidden layer.

    What to see: the model's curve is a weighted sum of its last hidden nodes, plus a bias. Which
    node makes which bend?
    """
    inputs = to_columns(features, "features", 1)
    x = across(inputs)
    seen: list[np.ndarray] = []
    layers = (
        [module for module in model.modules() if isinstance(module, nn.Linear)]
        if isinstance(model, nn.Module)
        else []
    )
    hooks = [
        layer.register_forward_pre_hook(lambda _, received: seen.append(to_array(received[0])))
        for layer in layers
    ]
    try:
        with left_alone(model):
            output = ask(model, x, 1)
    finally:
        for hook in hooks:
            hook.remove()
    hidden = [nodes for nodes in seen[1:] if nodes.ndim == 2 and len(nodes) == len(x)]
    if not hidden:
        raise ValueError(
            f"{name_of(model)} must have a hidden layer for plot_nodes, that is two nn.Linear in a"
            " row."
        )
    figure, panels = sheet(
        f"{name_of(model)}: from the nodes to the output", "x", "output", len(hidden) + 1
    )
    for number, (axes, nodes) in enumerate(zip(panels, hidden, strict=False), start=1):
        few = nodes.shape[1] <= 10  # more would not fit into the legend
        axes.set_title(
            f"hidden layer {number}: {nodes.shape[1]} node{'s' * (nodes.shape[1] != 1)}",
            fontsize="medium",
        )
        for node, values in enumerate(nodes.T):
            axes.plot(
                x,
                values,
                linewidth=2 if few else 1,
                label=f"node {node + 1}" if few else None,
                **line(node),
            )
    panels[-1].plot(x, output, color="black", linewidth=2.5, label="model")
    panels[-1].set_title("the model's output", fontsize="medium")
    legend(figure, panels)
    return figure


def plot_confusion(y_true: Values, y_pred: Values, classes: Sequence[str]) -> Figure:
    """How often each class was given each answer; the darker the cell, the larger its share of the
    row.

    Args:
        y_true, y_pred: (n,) or (n, 1), the right class numbers and the answered ones.
        classes: the name of each class number.

    Raises:
        ValueError: a shape is wrong, or a number has no name in classes.

    What to see: the diagonal holds the right answers; a dark cell beside it is a pair of classes
    the model mixes up.
    """
    right, _ = to_classes(y_true, what="y_true")
    answers, _ = to_classes(y_pred, len(right), what="y_pred")
    if (largest := max(right.max(), answers.max())) >= len(classes):
        raise ValueError(
            f"Every class number must have its name in classes; {largest} has none among"
            f" {len(classes)}."
        )
    table = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(table, (right, answers), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = sheet(
        f"Confusion: {score(right == answers)}", "the model's answer", "true class"
    )
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, label="share of the true class")
    slant = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        if max(map(len, classes)) > 8
        else {}
    )
    axes.set_xticks(range(len(classes)), classes, **slant)
    axes.set_yticks(range(len(classes)), classes)
    for (row, column), number in np.ndenumerate(table):
        colour = "white" if shares[row, column] > 0.65 else "black"
        axes.text(
            column,
            row,
            str(number),
            ha="center",
            va="center",
            color=colour,
            fontsize=max(7, 15 - len(classes)),
        )
    return figure
