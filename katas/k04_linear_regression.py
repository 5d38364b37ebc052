"""Linear regression: the smallest network there is.

Linear regression predicts a number from the features of an example by a
weighted sum:

    y_hat = w0 + w1 * x1 + ... + wd * xd

w0 is the intercept (bias), w1 to wd are the weights (coefficients). As a
network this is one linear layer with nothing behind it:

    x (n, d) --> nn.Linear(d, 1) --> y_hat (n, 1)
                 d weights, 1 bias, random unless you set them

A formula gives the best weights at once, and scikit-learn's LinearRegression
uses it. Training reaches them step by step, and still works where there is no
formula. One pass over all examples is an epoch; here it is one step:

    outputs = model(features)              forward: what does the model say?
    loss = nn.MSELoss()(outputs, targets)  mean((outputs - targets) ** 2)
    optimizer.zero_grad()                  clear old gradients, here or last
    loss.backward()                        the gradient at every parameter
    optimizer.step()                       each parameter against its gradient

The optimizer is made once, before the first epoch. torch.optim.SGD takes the
steps of k03 (learning rate lr) for all parameters that it gets. A second fit
goes on from what the model has learned. To begin anew, make a new model.
`python -m katas.k04_linear_regression` compares training and formula.

Tasks: model, fit, coefficients, best.   Builds on: k01_tensors, k03_autograd.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from sklearn import linear_model
from torch import Tensor, nn


class LinearRegression(nn.Module):
    """A weighted sum of the features, on whatever device the model is moved to.

    Args:
        input_size: features per example.
        output_size: numbers to predict per example.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        # TODO model: make self.linear, an nn.Linear, and no other layer
        raise NotImplementedError("model")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to predictions (n, output_size), and a single example
        (input_size,) to (output_size,).
        """
        # TODO model: x -> linear
        raise NotImplementedError("model")


def fit(model: nn.Module, features: Tensor, targets: Tensor, epochs: int = 300) -> list[float]:
    """Train the model in place with nn.MSELoss. Each epoch takes one step on all examples, and
    nothing is printed.

    Args:
        model: with any weights, trained before or not; it stays on its device.
        features: (n, input_size) float32, on the model's device.
        targets: (n, output_size) float32, there too.
        epochs: how many. After 300 the coefficients are within 0.2 of the best ones on
            `katas.given.data.linear()`, within 0.5 on `linear(3)`, and within 2 on similar data.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # TODO fit: make an optimizer from torch.optim; each epoch makes the five moves of
    #     the lesson
    raise NotImplementedError("fit")


def coefficients(model: LinearRegression) -> list[float]:
    """What a model with one output has learned. The model, on any device, stays as it is.

    Returns:
        [w0, w1, ..., wd] as plain floats: the bias first, then the weight of each feature.
    """
    # TODO coefficients: the bias and the weights of model.linear, as one list of floats
    raise NotImplementedError("coefficients")


def best_coefficients(features: Tensor, targets: Tensor) -> list[float]:
    """What scikit-learn's LinearRegression finds with its formula.

    Args:
        features: (n, d) float32, on any device. Apple's GPUs have no float64, so keep float32
            there.
        targets: (n, 1) float32, on the same device.

    Returns:
        [w0, w1, ..., wd] as plain floats, in the order of coefficients.
    """
    # TODO best: fit a linear_model.LinearRegression() to NumPy arrays; then its
    #     intercept_ and its coef_, as one list of floats
    raise NotImplementedError("best")


if __name__ == "__main__":
    from katas.given import data, plots

    for num_features in (3, 1):  # the last one is drawn
        points, values = data.linear(num_features)
        model = LinearRegression(input_size=num_features, output_size=1)
        before = (model(points) - values).abs().mean().item()
        history = fit(model, points, values)
        after = (model(points) - values).abs().mean().item()
        print(f"{num_features} feature(s). Mean error: {before:.2f} before, {after:.2f} after")
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
