"""Autograd: gradients without algebra.

A model with a single weight predicts y_hat = weight * x, and its loss is the mean squared error:

    mse = mean((weight * x - y) ** 2)

How does the loss change with the weight? The chain rule gives the derivative by hand:

    d mse / d y_hat = 2 / n * (y_hat - y)       d y_hat / d weight = x
    gradient = sum of their products = 2 / n * sum(x * (weight * x - y))

For x = 1, 2, 3 with y = 2, 4, 6 and weight = 1 that is -9.3333: the loss falls as the weight grows, towards 2. In a network of
many layers such products become long, and autograd takes over. A tensor with requires_grad=True lets every computation with
it be recorded; loss.backward() walks the record backwards, which is called backpropagation, and leaves the gradient in
weight.grad. Three things are good to know:

- backward() adds to what .grad holds already. Whoever wants a fresh gradient has to clear the old one first.
- The update weight - lr * gradient is no part of the loss, so it happens under torch.no_grad().
- weight -= ... changes the tensor itself; weight = weight - ... gives another tensor the same name, and whoever handed in the
  first one sees nothing of it.

What to do: the loss, its gradient in both ways, and the descent that follows it. `python -m katas.k03_autograd` shows the loss.

Tasks: mse, gradient, by_hand, descend.   Builds on: k01_tensors.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor


def mse(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error of the predictions weight * inputs.

    Args:
        weight: (1,) float32.
        inputs, targets: (n,) float32.

    Returns:
        One number, shape (), from which gradients flow back to the weight.
    """
    # TODO mse: predictions, errors, their squares, the mean
    raise NotImplementedError("mse")


def gradient(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by autograd.

    Args:
        weight: (1,) float32, recording gradients or not. It is left as it came, and so is its .grad.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, the same in every call.
    """
    # TODO gradient: a weight of your own, detached from the one given, that records gradients; the loss of it;
    #     backward; its .grad
    raise NotImplementedError("gradient")


def gradient_by_hand(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by the formula of the lesson and without autograd.

    Args:
        weight: (1,) float32, recording gradients or not. It is left as it came.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, which records no gradients.
    """
    # TODO by_hand: the formula of the lesson under torch.no_grad(), in shape (1,)
    raise NotImplementedError("by_hand")


def descend(weight: Tensor, inputs: Tensor, targets: Tensor, lr: float, steps: int) -> list[float]:
    """Gradient descent on mse: each step takes lr * gradient off the weight.

    Args:
        weight: (1,) float32 with requires_grad=True. It is changed in place. What its .grad holds before does not matter.
        inputs, targets: (n,) float32.
        lr: the learning rate.
        steps: how many steps to take.

    Returns:
        The loss of each step, as computed before it: plain floats.
    """
    # TODO descend: each step: the loss, the old gradient cleared, backward, the update under torch.no_grad()
    raise NotImplementedError("descend")


if __name__ == "__main__":
    from katas.given import plots

    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
    w = torch.tensor([1.0], requires_grad=True)
    history = descend(w, x, y, lr=0.02, steps=30)
    print(f"weight: {w.item():.4f}")
    plots.show(plots.plot_loss_history(history))
