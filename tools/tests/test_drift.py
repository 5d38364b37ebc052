"""Drift: the calls on a device beside those on the CPU. Here both are the CPU, so that a difference
is one we made.
"""

import math

import pytest
import torch
from torch import nn

from dojo.simulated import backend
from dojo.suite import devices, drift, twins
from dojo.suite.drift import Shadow
from dojo.suite.twins import copy_on_cpu, numbers_in


def watch(function, *args, name="forward", **kwargs):
    shadow = Shadow("cpu")
    result = shadow.watched(name, function)(*args, **kwargs)
    return result, shadow._largest


class Differing:
    """Gives another number in its second call, which is the real one: the first is the twin's."""

    def __init__(self, difference):
        self.difference, self.calls = difference, 0

    def __call__(self, x):
        self.calls += 1
        return x + self.difference * (self.calls - 1)


def test_the_largest_difference_is_told_absolute_and_relative():
    result, largest = watch(Differing(0.5), torch.tensor([1.0, 2.0]))
    assert result.tolist() == [1.5, 2.5]
    assert largest == {"forward": (0.5, 0.25)}


def test_losses_of_a_training_are_told_apart_from_a_forward_pass():
    assert watch(lambda x: [1.0, 2.0], torch.ones(2), name="train")[1] == {"loss": (0.0, 0.0)}


def test_not_a_number_is_the_largest_of_all_and_stays():
    shadow = Shadow("cpu")
    shadow._compare("loss", torch.tensor([math.nan]), torch.tensor([1.0]))
    shadow._compare("loss", torch.tensor([1.0]), torch.tensor([1.0]))
    assert all(math.isnan(value) for value in shadow._largest["loss"])


def test_a_training_is_made_once_only_on_the_real_model_and_once_on_its_twin():
    model = nn.Linear(1, 1)
    before = model.weight.item()

    def train(model):
        with torch.no_grad():
            model.weight += 1
        return [model.weight.item()]

    _, largest = watch(train, model, name="train")
    assert model.weight.item() == pytest.approx(before + 1)
    assert largest["loss"] == (0.0, 0.0)


def test_random_numbers_are_the_same_for_both_and_the_tests_see_none_of_it():
    torch.manual_seed(1)
    result, largest = watch(lambda x: x + torch.rand(2), torch.zeros(2))
    torch.manual_seed(1)
    assert torch.equal(result, torch.rand(2))
    assert largest["forward"] == (0.0, 0.0)


@pytest.fixture
def generator(monkeypatch):
    """A generator of the device's own, as a GPU has one: the CPU's twin draws other numbers than
    the real call.
    """
    made = torch.Generator()
    monkeypatch.setattr(drift, "own_generator", lambda device: [made.get_state()])
    return made


def test_what_draws_random_numbers_on_the_device_is_not_compared(generator):
    noise = watch(lambda x: x + torch.rand(2, generator=generator), torch.zeros(2))
    assert noise[1] == {}
    losses = watch(
        lambda x: [torch.rand(1, generator=generator).item()], torch.zeros(2), name="overfit"
    )
    assert losses[1] == {}
    assert watch(Differing(0.5), torch.tensor([1.0, 2.0]))[1] == {"forward": (0.5, 0.25)}


class Noisy(nn.Module):
    def __init__(self, generator=None):
        super().__init__()
        self.weight, self.generator = nn.Parameter(torch.ones(1)), generator

    def forward(self, x):
        return x + (torch.rand(2, generator=self.generator) if self.training else 0)


@pytest.mark.parametrize(("training", "found"), [(True, {}), (False, {"forward": (0.0, 0.0)})])
@pytest.mark.parametrize("own", [True, False])
def test_a_model_that_draws_random_numbers_is_not_compared(generator, training, found, own):
    shadow, model = Shadow("cpu"), Noisy(generator if own else None).train(training)
    inputs = (torch.zeros(2),)
    shadow._enter(model, inputs)
    shadow._leave(model, inputs, model(*inputs))
    assert shadow._largest == found


def test_the_generator_is_that_of_the_device_which_is_judged(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: f"of {device}")
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: "of mps")
    assert [twins.own_generator(name) for name in ("cuda:1", "mps", "simulated", "cpu")] == [
        ["of cuda:1"],
        ["of mps"],
        [],
        [],
    ]


def test_a_call_that_fails_raises_as_ever_and_is_not_compared():
    with pytest.raises(ZeroDivisionError):
        watch(lambda x: 1 / 0, torch.ones(1))


def test_calls_without_a_tensor_on_the_device_are_left_alone():
    counted = Differing(0.5)
    shadow = Shadow("meta")
    shadow.watched("forward", counted)(torch.ones(1))
    assert counted.calls == 1


def test_copies_keep_what_is_shared_and_can_hold_results_with_a_graph():
    model = nn.Sequential(nn.Linear(2, 2))
    model.kept = [model(torch.ones(1, 2))]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    copied, copied_optimizer = copy_on_cpu((model, optimizer))
    assert copied is not model
    assert copied_optimizer.param_groups[0]["params"][0] is copied[0].weight
    assert torch.equal(copied.kept[0], model.kept[0])
    assert not copied.kept[0].requires_grad


def test_an_optimizer_of_a_model_on_the_device_moves_its_copy_on_the_cpu():
    """There `module.to(...)` makes new parameters, and the twin of a training would step on the old
    ones.
    """
    if reason := backend.available():
        pytest.skip(reason)
    model = nn.Linear(2, 2).to(devices.get("simulated"))
    copied, optimizer = copy_on_cpu((model, torch.optim.SGD(model.parameters(), lr=0.1)))
    assert optimizer.param_groups[0]["params"][0] is copied.weight
    assert isinstance(copied.weight, nn.Parameter)
    assert copied.weight.device.type == "cpu"
    assert model.weight.device.type == "simulated"


def test_what_can_be_compared():
    assert [
        number.tolist()
        for number in numbers_in(
            (torch.ones(2), [0.5, True], "text", torch.ones(1, dtype=torch.int64))
        )
    ] == [[1.0, 1.0], [0.5]]
    assert next(iter(twins.tensors_in({"a": [torch.ones(1)]}))).tolist() == [1.0]
