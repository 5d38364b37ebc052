"""Coefficients of a line or a plane: a flat list of floats, the intercept first, and the best ones
by the formula.
"""

import torch
from torch import Tensor

from tests import expect


def numbers(coefficients: object, call: str = "coefficients(...)") -> Tensor:
    """The coefficients as a tensor, once it is sure that they are a list of plain numbers."""
    kinds = (
        {type(one).__name__ for one in coefficients}
        if isinstance(coefficients, list)
        else {type(coefficients).__name__}
    )
    likely = "tolist() makes floats of the numbers of a tensor or an array, item() of a single one"
    if coefficients is None:
        likely = "`return` is missing"
    elif kinds & {"list", "ndarray"}:
        likely = (
            "a list or an array stands in the list: for targets (n, 1) coef_ is a table of one row,"
            " so take coef_[0]"
        )
    headline, expected = f"{call} does not return a flat list of plain numbers.", "a list of float"
    is_flat = isinstance(coefficients, list) and kinds == {"float"}
    seen = (
        f"a list of {', '.join(sorted(kinds))}"
        if isinstance(coefficients, list)
        else f"{type(coefficients).__name__}"
    )
    expect.that(is_flat, headline, seen=seen, expected=expected, likely=likely)
    return torch.tensor(coefficients)


def check_best(seen: Tensor, points: Tensor, targets: Tensor) -> None:
    """The coefficients (d + 1,) have the lowest mean squared error on points (n, d) and targets (n,
    1).
    """
    ones = torch.ones(len(points), 1)
    best, through_zero = lowest(torch.cat([ones, points], dim=1), targets), lowest(points, targets)
    causes = {
        "the intercept comes first": best.roll(-1),
        "the intercept is missing: it is intercept_": best[1:],
        "the coefficients are missing: they are coef_": best[:1],
        "only the first coefficient is there: coef_ has one for each feature": best[:2],
        "a line through 0 was fitted: leave out fit_intercept=False": torch.cat(
            [torch.zeros(1), through_zero]
        ),
    }
    expect.close(seen, best, what="The best coefficients", causes=causes, atol=1e-3)


def lowest(x: Tensor, y: Tensor) -> Tensor:
    """The weights with the lowest mean squared error of x @ weights, by the normal equation:
    (columns,).
    """
    x, y = x.double(), y.double()
    return torch.linalg.solve(x.T @ x, x.T @ y)[:, 0].float()
