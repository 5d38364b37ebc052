"""Watch mode as a state machine: what follows from a save, a verdict, a key."""

from dataclasses import replace

import pytest

from dojo.catalog import Catalog, Kata, Stage, Task
from dojo.check.watch import model as m
from dojo.check.watch.effects import (
    DropRun,
    OpenEditor,
    RunTests,
    open_hint,
    read_tries,
    reset,
    show_closing,
    show_comparison,
    show_hints,
)
from dojo.check.watch.model import (
    Hints,
    Key,
    Model,
    Noticed,
    Progress,
    Quit,
    Recorded,
    Restarting,
    RunEnded,
    RunFailed,
    Saved,
    SessionStarted,
    keys,
)
from dojo.check.watch.transitions import update
from dojo.results import KataResult, Outcome, TaskResult, TestResult

TASKS = (Task("one", 1, ("nudge", "concept")), Task("two", 1, ("nudge",)))
KATAS = tuple(
    Kata(name, name.title(), 0, "easy", 5, f"learned {name}", TASKS)
    for name in ("k00_a", "k01_b", "k02_c")
)
CATALOG = Catalog((Stage(0, "All", KATAS),))
DONE = frozenset({"one", "two"})


def result(kata: str, one: str = Outcome.PASSED, two: str = Outcome.PASSED) -> KataResult:
    tasks = [
        TaskResult(name, (TestResult(f"test_{name}", out, "why"),))
        for name, out in (("one", one), ("two", two))
    ]
    return KataResult(kata, 0, tuple(tasks))


def after(model: Model, *events) -> Model:
    for event in events:
        model, _ = update(model, event)
    return model


def effects(model: Model, event) -> list:
    return update(model, event)[1]


def saved(*katas: str) -> Saved:
    return Saved(frozenset(katas))


def judged(run: int, *results: KataResult) -> RunEnded:
    return RunEnded(run, results, 0.5)


@pytest.fixture
def start() -> Model:
    return Model(CATALOG, is_learners=True, current="k00_a")


@pytest.fixture
def passed(start) -> Model:
    """k00 was judged and passed; the others are not known."""
    return after(start, SessionStarted(), judged(1, result("k00_a")))


@pytest.fixture
def failed(start) -> Model:
    return after(
        start, SessionStarted(), judged(1, result("k00_a", Outcome.FAILED, Outcome.BLOCKED))
    )


@pytest.fixture
def last(start) -> Model:
    """All but k00 pass, and k00 is being judged."""
    return after(replace(start, passed={"k01_b": DONE, "k02_c": DONE}), SessionStarted())


def test_it_starts_by_judging_the_kata_on_the_screen(start):
    model, todo = update(start, SessionStarted())
    assert todo == [RunTests(1, ("k00_a",))]
    assert model.run.katas == ("k00_a",)


def test_a_save_is_judged_and_the_kata_comes_on_the_screen(failed):
    model, todo = update(failed, saved("k02_c"))
    assert todo == [RunTests(2, ("k02_c",))]
    assert model.current == "k02_c"


def test_a_save_during_a_run_drops_it(failed):
    model = after(failed, saved("k00_a"))
    model, todo = update(model, saved("k00_a"))
    assert todo == [DropRun(2), RunTests(3, ("k00_a",))]


def test_the_verdict_of_a_dropped_run_is_not_shown(failed):
    model = after(failed, saved("k00_a"), saved("k00_a"), judged(2, result("k00_a")))
    assert model.run.number == 3
    assert model.result.outcome == Outcome.FAILED
    assert after(model, Progress(2)).run.tests == 0
    assert after(model, RunFailed(2, "gone")).notice == ""


def test_of_several_saved_at_once_the_one_on_the_screen_stays(failed):
    model, todo = update(failed, saved("k02_c", "k00_a"))
    assert model.current == "k00_a"
    assert todo == [RunTests(2, ("k00_a", "k02_c"))]


