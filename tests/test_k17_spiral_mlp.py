"""k17: two models with the same layers, their training on the spiral, the figures, and the sentence
for one point.
"""

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor, nn
from torch.nn import functional as F

from katas.given.data import spiral
from tests.support import expect, formula, modes, placement, training

SOFTMAX_INSIDE = (
    "softmax is applied before the loss: nn.CrossEntropyLoss contains it and wants the raw scores"
)
SWAPPED = "the right classes and the answers are swapped: y_true comes first"
UNWEIGHTED = "the class weights are left out: nn.CrossEntropyLoss(weight=class_weights)"


@pytest.mark.task("models")
@pytest.mark.parametrize("name", ["LinearModel", "MLP"])
class TestModels:
    def test_prints_the_architecture(self, kata, name):
        expect.printed(
            getattr(kata, name)(input_dim=4, hidden_dim=17, num_classes=6),
            f"""
            {name}(
              (fc1): Linear(in_features=4, out_features=17, bias=True)
              (fc2): Linear(in_features=17, out_features=6, bias=True)
            )
            """,
            causes={
                "the softmax stays outside: nn.CrossEntropyLoss contains it": "Softmax",
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "in_features=17, out_features=4"
                ),
                "100 hidden units are written into the code: use hidden_dim": "out_features=100",
                "3 classes are written into the code: use num_classes": "out_features=3",
                "2 features are written into the code: use input_dim": "in_features=2",
            },
        )

    def test_sizes_come_from_the_arguments(self, kata, name):
        model = getattr(kata, name)(input_dim=5, hidden_dim=6, num_classes=4)
        expect.shape(model(torch.randn(7, 5)), (7, 4), what=f"The output of {name} for 7 examples")

    def test_output_follows_the_formula(self, kata, name):
        model = getattr(kata, name)(input_dim=2, hidden_dim=10, num_classes=3)
        modes.expect_steady(model, torch.randn(25, 2))

        def given(between, end=lambda scores: scores):
            return lambda x: end(model.fc2(between(model.fc1(x)))).detach()

        right = (lambda z: z) if name == "LinearModel" else F.relu
        formula.check(
            lambda x: model(x),
            given(right),
            {
                "25 examples": (2 * torch.randn(25, 2),),
                "large features": (300 * torch.randn(9, 2),),
                "a single example": (torch.randn(1, 2),),
            },
            what=f"The output of {name}",
            wrong={
                "these are probabilities, and the model gives raw scores: leave the softmax out": (
                    given(right, lambda scores: F.softmax(scores, dim=1))
                ),
                "these are log-probabilities, and the model gives raw scores": (
                    given(right, lambda scores: F.log_softmax(scores, dim=1))
                ),
                "a relu cuts off the negative scores: it belongs between the layers, not at the"
                " end": [given(right, F.relu), given(lambda z: z, F.relu)],
                "the relu between the layers is missing, so this is a linear model": (
                    given(lambda z: z)
                ),
                "this has a relu between the layers: LinearModel has nothing there": given(F.relu),
                "this is relu6 between the layers, which ends at 6": given(F.relu6),
                "this is a leaky relu, which lets a part of negative numbers through": given(
                    F.leaky_relu
                ),
                "the relu stands before the first layer: it belongs between the two": (
                    lambda x: model.fc2(model.fc1(F.relu(x))).detach()
                ),
                "this is tanh between the layers, not relu": given(torch.tanh),
                "this is the sigmoid between the layers, not relu": given(torch.sigmoid),
                "a single example loses its row: squeeze() drops every dimension of size 1": (
                    given(right, torch.squeeze)
                ),
            },
        )

    def test_gives_raw_scores_in_both_modes(self, kata, name):
        model = getattr(kata, name)(input_dim=2, hidden_dim=10, num_classes=3)
        modes.expect_alike(model, torch.randn(25, 2))

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
        model = kata.MLP(2, 10, 3)
        for epochs in (4, 3):  # the second call goes on from there
            training.check_steps(trained(kata, model, unbalanced(), epochs=epochs))

    def test_trains_any_model(self, kata):
        model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3))
        training.check_steps(trained(kata, model, unbalanced(), epochs=3))

    def test_each_loss_is_the_weighted_cross_entropy(self, kata):
        for epochs in (5, 2):  # each call has a list of its own
            seen = trained(kata, kata.MLP(2, 10, 3), unbalanced(), epochs=epochs)
            training.check_losses(seen)

    def test_makes_every_epoch(self, kata):
        def train(model, features, labels, **told):
            return kata.train(model, features, labels, torch.ones(3), **told)

        training.check_every_epoch(train)

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
        right = sklearn(y_true, y_pred, "weighted")
        precision, recall = right[:2]
        causes = {
            "the mean over the classes is not weighted by their points: average='weighted'": (
                sklearn(y_true, y_pred, "macro")
            ),
            "all points are counted together: average='weighted'": sklearn(y_true, y_pred, "micro"),
            SWAPPED: sklearn(y_pred, y_true, "weighted"),
            "precision and recall are swapped": right[[1, 0, 2]],
            "this is the f1 of the overall precision and recall: it is the weighted mean of each"
            " class's f1": torch.stack(
                [precision, recall, 2 * precision * recall / (precision + recall)]
            ),
        }
        expect.close(seen[:3], right, what="Overall precision, recall and f1", causes=causes)
        causes = {
            "this is the number of classes: num_samples counts the points": 4.0,
            "this is the mean number of points of a class: overall it counts all": 14 / 4,
            "this is 1, the sum of the shares: num_samples counts the points": 1.0,
        }
        expect.close(seen[3], 14.0, what="The overall num_samples", causes=causes)

    def test_each_class_has_its_figures(self, kata):
        y_true, y_pred, classes = answers()
        metrics = kata.get_metrics(y_true, y_pred, classes)
        each, swapped = sklearn(y_true, y_pred, None), sklearn(y_pred, y_true, None)
        for number, name in enumerate(classes):
            right = each[:, number]
            causes = {
                SWAPPED: swapped[:, number],
                "precision and recall are swapped": right[[1, 0, 2, 3]],
                "recall and f1 are swapped": right[[0, 2, 1, 3]],
                "the figures are rounded": [right.round(decimals=n) for n in (2, 3)],
                "num_samples counts the answers: it is the number of points in y_true": torch.cat(
                    [right[:3], swapped[3:, number]]
                ),
                "num_samples counts the right answers: it is the number of points in y_true": (
                    torch.cat([right[:3], (right[1] * right[3]).reshape(1)])
                ),
            }
            others = {
                f"the names go to the wrong numbers: these are the figures of {other}": each[:, n]
                for n, other in enumerate(classes)
                if n != number
            }
            expect.close(
                figures(metrics, "class", name),
                right,
                what=f"The four figures of {name}",
                causes=causes | others,
            )

    def test_a_class_that_is_never_the_answer_has_0(self, kata):
        y_true, classes = torch.tensor([0, 0, 1, 1, 1, 2]), ("pear", "apple", "fig")
        for y_pred in ([0, 2, 2, 0, 2, 2], [0, 1, 0, 1, 1, 1]):
            metrics = kata.get_metrics(y_true, torch.tensor(y_pred), classes)
            right = sklearn(y_true, torch.tensor(y_pred), None)
            answered = right[:, sorted(set(y_pred))]
            for number, name in enumerate(classes):
                shifted = "classes that are never the answer have no figures, and others move up"
                perfect = "a precision of 0 / 0 is 0 here, not 1"
                causes = {shifted: answered[:, min(number, 1)]}
                causes[perfect] = torch.cat([torch.ones(1), right[1:, number]])
                what = f"The four figures of {name}"
                expect.close(figures(metrics, "class", name), right[:, number], what, causes=causes)
            what = "Overall precision, recall and f1"
            seen, right = (
                figures(metrics, "overall"),
                sklearn(y_true, torch.tensor(y_pred), "weighted"),
            )
            expect.close(seen[:3], right, what)

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
        given = [a_point(*sizes) for sizes in ((3, 4, 0), (2, 3, 2), (5, 6, 1))]

        def told(model, point, classes, turn=percent, share=by_softmax, name=likeliest):
            scores = model(point.unsqueeze(0)).squeeze(0)
            return sentence(turn(share(scores).item()), name(scores, classes))

        def right(model, point, mean, std, classes, **other):
            return told(model, (point - mean) / std, classes, **other)

        formula.check(
            kata.predict_point,
            right,
            given,
            what="The sentence",
            wrong={
                "the point is not standardized: (point - mean) / std": (
                    lambda model, point, mean, std, classes: told(model, point, classes)
                ),
                "the point is standardized by its own mean and deviation: take those that are"
                " given": lambda model, point, mean, std, classes: told(
                    model, (point - point.mean()) / point.std(), classes
                ),
                "mean and std have changed places: (point - mean) / std": (
                    lambda model, point, mean, std, classes: told(
                        model, (point - std) / mean, classes
                    )
                ),
                "the softmax runs over the batch of one, so that each score gets 100 %: dim=1": [
                    partial(right, share=lambda scores: torch.ones(()), name=name)
                    for name in (likeliest, lambda scores, classes: classes[0])
                ],
                "the point is divided by the square of std: (point - mean) / std": (
                    lambda model, point, mean, std, classes: told(
                        model, (point - mean) / std**2, classes
                    )
                ),
                "a full stop follows: the sentence ends with the %": (
                    lambda *given, **other: right(*given, **other) + "."
                ),
                "the point is not divided by std: (point - mean) / std": (
                    lambda model, point, mean, std, classes: told(model, point - mean, classes)
                ),
                "a pair of brackets is missing: (point - mean) / std": (
                    lambda model, point, mean, std, classes: told(
                        model, point - mean / std, classes
                    )
                ),
                "the probability is a fraction, not percent: multiply by 100": partial(
                    right, turn=lambda share: f"{share:.0f}"
                ),
                "the percentage is cut off: round it": partial(
                    right, turn=lambda share: str(int(share * 100))
                ),
                "the percentage is not rounded to a whole one": [
                    *(
                        partial(right, turn=lambda share, d=d: f"{share * 100:.{d}f}")
                        for d in (1, 2)
                    ),
                    partial(right, turn=lambda share: str(float(round(share * 100)))),
                ],
                "this is the class number: give its name": partial(
                    right, name=lambda scores, classes: int(scores.argmax())
                ),
                "the names are written into the code: classes has them": [
                    partial(right, name=lambda s, c, n=n: f"c{int(s.argmax()) + n}") for n in (0, 1)
                ],
                "it is always the first class: argmax shows which is the likeliest": [
                    partial(right, name=lambda scores, classes: classes[0]),
                    partial(
                        right,
                        name=lambda scores, classes: classes[0],
                        share=lambda scores: F.softmax(scores, dim=0)[0],
                    ),
                ],
                "this is the sigmoid of a score: the softmax makes probabilities of all scores": (
                    partial(right, share=lambda scores: scores.sigmoid().max())
                ),
                "this is the raw score: the softmax makes a probability of it": partial(
                    right, share=lambda scores: scores.max()
                ),
                "the softmax is applied twice": partial(
                    right, share=lambda scores: F.softmax(F.softmax(scores, dim=0), dim=0).max()
                ),
            },
        )

    def test_rounds_every_percentage(self, kata):
        model, classes = nn.Linear(2, 4), ("pear", "apple", "fig", "date")
        for whole in range(26, 100):
            with torch.no_grad():
                model.weight.zero_()
                model.bias.fill_((1 - whole / 100) / 3)[2] = whole / 100
                model.bias.log_()
            seen = kata.predict_point(model, torch.ones(2), torch.zeros(2), torch.ones(2), classes)
            likely = "int() cuts off: 0.29 * 100 is 28.999999999999996, so round last"
            causes = {likely: sentence(str(whole - 1), "fig")}
            expect.equal(seen, sentence(str(whole), "fig"), f"The sentence of {whole} %", causes)

    def test_leaves_the_model_in_evaluation_mode(self, kata):
        model, *given = a_point(2, 3, 1)
        model, asked = nn.Sequential(nn.Dropout(0.9), model).eval(), []
        model.register_forward_pre_hook(lambda module, inputs: asked.append(module.training))
        kata.predict_point(model, *given)
        headline = "A model that came in evaluation mode is asked in training mode."
        likely = "model.train() has no place here: in it dropout is active"
        seen, right = "training=True", "training=False"
        expect.that(not any(asked), headline, seen=seen, expected=right, likely=likely)
        modes.expect_left(model, False)

    def test_asks_the_model_for_a_batch_of_one_point(self, kata):
        model, *given = a_point(2, 3, 1)
        seen = []
        model.register_forward_pre_hook(lambda module, inputs: seen.append(tuple(inputs[0].shape)))
        kata.predict_point(model, *given)
        expect.that(
            seen[0] == (1, 2),
            "The model was not called with a batch of one point.",
            seen=seen[0],
            expected=(1, 2),
            likely="the model takes a batch: unsqueeze(0) makes one of a single point",
        )

    @pytest.mark.placement
    def test_asks_a_model_on_any_device(self, kata, device):
        model, *given, classes = a_point(2, 3, 1)
        right = sentence(*answer(model, *given, classes))
        seen = placement.same(
            kata.predict_point,
            model.to(device),
            *(tensor.to(device) for tensor in given),
            classes,
            device=device,
            what="The sentence",
        )
        expect.equal(seen, right, what=f"The sentence of a model on {device}")


