"""Digits: the whole way, on real data.

scikit-learn ships 1797 digits that people wrote by hand. Each is an image of
8 x 8 pixels, from 0 (blank) to 16 (black); here it is a row of 64 numbers. You
take them the whole way, as you would at work:

               training   --scale--> train_epoch  | each epoch, until it
    all rows   validation --scale--> evaluate     | is time to stop
    --split--> test       --scale--> the model answers, once, at the end:
                                     confusion, most_wrong

All pixels have the same unit, so one mean and one std serve them all.

An epoch goes through the training part in mini-batches, in a new random order
each time. At first both losses fall. Later the training loss goes on falling,
while the validation loss stops, and in the end rises: the model has begun to
memorize. Early stopping ends the training in time, and puts the best epoch's
model back. Beware: state_dict() makes no copy. What it holds changes with
every further step.

Three medals are for the share of test digits that your model gets right, after
40 epochs at most: bronze 90 %, silver 94 % and gold 96 %. You need all three.
Then look closer: which digits are taken for which, and can you see why?

What to do: six small steps. `python -m katas.k22_digits` runs them all, and
draws both losses, the confusion and the surest wrong answers.

Tasks: split, scale, model, epoch, train, look.
Builds on: k14_multiclass, k16_data_pipeline, k18_regularization.
Source: load_digits of scikit-learn (E. Alpaydin and C. Kaynak, UCI).
"""

import copy

import torch
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F


def split(labels: Tensor, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Deal the rows out: 50 % to train on, 20 % to validate, 30 % to test.

    Every row is in exactly one part. Each part has the classes in the proportions of the whole,
    give or take two rows of a class, and its rows are in random order.

    Args:
        labels: (n,) int64, class numbers, on the CPU; at least ten rows of each class.
        seed: the same seed gives the same parts; another seed gives others.

    Returns:
        The row numbers of the training, the validation and the test part: each (rows,) int64, on
        the CPU.
    """
    # TODO split: deal out the numbers 0 to n - 1, stratified by the labels: first one
    #     part and the rest, then the rest once more
    raise NotImplementedError("split")


def scale(train: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """(x - mean) / std, with one mean and one std for all numbers of all parts: those of `train`.

    Args:
        train: (n, d) float32, the training part, on any device.
        others: (m, d) float32 on that device, as many as there are, also none.

    Returns:
        train and the others, scaled, in their order: float32, on that device. The originals stay
        as they were.
    """
    # TODO scale: the mean and std of all numbers of train, and the formula for each part
    raise NotImplementedError("scale")


def make_model(num_features: int, num_classes: int) -> nn.Module:
    """A new model on the CPU: each call makes another one, with other random weights.

    It maps (n, num_features) float32 to raw scores (n, num_classes): any numbers, with no softmax
    or other activation after the last layer. It has a hidden layer, with an activation behind it.
    """
    # TODO model: any layers you like, the last with num_classes outputs
    raise NotImplementedError("model")


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    features: Tensor,
    labels: Tensor,
    batch_size: int = 64,
) -> float:
    """One epoch in training mode: mini-batches, each with one step of the optimizer, which follows
    the gradient of nn.CrossEntropyLoss.

    Each call shuffles the rows anew. Every row is in one batch. The batches have batch_size rows,
    and the last one has what is left.

    Args:
        model: gives raw scores; on any device, in any mode.
        optimizer: of the model's parameters.
        features: (n, num_features) float32, on the model's device.
        labels: (n,) int64, class numbers, there too.

    Returns:
        The mean loss of the rows, each in its batch before the step; a batch counts by its rows. A
        plain float.
    """
    # TODO epoch: training mode; for the rows of each batch of a random permutation the
    #     loss and the five moves of k05, and add up loss times rows
    raise NotImplementedError("epoch")


def evaluate(model: nn.Module, features: Tensor, labels: Tensor) -> float:
    """The mean of nn.CrossEntropyLoss over the rows, in evaluation mode and without gradients.

    Nothing is learned from them, and afterwards autograd records again. Arguments as in
    train_epoch.

    Returns:
        A plain float.
    """
    # TODO epoch: evaluation mode; the loss of all rows, with nothing recorded
    raise NotImplementedError("epoch")


def train(
    model: nn.Module,
    x_train: Tensor,
    y_train: Tensor,
    x_val: Tensor,
    y_val: Tensor,
    epochs: int = 40,
    patience: int = 5,
    batch_size: int = 64,
) -> tuple[list[float], list[float]]:
    """Fit the model in place, with one optimizer of torch.optim, and stop early.

    Each epoch is a train_epoch with the training part, then an evaluate with the validation part.
    It is the best so far if its validation loss is lower than those of all epochs before; equal is
    not lower. The training ends after `patience` epochs in a row that were not the best so far, or
    after `epochs` epochs. The model ends with the state_dict that it had after the best epoch.

    Args:
        model: from make_model or another one that gives raw scores, on any device; it stays there.
        x_train, x_val: (n, num_features) float32, on the model's device.
        y_train, y_val: (n,) int64, class numbers, there too.

    Returns:
        The training losses and the validation losses: two lists of plain floats, one for each
        epoch that was made.
    """
    # TODO train: make an optimizer. In each epoch call the two functions above, and copy
    #     the state if the validation loss is a new lowest one; otherwise count the epoch. At the
    #     end put the best state back
    raise NotImplementedError("train")


def confusion(labels: Tensor, answers: Tensor, num_classes: int) -> Tensor:
    """How often each class got each answer.

    Args:
        labels: (n,) int64, the right class numbers, on any device.
        answers: (n,) int64, the answered ones, on that device.

    Returns:
        (num_classes, num_classes) int64, on that device: [i, j] is the number of rows of class i
        that were answered j. A class that does not occur has zeros.
    """
    # TODO look: count the pairs; i * num_classes + j is a number for the pair (i, j)
    raise NotImplementedError("look")


def most_wrong(scores: Tensor, labels: Tensor) -> Tensor:
    """The rows that are answered wrong, the surest answer first.

    The answer is the class of the largest score. How sure it is, is its softmax probability.

    Args:
        scores: (n, num_classes) float32, raw scores, on any device.
        labels: (n,) int64, the right class numbers, on that device.

    Returns:
        Row numbers, (wrong answers,) int64, on that device; empty if all answers are right.
    """
    # TODO look: the probability and the answer of each row; the wrong rows; these sorted
    #     by probability
    raise NotImplementedError("look")


if __name__ == "__main__":
    from katas.given import digits, plots

    images, numbers = digits.load()
    parts = split(numbers)
    x_train, x_val, x_test = scale(*(images[rows] for rows in parts))
    y_train, y_val, y_test = (numbers[rows] for rows in parts)
    network = make_model(64, 10)
    losses = train(network, x_train, y_train, x_val, y_val)
    with torch.no_grad():
        test_scores = network.eval()(x_test)
    test_answers = test_scores.argmax(dim=1)
    print(f"{len(losses[0])} epochs; {digits.medal(test_answers, y_test)}")
    print(confusion(y_test, test_answers, 10))
    surest = most_wrong(test_scores, y_test)[:12]
    plots.show(
        digits.plot_losses(*losses),
        plots.plot_confusion(y_test, test_answers, [str(digit) for digit in range(10)]),
        digits.plot_images(images[parts[2]][surest], y_test[surest], test_answers[surest]),
    )
