"""Autograd: gradients without algebra.

A model with one weight predicts y_hat = weight * x. This is its loss, the mean
squared error, and the slope of the loss by the chain rule:

    mse = mean((weight * x - y) ** 2)
    gradient = 2 / n * sum(x * (weight * x - y))

For x = 1, 2, 3, y = 2, 4, 6 and weight = 1 the gradient is -9.3333: the loss
falls as the weight grows. A step goes against it: weight - lr * gradient. The
learning rate lr sets how far it goes. The best weight is 2. One step from 1:

    lr = 0.01   1.09    too small: the descent takes many steps
    lr = 0.1    1.93    good
    lr = 0.3    3.80    too large: beyond 2, and farther away than before

Autograd finds the gradient. While your code runs, it records each computation
with a tensor that has requires_grad=True. loss.backward() walks the record
backwards (backpropagation) and leaves the gradient in weight.grad. Four things
to know:

- backward() adds to what .grad holds. Clear it first: weight.grad = None.
- The update is not part of the loss. Do it under torch.no_grad().
- weight -= ... changes the tensor itself. weight = weight - ... makes another
  one, and the caller's tensor stays as it was.
- weight.detach().clone() is a copy of the numbers, with no record behind it.
  It does not record either, until you call requires_grad_() on it.

Tasks: mse, gradient, by_hand, descend, rates, chain.   Builds on: k01_tensors.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor


def mse(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error of the predictions weight * inputs.

    Args:
        weight: (1,) float32, on any device, as in all functions below.
        inputs, targets: (n,) float32, on the same device. All results lie there, too.

    Returns:
        One number, shape (), from which gradients flow back to the weight.
    """
    # TODO mse: predictions, errors, their squares, the mean
    raise NotImplementedError("mse")


def gradient(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by autograd.

    Args:
        weight: (1,) float32, with requires_grad or without. It stays as it is, and so does its
            .grad.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, the same in every call.
    """
    # TODO gradient: a weight of your own, detached from the one given, that records
    #     gradients; its loss; backward; its .grad
    raise NotImplementedError("gradient")


def gradient_by_hand(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by the formula of the lesson and without autograd.

    Args:
        weight: (1,) float32, with requires_grad or without. It stays as it is.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, without requires_grad.
    """
    # TODO by_hand: the formula of the lesson under torch.no_grad(), in shape (1,)
    raise NotImplementedError("by_hand")


def descend(weight: Tensor, inputs: Tensor, targets: Tensor, lr: float, steps: int) -> list[float]:
    """Gradient descent on mse: each step takes lr * gradient off the weight.

    Args:
        weight: (1,) float32 with requires_grad=True. It is changed in place, and what its .grad
            holds at the start must not count.
        inputs, targets: (n,) float32.
        lr: the learning rate.
        steps: how many steps to take.

    Returns:
        The loss before each step, as plain floats: one for each step.
    """
    # TODO descend: each step: the loss, the old gradient cleared, backward, the update
    #     under torch.no_grad()
    raise NotImplementedError("descend")


def compare_rates(
    weight: Tensor, inputs: Tensor, targets: Tensor, rates: list[float], steps: int
) -> list[float]:
    """Try several learning rates: one descent for each, always from the same weight. `python -m
    katas.k03_autograd` prints what five rates come to, and what autograd has recorded.

    Args:
        weight: (1,) float32, with requires_grad or without. It stays as it is.
        inputs, targets: (n,) float32.
        rates: the learning rates to try.
        steps: how many steps each descent takes.

    Returns:
        For each rate the loss after the last step, as a plain float, in the order of the rates.
    """
    # TODO rates: for each rate a weight of its own; descend with it; then its loss
    raise NotImplementedError("rates")


def network_gradients(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Two gradients of a small network by the chain rule, without autograd.

        x --> z1 = w1 * x + b1 --> a1 = tanh(z1) --+
                                                   +--> y_hat = w3 * a1 + w4 * a2 + b3
        x --> z2 = w2 * x + b2 --> a2 = tanh(z2) --+    loss = (y_hat - y) ** 2

    From w3 to the loss there are two steps, from w1 four. Each step is a factor:

        d loss / d w3 = d loss / d y_hat * d y_hat / d w3
        d loss / d w1 = d loss / d y_hat * d y_hat / d a1 * d a1 / d z1 * d z1 / d w1

    The derivative of tanh at z1 is d a1 / d z1 = 1 - a1 ** 2.

    Args:
        parameters: "w1", "w2", "w3", "w4", "b1", "b2", "b3", each (1,) float32, with requires_grad
            or without.
        x, y: (1,) float32, one point.

    Returns:
        {"w3": ..., "w1": ...}: the two gradients, (1,) float32, without requires_grad.
    """
    # TODO chain: under torch.no_grad() the two nodes and y_hat; the first factor, which
    #     both gradients share; then the others
    raise NotImplementedError("chain")


if __name__ == "__main__":
    from katas.given import plots

    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
    w = torch.tensor([1.0], requires_grad=True)
    rates = [0.001, 0.01, 0.1, 0.2, 0.3]
    print("learning rate  ", *(f"{lr:>10}" for lr in rates))
    for number in (1, 5, 20):
        row = compare_rates(w, x, y, rates, number)
        print(f"loss, step {number:2}  ", *(f"{loss:10.3g}" for loss in row))
    history = descend(w, x, y, lr=0.02, steps=30)
    print(f"weight after 30 steps of 0.02: {w.item():.4f}")
    step, names = mse(w, x, y).grad_fn, []
    while step is not None:  # what autograd has recorded, from the loss back to the weight
        names.append(type(step).__name__)
        step = next((before for before, _ in step.next_functions if before is not None), None)
    print("the record of the loss:", " <- ".join(names))
    plots.show(plots.plot_loss_history(history))
