"""Known errors: what is said of one is true of every error of that kind, and the cause that
evidence speaks for comes first.
"""

import pytest
import torch

from dojo.diagnosis import Diagnosis
from dojo.suite import feedback
from dojo.suite.loader import is_about, last_used, load

FILE = """import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Own(nn.Module):
    pass


def nothing(*given):
    pass


def f(weight):
    lr, gradient = 0.1, weight.grad
    data, twos = torch.ones(2, 2), torch.full((2, 2), 2.0)
    {}
"""


def explained(tmp_path, line: str) -> Diagnosis:
    path = tmp_path / "k03_autograd.py"
    path.write_text(FILE.replace("{}", line), encoding="utf-8")
    kata = load(path)
    try:
        kata.f(torch.ones(2, requires_grad=True))
    except Exception as error:
        return feedback.explain(error, path, kata, "it works", 10, "Read the test.")[0]
    raise AssertionError("the line raised nothing")


def causes(why: Diagnosis) -> list[str]:
    return [cause.text for cause in why.likely]


@pytest.mark.parametrize(
    "line",
    [
        "weight.grad.zero_()",
        "weight.grad.data.zero_()",
        "gradient.zero_()",
        "gradient.abs()",
        "[weight][0].grad.norm()",
        "weight.data - lr * weight.grad",
        "weight.data - lr * (\n        weight.grad)",
        "weight.data.sub_(weight.grad, alpha=lr)",
        "weight.grad[0]",
        "-gradient",
    ],
)
def test_a_gradient_before_backward_is_told_before_a_missing_return(tmp_path, line):
    why = explained(tmp_path, line)
    assert ".grad is None until backward() has run" in causes(why)[0]
    assert "`return` is missing" in causes(why)[-1]
    assert not why.is_told
    assert why.pointer


@pytest.mark.parametrize(
    "line",
    [
        "nothing().shape",
        "nothing(weight).append(1)",
        "nothing()()",
        "len(nothing())",
        "nothing(weight.grad).abs()",
    ],
)
def test_none_that_is_no_gradient_is_a_missing_return_first(tmp_path, line):
    why = explained(tmp_path, line)
    assert "`return` is missing" in causes(why)[0]
    assert not why.is_told
    assert why.pointer


@pytest.mark.parametrize(
    "value", ["weight", "[]", "dict()", "np.ones(2)", "'a'", "(1)", "nn.ReLU()", "nothing"]
)
def test_where_a_librarys_attributes_are_made_is_not_spoken_of(tmp_path, value):
    why = explained(tmp_path, f"{value}.foo")
    assert "has nothing called 'foo'" in causes(why)[0]
    assert "self." not in causes(why)[0]


def test_a_class_of_the_learners_own_is_asked_where_it_makes_the_attribute(tmp_path):
    assert "(self.foo = ...)" in causes(explained(tmp_path, "Own().foo"))[0]


