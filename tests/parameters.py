"""For lessons that count a model's parameters or list them: what each known mistake would give
instead.
"""

from torch import nn

from tests import expect

Row = tuple[str, tuple[int, ...], int]  # name, shape, how many numbers


def check_count(seen: object, model: nn.Sequential, expected: int, what: str) -> None:
    """The number of all entries of the parameters of a model with linear layers."""
    layers = [part for part in model if isinstance(part, nn.Linear)]
    causes = {
        "these are the tensors: a weight matrix holds more than one number (numel())": len(
            list(model.parameters())
        ),
        "the biases are left out": sum(layer.weight.numel() for layer in layers),
        "only the first dimension is counted: numel() is the number of all entries": sum(
            map(len, model.parameters())
        ),
        "only the first layer is counted": sum(
            parameter.numel() for parameter in layers[0].parameters()
        ),
    }
    expect.equal(seen, expected, what=what, causes=causes)


def check_table(seen: object, expected: list[Row], what: str) -> None:
    """Name, shape and number of entries of each parameter; weights and biases by turns."""
    causes = {
        "a table is a list of rows: this is a dict": {
            name: (shape, number) for name, shape, number in expected
        },
        "a row is a tuple of three: (name, shape, number)": [list(row) for row in expected],
        "the names are left out: model.named_parameters() gives them": [
            row[1:] for row in expected
        ],
        "the numbers are left out: parameter.numel()": [row[:2] for row in expected],
        "the biases are left out": expected[::2],
        "only the first dimension is counted: numel() is the number of all entries": [
            (n, s, s[0]) for n, s, _ in expected
        ],
        "the shape is turned around: a weight has a row for each output": [
            (n, s[::-1], number) for n, s, number in expected
        ],
        "these are the layers' names, and a layer has a weight and a bias": [
            (name.rpartition(".")[0], shape, number) for name, shape, number in expected
        ],
    }
    expect.equal(seen, expected, what=what, causes=causes)
