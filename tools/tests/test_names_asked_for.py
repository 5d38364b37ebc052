"""The names after `check`: katas, tasks, and what was mistyped."""

import pytest

from dojo import UserError
from dojo.catalog import load
from dojo.check import naming
from dojo.results import KataResult, Outcome, TaskResult, TestResult, Verdict


def named(*names: str) -> dict[str, list[str]]:
    return {kata.short: [*tasks] for kata, tasks in naming.asked_for(load(), names).items()}


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ([], {}),
        (["k06"], {"k06": []}),
        (["6", "logits"], {"k06": [], "k12": []}),
        (["k06", "train"], {"k06": ["train"]}),
        (["k06", "Train", "boundary"], {"k06": ["train", "boundary"]}),
        (["k06", "k07", "train"], {"k06": [], "k07": ["train"]}),
        (["train"], {"k05": []}),  # no kata stands before it, and k05 is the trainer
        (["k06", "k06"], {"k06": []}),
    ],
)
def test_a_task_is_meant_after_its_kata(names, meant):
    assert named(*names) == meant


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["hnit"], "no kata or command 'hnit'. Did you mean `python tools/check hint`?"),
        (["watch"], "Did you mean `python tools/check --watch`?"),
        (["help"], "Did you mean `python tools/check --help`?"),
        (["compar", "k06"], "Did you mean `python tools/check compare`?"),
        (["k06", "trian"], "no task or kata 'trian'. The tasks are model, train, boundary."),
        (["logitics"], "The nearest is k06_logistic_regression."),
        (["next"], "There is no kata 'next'. `python tools/check list` shows them all."),
    ],
)
def test_what_is_mistyped_is_told_what_is_near(names, says):
    with pytest.raises(UserError) as told:
        named(*names)
    assert says in str(told.value)


def test_a_verdict_on_tasks_that_were_named_says_nothing_of_others():
    failed, passed = (
        TaskResult(name, (TestResult("test_it", outcome),))
        for name, outcome in (("model", Outcome.FAILED), ("train", Outcome.PASSED))
    )
    katas = tuple(KataResult(kata.name, 3, (failed, passed)) for kata in load().katas[:2])
    asked_for = naming.asked_for(load(), [katas[0].name])
    whole = naming.only(Verdict("katas", katas), asked_for)
    assert whole.katas == katas
    one = naming.only(Verdict("katas", katas), {load().katas[0]: ["train"]})
    assert [task.name for task in one.katas[0].tasks] == ["train"]
    assert one.katas[1] == katas[1]
    assert not one.passed
    assert naming.only(Verdict("katas", katas[:1]), {load().katas[0]: ["train"]}).passed