@pytest.mark.parametrize(
    ("line", "says", "never"),
    [
        ("[1][1]", "indices begin at 0", "loop"),
        ("(lambda i: [1][i + 1])(0)", "[i + 1] is past the end", "   "),
        ("[][-1]", "the list has no entry at that place", "loop"),
        ("data @ torch.ones(3, 2)", "in a @ b the columns of a", "a layer that"),
        (
            "nn.Linear(3, 1)(data)",
            "rows of 2 numbers came where rows of 3 are taken",
            "per example",
        ),
        ("nn.Linear(2, 1)(data.double())", "float32 and float64 met", "whole numbers"),
        ("nn.Linear(2, 1)(data.long())", "convert whole numbers with .float()", "NumPy"),
        ("data.long() @ data", "convert whole numbers with .float()", "NumPy"),
        ("functional.cross_entropy(data, torch.ones(2))", "class numbers as int64", "NumPy"),
        (
            "functional.binary_cross_entropy(twos, data)",
            "the sigmoid at the end of forward is missing",
            "targets",
        ),
        (
            "functional.binary_cross_entropy(data, twos)",
            "targets that are not between 0 and 1",
            "sigmoid",
        ),
        ("functional.cross_entropy(data, torch.ones(5).long())", "with 5 labels", "probabilit"),
        ("[*twos.sum().tolist()]", "squeeze() may take it away", "spelling"),
        ("(data, [data]) - data", "a tuple of several values", "spelling"),
        ("data - (data, data)", "with a star, as in (first, *others)", "spelling"),
        ("nn.ModuleList()(data)", "only holds layers", "indented"),
        ("Own()(data)", "has no method named forward", "only holds"),
        ("weight.add_(1)", "a tensor with requires_grad=True", "   "),
        ("torch.linear", "torch has nothing called 'linear'", "self."),
        ("torch.ones(3) @ torch.ones(1)", "here are 3 and 1", "   "),
        ("float(np.ones(2))", "a single number was needed and several came", "math."),
        ("math.exp(data)", "torch.exp does the same to each of a tensor", "item()"),
        ("math.erf(np.ones(2))", "torch.erf does the same to each", "item()"),
        ("max(0, data)", "torch.maximum and torch.minimum compare two", "`if`"),
        ("data if data > 0 else lr * data", "torch.where(condition, a, b)", "Python's own"),
        ("torch.maximum(data, 0)", "maximum() takes tensors only, and 'other'", "raise"),
        ("torch.sqrt(2)", "sqrt() takes tensors only, and 'input' is a plain int", "raise"),
        ("nn.Parameter(lr)", "nn.Parameter takes a tensor, not a plain float", "nothing called"),
        ("lr.detach()", "a plain float stands where a tensor is needed", "nn.Parameter"),
        ("data & twos", "&, |, ^ and ~ work on truth values and whole numbers", "raise"),
        ("max(0, np.ones(2))", "np.maximum and np.minimum compare two", "torch."),
        ("np.max(0, np.ones(2))", "the second argument of np.max", "raise"),
        ("np.ones((4, 2)) / np.ones(4)", "print their shapes", "keepdims=True"),
        ("np.ones((4, 2)) / np.ones((4, 2)).sum(axis=1)", "keepdims=True", "   "),
        ("np.ones((4, 2)) @ np.ones((4, 2))", "Is one to be transposed", "   "),
        ("data - data.max(dim=1)", "take .values or .indices", "   "),
        ("weight.clone().requires_grad = False", "detach().clone() cuts it loose", "   "),
        ("nn.Linear(2, 1).weight = data", "fill it in place, under torch.no_grad()", "   "),
        ("(data, twos).shape", "a tuple of several values", "spelling"),
        ("for _ in 5:\n        pass", "range(n) counts to n", "   "),
        ("lr[0]", "here is a plain float", "   "),
        ("torch.ones[0]", "round brackets call it", "   "),
        ('"-".join([1, 2])', "str(...) makes a text of each", "   "),
        ('"k" + 1', "an f-string puts values into texts", "   "),
        ("a, b = data[:1]", "2 names stand on the left, and not enough values come", "   "),
        ("torch.optim.Adam([weight], momentum=0.9)", "is called 'momentum'", "signature"),
        ('{"f1": 1}["F1"]', "there is no entry 'F1'", "   "),
        ('[1]["a"]', "a str came instead", "   "),
        ("data(twos)", "round brackets stand after a Tensor", "   "),
        ("data[5]", "dimension 0 has 2 entries", "   "),
        ("data[0, 0, 0]", "here there are 2", "   "),
        ("nn.Sequential(*map(type, [nn.ReLU()]))", "ReLU came as the class", "   "),
        ("nn.Sequential(functional.relu)", "F.relu the function", "as the class"),
        ("nn.Sequential(data)", "what a layer gives is a tensor", "as the class"),
        ("with data:\n        pass", "`with` can't be used with this", "only names"),
        ("with torch.no_grad:\n        pass", "brackets call it, torch.no_grad()", "   "),
        ('float("width")', "the text 'width' is not a number", "   "),
        (
            "functional.cross_entropy(torch.ones(2).long(), data[0])",
            "the outputs first and the targets second",
            "raise",
        ),
        ("((data == 1) and (twos == 1)).sum()", "& goes number by number", "torch.where"),
        ("a = (data == 1) or (twos == 1)", "(a == 1) | (b == 1)", "torch.where"),
        ("right = data == 1\n    right and right", "& goes number by number", "torch.where"),
        ("(data.long() == 1 & twos.long() == 1).sum()", "& binds more tightly", "torch.where"),
        ("return 0 < data < 1", "(0 < x) & (x < 1)", "torch.where"),
        ("a = not (data == 1)", "~ goes number by number", "torch.where"),
        ("1 if (data == 1) and lr else 2", "torch.where(condition, a, b)", "&"),
        ("if data > 0 and twos > 0:\n        pass", "torch.where(condition, a, b)", "&"),
        ("[a for a in [1] if data and twos]", "torch.where(condition, a, b)", "&"),
        ("(data == twos).mean()", ".float() makes numbers of them", "own words"),
        ("torch.mean(data.long())", "these are whole numbers", "True and False"),
        ("(data == 1) - (twos == 1)", "can't be subtracted", "   "),
        ("1 / (data == 2).sum().item()", "what is divided by is 0 here", "   "),
        ("data[0].squeeze(1)", "has fewer dimensions than the line below", "truth"),
        ("nn.Linear(2, 1).device", "next(model.parameters()).device", "check the spelling"),
        ("nn.Linear(2)", "is called with other arguments", "keep the stub's signature"),
        ("data.item()", "a single number was needed", "   "),
        ("1 if data > 0 else 2", "asks several numbers at once", "   "),
        (
            "torch.ones(5, 3) + torch.ones(4)",
            "along one dimension one of them has 3 entries and the other 4",
            "tensors of 3",
        ),
        ("missing", "nothing is called 'missing' here", "   "),
        ("if lr > 1:\n        s = 1\n    s + 1", "'s' gets its value only in a branch", "   "),
        ("{A, B}", 'which needs quotes: "A"', "imported"),
        ("nn.MSELoss(data, twos)", "called with another, nn.MSELoss()(data, twos)", "asks several"),
    ],
)
def test_a_cause_that_stands_alone_is_told_and_says_nothing_it_cannot_know(
    tmp_path, line, says, never
):
    why = explained(tmp_path, line)
    assert says in causes(why)[0]
    assert never not in causes(why)[0]
    assert (len(why.likely), why.is_told, why.pointer) == (1, True, "")


def test_of_several_causes_none_is_told(tmp_path):
    why = explained(tmp_path, "torch.optim.SGD(nn.ReLU().parameters())")
    assert len(why.likely) == 2
    assert not why.is_told
    assert why.pointer == feedback.LOOK_AT_VALUES


def test_the_code_that_is_shown_is_the_function_and_not_the_model_that_it_gets(tmp_path):
    path = tmp_path / "k03_autograd.py"
    path.write_text(FILE.replace("{}", "pass"), encoding="utf-8")
    kata = load(path)
    assert kata.Own and last_used(kata) == "Own"
    assert kata.f and kata.Own and last_used(kata) == "f"
    assert kata.nothing and last_used(kata) == "nothing"
    is_about(kata, kata._module.f)
    assert last_used(kata) == "f"
