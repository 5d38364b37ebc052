"""The spiral from scratch: a network in NumPy alone.

No torch here: every number that a framework would work out for you, you work
out yourself. For n points with d features, h hidden units and c classes, the
parameters are W1 (d, h), b1 (1, h), W2 (h, c) and b2 (1, c), and the pass
forward is

    z1 = x W1 + b1    a1 = max(0, z1)    z2 = a1 W2 + b2
    y_hat = softmax(z2) = exp(z2) / (the sum of exp(z2) over its row)

exp overflows above 709. Subtract the largest score of a row from the row
first: the softmax stays the same, and is finite.

The loss is the cross-entropy, the mean of -ln(probability given to the right
class). With tiny weights every class begins at 1/3, so it starts at ln 3 =
1.099. From the loss the chain rule leads back to every parameter, the last
layer first:

    d2 = (y_hat - one_hot) / n
    one_hot has a 1 at each point's right class, and 0 elsewhere
    dW2 = a1^T d2                   db2 = the column sums of d2
    d1 = (d2 W2^T), but 0 wherever the ReLU gave 0
    dW1 = x^T d1                    db1 = the column sums of d1

Gradient descent moves each parameter against its gradient: W := W -
learning_rate * dW. Every formula wants the parameters from before the step.
Start from small random weights, 0.01 * a normal deviate, and from biases 0.
With all weights alike, all hidden units would get the same gradient and stay
alike for ever.

What to do: the pieces, then the loop; slopes_by_hand shows where y_hat -
one_hot comes from. `python -m katas.k15_numpy_mlp` draws what your network
learned.

Tasks: init, forward, loss, backward, update, train.
Builds on: k14_multiclass.
Source: Made With ML, "Neural Networks".
"""

import numpy as np

# with the keys "W1", "b1", "W2" and "b2"; the gradients have them too
Parameters = dict[str, np.ndarray]


def init_parameters(
    input_dim: int, hidden_dim: int, num_classes: int, seed: int = 1234
) -> Parameters:
    """Random parameters to start from.

    Returns:
        "W1" (input_dim, hidden_dim) and "W2" (hidden_dim, num_classes): 0.01 times normal deviates,
        the same for the same seed. "b1" (1, hidden_dim) and "b2" (1, num_classes): zeros. All
        float64.
    """
    # TODO init: np.random.default_rng(seed) makes the deviates; zeros need none
    raise NotImplementedError("init")


def forward(parameters: Parameters, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pass through both layers.

    Args:
        x: (n, input_dim) features.

    Returns:
        a1 (n, hidden_dim), the hidden activations, and y_hat (n, num_classes), the probabilities;
        finite for large scores too.
    """
    # TODO forward: z1, a1, z2 by the formulas; subtract each row's largest score; the
    #     softmax of each row
    raise NotImplementedError("forward")


def cross_entropy(y_hat: np.ndarray, labels: np.ndarray) -> float:
    """The mean of -ln(probability of the right class).

    Args:
        y_hat: (n, num_classes) probabilities.
        labels: (n,) class numbers.
    """
    # TODO loss: pick each row's probability at its label; the mean of minus its
    #     logarithm, as a plain number
    raise NotImplementedError("loss")


def slopes_by_hand(scores: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """For one point, how the probability p of its right class y and its loss J = -ln p change with
    each score z_j.

    p = u / S, where u = exp(z_y) and S is the sum of exp(z_j) over all classes. The quotient rule
    says

        dp/dz_j = (u' S - u S') / S^2        dJ/dz_j = -1/p dp/dz_j

    Both u' and S' are slopes at z_j. S' is the same formula for every j, but u' has two cases: j =
    y, and any other j.

    Args:
        scores: (num_classes,) of one point, none of them large; left as they are.
        label: the number y of the right class.

    Returns:
        dp/dz and dJ/dz, both (num_classes,). Compare the second with y_hat - one_hot.
    """
    # TODO loss: u, S and p; u' for both cases and S'; the quotient rule; then the slope
    #     of the loss
    raise NotImplementedError("loss")


def backward(
    parameters: Parameters, x: np.ndarray, labels: np.ndarray, a1: np.ndarray, y_hat: np.ndarray
) -> Parameters:
    """The gradient of the cross-entropy at every parameter.

    Args:
        x, labels: (n, input_dim) features and (n,) class numbers.
        a1, y_hat: what `forward` gave for them. Nothing that comes in is changed.

    Returns:
        The gradients under the names of their parameters, each of its parameter's shape.
    """
    # TODO backward: d2, dW2, db2, then d1, dW1, db1 by the formulas of the lesson; work
    #     on a copy of y_hat
    raise NotImplementedError("backward")


def update(parameters: Parameters, gradients: Parameters, learning_rate: float) -> None:
    """One step of gradient descent: the dict `parameters` holds the new values afterwards,
    `gradients` is left alone.
    """
    # TODO update: each parameter minus learning_rate times its gradient
    raise NotImplementedError("update")


def train(
    parameters: Parameters,
    features: np.ndarray,
    labels: np.ndarray,
    epochs: int = 500,
    learning_rate: float = 1.0,
) -> list[float]:
    """Fit the parameters in place by gradient descent, every epoch one step on all examples.

    Args:
        features: (n, input_dim).
        labels: (n,) class numbers.

    Returns:
        The loss of each epoch, as computed before its step: plain floats.
    """
    # TODO train: each epoch forward, loss, backward, update: your functions, in this
    #     order
    raise NotImplementedError("train")


def predict(parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """The number (n,) of the likeliest class for each row of x (n, input_dim)."""
    # TODO train: the place of the largest probability in each row
    raise NotImplementedError("train")


if __name__ == "__main__":
    import torch
    from sklearn.metrics import classification_report

    from katas.given import data, plots

    class Network(torch.nn.Module):
        """Your network in torch's clothes: the pictures are drawn of such models."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(forward(learned, x.numpy())[1])

    spiral = data.spiral()
    learned = init_parameters(input_dim=2, hidden_dim=100, num_classes=3)
    history = train(learned, spiral.train.features.numpy(), spiral.train.labels.numpy())
    answers = predict(learned, spiral.test.features.numpy())
    report = classification_report(spiral.test.labels, answers, target_names=spiral.classes)
    print(f"On the test part:\n{report}")
    plots.show(
        plots.plot_boundary(
            Network(), spiral.train.features, spiral.train.labels, part="training part"
        ),
        plots.plot_boundary(Network(), spiral.test.features, spiral.test.labels, part="test part"),
        plots.plot_loss_history(history),
    )
