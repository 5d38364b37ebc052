"""The pictures: what they show, what they leave alone, what a wrong shape is told, and where they
go without a display.
"""

import re
import sys

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import nn

from katas.given import _drawing, data, digits, plots
from reference.k07_hidden_layer import HiddenLayerNN


@pytest.fixture(autouse=True)
def agg(monkeypatch):
    plt.switch_backend("agg")
    monkeypatch.setattr(_drawing, "GRID", 60)


def fixed(weights, bias):
    layer = nn.Linear(len(weights[0]), len(weights))
    layer.load_state_dict({"weight": torch.tensor(weights), "bias": torch.tensor(bias)})
    return layer


def edges(figure):
    contours = [c for c in figure.axes[0].collections if getattr(c, "filled", None) is False]
    return np.concatenate([path.vertices for contour in contours for path in contour.get_paths()])


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


POINTS, LABELS = data.sine_bands()
X = torch.linspace(-2, 2, 30)[:, None]
LINE = fixed([[1.0, 2.0]], [-1.0])  # undecided where x1 + 2 x2 = 1
CURVE = nn.Sequential(nn.Linear(1, 3), nn.Sigmoid(), nn.Linear(3, 1))

FIGURES = {
    "data": lambda: plots.plot_data(*data.spiral_arrays(20)),
    "boundary": lambda: plots.plot_boundary(LINE, POINTS, LABELS, threshold=0.0),
    "hidden": lambda: plots.plot_hidden_space(HiddenLayerNN(1, 2, 2), POINTS, LABELS),
    "loss": lambda: plots.plot_loss_history([3.0, 1.0, 0.001]),
    "nan": lambda: plots.plot_loss_history(
        [torch.tensor(1.0, requires_grad=True), torch.tensor(float("nan"))]
    ),
    "activations": lambda: plots.plot_activations(
        {"relu": torch.relu, "step": lambda z: (z > 0).float().detach()}
    ),
    "regression": lambda: plots.plot_regression(CURVE, X, X[:, 0] ** 2),
    "nodes": lambda: plots.plot_nodes(CURVE, X),
    "curves": lambda: plots.plot_data(POINTS, LABELS, data.sine_curves(20)),
    "compared": lambda: plots.plot_regression(CURVE, X, X**2, {"the square": lambda x: x**2}),
    "surface": lambda: plots.plot_surface(LINE, POINTS, POINTS.sum(dim=1)),
    "descents": lambda: plots.plot_descents(
        lambda point: (point**2).sum(), {"one": [[3, 1], [0, 1]], "other": [[3, 1], [1, 0], [0, 0]]}
    ),
    "network": lambda: plots.plot_network([2, 20, 1]),
    "two losses": lambda: digits.plot_losses([2.0, 1.0, 0.5], torch.tensor([2.0, 0.9, 1.0])),
    "confusion": lambda: plots.plot_confusion([0, 1, 1], torch.tensor([0, 1, 0]), ["no", "yes"]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_picture_is_a_labelled_figure_that_is_not_shown(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure) and not plt.get_fignums()
    assert figure.get_suptitle() and (not figure.legends or all(legend(figure)))
    assert figure.legends or name in ("confusion", "surface", "network")
    assert all(
        (one.get_ylabel() or name == "network")
        and (one.get_xlabel() or one.get_label() == "<colorbar>")
        for one in figure.axes
    )


MODELS = {
    "logit": LINE,
    "probability": nn.Sequential(LINE, nn.Sigmoid(), nn.Dropout(0.9)),
    "scores": fixed([[0.0, 0.0], [1.0, 2.0]], [0.0, -1.0]).double(),
    "tuple": lambda x: (torch.sigmoid(LINE(x))[:, 0], LINE(x)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_boundary_is_where_the_answer_changes(name):
    figure = plots.plot_boundary(
        MODELS[name], POINTS, LABELS, threshold=0.0 if "logit" in name else 0.5
    )
    assert np.abs(edges(figure) @ [1, 2] - 1).max() < 0.02 and len(edges(figure)) > 30
    assert "13 of 25" in figure.get_suptitle() and "answered wrong" in legend(figure)


def test_three_classes_meet_and_a_constant_model_has_no_boundary():
    nearest = fixed([[0.0, 1.0], [1.0, -0.5], [-1.0, -0.5]], [0.0, 0.0, 0.0])
    assert np.linalg.norm(edges(plots.plot_boundary(nearest, POINTS, LABELS)), axis=1).min() < 0.1
    assert "boundary" not in legend(plots.plot_boundary(lambda x: x[:, :1] * 0, POINTS, LABELS))


def test_hidden_space_shows_the_hidden_outputs_and_the_last_line():
    network = HiddenLayerNN(1, 2, 2)
    network.linear_modules[0], network.linear_modules[1] = (
        fixed([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]),
        LINE,
    )
    figure = plots.plot_hidden_space(network, POINTS, LABELS)
    shown = np.concatenate(
        [c.get_offsets() for c in figure.axes[0].collections if c.get_label().startswith("class")]
    )
    assert np.allclose(shown, POINTS.tanh(), atol=1e-6)
    assert np.allclose(edges(figure) @ [1, 2], 1, atol=1e-4) and "line of the last layer" in legend(
        figure
    )


def test_curves_are_drawn_where_they_lie():
    curves = [torch.tensor([[0.0, 0.0], [1.0, 2.0]]), [[0, 1], [1, 1]]]
    for figure in (
        plots.plot_data(POINTS, LABELS, curves),
        plots.plot_hidden_space(HiddenLayerNN(1, 2, 2), POINTS, LABELS, curves),
    ):
        drawn = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
        assert drawn["curve of class 0"] == [[0, 0], [1, 2]] and drawn["curve of class 1"] == [
            [0, 1],
            [1, 1],
        ]
        assert {"curve of class 0", "curve of class 1"} <= set(legend(figure))


def test_another_model_is_drawn_beside_the_first():
    drawn = {line.get_label(): line.get_xydata() for line in FIGURES["compared"]().axes[0].lines}
    assert (
        np.allclose(drawn["the square"][:, 0] ** 2, drawn["the square"][:, 1]) and "model" in drawn
    )


def test_two_losses_show_the_epoch_that_is_kept():
    figure = digits.plot_losses([3.0, 2.0, 1.0, 0.5], [3.0, 1.0, 2.0, 4.0])
    assert figure.get_suptitle() == "Stopped after epoch 4; the best was epoch 2"
    (kept,) = [one for one in figure.axes[0].lines if one.get_label() == "the epoch that is kept"]
    assert (*kept.get_xdata(), *kept.get_ydata()) == (2, 1.0)
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)\.$"):
        digits.plot_losses([1.0, 2.0], [1.0, 2.0, 3.0])


def test_an_image_says_what_it_is_and_what_it_was_taken_for():
    images, labels = digits.load()
    figure = digits.plot_images(images[:2], labels[:2], torch.tensor([7, 8]))
    assert [one.get_title() for one in figure.axes] == ["a 0, taken for 7", "a 1, taken for 8"]
    drawn = figure.axes[1].images[0].get_array()
    assert np.array_equal(drawn, images[1].reshape(8, 8).numpy())


@pytest.mark.parametrize(
    ("right", "name"), [(96, "gold"), (95, "silver"), (90, "bronze"), (89, "no medal yet")]
)
def test_a_medal_is_told_by_the_share_of_right_answers(right, name):
    told = digits.medal(torch.arange(100), torch.arange(100).where(torch.arange(100) < right, -1))
    assert told == f"{right} of 100 test digits right, {right:.1f}%: {name}"


def test_the_surface_is_coloured_like_the_targets():
    points = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    figure = plots.plot_surface(lambda x: 3 * x[:, :1], points, 3 * points[:, 0])
    (scatter,), mesh = figure.axes[0].collections, figure.axes[1].collections[0]
    assert figure.get_suptitle().endswith("error 0") and scatter.get_clim() == mesh.get_clim() == (
        -3,
        3,
    )
    assert np.allclose(mesh.get_array()[:, [0, -1]], [-3, 3]) and scatter.get_array().tolist() == [
        -3,
        3,
        -3,
        3,
    ]
    # nothing to draw lines between
    plots.plot_surface(lambda x: 0 * x[:, :1], points, [1, 1, 1, 1])


def test_each_walk_has_a_panel_with_its_places_and_the_same_landscape():
    walks = {"one": torch.tensor([[3.0, 1.0], [0.0, 1.0]]), "other": np.array([[3, 1], [1, 0.5]])}
    figure = plots.plot_descents(lambda point: point @ point, walks)
    for axes, (name, places) in zip(figure.axes, walks.items(), strict=True):
        drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
        assert axes.get_title() == name and places.tolist() in drawn.values()
        assert drawn["start"] == [[3, 1]] and drawn["end"] == [places.tolist()[-1]]
        levels = axes.collections[0]
        heights = [(path.vertices**2).sum(axis=1) for path in levels.get_paths()]
        assert all(np.ptp(one) < 0.3 for one in heights if len(one)) and len(levels.levels) > 5
    # a plain has no lines of equal height
    plots.plot_descents(lambda point: 0 * point[0], walks)


@pytest.mark.parametrize(
    ("sizes", "circles", "lines"), [([3, 1], 4, 3), ([2, 8, 8, 1], 19, 88), ([1, 9, 2], 9, 18)]
)
def test_a_network_has_a_circle_for_each_node_and_a_line_for_each_weight(sizes, circles, lines):
    axes = plots.plot_network(sizes).axes[0]
    assert (
        sum(len(column.get_offsets()) for column in axes.collections) == circles
        and len(axes.lines) == lines
    )
    assert len(axes.get_xticklabels()) == len(sizes)


def test_a_network_tells_its_layers_and_its_parameters():
    figure = plots.plot_network([2, 20, 1])
    assert (
        figure.get_suptitle() == "60 weights + 21 biases = 81 parameters"
        and "dots" in figure.axes[0].get_xlabel()
    )
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == [
        "2 inputs",
        "hidden layer\n20 nodes",
        "1 output",
    ]


def test_the_model_is_left_as_it_was(device):
    network = HiddenLayerNN(1, 2, 2).to(device)
    network.extra = nn.Dropout().eval()
    outputs = network(POINTS[:3].to(device))
    kept = list(network.activation_results)
    plots.plot_boundary(network, POINTS.clone().requires_grad_(), LABELS)
    plots.plot_hidden_space(network, POINTS, LABELS)
    assert network.training and network.linear_modules.training and not network.extra.training
    assert all(p.grad is None and p.device.type == device.type for p in network.parameters())
    assert network.activation_results == kept and outputs.requires_grad
    plots.plot_nodes(CURVE, X)
    assert CURVE.training and not any(module._forward_pre_hooks for module in CURVE)


WRONG = {
    "features must have the shape (n, 2)": lambda: plots.plot_data(POINTS[:, :1], LABELS),
    "labels must have the shape (25,)": lambda: plots.plot_boundary(LINE, POINTS, LABELS[1:]),
    "labels must be class numbers": lambda: plots.plot_data(POINTS, LABELS + 0.5),
    "must give the shape (25, outputs)": lambda: plots.plot_boundary(
        lambda x: x.sum(), POINTS, LABELS
    ),
    "answers nan or inf": lambda: plots.plot_boundary(lambda x: x / 0, POINTS, LABELS),
    "activation_results[-2] must": lambda: plots.plot_hidden_space(
        HiddenLayerNN(1, 2, 3), POINTS, LABELS
    ),
    "relu must map": lambda: plots.plot_activations({"relu": torch.sum}),
    "targets must have the shape (30, 1)": lambda: plots.plot_regression(CURVE, X, X[1:]),
    "curves[1] must have the shape (n, 2)": lambda: plots.plot_data(POINTS, LABELS, [POINTS, X]),
    "features must have the shape (n, 2), and": lambda: plots.plot_surface(LINE, X, X),
    "at least one walk": lambda: plots.plot_descents(torch.sum, {}),
    "paths['one'] must have the shape (n, 2)": lambda: plots.plot_descents(torch.sum, {"one": X}),
    "at least two whole numbers": lambda: plots.plot_network([2]),
    "from 1 on": lambda: plots.plot_network([2, 0, 1]),
    "must have a hidden layer": lambda: plots.plot_nodes(nn.Linear(1, 1), X),
    "name in classes": lambda: plots.plot_confusion([0, 2], [0, 1], ["a", "b"]),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_shape_is_told_in_one_sentence(sentence):
    with pytest.raises(ValueError, match=rf"^[^\n]*{re.escape(sentence)}.*\.$"):
        WRONG[sentence]()


def test_without_display_show_saves_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys.modules["__main__"], "__file__", "somewhere/k06_logistic_regression.py", raising=False
    )
    plots.show(Figure((1, 1)), Figure((1, 1)))
    assert (
        "pictures are saved as pictures/k06-1.png and pictures/k06-2.png.\n"
        in capsys.readouterr().out
    )
    (tmp_path / "pictures/k06-1.png").write_text("mine")
    plots.show(Figure((1, 1)))
    assert "picture is saved as pictures/k06-2.png." in capsys.readouterr().out
    assert (tmp_path / "pictures/k06-1.png").read_text() == "mine" and len(
        list(tmp_path.rglob("*.*"))
    ) == 2
    (tmp_path / "pictures").rename("kept").with_name("pictures").write_text("mine")
    with pytest.raises(ValueError, match="folder pictures"):
        plots.show(Figure((1, 1)))


def test_with_a_display_show_opens_the_figures(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # by this name it passes for one with windows
    plt.switch_backend("module://matplotlib.backends.backend_agg")
    shown, figures = [], [Figure(), Figure()]
    monkeypatch.setattr(plt, "show", lambda: shown.extend(map(plt.figure, plt.get_fignums())))
    plots.show(*figures)
    plt.close("all")
    assert shown == figures and not list(tmp_path.iterdir())
