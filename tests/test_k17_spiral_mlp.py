"""k17: two models with the same layers, their training on the spiral, the figures, and the sentence
for one point.
"""

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor
from torch.nn import functional as F

from katas.given.data import spiral
from tests.support import expect, placement, training

SOFTMAX_INSIDE = (
    "softmax is applied before the loss: nn.CrossEntropyLoss contains it and wants the raw scores"
)
UNWEIGHTED = "the class weights are left out: nn.CrossEntropyLoss(weight=class_weights)"


@pytest.mark.task("models")
@pytest.mark.parametrize("name", ["LinearModel", "MLP"])
class TestModels:
    def test_prints_the_architecture(self, kata, name):
        expect.printed(
            getattr(kata, name)(input_dim=2, hidden_dim=100, num_classes=3),
            f"""
            {name}(
              (fc1): Linear(in_features=2, out_features=100, bias=True)
              (fc2): Linear(in_features=100, out_features=3, bias=True)
            )
            """,
            causes={
                "the softmax stays outside: nn.CrossEntropyLoss contains it": "Softmax",
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "in_features=100, out_features=2"
                ),
            },
        )

    def test_sizes_come_from_the_arguments(self, kata, name):
        model = getattr(kata, name)(input_dim=5, hidden_dim=6, num_classes=4)
        expect.shape(model(torch.randn(7, 5)), (7, 4), what=f"The output of {name} for 7 examples")

    def test_output_follows_the_formula(self, kata, name):
        model = getattr(kata, name)(input_dim=2, hidden_dim=10, num_classes=3)
        x = 2 * torch.randn(25, 2)
        z1 = model.fc1(x)
        linear, relu = model.fc2(z1), model.fc2(F.relu(z1))
        right = linear if name == "LinearModel" else relu
        causes = {
            "these are probabilities, and the model gives raw scores: leave the softmax out": (
                F.softmax(right, dim=1)
            ),
            "these are log-probabilities, and the model gives raw scores": F.log_softmax(
                right, dim=1
            ),
            "a relu cuts off the negative scores: it belongs between the layers, not at the end": (
                F.relu(right)
            ),
            "the relu between the layers is missing, so this is a linear model": linear,
            "this has a relu between the layers: LinearModel has nothing there": relu,
            "this is tanh between the layers, not relu": model.fc2(torch.tanh(z1)),
            "this is the sigmoid between the layers, not relu": model.fc2(torch.sigmoid(z1)),
        }
        with expect.untouched("The input", x):
            expect.close(model(x), right, what=f"The output of {name}", causes=causes)

    def test_gradients_reach_every_parameter(self, kata, name):
        model = getattr(kata, name)(input_dim=2, hidden_dim=10, num_classes=3)
        F.cross_entropy(model(torch.randn(30, 2)), torch.arange(30) % 3).backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, name, device):
        model = getattr(kata, name)(input_dim=2, hidden_dim=10, num_classes=3)
        placement.check(model, torch.randn(4, 2), device=device, what=f"The output of {name}")


@pytest.mark.task("train", needs="models")
class TestTrain:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(trained(kata, kata.MLP(2, 10, 3), unbalanced(), epochs=4))

    def test_each_loss_is_the_weighted_cross_entropy(self, kata):
        for epochs in (5, 2):  # each call has a list of its own
            seen = trained(kata, kata.MLP(2, 10, 3), unbalanced(), epochs=epochs)
            training.check_losses(seen)

    def test_linear_model_stays_poor(self, kata, mark):
        data, model = spiral(), kata.LinearModel(input_dim=2, hidden_dim=100, num_classes=3)
        losses = kata.train(model, data.train.features, data.train.labels, data.class_weights)
        expect.reaches(mark("k17.linear.accuracy"), accuracy(model, data.test), history=losses)

    def test_mlp_finds_the_arms(self, kata, mark):
        data, model = spiral(), kata.MLP(input_dim=2, hidden_dim=100, num_classes=3)
        given = (data.train.features, data.train.labels, data.class_weights)
        seen = trained(kata, model, given)
        training.check_steps(seen)
        training.check_losses(seen)
        expect.reaches(mark("k17.mlp.accuracy"), accuracy(model, data.test), history=seen.losses)
        expect.reaches(
            mark("k17.mlp.loss"),
            F.cross_entropy(model(data.train.features), data.train.labels),
            history=seen.losses,
        )

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        model = expect.moved(kata.MLP(2, 10, 3), device)
        data = [part.to(device) for part in unbalanced()]
        placement.check_training(partial(kata.train, epochs=2), model, data, epochs=2)


