"""What of a printed model counts, and what is free."""

import pytest
import torch
from torch import nn

from dojo import structure
from dojo.training import replay
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


def test_other_names_of_the_named_parts_are_free():
    """Whichever of the names came first."""
    parts = {"first": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three())}
    again = {"all": chain(*parts.values()), "last": parts["chain"][2]}
    right = structure.plain(Net(**parts), "first", "chain")
    for model in (Net(**parts, **again), Net(**again, **parts)):
        expect.printed(model, WANTED)
        assert structure.plain(model, "first", "chain") == right
    for model in (Net(**parts, all=chain(nn.Linear(2, 3), parts["chain"])), Net(**again)):
        with pytest.raises(expect.Unmet, match="another architecture"):
            expect.printed(model, WANTED)
        assert structure.plain(model, "first", "chain") != right


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


def test_a_layer_under_two_names_is_left_as_it_was():
    """torch.func.functional_call leaves the tensors that it is given in such a layer."""
    layer = nn.Linear(2, 3)
    model = Net(first=layer, chain=chain(layer))
    model.forward = lambda x: model.chain(x)
    own = layer.weight
    new = {name: torch.ones_like(one) for name, one in model.named_parameters()}
    assert replay.called(model, new, torch.ones(4, 2)).tolist() == [[3.0] * 3] * 4
    assert layer.weight is own


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"one": nn.Linear(2, 3)}, "there is no first: here it is called one"),
        ({"first": nn.Linear(3, 2)}, "first is Linear(in_features=3, out_features=2, bias=True),"),
        ({"first": nn.Linear(2, 3), "chain": chain(nn.ReLU())}, "chain has 1 part, where 3 are"),
        (
            {"first": nn.Linear(2, 3), "chain": chain(nn.ReLU(), *three()), "x": nn.Linear(1, 1)},
            "the model has parts that are not asked for: x",
        ),
    ],
)
def test_the_first_difference_is_told(parts, words):
    told = structure.difference(structure.of(Net(**parts)), structure.read(WANTED))
    assert told.startswith(words)