def test_a_file_that_is_no_kata_changes_nothing(failed):
    assert update(failed, saved("notes")) == (failed, [])


@pytest.mark.parametrize("view", ["l", "r"])
def test_a_save_leads_back_from_every_view(failed, view):
    model = after(failed, Key(view))
    assert model.view != m.KATA
    assert after(model, saved("k00_a")).view == m.KATA


def test_the_task_to_speak_of_is_the_wrong_one_before_the_open_one(start):
    model = after(
        start, SessionStarted(), judged(1, result("k00_a", Outcome.NOT_STARTED, Outcome.FAILED))
    )
    assert model.problem.name == "two"
    assert (
        after(
            start, SessionStarted(), judged(1, result("k00_a", Outcome.PASSED, Outcome.NOT_STARTED))
        ).problem.name
        == "two"
    )


def test_keys_of_a_kata_that_fails(failed):
    assert list(keys(failed)) == ["h", "e", "n", "l", "a", "r", "q"]


def test_keys_of_a_kata_that_passes(passed):
    assert list(keys(passed)) == ["n", "d", "h", "l", "a", "r", "q"]
    assert (keys(passed)["n"], keys(passed)["h"]) == ("next: k01", "all hints")
    assert effects(passed, Key("h")) == [show_hints]


def test_of_other_peoples_katas_there_are_no_hints_no_comparison_and_no_reset(start):
    other = replace(start, is_learners=False)
    assert list(
        keys(after(other, SessionStarted(), judged(1, result("k00_a", Outcome.FAILED))))
    ) == ["n", "l", "a", "q"]
    assert list(keys(after(other, SessionStarted(), judged(1, result("k00_a"))))) == [
        "n",
        "l",
        "a",
        "q",
    ]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("d", "d compares your code with the reference's, once the kata is green."),
        ("o", "it printed nothing"),
        ("y", "y does nothing here."),
        ("x", "x does nothing here."),
        ("é", "é does nothing here."),
        ("b", ""),
        ("up", ""),
        ("enter", ""),
    ],
)
def test_a_key_that_is_not_offered_says_so_and_does_nothing(failed, name, says):
    model, todo = update(failed, Key(name))
    assert todo == []
    assert (model.view, model.current, model.run) == (m.KATA, "k00_a", None)
    assert says in model.notice
    assert bool(says) == bool(model.notice)
    assert after(model, Key("up")).notice == ""


def test_beside_a_list_a_key_of_a_kata_says_where_it_works(failed):
    assert "b goes back" in after(failed, Key("l"), Key("h")).notice


def test_a_red_kata_is_skipped_after_a_question(failed):
    asked, todo = update(failed, Key("n"))
    assert (asked.view, asked.current, todo) == (m.SKIP, "k00_a", [])
    assert list(keys(asked)) == ["y", "n", "q"]
    assert after(asked, Key("n")).view == m.KATA
    model, todo = update(asked, Key("y"))
    assert (model.view, model.current) == (m.KATA, "k01_b")
    assert todo == [RunTests(2, ("k01_b",))]


def test_the_list_is_chosen_from(failed):
    model = after(failed, Key("l"))
    assert (model.view, model.chosen) == (m.LIST, "k00_a")
    model = after(model, Key("down"), Key("down"), Key("down"), Key("up"))
    assert model.chosen == "k01_b"
    model, todo = update(model, Key("enter"))
    assert (model.view, model.current) == (m.KATA, "k01_b")
    assert todo == [RunTests(2, ("k01_b",))]


def test_the_list_is_filtered_by_open_and_red(failed):
    model = after(replace(failed, passed={"k01_b": DONE}), Key("l"))
    assert keys(model)["f"] == "open katas"
    model = after(model, Key("f"))
    assert [kata.short for kata in model.listed] == ["k00", "k02"]
    model = after(model, Key("f"))
    assert [kata.short for kata in model.listed] == ["k00"]
    assert (model.chosen, keys(model)["f"]) == ("k00_a", "all katas")
    nothing = replace(model, results={}, lost=())
    assert (nothing.listed, "enter" in keys(nothing)) == ([], False)
    assert after(nothing, Key("down"), Key("enter")).view == m.LIST
    assert len(after(nothing, Key("f")).listed) == 3