def unbalanced():
    """Points of three classes, 20, 8 and 2 of them, and weights that do not follow from that."""
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor([20, 8, 2]))
    return torch.randn(30, 2) + labels.reshape(-1, 1), labels, torch.tensor([0.4, 0.3, 1.5])


def trained(kata, model, data, epochs=0):
    """A training on (features, labels, class weights), looked at."""
    features, labels, weights = data

    def loss(scores, labels, weight=weights, turn=F.cross_entropy, **more):
        return turn(scores, labels, weight=weight, **more)

    wrong = {
        UNWEIGHTED: F.cross_entropy,
        SOFTMAX_INSIDE: lambda scores, labels: loss(F.softmax(scores, dim=1), labels),
        "the weighted losses are divided by the number of points, not by the sum of their weights:"
        " nn.CrossEntropyLoss(weight=class_weights) does that by itself": (
            lambda scores, labels: loss(scores, labels, reduction="sum") / len(labels)
        ),
        "the weighted losses are added up: the loss is their weighted mean": (
            partial(loss, reduction="sum")
        ),
        "the weights are turned around, 1 / class_weights: take them as they are": (
            partial(loss, weight=1 / weights)
        ),
        "these are weights of the counts of the labels: take the class_weights that are given": (
            partial(loss, weight=1 / labels.bincount())
        ),
        "nn.NLLLoss wants log-probabilities, and these are raw scores": partial(
            loss, turn=F.nll_loss
        ),
    }
    with expect.untouched("class_weights", weights):
        return training.run(
            model,
            lambda model, features, labels, **told: kata.train(
                model, features, labels, weights, **told
            ),
            features,
            labels,
            training.Rule(loss, wrong, default=50),
            epochs=epochs,
        )


