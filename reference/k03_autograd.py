"""Autograd: gradients without algebra.

A model with a single weight predicts y_hat = weight * x, and its loss is the
mean squared error:

    mse = mean((weight * x - y) ** 2)

How does the loss change with the weight? The chain rule gives the derivative
by hand:

    d mse / d y_hat = 2 / n * (y_hat - y)       d y_hat / d weight = x
    gradient = sum of their products = 2 / n * sum(x * (weight * x - y))

For x = 1, 2, 3 with y = 2, 4, 6 and weight = 1 that is -9.3333: the loss falls
as the weight grows, towards 2. With more layers the products become longer,
but all begin alike: what is computed for the output is used again for the
layer before it.

Autograd does this for you. A tensor with requires_grad=True lets every
computation with it be recorded: a result's grad_fn is its last step, and each
step's next_functions are those before it. It is recorded while your code runs:
nothing is declared beforehand, as the first TensorFlow wanted it, and you can
print any tensor on the way. loss.backward() walks this record backwards, which
is called backpropagation, and leaves the gradient in weight.grad. Three things
are good to know:

- backward() adds to what .grad holds already. Whoever wants a fresh gradient
  has to clear the old one first.
- The update weight - lr * gradient is no part of the loss, so it happens under
  torch.no_grad().
- weight -= ... changes the tensor itself; weight = weight - ... gives another
  tensor the same name, and whoever handed in the first one sees nothing of it.

What to do: the loss, its gradient in both ways, the descent, a small network
by hand, and the record itself. `python -m katas.k03_autograd` shows the loss
and its record.

Tasks: mse, gradient, by_hand, descend, two_layers, record.
Builds on: k01_tensors.
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
    # BEGIN SOLUTION mse: predictions, errors, their squares, the mean
    return ((weight * inputs - targets) ** 2).mean()
    # END SOLUTION


def gradient(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by autograd.

    Args:
        weight: (1,) float32, recording gradients or not. It is left as it came, and so is its
            .grad.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, the same in every call.
    """
    # BEGIN SOLUTION gradient: a weight of your own, detached from the one given, that records
    #     gradients; the loss of it;
    #     backward; its .grad
    own = weight.detach().clone().requires_grad_()
    mse(own, inputs, targets).backward()
    return own.grad
    # END SOLUTION


def gradient_by_hand(weight: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of mse at the weight, by the formula of the lesson and without autograd.

    Args:
        weight: (1,) float32, recording gradients or not. It is left as it came.
        inputs, targets: (n,) float32.

    Returns:
        (1,) float32, which records no gradients.
    """
    # BEGIN SOLUTION by_hand: the formula of the lesson under torch.no_grad(), in shape (1,)
    with torch.no_grad():
        errors = weight * inputs - targets
        return (2 * inputs * errors).mean().reshape(1)
    # END SOLUTION


def descend(weight: Tensor, inputs: Tensor, targets: Tensor, lr: float, steps: int) -> list[float]:
    """Gradient descent on mse: each step takes lr * gradient off the weight.

    Args:
        weight: (1,) float32 with requires_grad=True. It is changed in place. What its .grad holds
            before does not matter. inputs, targets: (n,) float32.
        lr: the learning rate.
        steps: how many steps to take.

    Returns:
        The loss of each step, as computed before it: plain floats.
    """
    # BEGIN SOLUTION descend: each step: the loss, the old gradient cleared, backward, the update
    #     under torch.no_grad()
    losses = []
    for _ in range(steps):
        loss = mse(weight, inputs, targets)
        weight.grad = None
        loss.backward()
        with torch.no_grad():
            weight -= lr * weight.grad
        losses.append(loss.item())
    return losses
    # END SOLUTION


def network_gradients(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """The gradient of one point's loss at the seven parameters of a small network, by the chain
    rule and without autograd.

        z1 = w1 * x + b1        a1 = tanh(z1)
        z2 = w2 * x + b2
        a2 = tanh(z2)
        y_hat = w3 * a1 + w4 * a2 + b3
        loss = (y_hat - y) ** 2

    From the end: d loss / d y_hat = 2 * (y_hat - y). At w3 it is multiplied by d y_hat / d w3 = a1.
    At w1 the way is longer:

        d loss / d w1 = d loss / d y_hat * d y_hat / d a1 * d a1 / d z1 * d z1 / d w1
        d a1 / d z1 = 1 - a1 ** 2

    Args:
        parameters: "w1", "w2", "w3", "w4", "b1", "b2", "b3", each (1,) float32, recording gradients
            or not.
        x, y: (1,) float32, the point.

    Returns:
        A dict with the same names: the gradients, each (1,) float32, which record no gradients.
    """
    # BEGIN SOLUTION two_layers: the two nodes and y_hat; the loss's gradient at y_hat, then at z1
    #     and z2, then at all seven;
    #     under torch.no_grad()
    with torch.no_grad():
        w1, w2, w3, w4, b1, b2, b3 = (
            parameters[name] for name in ("w1", "w2", "w3", "w4", "b1", "b2", "b3")
        )
        a1, a2 = torch.tanh(w1 * x + b1), torch.tanh(w2 * x + b2)
        at_y_hat = 2 * (w3 * a1 + w4 * a2 + b3 - y)
        at_z1, at_z2 = at_y_hat * w3 * (1 - a1**2), at_y_hat * w4 * (1 - a2**2)
        first = {"w1": at_z1 * x, "b1": at_z1, "w2": at_z2 * x, "b2": at_z2}
        return {**first, "w3": at_y_hat * a1, "w4": at_y_hat * a2, "b3": at_y_hat}
    # END SOLUTION


def recorded_steps(result: Tensor) -> list[str]:
    """The names of the steps that autograd recorded, from a result back to the one tensor it
    depends on.

    Args:
        result: computed from a single recording tensor, one step after the other, so that the
            record is a chain. A step has
            a tuple next_functions with a pair (step before, number) for each thing it took in; the
            step is None where
            nothing was recorded, as for data.

    Returns:
        The names of the steps' types, the last step first, such as ["MeanBackward0",
        "MulBackward0", "AccumulateGrad"]. At the end stands "AccumulateGrad", which adds to .grad.
        The list of a tensor without a record (grad_fn is None) is empty.
    """
    # BEGIN SOLUTION record: begin with result.grad_fn; keep the name of its type; go on with the
    #     step before that is not None
    names, step = [], result.grad_fn
    while step is not None:
        names.append(type(step).__name__)
        step = next((before for before, _ in step.next_functions if before is not None), None)
    return names
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import plots

    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
    w = torch.tensor([1.0], requires_grad=True)
    history = descend(w, x, y, lr=0.02, steps=30)
    print(f"weight: {w.item():.4f}")
    print("the loss, backwards:", " -> ".join(recorded_steps(mse(w, x, y))))
    plots.show(plots.plot_loss_history(history))