def test_the_editor_opens_the_file_at_the_line_of_the_message(start):
    wrong = TestResult("test_one", Outcome.FAILED, "wrong\n\nkatas/k00_a.py:45, your train:\n")
    results = KataResult("k00_a", 0, (TaskResult("one", (wrong,)),))
    model = after(start, SessionStarted())
    assert effects(model, Key("e")) == [OpenEditor("k00_a", 0)]
    assert effects(after(model, judged(1, results)), Key("e")) == [OpenEditor("k00_a", 45)]


def test_the_tries_are_read_once_the_results_are_kept(passed, failed):
    assert effects(passed, Recorded()) == [read_tries]
    assert effects(failed, Recorded()) == []
    known = replace(passed, tries="Green at the first try.")
    assert after(known, Key("n")).tries == after(known, saved("k02_c")).tries == ""
    assert after(known, saved("k00_a")).tries == known.tries


def test_after_a_success_it_waits_for_the_learner(passed):
    assert passed.run is None
    assert passed.current == "k00_a"
    model, todo = update(passed, Key("n"))
    assert model.current == "k01_b"
    assert todo == [RunTests(2, ("k01_b",))]


def test_next_goes_around_and_leaves_out_what_is_done(start):
    model = replace(start, current="k01_b", passed={"k02_c": DONE})
    model = after(model, SessionStarted(), judged(1, result("k01_b")))
    assert after(model, Key("n")).current == "k00_a"


def test_hints_are_opened_one_by_one_until_there_are_no_more(failed):
    assert effects(failed, Key("h")) == [open_hint]
    model = replace(failed, hints=Hints("one", ("nudge",), 2))
    assert keys(model)["h"] == "another hint"
    model = replace(failed, hints=Hints("one", ("nudge", "concept"), 2))
    assert "h" not in keys(model)


def test_hints_stay_while_their_task_fails_and_go_with_it(failed):
    model = after(replace(failed, hints=Hints("one", ("nudge",), 2)), saved("k00_a"))
    assert after(model, judged(2, result("k00_a", Outcome.FAILED))).hints
    assert not after(model, judged(2, result("k00_a", Outcome.PASSED, Outcome.FAILED))).hints
    assert not after(model, saved("k01_b")).hints


def test_reset_asks_first(failed):
    model, todo = update(failed, Key("r"))
    assert (model.view, todo) == (m.RESET, [])
    assert list(keys(model)) == ["y", "n", "q"]
    assert effects(model, Key("n")) == []
    assert after(model, Key("n")).view == m.KATA
    assert effects(model, Key("escape")) == []
    assert effects(model, Key("y")) == [reset]


def test_compare_shows_what_it_got_and_goes_back(passed):
    assert effects(passed, Key("d")) == [show_comparison]
    model = replace(passed, view=m.READ, text="- yours")
    assert list(keys(model)) == ["b", "q"]
    assert after(model, Key("b")).view == m.KATA


def test_all_judges_all_and_shows_it(failed):
    model, todo = update(failed, Key("a"))
    assert todo == [RunTests(2, ("k00_a", "k01_b", "k02_c"))]
    model = after(
        model, judged(2, result("k00_a"), result("k01_b", Outcome.FAILED), result("k02_c"))
    )
    assert model.view == m.ALL
    assert not model.is_over
    assert keys(model)["n"] == "to k01"
    assert after(model, Key("n")).current == "k01_b"


def test_after_the_last_one_everything_is_checked_again(last):
    model, todo = update(last, judged(1, result("k00_a")))
    assert todo == [RunTests(2, ("k00_a", "k01_b", "k02_c"))]
    end = judged(2, *(result(kata.name) for kata in KATAS))
    assert effects(model, end) == [show_closing]
    assert effects(replace(model, is_learners=False), end) == []
    model = after(model, end)
    assert model.is_over
    assert model.lost == ()
    assert "n" not in keys(model)


