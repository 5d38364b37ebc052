"""What of a printed model counts, and what is free."""

import pytest
from torch import nn

from dojo import structure
from tests.support import expect

WANTED = """
    Net(
      (first): Linear(in_features=2, out_features=3, bias=True)
      (chain): Sequential(
        (0): ReLU()
        (1-2): 2 x Linear(in_features=3, out_features=3, bias=True)
      )
    )
"""


class Net(nn.Module):
    """A model of these parts, made in this order."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def chain(*parts: nn.Module) -> nn.Sequential:
    return nn.Sequential(*parts)


def three(first: int = 3) -> list[nn.Module]:
    return [nn.Linear(3, first), nn.Linear(first, 3)]


def named() -> nn.Sequential:
    parts = nn.Sequential()
    for name, part in zip(("bend", "one", "two"), [nn.ReLU(inplace=True), *three()], strict=True):
        parts.add_module(name, part)
    return parts


@pytest.mark.parametrize(
    "parts",
    [
        {"first": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three())},
        {"chain": chain(nn.ReLU(True), *three()), "first": nn.Linear(2, 3)},
        {"first": nn.Linear(2, 3), "relu": nn.ReLU(), "chain": named(), "loss": nn.MSELoss()},
    ],
    ids=["as it stands", "another order, in place", "names in the chain, parts without parameters"],
)
def test_what_is_free_is_let_pass_by_test_and_exam(parts):
    expect.printed(Net(**parts), WANTED)
    right = Net(first=nn.Linear(2, 3), chain=chain(nn.ReLU(), *three()))
    assert structure.plain(Net(**parts)) == structure.plain(right)


@pytest.mark.parametrize(
    "parts",
    [
        {"first": nn.Linear(2, 3)},
        {"one": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three())},
        {"first": nn.Linear(2, 3, bias=False), "chain": chain(nn.ReLU(), *three())},
        {"first": nn.Linear(3, 2), "chain": chain(nn.ReLU(), *three())},
        {"first": nn.Linear(2, 3), "chain": chain(*three(), nn.ReLU())},
        {"first": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three(), nn.Tanh())},
        {"first": nn.Linear(2, 3), "chain": chain(nn.Tanh(), *three())},
        {"first": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three()), "more": nn.Linear(1, 1)},
    ],
    ids=["missing", "name", "bias", "sizes", "order", "too many", "type", "more that learns"],
)
def test_what_counts_is_refused_by_test_and_exam(parts):
    with pytest.raises(expect.Unmet, match="another architecture"):
        expect.printed(Net(**parts), WANTED)
    right = Net(first=nn.Linear(2, 3), chain=chain(nn.ReLU(), *three()))
    assert structure.plain(Net(**parts)) != structure.plain(right)


def test_a_part_that_the_stub_names_counts_though_it_has_nothing_to_learn():
    right, without = Net(linear=nn.Linear(1, 1), bend=nn.Tanh()), Net(linear=nn.Linear(1, 1))
    assert structure.plain(right) == structure.plain(without)
    assert structure.plain(right, "bend") != structure.plain(without, "bend")
