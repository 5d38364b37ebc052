"""On each device a kata gives the same values, not only the same places: what placement tests say
of code that goes another way off the CPU, and what shows that they say it.
"""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dojo import catalog
from dojo.results import NO_TEST, KataResult, Outcome, TaskResult, TestResult
from dojo.simulated import NAME, backend
from dojo.suite import devices, spoiled, twins
from dojo.suite.unit import Unit
from dojo.validate import placement as gate
from dojo.validate.test_files import device_tests, run_texts
from reference.k21_optimizers import Momentum
from tests.support import expect, placement

pytestmark = pytest.mark.skipif(backend.available() is not None, reason=str(backend.available()))
X = torch.tensor([[1.0, -2.0], [3.0, 0.5]])


@pytest.fixture
def device():
    return devices.get(NAME)


class Layer(nn.Module):
    """A kata's model, as far as the tools can see."""

    __module__ = "k99_layer"

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0, -1.0]))

    def forward(self, x):
        return x * self.weight


def descend(model, x, y):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        loss = (model(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def off_the_cpu(tensor):
    return tensor.device.type != "cpu"


OTHER_WAYS = {
    "negated": lambda x: -x if off_the_cpu(x) else x.clone(),
    "scaled": lambda x: 1.01 * x if off_the_cpu(x) else 1.0 * x,
    "detached": lambda x: x.detach().clone() if off_the_cpu(x) else x.clone(),
    "dtype": lambda x: x.half() if off_the_cpu(x) else x.clone(),
    "shape": lambda x: x[:1] if off_the_cpu(x) else x.clone(),
    "a number": lambda x: 1.0 if off_the_cpu(x) else 2.0,
    "a sentence": lambda x: "no" if off_the_cpu(x) else "yes",
    "a list": lambda x: [x.clone(), x + 1] if off_the_cpu(x) else [x.clone(), x + 2],
    "not a number": lambda x: x / 0 * 0 if off_the_cpu(x) else x.clone(),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_another_way_off_the_cpu_is_told(device, way):
    x = X.clone().requires_grad_()
    with pytest.raises(expect.Unmet) as raised:
        placement.check(OTHER_WAYS[way], x, device=device, what="The result")
    assert "not the same on simulated" in str(raised.value)
    assert placement.OTHER_WAY in str(raised.value)


def test_what_is_the_same_everywhere_passes(device):
    result = placement.check(Layer(), X, device=device, what="The output")
    assert result.device.type == NAME
    assert placement.same(lambda x: [str(x.shape), None, x.sum().item()], X, device=device, what="")


def test_rounding_of_another_device_is_let_pass(device):
    """A GPU adds in another order."""
    rounded = torch.finfo(torch.float32).eps * 20
    placement.check(
        lambda x: x * (1 + rounded) if off_the_cpu(x) else x * 1, X, device=device, what="A product"
    )


def test_training_comes_to_the_same_weights(device):
    def train(model, x, y):
        losses = descend(model, x, y)
        with torch.no_grad():
            model.weight *= 1.01 if off_the_cpu(x) else 1  # after the last loss
        return losses

    data = [X.to(device), X.flip(0).to(device)]
    placement.check_training(descend, Layer().to(device), data, epochs=3)
    with pytest.raises(expect.Unmet, match="What was given for the losses of a training"):
        placement.check_training(train, Layer().to(device), data, epochs=3)


def test_training_may_not_be_done_by_a_copy_on_the_cpu(device):
    def train(model, x, y):
        copy = Layer()
        losses = descend(copy, x.cpu(), y.cpu())
        model.load_state_dict(copy.state_dict())
        return losses

    data = [X.to(device), X.flip(0).to(device)]
    with pytest.raises(expect.Unmet, match="Layer is called with tensors on another device"):
        placement.check_training(train, Layer().to(device), data, epochs=3)


def test_the_same_random_numbers_are_drawn_for_both(device):
    drawing = [lambda x: x + torch.randn(2, 2, device=x.device), nn.Dropout(0.5)]
    for call in drawing:
        before = torch.get_rng_state()
        placement.check(call, X, device=device, what="Something drawn")
        assert not torch.equal(torch.get_rng_state(), before)


def test_code_that_repeats_nothing_is_not_compared(device):
    generator = torch.Generator().manual_seed(1)  # of its own: nobody can set it back
    placement.same(
        lambda x: torch.randn(3, generator=generator).tolist(), X, device=device, what="Something"
    )


def test_a_reference_that_negates_off_the_cpu_fails_at_once():
    """Before values were compared, nothing noticed it."""
    kata = catalog.load().find("k12")
    text = kata.reference_text()
    right = "return (logits >= 0).reshape(-1).to(torch.int64)"
    assert text.count(right) == 1
    wrong = text.replace(right, f"{right} * (1 if logits.device.type == 'cpu' else -1)")
    unit = Unit("", kata.name, NAME)
    (result,) = run_texts([(unit, wrong)], catalog.load().katas)
    failed = [test for test in result.tests if test.outcome == Outcome.FAILED]
    assert [test.name for test in failed] == ["test_follows_its_device"]
    assert "The labels: not the same on simulated" in failed[0].message


def test_float64_on_its_way_to_an_apple_gpu_is_found_without_a_mac():
    """NumPy's numbers are float64: moved first and converted then, they pass on CUDA."""
    kata = catalog.load().find("k19")
    text = kata.reference_text()
    right = "model(inputs.to(next(model.parameters()).device))"
    assert text.count(right) == 1
    wrong = "model(torch.from_numpy(features).to(next(model.parameters()).device).float())"
    converted = "model(torch.from_numpy(features).float().to(next(model.parameters()).device))"
    texts = [text.replace(right, each) for each in (wrong, converted)]
    unit = Unit("", kata.name, NAME, until="test_takes_the_data_to_the_model")
    results = run_texts([(unit, each) for each in texts], catalog.load().katas)
    failed, none = ([t for t in each.tests if t.outcome == Outcome.FAILED] for each in results)
    assert [test.name for test in failed] == ["test_takes_the_data_to_the_model"]
    assert "float64 was sent to a device" in failed[0].message
    assert ".float().to(device)" in failed[0].message
    assert none == []


def run_gate(test, watched=None):
    """What the gate says of a placement test, and the ways that it noticed."""
    plugin = spoiled.Spoiled(NAME)
    calls = {name: plugin.watched(name, call) for name, call in (watched or {}).items()}
    item = SimpleNamespace(runtest=lambda: test(**calls), nodeid="file::test")
    steps = plugin.pytest_runtest_call(item)
    next(steps)
    item.runtest()
    problem = ""
    try:
        next(steps)
    except StopIteration:
        pass
    except pytest.fail.Exception as failure:
        problem = str(failure)
    return problem, {way for _, _, way in plugin.caught}


def double(x):
    return x * 2


def test_the_gate_lets_a_test_pass_that_compares_values(device):
    def test(double):
        x = X.clone().requires_grad_()
        placement.check(double, x, device=device, what="The result")

    problem, ways = run_gate(test, {"double": double})
    assert problem == ""
    assert ways == {*spoiled.WAYS, spoiled.ROUND_TRIP, spoiled.CPU_COPY}


def test_the_gate_finds_a_test_that_asks_where_only(device):
    def test(double):
        expect.on_device(double(X.to(device)), device, what="The result")

    problem, _ = run_gate(test, {"double": double})
    assert "double, negated; double, a hundredth too large" in problem


def test_an_error_is_not_taken_for_having_noticed(device):
    def test(double):
        if (double(X.to(device)).cpu() != 2 * X).any():
            raise TypeError("of the gate's own, maybe")

    problem, ways = run_gate(test, {"double": double})
    assert "double, negated (TypeError: of the gate's own, maybe)" in problem
    assert "negated" not in ways


def test_the_gate_knows_numbers_beside_tensors(device):
    def doubled_and_sum(x):
        return x * 2, float(x.sum())

    def test(doubled_and_sum):
        placement.check(doubled_and_sum, X.clone(), device=device, what="The result")

    problem, ways = run_gate(test, {"doubled_and_sum": doubled_and_sum})
    assert problem == "" and {spoiled.ROUND_TRIP, spoiled.CPU_COPY} <= ways


def test_the_gate_finds_a_test_that_asks_nothing_of_a_model(device):
    problem, _ = run_gate(lambda: Layer().to(device)(X.to(device)))
    assert "Layer, negated" in problem


def test_the_gate_finds_a_test_that_reaches_nothing():
    assert run_gate(lambda: None)[0] == spoiled.NOTHING


def test_the_gate_finds_a_training_whose_weights_nobody_looks_at(device):
    def test(train):
        losses = placement.same(
            lambda x: train(Layer().to(x.device), x, x), X.to(device), device=device, what="Losses"
        )
        expect.losses(losses, 3)

    problem, _ = run_gate(test, {"train": descend})
    assert "train, other weights" in problem


@pytest.mark.parametrize(
    "there_and_back",
    [
        lambda x: (x.cpu() * 2).to(x.device),
        lambda x: torch.tensor((x.cpu() * 2).tolist(), device=x.device),
        lambda x: torch.as_tensor(x.cpu().numpy() * 2).to(x.device),
    ],
)
def test_the_gate_finds_a_reference_that_works_on_the_cpu(device, there_and_back):
    problem, _ = run_gate(lambda double: double(X.to(device)), {"double": there_and_back})
    assert "the numbers go to the CPU and come back: double" in problem


def test_the_numbers_that_an_object_of_a_kata_holds_are_looked_at(device):
    weight = X.to(device).requires_grad_()
    held = list(twins.tensors_in([Momentum([weight], lr=0.1)]))
    assert [one is weight for one in held].count(True) == 1 and len(held) == 2  # and its memory


def test_the_gate_asks_for_a_report_of_each_test():
    kata = catalog.load().find("k12")
    names = device_tests(kata)
    assert names == {"test_follows_its_device", "test_gives_a_plain_number_from_any_device"}
    silent = TaskResult("to_labels", (TestResult(NO_TEST, Outcome.ERROR),))
    passed = TaskResult("loss", (TestResult("test_follows_its_device", Outcome.PASSED),))
    (problem,) = gate.faults(KataResult(kata.name, 3, (silent, passed)), names)
    assert problem.endswith("test_gives_a_plain_number_from_any_device gave no report")
    failed = TaskResult("loss", (TestResult("test_follows_its_device", Outcome.FAILED, "why"),))
    assert "why" in gate.faults(KataResult(kata.name, 3, (failed,)), [])[0]


def test_the_gate_passes_a_kata_of_today():
    whole = catalog.load()
    finding = gate.values_are_compared(whole.only([whole.find("k12")]))
    assert (finding.problems, finding.scope) == ([], "5 placement tests")
