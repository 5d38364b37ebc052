"""The spiral: a multilayer perceptron on three winding arms.

Three classes wind around each other, and a few straight lines cannot separate
them. Two networks with the same layers try:

    LinearModel   x -> fc1 -> fc2            about half of the points right
    MLP           x -> fc1 -> relu -> fc2    nearly all points right

Both give one raw score (logit) per class. The softmax stays outside the model,
because nn.CrossEntropyLoss contains it. Applied twice, it flattens the loss,
and the model never gets confident. The class weights 1 / count let rare
classes count as much as common ones.

How good is the result? Count for each class c, on points kept out of training:

    precision = right answers "c" / all answers "c"
    recall = right answers "c" / all points of class c
    f1 = 2 * precision * recall / (precision + recall)

The overall figures are the means over the classes, weighted by the number of
points in each class. For a single new point the network answers with a
sentence. The point comes as measured, so standardize it first, with the mean
and standard deviation of the training data.

What to do: two models, their training, the figures, the sentence. `python -m
katas.k17_spiral_mlp` draws the arms, and which of them are mixed up.

Tasks: models, train, metrics, point.   Builds on: k05_trainer,
    k08_multi_hidden_layer, k14_multiclass, k16_data_pipeline.
Source: Made With ML, "Neural Networks".
"""

from collections.abc import Sequence

import torch
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor, nn
from torch.nn import functional as F


class LinearModel(nn.Module):
    """Two linear layers with nothing between them.

    fc1 and fc2 are its only layers with weights.

    Args:
        input_dim: features per example.
        hidden_dim: outputs of the first layer.
        num_classes: scores per example.
    """

    def __init__(self, input_dim: int, hidden_dim: int, num_classes: int) -> None:
        super().__init__()
        # TODO models: create self.fc1 and self.fc2 (nn.Linear)
        raise NotImplementedError("models")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_dim) to raw scores (n, num_classes)."""
        # TODO models: x -> fc1 -> fc2
        raise NotImplementedError("models")


class MLP(nn.Module):
    """Two linear layers with a ReLU between them.

    fc1 and fc2 are its only layers with weights. Arguments as in LinearModel.
    """

    def __init__(self, input_dim: int, hidden_dim: int, num_classes: int) -> None:
        super().__init__()
        # TODO models: create self.fc1 and self.fc2 (nn.Linear)
        raise NotImplementedError("models")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_dim) to raw scores (n, num_classes)."""
        # TODO models: x -> fc1 -> relu -> fc2; the scores stay raw
        raise NotImplementedError("models")


def train(
    model: nn.Module, features: Tensor, labels: Tensor, class_weights: Tensor, epochs: int = 50
) -> list[float]:
    """Fit the model in place with nn.CrossEntropyLoss(weight=class_weights): in every epoch one
    step on all examples. The optimizer and its learning rate are your choice.

    After 50 epochs an MLP with 100 hidden units gets at least 95 % of the spiral's test points
    right, and its loss on the training points is 0.3 or less.

    Args:
        features: (n, input_dim) float32, on the model's device.
        labels: (n,) int64, class numbers, on the same device.
        class_weights: (num_classes,) float32, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # TODO train: the weighted loss on the raw scores, an optimizer that needs only 50
    #     steps, the five moves
    raise NotImplementedError("train")


def get_metrics(y_true: Tensor, y_pred: Tensor, classes: Sequence[str]) -> dict[str, dict]:
    """Precision, recall and F1, overall and for each class.

    Args:
        y_true: the right class numbers, (n,) int64, on any device; every class occurs.
        y_pred: the model's answers, (n,) int64, on any device. Precision and f1 of a class that is
            never the answer are 0.
        classes: the name of each class number.

    Returns:
        {"overall": figures, "class": {name: figures}}, where figures is
        {"precision": float, "recall": float, "f1": float, "num_samples": float}; num_samples is the
        number of points in y_true, all of them or those of the class.
    """
    # TODO metrics: scikit-learn's precision_recall_fscore_support, once with
    #     average="weighted" and once with average=None; it reads the CPU's memory only
    raise NotImplementedError("metrics")


def predict_point(
    model: nn.Module, point: Tensor, mean: Tensor, std: Tensor, classes: Sequence[str]
) -> str:
    """The model's answer for one new point, such as "The probability that you have c1 is 92%".

    Args:
        model: gives raw scores; it comes in evaluation mode, or has no layer that needs it.
        point: (input_dim,) float32, as measured, on the model's device; left unchanged.
        mean, std: (input_dim,) float32, those of the training data, on the same device.
        classes: the name of each class number.

    Returns:
        The sentence with the likeliest class and its probability, rounded to a whole percentage.
    """
    # TODO point: standardize, add the batch dimension, take the softmax of the scores and
    #     the largest probability, write the sentence
    raise NotImplementedError("point")


if __name__ == "__main__":
    import json

    from katas.given import data, plots

    spiral, figures = data.spiral(), []
    for kind in (LinearModel, MLP):
        network = kind(input_dim=2, hidden_dim=100, num_classes=3)
        history = train(network, spiral.train.features, spiral.train.labels, spiral.class_weights)
        answers = network(spiral.test.features).argmax(dim=1)
        print(f"{kind.__name__}, on the test part:")
        print(json.dumps(get_metrics(spiral.test.labels, answers, spiral.classes), indent=2))
        for name, part in (("training part", spiral.train), ("test part", spiral.test)):
            figures.append(plots.plot_boundary(network, part.features, part.labels, part=name))
        figures.append(plots.plot_confusion(spiral.test.labels, answers, spiral.classes))
        figures.append(plots.plot_loss_history(history))
    print(predict_point(network, torch.tensor([0.1, 0.1]), spiral.mean, spiral.std, spiral.classes))
    plots.show(*figures)
