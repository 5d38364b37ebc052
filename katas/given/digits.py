"""The digits of kata k22: their images, and pictures of what a training makes of them."""

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.datasets import load_digits
from torch import Tensor

from katas.given._drawing import COLOURS, legend, sheet
from katas.given._values import Values, to_array, to_classes, to_columns

# of the test part, as the lesson has them
MEDALS = {"gold": 0.96, "silver": 0.94, "bronze": 0.90}
SIDE = 8  # pixels


def load() -> tuple[Tensor, Tensor]:
    """The images and what they show: features (1797, 64) float32, from 0 (blank) to 16 (black), and
    labels (1797,) int64, the digits 0 to 9.

    scikit-learn has them with it, nothing is downloaded. Source: E. Alpaydin, C. Kaynak, "Optical
    Recognition of Handwritten Digits", UCI Machine Learning Repository, its test part.
    """
    images, digits = load_digits(return_X_y=True)
    return torch.tensor(images, dtype=torch.float32), torch.tensor(digits, dtype=torch.int64)


def medal(answers: Tensor, labels: Tensor) -> str:
    """How many answers are right, and what medal that would be."""
    right = (answers == labels).sum().item()
    share = right / len(labels)
    name = next((name for name, least in MEDALS.items() if share >= least), "no medal yet")
    return f"{right} of {len(labels)} test digits right, {share:.1%}: {name}"


def plot_losses(train_losses: Values, val_losses: Values) -> Figure:
    """The training and the validation loss of each epoch, and the epoch that was kept.

    Args:
        train_losses, val_losses: (epochs,) numbers, at least one.

    Raises:
        ValueError: their shapes differ, or one is wrong.

    What to see: where does the validation loss stop falling, while the training loss goes on?
    """
    training, validation = (
        np.asarray(to_array(losses), dtype=float) for losses in (train_losses, val_losses)
    )
    if training.ndim != 1 or not len(training) or training.shape != validation.shape:
        raise ValueError(
            "Both losses must have the shape (epochs,), a number for each epoch, and these have"
            f" {training.shape} and {validation.shape}."
        )
    epochs, best = np.arange(1, len(training) + 1), int(np.argmin(validation))
    title = f"Stopped after epoch {len(epochs)}; the best was epoch {best + 1}"
    figure, (axes,) = sheet(title, "epoch", "loss")
    axes.plot(epochs, training, color=COLOURS[0], label="training part")
    axes.plot(epochs, validation, "--", color=COLOURS[5], label="validation part")
    axes.plot(
        [best + 1],
        [validation[best]],
        color="black",
        marker="o",
        linestyle="none",
        label="the epoch that is kept",
    )
    axes.axvspan(best + 1, len(epochs), color="0.9", zorder=0, label="no new lowest since")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylim(bottom=0)
    legend(figure, [axes])
    return figure


def plot_images(images: Values, labels: Values, answers: Values) -> Figure:
    """Images of digits that were answered wrong, each with what it is and what it was taken for.

    Args:
        images: (n, 64), at least one, as `load` gives them or scaled; the surest answer first.
        labels, answers: (n,), the right digits and the answered ones.

    Raises:
        ValueError: a shape is wrong.

    What to see: would you have known?
    """
    pixels = to_columns(images, "images", SIDE**2)
    right, _ = to_classes(labels, len(pixels))
    taken, _ = to_classes(answers, len(pixels), what="answers")
    figure, panels = sheet("Wrong answers, the surest first", "", "", len(pixels))
    for axes, image, digit, answer in zip(panels, pixels, right, taken, strict=True):
        axes.imshow(image.reshape(SIDE, SIDE), cmap="Greys")
        axes.set_title(f"a {digit}, taken for {answer}", fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure
