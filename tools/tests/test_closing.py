"""The closing page: what it says, for whom, and where it is shown."""

import io

import pytest
from rich.console import Console

from dojo import catalog as catalogs
from dojo.catalog import Catalog, Kata, Stage, Task
from dojo.check import closing, screens
from dojo.check.state import State, TaskState
from dojo.check.watch import effects
from dojo.check.watch.frame import Frame
from dojo.check.watch.model import ALL, Model
from dojo.console import Screen

SMALL = Catalog(
    (
        Stage(
            0,
            "First",
            (
                Kata("k00_a", "A", 0, "easy", 5, "a", (Task("one", 1, ()), Task("two", 1, ()))),
                Kata("k01_b", "B", 0, "easy", 5, "b", (Task("one", 1, ()),)),
            ),
            able="do a and b.",
        ),
        Stage(1, "Second", (Kata("k02_c", "C", 1, "easy", 5, "c", (Task("one", 1, ()),)),)),
    ),
    ways_on=("Read on.",),
)


def known(*tasks: tuple[str, str, int, int, str]) -> State:
    state = State()
    for kata, task, attempts, hints, day in tasks:
        state = state.having(kata, task, TaskState(hints, attempts, day, "passed"))
    return state


def test_the_hardest_task_of_each_kata_is_named_the_most_tries_first():
    page = closing.page(
        SMALL,
        known(
            ("k00_a", "one", 3, 0, "2026-11-02"),
            ("k00_a", "two", 4, 1, "2026-11-02"),
            ("k01_b", "one", 12, 2, "2026-11-05"),
            ("k02_c", "one", 1, 0, "2026-11-03"),
        ),
    )
    assert [str(effort) for effort in page.longest] == [
        "k01 one: green at the 12th try, with 2 hints",
        "k00 two: green at the 4th try, with 1 hint",
    ]
    assert page.able == ("do a and b.",)
    assert page.days == "Tasks turned green on 3 days, from 2026-11-02 to 2026-11-05."


def test_of_equal_tries_the_one_with_more_hints_was_harder():
    page = closing.page(SMALL, known(("k00_a", "one", 2, 3, ""), ("k00_a", "two", 2, 0, "")))
    assert [effort.task for effort in page.longest] == ["one"]


def test_what_is_not_known_is_left_out():
    page = closing.page(SMALL, State())
    assert (page.longest, page.days) == ((), "")
    shown = printed(page, width=60)
    assert "longest" not in shown
    assert "Read on." in shown


@pytest.mark.parametrize(
    ("tries", "said"),
    [(2, "2nd"), (3, "3rd"), (11, "11th"), (13, "13th"), (21, "21st"), (112, "112th")],
)
def test_numbers_of_tries_read_as_people_say_them(tries, said):
    assert f"the {said} try" in str(closing.Effort("k00", "one", tries, 0))


def test_every_stage_says_what_one_can_do_now_and_no_line_is_too_long():
    catalog = catalogs.load()
    assert all(stage.able.endswith(".") for stage in catalog.stages)
    assert catalog.ways_on
    lines = printed(closing.page(catalog, State()), width=80).splitlines()
    assert all(len(line) < 80 for line in lines)
    assert not any(line.startswith("    ") for line in lines)  # each point fits into one line


def test_a_narrow_terminal_shows_all_of_it():
    page = closing.page(catalogs.load(), State())
    words = " ".join(printed(page, width=40).split())
    assert all(" ".join(text.split()) in words for text in (*page.able, *page.ways_on))


def printed(page: closing.Closing, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    screens.closing(Screen(console, {}, "#", "."), page)
    return console.file.getvalue()


def test_watch_mode_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(tmp_path / "progress.json"))
    catalog = catalogs.load()
    console = Console(highlight=False, force_terminal=True, color_system=None, width=80)
    screen = Screen(console, {}, "#", ".")
    start = Model(catalog, True, catalog.katas[0].name, view=ALL, is_over=True)
    shown = Frame(screen, 80, 60, {}).lines(effects.show_closing(start, screen))
    assert shown[0].startswith("Everything passes.")
    assert any(catalog.ways_on[0] in line for line in shown)
