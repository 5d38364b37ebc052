"""Linear regression: the smallest network there is.

Linear regression predicts a number from the features of an example by a
weighted sum:

    y_hat = w0 + w1 * x1 + ... + wd * xd
    w0 is the intercept (bias), w1 to wd are the weights (coefficients)

As a network this is one linear layer, nn.Linear(input_size, output_size), and
nothing behind it. It has a parameter for each weight and one for the bias: 2
for a line through points with one feature, 4 for three features. They begin at
random.

A formula gives the best weights at once; scikit-learn's LinearRegression knows
it. Training walks there step by step instead, which will still work when there
is no formula. Each epoch makes five moves:

    outputs = model(features)              forward: what does the model say?
    loss = nn.MSELoss()(outputs, targets)  how wrong is that? mean((y_hat -
    y)**2)
    optimizer.zero_grad()         forget the gradients of the epoch before
    loss.backward()               the gradient of the loss at every parameter
    optimizer.step()              move every parameter a little against
                                  its gradient

What is learned lies in the model: a second fit begins with it and improves it
further. To begin anew, make a new model.

What to do: the model, its training, a look at what it learned, and the same by
scikit-learn: both ways end at the same line. `python -m
katas.k04_linear_regression` prints and draws both.

Tasks: model, fit, coefficients, best.   Builds on: k01_tensors, k03_autograd.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from sklearn import linear_model
from torch import Tensor, nn


class LinearRegression(nn.Module):
    """A weighted sum of the features.

    Args:
        input_size: features per example.
        output_size: numbers to predict per example.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        # TODO model: create self.linear (nn.Linear)
        raise NotImplementedError("model")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to predictions (n, output_size), or a single example
        (input_size,) to (output_size,).
        """
        # TODO model: x -> linear
        raise NotImplementedError("model")


def fit(model: nn.Module, features: Tensor, targets: Tensor, epochs: int = 300) -> list[float]:
    """Fit the model in place with nn.MSELoss, every epoch one step on all examples.

    Args:
        features: (n, input_size) float32, on the model's device.
        targets: (n, output_size) float32, there too.

    Returns:
        The loss of each epoch, as computed before its step: plain floats.
    """
    # TODO fit: pick an optimizer from torch.optim; each epoch makes the five moves of the
    #     lesson
    raise NotImplementedError("fit")


def coefficients(model: LinearRegression) -> list[float]:
    """What a model with one output has learned.

    Returns:
        [w0, w1, ..., wd] as plain floats: the bias first, then the weight of each feature.
    """
    # TODO coefficients: the bias and the weights of model.linear, as one list of floats
    raise NotImplementedError("coefficients")


def best_coefficients(features: Tensor, targets: Tensor) -> list[float]:
    """What scikit-learn's LinearRegression finds with its formula.

    Args:
        features: (n, d) float32, on any device.
        targets: (n, 1) float32, on the same device.

    Returns:
        [w0, w1, ..., wd] as plain floats, in the order of coefficients.
    """
    # TODO best: fit a linear_model.LinearRegression() to NumPy arrays on the CPU; then
    #     its intercept_ and its coef_,
    #     as one list of floats
    raise NotImplementedError("best")


if __name__ == "__main__":
    from katas.given import data, plots

    for num_features in (3, 1):  # the last one is drawn
        points, values = data.linear(num_features)
        model = LinearRegression(input_size=num_features, output_size=1)
        before = model(points[0]).item()
        history = fit(model, points, values)
        after, target = model(points[0]).item(), values[0].item()
        print(
            f"{num_features} feature(s). The first point's target: {target:.2f}; "
            f"before {before:.2f}, after {after:.2f}"
        )
        learned, best = coefficients(model), best_coefficients(points, values)
        for number, (yours, theirs) in enumerate(zip(learned, best, strict=True)):
            print(f"  w{number}   yours {yours:9.4f}   scikit-learn {theirs:9.4f}")
    plots.show(
        plots.plot_network([1, 1]),
        plots.plot_network([3, 1]),
        plots.plot_regression(
            model, points, values, {"scikit-learn": lambda x: best[0] + best[1] * x}
        ),
        plots.plot_loss_history(history),
    )
