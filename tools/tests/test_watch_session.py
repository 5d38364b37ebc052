"""A watch session in a terminal, from its start to Ctrl-C: what a person does, and what is on the
screen then.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import descendants, until

if os.name == "nt":
    pytest.skip("these tests need a terminal of POSIX", allow_module_level=True)

from watching import K01, K06, PATIENCE, RIGHT, WRONG, Watching

pytestmark = pytest.mark.timeout(900)
# the fork server and its resource tracker; one child for each of the last two katas
SERVERS, STANDING_READY = 2, 2


@pytest.fixture(scope="module")
def watching(clone) -> Iterator[Watching]:
    """A session that all tests here share."""
    editor = clone / "nano"  # that waits until a line is typed, and is told by its name
    editor.write_text(
        f'#!/bin/sh\necho "$@" > {clone}/opened\nread line\necho $line > {clone}/typed\n'
    )
    editor.chmod(0o755)
    session = Watching(clone, "k06", editor=str(editor))
    yield session
    if session.code is None:
        session.end(session.kill)


def state_of(clone: Path, kata: str, task: str) -> dict:
    """What .progress.json says of a task."""
    try:
        return json.loads((clone / ".progress.json").read_text(encoding="utf-8"))["katas"][kata][
            task
        ]
    except (OSError, LookupError):
        return {}


def test_it_starts_with_what_is_to_do(watching):
    assert "starting Python and torch" in watching.sees("k06  Logistic regression", "starting")
    shown = watching.sees("waits for you", "q quit")
    assert "katas/k06_logistic_regression.py:" in shown
    assert "0 of " in shown
    assert "n next" not in shown


def test_a_mistake_is_named_with_the_line(watching):
    shown = watching.fails()
    first = next(line for line in shown.splitlines()[3:] if line.strip())
    assert "test_output_is_the_sigmoid_of_the_scores" in first
    assert re.search(r"katas/k06_logistic_regression\.py:\d+", shown)
    assert WRONG in shown
    assert "h hint" in shown
    assert "n next" not in shown


def test_the_screen_says_at_once_that_a_run_began(watching):
    watching.passes()
    until(lambda: re.search(r"Green at|Tries until", watching.screen))
    before = len(watching.frames)
    watching.save(K01)
    until(lambda: len(watching.frames) > before)
    assert "testing" in watching.frames[before]
    watching.sees("passed  in")


def test_a_hint_comes_when_asked_for(watching):
    assert "Hint 1" not in watching.fails()
    watching.press("h")
    watching.sees("Hint 1 of ", "these are the raw scores")
    watching.press("h")
    watching.sees("Hint 2 of ")
    assert until(lambda: state_of(watching.clone, K06, "model"))["hints"] == 2


def test_the_fix_is_answered_with_what_was_learned_and_waits(watching):
    watching.fails()
    shown = watching.passes(K06)
    assert "n next: k07" in shown
    assert "d compare" in shown
    assert "Hint" not in shown
    assert "the best straight line: " in " ".join(shown.split())


def test_attempts_and_the_first_green_are_kept_for_the_text_that_was_judged(watching, clone):
    from dojo.check.store import content_hash

    def kept(outcome: str) -> dict:
        until(
            lambda: state_of(clone, K01, "make").get("judged") == content_hash(K01, clone / "katas")
        )
        now = state_of(clone, K01, "make")
        assert now["outcome"] == outcome
        return now

    watching.breaks()
    attempts = kept("failed")["attempts"]
    watching.breaks("2 +")
    is_green = kept("failed")["first_green"]
    watching.passes()
    now = kept("passed")
    assert now["first_green"]
    assert is_green or now["attempts"] == attempts + 2


def test_the_editor_opens_at_the_line_and_has_the_keys_until_it_ends(watching, clone):
    line = re.search(r"katas/k06_logistic_regression\.py:(\d+)", watching.fails())[1]
    watching.press("e")
    until((clone / "opened").exists)
    place = f"+{line} {watching.path(K06)}\n"
    until(lambda: (clone / "opened").read_text() == place)
    watching.press("quit all\n")
    until((clone / "typed").exists)
    until(lambda: (clone / "typed").read_text() == "quit all\n")
    watching.press("l")
    watching.sees("Logistic regression", "enter open", "b back")
    watching.press("b")
    watching.sees("these are the raw scores")


def test_the_comparison_and_back(watching):
    watching.passes(K06)
    watching.press("d")
    watching.sees("+ the reference's", "b back")
    watching.press("b")
    watching.sees("Learned:")


def test_all_hints_after_success_and_back(watching):
    watching.passes(K06)
    watching.press("h")
    watching.sees("k06  Logistic regression", "b back")
    watching.press("b")
    watching.sees("Learned:", "h all hints")


def test_next_is_the_next_kata(watching):
    watching.passes(K06)
    watching.press("n")
    watching.sees("k07  Hidden layer  not started", "h hint")


def test_it_follows_the_file_that_is_saved(watching):
    watching.passes(K06)
    watching.passes(K01)


def test_a_save_in_place_is_seen_too(watching):
    watching.passes()
    watching.breaks()


def test_a_file_that_is_deleted_and_brought_back(watching):
    watching.passes()
    watching.path(K01).unlink()
    watching.sees("failed", "can't be read")
    watching.passes()


def test_a_folder_that_is_replaced(watching):
    watching.passes()
    folder, aside = watching.clone / "katas", watching.clone / "aside"
    shutil.copytree(folder, aside)
    folder.rename(watching.clone / "old")
    aside.rename(folder)
    watching.breaks()
    watching.passes()


def test_a_save_during_a_run_ends_that_run(watching, clone):
    watching.passes()
    started = clone / "started"
    watching.save(
        K01, lambda text: f"open({str(started)!r}, 'w').close()\nwhile True: pass\n{text}"
    )
    until(started.exists, PATIENCE)
    watching.sees("testing")
    before = state_of(clone, K01, "make")
    assert "endless loop" not in watching.passes()
    # the same text as before passes: nothing was counted for the other one
    assert before == state_of(clone, K01, "make")


def test_of_a_storm_of_saves_the_last_one_is_judged_and_nothing_is_left(watching):
    for number in range(20):
        watching.save(K01, lambda text, number=number: f"{text}\n1 + # {number}")
    watching.save(K01, lambda text: f"{text}\nraise SystemExit('the last one')")
    watching.sees("failed", "the last one")
    watching.passes()
    until(lambda: len(descendants(watching.server)) <= SERVERS + STANDING_READY)


def test_another_check_in_this_clone_is_answered_by_it(watching, clone):
    watching.passes()
    code = (
        "import dojo.check.server.client as client; client.supervisor.run = None; "
        "from dojo.check.commands import main; main()"
    )
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path[:0] = [{str(clone / 'tools')!r}]; sys.argv[1:] = ['k01']; {code}",
    ]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    assert "passed" in done.stdout, done.stderr
    assert done.returncode == 0


def test_a_killed_server_is_replaced(watching):
    watching.passes()
    before = watching.server
    os.kill(before, signal.SIGKILL)
    watching.save(K06)
    watching.sees("starting Python and torch anew", "because its process was gone")
    watching.sees("k06  Logistic regression  passed")
    assert watching.server != before
    watching.passes()


@pytest.mark.parametrize("name", ["tests/support/expect.py", f"tests/test_{K06}.py"])
def test_a_change_of_the_tests_is_seen(watching, clone, name):
    watching.passes(K06)
    path = clone / name
    text = path.read_text(encoding="utf-8")
    first = r"^( *)def (?:shape|test_prints_the_architecture)\(.*?\)(?: -> None)?:\n"
    raising = r"\g<0>\1    raise AssertionError('changed')\n"
    changed = re.sub(first, raising, text, flags=re.MULTILINE | re.DOTALL)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    try:
        watching.save(K06)
        watching.sees("k06  Logistic regression  failed", "changed")
    finally:
        path.write_text(text, encoding="utf-8")
    watching.passes(K06)


def test_a_change_of_the_tools_starts_it_anew_where_it_was(watching, clone):
    watching.passes(K06)
    path = clone / "tools" / "dojo" / "check" / "watch" / "frame.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Learned:", "You have learned:"), encoding="utf-8")
    watching.save(K06)
    watching.sees("k06  Logistic regression  passed", "You have learned:")
    path.write_text(text, encoding="utf-8")
    watching.passes(K06)


def test_another_size_is_drawn_anew_and_a_small_screen_scrolls(watching):
    watching.fails()
    watching.resize(14)
    shown = watching.sees("test_output_is_the_sigmoid", "more lines (press down", "q quit")
    assert len(shown.splitlines()) == 14
    watching.press("\x1b[B" * 30)
    watching.sees(WRONG, "q quit")
    watching.resize(40)
    watching.sees("test_output_is_the_sigmoid", WRONG, "q quit")


def test_reset_asks_and_keeps_a_copy(watching):
    watching.fails()
    watching.press("r")
    watching.sees("back to its stub?", "y yes, reset")
    watching.press("n")
    watching.sees("these are the raw scores", "r reset")
    watching.press("r")
    watching.sees("back to its stub?")
    watching.press("y")
    watching.sees("waits for you", "is the stub again. What was there:", ".py.backup-")
    copies = [
        copy.read_text(encoding="utf-8") for copy in watching.path(K06).parent.glob("*.backup-*")
    ]
    assert [WRONG in copy and RIGHT not in copy for copy in copies] == [True]


def test_ctrl_c_leaves_the_terminal_as_it_was_and_no_process(watching, runtime):
    assert watching.end(lambda: watching.press("\x03")) == 130
    assert "\x1b[?1049l" in watching.output  # the screen of before
    assert "\x1b[?25h" in watching.output.rpartition("\x1b[?25l")[2]  # the cursor
    assert "tasks pass" in watching.output.rpartition("\x1b[?1049l")[2]
    assert list(runtime.iterdir()) == []