def accuracy(model, part):
    return (model(part.features).argmax(dim=1) == part.labels).float().mean()


def by_softmax(scores):
    return F.softmax(scores, dim=0).max()


def likeliest(scores, classes):
    return classes[int(scores.argmax())]


def percent(share):
    return f"{share * 100:.0f}"


def sentence(number, name):
    return f"The probability that you have {name} is {number}%"


def answer(model, point, mean, std, classes):
    scores = model(((point - mean) / std).unsqueeze(0)).squeeze(0)
    return percent(by_softmax(scores).item()), likeliest(scores, classes)


def a_point(features, number, likely):
    """A model of so many classes, a point, mean, std and names; that of this number is the
    likeliest, by a percentage that is rounded up for an even number, and down for an odd one.
    """
    names = ("pear", "apple", "fig", "date", "plum", "lime")[:number]
    while True:
        model, mean, std = torch.nn.Linear(features, number), torch.randn(features), torch.rand(1)
        point, std = 2 * torch.randn(features), (std + torch.rand(features) + 0.3)
        with torch.no_grad():
            scores = 3 * model(((point - mean) / std).unsqueeze(0)).squeeze(0)
            model.weight.mul_(3)
            model.bias.mul_(3)
        share = 100 * by_softmax(scores).item()
        rounded = 0.6 < share % 1 < 0.95 if likely % 2 == 0 else 0.05 < share % 1 < 0.4
        if int(scores.argmax()) == likely and share < 98 and rounded:
            return model, point, mean, std, names


