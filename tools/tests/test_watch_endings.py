"""How watch sessions end, two at a time, and what can't be watched."""

import os
import subprocess
import sys

import pytest
from helpers import until

from dojo import ROOT

if os.name == "nt":
    pytest.skip("these tests need a terminal of POSIX", allow_module_level=True)

from watching import K01, Watching, cloned

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("how", ["hang_up", "kill"])
def test_a_closed_terminal_or_a_kill_leaves_no_process(clone, how):
    session = Watching(clone, "k01")
    session.sees("k01  Tensors", "testing")
    assert session.server
    session.end(getattr(session, how))


def test_two_watchers_in_one_clone_both_answer_and_in_two_they_do_not_meet(
    clone, tmp_path, runtime
):
    sessions = [
        Watching(clone, "k01"),
        Watching(clone, "k01"),
        Watching(cloned(tmp_path / "other"), "k01"),
    ]
    here, beside, there = sessions
    try:
        for session in sessions:
            session.sees("k01  Tensors  not started")
        folders = [path.parent.parent for path in runtime.glob("*/*/address.json")]
        assert sorted(folders.count(folder) for folder in set(folders)) == [1, 2]
        there.breaks()
        assert "not started" in here.screen
        here.save(K01)
        beside.sees("k01  Tensors  passed")
        here.passes()
        assert "is not valid Python" in there.screen
        assert here.end(lambda: here.press("q")) == 0
        beside.breaks()
        assert not list(there.clone.glob(".progress.json.broken*"))
    finally:
        codes = [
            (
                session.code
                if session.code is not None
                else session.end(lambda s=session: s.press("q"))
            )
            for session in sessions
        ]
    assert codes == [0, 0, 0]
    until(lambda: not list(runtime.iterdir()))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--watch"], "--watch needs a terminal"),
        (["--watch", "k01", "k02"], "give it one name at most"),
        (["--watch", "--json"], "no --json"),
        (["--watch", "k99"], "There is no kata 'k99'"),
    ],
)
def test_what_cannot_be_watched_is_one_sentence(arguments, says):
    command = [sys.executable, str(ROOT / "tools" / "check"), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.returncode == 2