def test_a_regression_is_shown_and_the_way_leads_there(last):
    model = after(last, judged(1, result("k00_a")))
    model, todo = update(
        model, judged(2, result("k00_a"), result("k01_b"), result("k02_c", Outcome.FAILED))
    )
    assert todo == []
    assert not model.is_over
    assert model.lost == ("k02_c",)
    assert keys(model)["n"] == "to k02"
    model = after(model, Key("n"))
    assert model.current == "k02_c"
    assert after(model, judged(3, result("k02_c"))).lost == ()


def test_after_the_end_everything_is_checked_again_only_when_something_had_failed_meanwhile(last):
    model = after(
        last, judged(1, result("k00_a")), judged(2, *(result(kata.name) for kata in KATAS))
    )
    assert effects(after(model, saved("k01_b")), judged(3, result("k01_b"))) == []
    model = after(model, saved("k01_b"), judged(3, result("k01_b", Outcome.FAILED)))
    assert not model.is_over
    assert effects(after(model, saved("k01_b")), judged(4, result("k01_b"))) == [
        RunTests(5, ("k00_a", "k01_b", "k02_c"))
    ]


def test_katas_nothing_is_known_of_are_judged_behind_the_screen(start):
    model = replace(start, unknown=("k00_a", "k02_c"))
    model, todo = update(after(model, SessionStarted()), judged(1, result("k00_a")))
    assert todo == [RunTests(2, ("k02_c",), in_background=True)]
    assert (model.run, model.unknown) == (None, ("k02_c",))
    model, todo = update(model, judged(2, result("k02_c")))
    assert todo == []
    assert (model.view, model.current, model.background) == (m.KATA, "k00_a", None)
    assert model.count == (4, 6)


def test_a_save_makes_the_verdict_from_behind_worthless_for_its_kata(start):
    model = after(
        replace(start, unknown=("k01_b", "k02_c")), SessionStarted(), judged(1, result("k00_a"))
    )
    model, todo = update(model, saved("k02_c"))
    assert todo == [RunTests(3, ("k02_c",))]
    model = after(model, judged(2, result("k01_b"), result("k02_c")))
    assert "k02_c" not in model.results
    assert "k01_b" in model.results


def test_a_notice_goes_when_the_person_does_something(failed):
    model = after(failed, Noticed("kept as .broken"))
    assert after(model, saved("k00_a")).notice == ""
    assert after(model, Key("l")).notice == ""


def test_where_the_copy_of_a_reset_lies_is_still_said_when_the_stub_is_judged(failed):
    just_reset = replace(failed, notice="kept as .backup", was_reset="k00_a")
    model = after(
        just_reset,
        saved("k00_a"),
        judged(2, result("k00_a", Outcome.NOT_STARTED)),
    )
    assert model.notice == "kept as .backup"
    assert after(model, saved("k00_a")).notice == ""
    assert after(just_reset, saved("k01_b")).notice == ""


def test_a_new_warm_process_is_said_until_it_answers(failed):
    assert failed.is_warm
    model = after(failed, saved("k00_a"), Restarting("the tests have changed"))
    assert (model.is_warm, model.why_cold) == (False, "the tests have changed")
    model = after(model, judged(2, result("k00_a")))
    assert (model.is_warm, model.why_cold) == (True, "")


def test_the_end(failed):
    assert effects(failed, Key("q")) == [Quit(0)]
    assert effects(failed, Quit(130)) == [Quit(130)]
    assert effects(after(failed, Key("r")), Key("q")) == [Quit(0)]


def test_scrolling_never_leaves_the_top(failed):
    assert after(failed, Key("up")).scroll == 0
    assert after(failed, Key("down"), Key("space")).scroll == 11
    assert after(failed, Key("down"), saved("k00_a")).scroll == 0
