"""The spiral from scratch: a network in NumPy alone.

No torch here: you compute every number that a framework computes for you. For
n points x (n, d), h hidden units and c classes, the forward pass is

    z1 = x W1 + b1     W1 (d, h), b1 (1, h)     a1 = max(0, z1)
    z2 = a1 W2 + b2    W2 (h, c), b2 (1, c)     y_hat = softmax(z2)

max(0, z1) goes entry by entry, as np.maximum does. The softmax is exp(z2)
divided by its sum over the row. exp overflows above 709, so subtract each
row's largest score first. That leaves the softmax the same, and finite.

The loss is the cross-entropy, the mean of -ln(probability of the right class).
Tiny weights give three classes 1/3 each, so it starts at ln 3 = 1.099. The
chain rule leads from it back to every parameter, the last layer first:

    d2 = (y_hat - one_hot) / n      one_hot: 1 at the right class, else 0
    dW2 = a1^T d2                   db2 = the column sums of d2
    d1 = d2 W2^T                    but 0 wherever the ReLU gave 0
    dW1 = x^T d1                    db1 = the column sums of d1

A step of gradient descent is W := W - learning_rate * dW, with all gradients
taken before it. Start with weights 0.01 * a standard normal random number, and
biases 0. Equal weights would keep the hidden units the same forever.

What to do: the pieces, then the loop. `python -m katas.k15_numpy_mlp` draws
what your network learned.

Tasks: init, forward, loss, backward, update, train.
Builds on: k14_multiclass.   Source: Made With ML, "Neural Networks".
"""

import numpy as np

# the keys are "W1", "b1", "W2" and "b2", for the gradients as well
Parameters = dict[str, np.ndarray]


def init_parameters(
    input_dim: int, hidden_dim: int, num_classes: int, seed: int = 1234
) -> Parameters:
    """Random parameters to start from.

    Returns:
        "W1" (input_dim, hidden_dim) and "W2" (hidden_dim, num_classes): 0.01 times standard normal
        random numbers, the same for the same seed. "b1" (1, hidden_dim) and "b2" (1, num_classes):
        zeros. All float64.
    """
    # TODO init: np.random.default_rng(seed) draws the random numbers; zeros need none
    raise NotImplementedError("init")


def forward(parameters: Parameters, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pass through both layers.

    Args:
        x: (n, input_dim) features.

    Returns:
        a1 (n, hidden_dim), the hidden activations, and y_hat (n, num_classes), the probabilities,
        which are finite for large scores, too.
    """
    # TODO forward: z1, a1, z2 by the formulas; subtract each row's largest score; the
    #     softmax of each row
    raise NotImplementedError("forward")


def cross_entropy(y_hat: np.ndarray, labels: np.ndarray) -> float:
    """The mean of -ln(probability of the right class).

    Args:
        y_hat: (n, num_classes) probabilities.
        labels: (n,) class numbers.

    Returns:
        A plain float, no np.float64.
    """
    # TODO loss: pick each row's probability at its label; take the mean of -ln of them,
    #     as a plain float
    raise NotImplementedError("loss")


def slopes_by_hand(scores: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """For one point, the slopes of its right class's probability p and of its loss J = -ln p: how
    both change with each score z_j.

    y is the right class, p = u / S, u = exp(z_y), and S is the sum of exp(z_j) over all classes.
    The quotient rule says

        dp/dz_j = (u' S - u S') / S^2        dJ/dz_j = -1/p dp/dz_j

    The slope of exp(z) is exp(z). u' and S' are the slopes of u and S with respect to z_j. S' has
    one formula for every j; u' has two cases, j = y and any other j.

    Args:
        scores: (num_classes,) of one point, none of them large; left as they are.
        label: the number y of the right class.

    Returns:
        dp/dz and dJ/dz, both (num_classes,). The second should equal y_hat - one_hot.
    """
    # TODO loss: compute u and S, then u' and S', then the quotient rule, then the slope
    #     of the loss
    raise NotImplementedError("loss")


def backward(
    parameters: Parameters, x: np.ndarray, labels: np.ndarray, a1: np.ndarray, y_hat: np.ndarray
) -> Parameters:
    """The gradient of the cross-entropy for every parameter. The arguments are left unchanged.

    Args:
        x, labels: (n, input_dim) features and (n,) class numbers.
        a1, y_hat: what `forward` returned for them.

    Returns:
        A dict with the names of the parameters; each gradient has its parameter's shape.
    """
    # TODO backward: compute d2, dW2, db2, then d1, dW1, db1, as in the lesson; work on a
    #     copy of y_hat
    raise NotImplementedError("backward")


def update(parameters: Parameters, gradients: Parameters, learning_rate: float) -> None:
    """Take one step of gradient descent: afterwards the dict `parameters` holds the new values. New
    arrays or the old ones changed in place: both are fine. `gradients` is left unchanged.
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
    """Fit the parameters by gradient descent: in every epoch one step on all examples. Afterwards
    the dict `parameters` holds the new values.

    Args:
        features: (n, input_dim).
        labels: (n,) class numbers.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # TODO train: in each epoch call forward, cross_entropy, backward and update, in this
    #     order
    raise NotImplementedError("train")


def predict(parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """The likeliest class (n,) of each row of x (n, input_dim), as class numbers."""
    # TODO train: the column of the largest probability in each row
    raise NotImplementedError("train")


if __name__ == "__main__":
    import torch
    from sklearn.metrics import classification_report

    from katas.given import data, plots

    class Network(torch.nn.Module):
        """Your network as a torch model, which is what the plots can draw."""

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
