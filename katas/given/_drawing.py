"""What the pictures have in common: colours, points, regions of answers, the sheet they are drawn
on and its legend.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from katas.given._values import Values, to_columns

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
MARKERS = "os^DvPX*"
LINES = ("-", "--", "-.", ":", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))
GRID = 240  # points along each side of the plane that a model is asked about
MOST_NODES = 8  # of a layer in the picture of a network


def decide(outputs: np.ndarray, threshold: float) -> np.ndarray:
    return (
        (outputs[:, 0] >= threshold).astype(int)
        if outputs.shape[1] == 1
        else outputs.argmax(axis=1)
    )


def plane(points: np.ndarray, margin: float = 0.12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grid around the points: its columns x1 (GRID,), its rows x2 (GRID,), and its nodes (GRID *
    GRID, 2), row by row.

    margin is what is added on each side, as a share of the points' range; 1 where they have none.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    margins = np.where(high > low, margin * (high - low), 1.0)
    x1, x2 = np.linspace(low - margins, high + margins, GRID).T
    return x1, x2, np.stack([axis.ravel() for axis in np.meshgrid(x1, x2)], axis=1)


def regions(
    axes: Axes,
    points: np.ndarray,
    answer: Callable[[np.ndarray], np.ndarray],
    threshold: float,
    edge: str,
) -> None:
    """Colour the plane around the points by the answers, and draw the edges between them; edge is
    their name.
    """
    x1, x2, nodes = plane(points)
    outputs = answer(nodes)
    answers = decide(outputs, threshold)
    scores = (
        np.hstack([threshold - outputs, outputs - threshold]) if outputs.shape[1] == 1 else outputs
    )
    drawn = np.unique(answers)
    for number in drawn:
        lead = (scores[:, number] - np.delete(scores, number, axis=1).max(axis=1)).reshape(
            GRID, GRID
        )
        lead = lead if len(drawn) > 1 else np.ones_like(lead)
        axes.contourf(
            x1,
            x2,
            lead,
            levels=[0, max(lead.max(), 1e-9)],
            colors=[COLOURS[number % len(COLOURS)]],
            alpha=0.25,
        )
        if len(drawn) > 1:
            axes.contour(x1, x2, lead, levels=[0], colors="black", linewidths=1.5)
    if len(drawn) > 1:
        axes.plot([], [], color="black", linewidth=1.5, label=edge)  # for the legend


def scatter(
    axes: Axes,
    points: np.ndarray,
    numbers: np.ndarray,
    names: list[str],
    right: np.ndarray | None = None,
) -> None:
    size = 50 if len(points) <= 100 else 20 if len(points) <= 1000 else 10
    for number in np.unique(numbers):
        style = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % len(MARKERS)],
            "label": names[number],
        }
        axes.scatter(
            *points[numbers == number].T,
            s=size,
            edgecolors="black",
            linewidths=0.6,
            zorder=3,
            **style,
        )
    if right is not None and not right.all():
        style = {
            "facecolors": "none",
            "edgecolors": "black",
            "linewidths": 1.2,
            "label": "answered wrong",
        }
        axes.scatter(*points[~right].T, s=3.5 * size, marker="o", zorder=4, **style)


def draw_curves(axes: Axes, curves: Sequence[Values]) -> None:
    """Curves in the plane, the first in the colour of class 0, and so on."""
    for number, curve in enumerate(curves):
        points = to_columns(curve, f"curves[{number}]", 2)
        axes.plot(
            *points.T, linewidth=2, zorder=2.5, label=f"curve of class {number}", **line(number)
        )


def line(number: int) -> dict[str, Any]:
    """Colour and style of a line; without the last colour, a yellow that is too light for lines."""
    return {"color": COLOURS[number % 6], "linestyle": LINES[(number + number // 6) % 6]}


def draw_network(axes: Axes, sizes: Sequence[int]) -> None:
    """Circles for the nodes and lines for the weights; a layer of more than MOST_NODES has dots in
    the place of its middle.
    """
    columns, last = [_heights(size) for size in sizes], len(sizes) - 1
    for number, (left, right) in enumerate(pairwise(columns)):
        for one, other in product(left.values(), right.values()):
            axes.plot([number, number + 1], [one, other], color="0.55", linewidth=0.8, zorder=1)
    for number, (size, column) in enumerate(zip(sizes, columns, strict=True)):
        colour = COLOURS[0 if number == 0 else 2 if number == last else 1]
        axes.scatter(
            [number] * len(column),
            list(column.values()),
            s=420,
            color=colour,
            edgecolors="black",
            zorder=2,
        )
        if len(column) < size:
            axes.text(number, 0, "⋮", ha="center", va="center", fontsize=18)
    for node, height in columns[0].items():
        axes.text(
            0,
            height,
            f"x{node + 1}",
            ha="center",
            va="center",
            color="white",
            fontsize="small",
            zorder=3,
        )
    axes.set_xticks(range(len(sizes)), [_layer(number, sizes) for number in range(len(sizes))])
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.4, last + 0.4)
    tallest = max(max(column.values()) for column in columns)
    axes.set_ylim(-tallest - 0.8, tallest + 0.8)


def _layer(number: int, sizes: Sequence[int]) -> str:
    """What a layer is called and how many nodes it has; one of several hidden layers has a
    number.
    """
    many = "s" * (sizes[number] != 1)
    if number == 0:
        return f"{sizes[number]} input{many}"
    if number == len(sizes) - 1:
        return f"{sizes[number]} output{many}"
    return f"hidden layer{f' {number}' if len(sizes) > 3 else ''}\n{sizes[number]} node{many}"


def _heights(size: int) -> dict[int, float]:
    """Where the nodes of a layer stand: node → height, the first one on top; the first 3 and last 3
    of too many.
    """
    if size <= MOST_NODES:
        return {node: (size - 1) / 2 - node for node in range(size)}
    return {0: 3.5, 1: 2.5, 2: 1.5, size - 3: -1.5, size - 2: -2.5, size - 1: -3.5}


def sheet(title: str, x: str, y: str, panels: int = 1) -> tuple[Figure, list[Axes]]:
    columns = 2 if panels == 4 else min(panels, 4 if panels > 6 else 3)
    rows = math.ceil(panels / columns)
    figure = Figure(
        figsize=(7, 5.2) if panels == 1 else (3.3 * columns, 2.8 * rows + 1),
        layout="constrained",
        dpi=100,
    )
    figure.suptitle(title)
    return figure, [
        figure.add_subplot(rows, columns, number + 1, xlabel=x, ylabel=y)
        for number in range(panels)
    ]


def across(inputs: np.ndarray) -> np.ndarray:
    """Points from the smallest input to the largest, close together: (2 * GRID, 1)."""
    return np.linspace(inputs.min(), inputs.max(), 2 * GRID)[:, None]


def legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend below all panels, with each label once."""
    entries = {
        entry.get_label(): entry
        for panel in panels
        for entry in panel.get_legend_handles_labels()[0]
    }
    rows = math.ceil(len(entries) / (5 if figure.get_figwidth() < 8 else 6))
    style = {
        "loc": "outside lower center",
        "frameon": False,
        "columnspacing": 1.2,
        "handletextpad": 0.5,
    }
    figure.legend(handles=list(entries.values()), ncols=math.ceil(len(entries) / rows), **style)


def score(right: np.ndarray) -> str:
    return f"{right.sum()} of {len(right)} points classified correctly"
