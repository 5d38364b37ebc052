"""Grading killed or stopped at any moment: nothing that was kept is lost, and nothing that was kept is done again."""

import os
import random
import signal
import subprocess
import sys

import judging
import pytest
from judging import contents

from dojo import ROOT
from dojo.grade.gradebook import Gradebook

pytest_plugins = ["judging"]

CHILD = """
import sys; sys.path.insert(0, "tests")
import judging
from pathlib import Path
say = lambda student: print(student, flush=True)
judging.grade(Path(sys.argv[1]), Path(sys.argv[2]), say, jobs=2)
print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_again_and_again_it_loses_nothing_and_repeats_nothing(tmp_path, many):
    judging.grade(many, tmp_path / "undisturbed")
    dice, kills, lines = random.Random(6), 0, []
    while "done" not in lines:
        with Gradebook.open(tmp_path / "g") as book:
            kept = set(book.ids())
        command = [sys.executable, "-c", CHILD, many, tmp_path / "g"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT / "tools")
        lines = [child.stdout.readline().strip() for _ in range(dice.randint(6, 15))]
        for _ in range(dice.randint(0, 2000)):  # somewhere between this line and what follows it
            pass
        child.kill()
        lines += child.stdout.read().split()
        child.stdout.close()
        child.wait()
        assert not kept & set(lines), "judged although it was kept"
        with Gradebook.open(tmp_path / "g") as book:
            assert kept <= set(book.ids())
            assert book._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kills += 1
        assert kills < 40
    assert kills > 2
    assert contents(tmp_path / "g") == contents(tmp_path / "undisturbed")


KILLED_INSIDE = """
import os, signal, sys; sys.path.insert(0, "tests")
import judging
from pathlib import Path
from dojo.grade.gradebook import book, file
left = int(sys.argv[3])
def count(frame, event, arg):
    global left
    if event in ("call", "c_call") and frame.f_code.co_filename in (book.__file__, file.__file__):
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
    for place in [*dice.sample(range(60), 4), *dice.sample(range(60, 400), 4)]:  # while it is made, and while it is filled
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
