"""formula.check: what a function does beside its formula is noticed, and a cause is told only if it
fits all draws and no other does.
"""

import pytest
import torch
from torch import nn

from dojo.diagnosis import Diagnosis
from tests.support import expect, formula

TWICE = {"doubled": lambda x: 2 * x}
DRAWS = [[torch.tensor([1.0, 2.0])], [torch.tensor([[3.0], [-5.0]])], [torch.zeros(0)]]


def why(function, draws=DRAWS, wrong=None, **settings) -> Diagnosis:
    """The diagnosis of a function that should give x + 1."""
    with pytest.raises(expect.Unmet) as caught:
        formula.check(function, lambda x: x + 1, draws, "It", wrong, **settings)
    return caught.value.diagnosis


def test_a_right_function_passes_and_its_arguments_may_record_gradients():
    formula.check(lambda x: 1 + x, lambda x: x + 1, DRAWS, "It", TWICE)
    recording = [[torch.ones(3, requires_grad=True)], [torch.ones(2, 2, requires_grad=True)]]
    formula.check(lambda x: x + 1, lambda x: x + 1, recording, "It", records=True)


def test_a_cause_is_told_if_it_fits_all_draws():
    found = why(lambda x: 2 * x, wrong=TWICE)
    assert [(cause.text, cause.told) for cause in found.likely] == [("doubled", True)]


def test_a_cause_that_fits_the_first_draw_alone_is_not_given():
    found = why(lambda x: 2 * x if x.ndim == 1 else x - 1, wrong=TWICE)
    assert "doubled" not in [cause.text for cause in found.likely]
    assert not found.is_told
    assert found.leads_on


def test_of_two_causes_that_fit_all_draws_none_is_told():
    found = why(lambda x: 2 * x, wrong=TWICE | {"added": lambda x: x + x})
    assert [cause.text for cause in found.likely] == ["doubled", "added"]
    assert not found.is_told


def test_a_mistake_that_leaves_no_trace_on_these_draws_is_no_cause():
    same = {"nothing wrong": lambda x: x + 1.0}
    found = why(lambda x: (x + 1).tolist(), wrong=same)
    assert [cause.text for cause in found.likely] == [
        "a list comes back, and a tensor is asked for"
    ]


def forgetful():
    calls = []

    def add(x):
        calls.append(x)
        return x + 1 + 0.5 * (len(calls) > len(DRAWS))

    return add


def with_one_result_for_all():
    kept = torch.zeros(2)

    def add(x):
        kept.copy_(x + 1)
        return kept

    return add


def in_place(x):
    return x.add_(1)


def of_nothing(x):
    return x.requires_grad_() + 1


@pytest.mark.parametrize(
    ("function", "draws", "says"),
    [
        (in_place, DRAWS, "works in place"),
        (of_nothing, DRAWS, "changes the caller's tensor"),
        (forgetful(), DRAWS, "kept from call to call"),
        (with_one_result_for_all(), [[torch.zeros(2)], [torch.ones(2)]], "a later call changes"),
        (lambda x: (x + 1).double(), DRAWS, "not the right dtype"),
        (lambda x: (x + 1)[None], DRAWS, "not the right shape"),
        (lambda x: (x + 1).tolist(), DRAWS, "a list comes back"),
        (lambda x: None, DRAWS, "`return` is missing"),
        (lambda x: (x + 1).sum().item(), [[torch.ones(1)], [torch.ones(2)]], "a float comes back"),
    ],
)
def test_what_a_function_does_wrong_is_noticed(function, draws, says):
    assert says in why(function, draws).text()


def test_the_argument_itself_is_no_new_result():
    draws = [[torch.tensor([1.0])], [torch.tensor([2.0, 3.0])]]
    with pytest.raises(expect.Unmet, match="shares its memory"):
        formula.check(lambda x: x.view(-1), lambda x: x.clone(), draws, "It")
    formula.check(lambda x: x.view(-1), lambda x: x.clone(), draws, "It", may_share=True)


def test_a_model_keeps_its_mode_and_its_parameters():
    def right(model, x):
        return nn.functional.linear(x, model.weight, model.bias)

    draws = [[nn.Linear(2, 1), torch.randn(3, 2)], [nn.Linear(4, 2), torch.randn(5, 4)]]
    formula.check(lambda model, x: model(x), right, draws, "The scores")
    with pytest.raises(expect.Unmet, match="evaluation mode"):
        formula.check(lambda model, x: model.eval()(x), right, draws, "The scores")

    def zeroed(model, x):
        scores = model(x)
        nn.init.zeros_(model.bias)
        return scores

    with pytest.raises(expect.Unmet, match="changes what it is given"):
        formula.check(zeroed, right, draws, "The scores")


def test_gradients_that_do_not_flow_or_are_wrong_are_noticed():
    right, at = formula.slope(torch.sin), [[torch.tensor([0.3, 2.0])], [torch.tensor(-1.0)]]
    formula.check(formula.slope(torch.sin), right, at, "The gradient")
    for function, says in (
        (lambda x: torch.sin(x).detach(), "no gradient flows"),
        (lambda x: torch.sin(x.detach()) + 0 * x, "not the right number"),
    ):
        with pytest.raises(expect.Unmet, match=says):
            formula.check(formula.slope(function), right, at, "The gradient")


def test_the_error_of_the_learners_code_is_raised_as_it_was():
    with pytest.raises(ZeroDivisionError):
        formula.check(lambda x: 1 / 0, lambda x: x, DRAWS, "It")