@pytest.mark.task("metrics")
class TestMetrics:
    def test_overall_figures_are_weighted_by_class(self, kata):
        y_true, y_pred, classes = answers()
        seen = figures(kata.get_metrics(y_true, y_pred, classes), "overall")
        causes = {
            "the mean over the classes is not weighted by their points: average='weighted'": (
                sklearn(y_true, y_pred, "macro")
            ),
            "the right classes and the answers are swapped: y_true comes first": sklearn(
                y_pred, y_true, "weighted"
            ),
        }
        expect.close(
            seen[:3],
            sklearn(y_true, y_pred, "weighted"),
            what="Overall precision, recall and f1",
            causes=causes,
        )
        expect.close(seen[3], 10.0, what="The overall num_samples")

    def test_each_class_has_its_figures(self, kata):
        y_true, y_pred, classes = answers()
        metrics = kata.get_metrics(y_true, y_pred, classes)
        each, swapped = sklearn(y_true, y_pred, None), sklearn(y_pred, y_true, None)
        for number, name in enumerate(classes):
            causes = {
                "the right classes and the answers are swapped: y_true comes first": swapped[
                    :, number
                ]
            }
            expect.close(
                figures(metrics, "class", name),
                each[:, number],
                what=f"The four figures of {name}",
                causes=causes,
            )

    @pytest.mark.placement
    def test_takes_class_numbers_from_any_device(self, kata, device):
        y_true, y_pred, classes = answers()
        right = sklearn(y_true, y_pred, "weighted")
        for one, other in ((y_true.to(device), y_pred.to(device)), (y_true, y_pred.to(device))):
            table = placement.same(
                kata.get_metrics, one, other, classes, device=device, what="The figures"
            )
            seen = figures(table, "overall")
            expect.close(seen[:3], right, what=f"Precision, recall and f1 of answers on {device}")


@pytest.mark.task("point")
class TestPoint:
    def test_says_the_sentence(self, kata):
        mean = torch.tensor([1.0, -2.0])
        std = torch.tensor([2.0, 0.5])
        point = torch.tensor([2.0, -1.5])
        seen = []

        def model(x):  # scores of which class 1 has the highest, when the point is standardized
            seen.append(tuple(x.shape))
            return x @ torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.5, 0.1]])

        answer = kata.predict_point(model, point, mean, std, ["red", "green", "blue"])
        right = sentence(model(((point - mean) / std).unsqueeze(0)), "green")
        causes = {
            "the point is not standardized: (point - mean) / std": sentence(
                model(point.unsqueeze(0)), "green"
            ),
            "the probability is a fraction, not percent: multiply by 100": right[:-3] + "1%",
            "this is the class number: give its name": right.replace("green", "1"),
        }
        expect.equal(answer, right, what="The sentence", causes=causes)
        expect.that(
            seen[0] == (1, 2),
            "The model was not called with a batch of one point.",
            seen=seen[0],
            expected=(1, 2),
            likely="the model takes a batch: unsqueeze(0) makes one of a single point",
        )

    @pytest.mark.parametrize("number", [0, 2])
    def test_names_the_likeliest_class(self, kata, number):
        scores = torch.zeros(1, 3)
        scores[0, number] = 2.0
        answer = kata.predict_point(
            lambda x: scores,
            torch.zeros(2),
            torch.zeros(2),
            torch.ones(2),
            ["red", "green", "blue"],
        )
        expect.equal(
            answer, sentence(scores, ["red", "green", "blue"][number]), what="The sentence"
        )

    @pytest.mark.placement
    def test_asks_a_model_on_any_device(self, kata, device):
        model = torch.nn.Linear(2, 3)
        given = (torch.tensor([2.0, -1.5]), torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5]))
        scores = model(((given[0] - given[1]) / given[2]).unsqueeze(0))
        answer = placement.same(
            kata.predict_point,
            model.to(device),
            *(tensor.to(device) for tensor in given),
            ["red", "green", "blue"],
            device=device,
            what="The sentence",
        )
        right = sentence(scores, ["red", "green", "blue"][int(scores.argmax())])
        expect.equal(answer, right, what=f"The sentence of a model on {device}")


