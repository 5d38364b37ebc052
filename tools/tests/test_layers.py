"""A batch is followed through a model, layer by layer, up to the first that is wrong."""

import pytest
import torch
from torch import Tensor, nn

from dojo.suite import layers
from tests.support import expect


class Net(nn.Module):
    """Two layers; what is between them and after them comes from outside."""

    def __init__(self, hidden: int = 4, between=torch.tanh, after=lambda y: y) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(2, 4), nn.Linear(hidden, 1)
        self.between, self.after = between, after

    def forward(self, x: Tensor) -> Tensor:
        print("a learner may print")
        return self.after(self.two(self.between(self.one(x))))


def followed(call) -> list[str]:
    with pytest.raises(Exception) as caught:
        call()
    return list(layers.up_to_error(caught.value.__traceback__))


def test_the_layer_that_cannot_take_its_input_comes_last(capsys):
    lines = followed(lambda: Net(hidden=5)(torch.ones(8, 2)))
    capsys.readouterr()
    assert lines == [
        "layer 1 one Linear(2 -> 4): (8, 2) -> (8, 4)",
        "layer 2 two Linear(5 -> 1): wants 5 columns, got (8, 4)",
    ]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.ones(8, 3), "wants 2 columns, got (8, 3)"),
        (torch.ones(()), "wants 2 columns, got ()"),
        (
            torch.ones(8, 2, dtype=torch.float64),
            "has weights of torch.float32, got (8, 2) torch.float64",
        ),
        (torch.ones(8, 2, device="meta"), "has weights on cpu, got (8, 2) meta"),
        (None, "got a NoneType"),
        ([1.0], "got a list"),
    ],
)
def test_what_a_layer_got_and_what_it_wants(x, says):
    assert followed(lambda: Net()(x)) == [f"layer 1 one Linear(2 -> 4): {says}"]


def test_it_says_where_the_gradient_is_cut_and_where_forward_itself_fails():
    def raises(y: Tensor) -> Tensor:
        raise ValueError

    def forgets(y: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return y

    try:
        lines = followed(lambda: Net(between=forgets, after=raises)(torch.ones(8, 2)))
    finally:
        torch.set_grad_enabled(True)
    assert lines[1:] == [
        "layer 2 two Linear(4 -> 1): (8, 4) -> (8, 1), which records no gradient",
        layers.IN_FORWARD,
    ]


def test_a_model_of_many_layers_is_cut_short():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(100)), nn.Linear(3, 2))
    lines = followed(lambda: model(torch.ones(8, 2)))
    assert (len(lines), lines[-1]) == (layers.MOST_LAYERS + 1, "...")


def test_the_second_look_changes_no_random_numbers_and_leaves_no_hooks():
    model = nn.Sequential(nn.Dropout(), nn.Linear(3, 1))
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with pytest.raises(RuntimeError) as caught:
        model(torch.ones(8, 2))
    state = torch.get_rng_state()
    assert layers.up_to_error(caught.value.__traceback__)
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model)
    assert len(expected) == 3


def test_an_error_outside_every_model_shows_no_layers():
    assert followed(lambda: torch.ones(2) @ torch.ones(3)) == []


def test_a_forward_that_works_when_asked_again_is_not_what_failed():
    calls = []

    def moody(y: Tensor) -> Tensor:
        calls.append(y)
        return y / (0 if len(calls) > 1 else "0")

    assert followed(lambda: Net(after=moody)(torch.ones(8, 2))) == []


def wrong_shape(code: str) -> list[str]:
    """The layers behind a wrong shape in a test, which has a model and x among its variables and
    then does this.
    """
    source = "def test(Net, expect, torch):\n    " + code.replace("\n", "\n    ")
    space: dict = {}
    exec(compile(source, str(layers.ROOT / "tests" / "test_k99_made_up.py"), "exec"), space)
    with pytest.raises(expect.Unmet) as caught:
        space["test"](Net, expect, torch)
    return list(layers.up_to_shape(*caught.value.wrong, caught.value.__traceback__))


def test_the_way_to_a_wrong_shape_ends_where_it_goes_wrong():
    code = (
        "model, x, other = Net(after={}), torch.ones(8, 2), torch.ones(3)\nexpect.shape(model(x),"
        " {}, what='It')"
    )
    assert (
        wrong_shape(code.format("lambda y: y", "(8, 2)"))[-1]
        == "layer 2 two Linear(4 -> 1): (8, 4) -> (8, 1), where (8, 2) is expected"
    )
    assert (
        wrong_shape(code.format("lambda y: y[:, 0]", "(8, 1)"))[-1]
        == "forward then gives (8,), where (8, 1) is expected"
    )
    turned = wrong_shape(
        code.replace("after=", "between=").format("lambda z: z.T.reshape(4, 8)[:, :4]", "(8, 1)")
    )
    assert (
        turned[-1]
        == "layer 2 two Linear(4 -> 1): (4, 4) -> (4, 1), and the rows are not those of the input"
        " any more"
    )


def test_a_result_that_no_model_of_the_test_gives_shows_no_layers():
    code = "model, x = Net(), torch.ones(8, 2)\nexpect.shape(model(x) + 1, (8, 2), what='It')"
    assert wrong_shape(code) == []
    assert wrong_shape("expect.shape(torch.ones(8, 1), (8, 2), what='It')") == []


def test_the_message_of_a_failed_forward_shows_the_layers(judge, reference):
    wrong = "self.linear = nn.Linear(num_features + 1, num_labels)"
    result = judge(reference.replace("self.linear = nn.Linear(num_features, num_labels)", wrong))
    test = next(test for test in result.tasks[0].tests if test.diagnosis and test.diagnosis.layers)
    assert test.diagnosis.layers == ("layer 1 linear Linear(6 -> 3): wants 6 columns, got (7, 5)",)
    assert "  layers:    layer 1 linear Linear(6 -> 3): wants 6 columns" in test.message
