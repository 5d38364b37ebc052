"""Grading killed or stopped at any moment: nothing that was kept is lost, and nothing that was kept
is done again.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import judging
import pytest
from judging import contents

from dojo import ROOT
from dojo.grade.gradebook import Gradebook

pytest_plugins = ["judging"]

CHILD = """
import os, sys; sys.path.insert(0, "tests")
import judging
from pathlib import Path
say = lambda student: os.write(1, f"{student}\\n".encode())  # whole, though two threads do it
judging.grade(Path(sys.argv[1]), Path(sys.argv[2]), say, jobs=2)
print("done", flush=True)
"""


KILLS = 50


def grading(submissions: Path, out: Path, killed_at: Callable[[], None]) -> tuple[int, BinaryIO]:
    """A process that grades, forked from this one to be quickly at it; and where it says whom it
    judges, and "done". `killed_at` is called before the first and at each one.
    """
    read, write = os.pipe()

    def say(student: str) -> None:
        os.write(write, f"{student}\n".encode())  # whole, though two threads do it
        killed_at()

    if (child := os.fork()) == 0:
        try:
            killed_at()
            judging.grade(submissions, out, say, jobs=2)
            os.write(write, b"done\n")
        finally:
            os._exit(0)
    os.close(write)
    return child, os.fdopen(read, "rb")


def killed(submissions: Path, out: Path, dice: random.Random) -> list[str]:
    """What a run said that was killed at some moment of its next few submissions, or came to its
    end before.
    """
    place = dice.randint(0, 3)
    # somewhere before the first, or after this one
    steps = dice.randint(0, 400_000 if not place else 20_000)
    calls = itertools.count()

    def kill() -> None:
        for _ in range(steps):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    def killed_at() -> None:
        # a thread of the run itself: on a busy machine both are slow, and it is killed where the
        # dice say all the same
        if next(calls) == place:
            threading.Thread(target=kill).start()

    child, said = grading(submissions, out, killed_at)
    with said:
        lines = said.readlines()
    os.waitpid(child, 0)
    return [line.decode().strip() for line in lines]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_fifty_moments_it_loses_nothing_and_repeats_nothing(tmp_path, many):
    judging.grade(many, tmp_path / "undisturbed")
    undisturbed, dice = contents(tmp_path / "undisturbed"), random.Random(6)
    # by the number of submissions that were kept by then: none, some or all
    kills: Counter[str] = Counter()
    rounds = 0

    def enough() -> bool:
        return kills.total() >= KILLS and kills["some"] >= KILLS / 2

    while not enough():
        rounds += 1
        out, lines = tmp_path / str(rounds), []
        while not enough() and "done" not in lines:
            with Gradebook.open(out) as book:
                kept = set(book.ids())
            lines = killed(many, out, dice)
            assert not kept & set(lines), "judged although it was kept"
            with Gradebook.open(out) as book:
                now = set(book.ids())
                assert kept <= now
                assert book._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if "done" not in lines:
                kills["none" if not now else "all" if len(now) == 41 else "some"] += 1
        if "done" not in lines:
            judging.grade(many, out)
        assert contents(out) == undisturbed


KILLED_INSIDE = """
import os, signal, sys; sys.path.insert(0, "tests")
import judging
from pathlib import Path
from dojo.grade.gradebook import book
left = int(sys.argv[3])
def count(frame, event, arg):
    global left
    if event in ("call", "c_call") and frame.f_code.co_filename == book.__file__:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(count)
judging.grade(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_any_step_of_the_gradebook_it_goes_on(tmp_path, many):
    judging.grade(many, tmp_path / "undisturbed")
    dice = random.Random(7)
    # while it is made, and while it is filled
    for place in [*dice.sample(range(60), 4), *dice.sample(range(60, 400), 4)]:
        command = [sys.executable, "-c", KILLED_INSIDE, many, tmp_path / "g", str(place)]
        killed = subprocess.run(command, cwd=ROOT / "tools", check=False)
        assert killed.returncode == -signal.SIGKILL
    judging.grade(many, tmp_path / "g")
    assert contents(tmp_path / "g") == contents(tmp_path / "undisturbed")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in another way")
def test_ctrl_c_ends_a_run_between_two_records(tmp_path, many):
    command, pipe = [sys.executable, "-c", CHILD, many, tmp_path / "g"], subprocess.PIPE
    child = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT / "tools")
    seen = [child.stdout.readline().strip() for _ in range(5)]
    os.kill(child.pid, signal.SIGINT)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode != 0 and "done" not in rest
    again = []
    judging.grade(many, tmp_path / "g", again.append)
    assert len(set(seen) | set(rest.split()) | set(again)) == 40
    assert contents(tmp_path / "g")