def trained(kata, model, data, epochs=0):
    """A training on (features, labels, class weights), looked at."""
    features, labels, weights = data
    rule = training.Rule(
        partial(F.cross_entropy, weight=weights),
        wrong={
            SOFTMAX_INSIDE: lambda scores, labels: F.cross_entropy(
                F.softmax(scores, dim=1), labels, weight=weights
            ),
            UNWEIGHTED: F.cross_entropy,
        },
        default=50,
    )

    def train(model, features, labels, **told):
        return kata.train(model, features, labels, weights, **told)

    with expect.untouched("The class weights", weights):
        return training.run(model, train, features, labels, rule, epochs)


def unbalanced():
    """Points of three classes, 20, 8 and 2 of them, and the weights 1 / count."""
    counts = torch.tensor([20, 8, 2])
    labels = torch.repeat_interleave(torch.arange(3), counts)
    return torch.randn(30, 2) + labels.reshape(-1, 1), labels, 1 / counts


def accuracy(model, part):
    return (model(part.features).argmax(dim=1) == part.labels).float().mean()


def sentence(scores, name):
    percent = F.softmax(scores, dim=1).max().item() * 100
    return f"The probability that you have {name} is {percent:.0f}%"


def answers() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Ten points of three classes and answers to them, some wrong; no two figures are equal."""
    y_true = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
    y_pred = torch.tensor([0, 0, 0, 1, 2, 1, 1, 0, 2, 2])
    return y_true, y_pred, ("a", "b", "c")


def sklearn(y_true: Tensor, y_pred: Tensor, average: str | None) -> Tensor:
    """Precision, recall and f1; with average=None for each class, and its number of points as a
    fourth row.
    """
    rows = precision_recall_fscore_support(y_true, y_pred, average=average)
    return torch.tensor(
        [list(row) if average is None else row for row in rows[: 4 if average is None else 3]]
    )


def figures(metrics: Mapping[str, object], *path: str) -> Tensor:
    """The four figures found at this place in what get_metrics returned."""
    place = " → ".join(path)
    for key in path:
        likely = (
            "`return` is missing"
            if metrics is None
            else "the keys are overall and class, and under class the names of the classes"
        )
        expect.that(
            isinstance(metrics, dict) and key in metrics,
            f"get_metrics: nothing under {place}.",
            seen=metrics,
            expected=f"a dict with {key!r}",
            likely=likely,
        )
        metrics = metrics[key]
    names = ("precision", "recall", "f1", "num_samples")
    right = (
        isinstance(metrics, dict)
        and set(metrics) == set(names)
        and all(isinstance(value, float) for value in metrics.values())
    )
    expect.that(
        right,
        f"get_metrics: the figures under {place} have the wrong names or types.",
        seen=metrics,
        expected=f"floats for {names}",
        likely="a key is spelled differently, or a value is not a float (float(...) makes one)",
    )
    return torch.tensor([float(metrics[name]) for name in names])