def answers() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Points of four classes and answers to them, some wrong; no two figures are equal."""
    y_true = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3])
    y_pred = torch.tensor([0, 0, 0, 1, 2, 1, 1, 0, 2, 2, 3, 3, 3, 0])
    return y_true, y_pred, ("pear", "apple", "fig", "date")


def sklearn(y_true: Tensor, y_pred: Tensor, average: str | None) -> Tensor:
    """Precision, recall and f1; with average=None for each class, and its number of points as a
    fourth row.
    """
    rows = precision_recall_fscore_support(y_true, y_pred, average=average, zero_division=0)
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
    keys = list(metrics) if isinstance(metrics, dict) else []
    lacks, more = ([*map(repr, set(one) - set(two))] for one, two in ((names, keys), (keys, names)))
    likely = f"there is no key {' or '.join(lacks)}"
    likely += f", but {' and '.join(more)}" if more else ""
    if not lacks:
        likely = f"there is one key too many: {' and '.join(more)}"
    expect.that(
        set(keys) == set(names),
        f"get_metrics: the figures under {place} have the wrong names.",
        seen=", ".join(keys) or metrics,
        expected=", ".join(names),
        likely=expect.told(likely) if keys else "each class has a dict of four figures",
    )
    others = [name for name in names if not isinstance(metrics[name], float)]
    expect.that(
        not others,
        f"get_metrics: {' and '.join(others)} under {place}: not a float.",
        seen=", ".join(type(metrics[name]).__name__ for name in others),
        expected="float",
        likely=expect.told(f"{' and '.join(others)} is not a float: float(...) makes one"),
    )
    return torch.tensor([float(metrics[name]) for name in names])
