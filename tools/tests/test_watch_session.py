"""A watch session in a terminal: a person edits and presses keys, and looks at the screen."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import descendants, lives, until

from dojo import ROOT

if os.name == "nt":
    pytest.skip("these tests need a terminal of POSIX", allow_module_level=True)

import fcntl
import pty
import struct
import termios

pytestmark = pytest.mark.timeout(400)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 90
STUB, RIGHT, WRONG = "waits for you", "return self.sigmoid(self.linear(x))", "return self.linear(x)"
K01, K06 = "k01_tensors", "k06_logistic_regression"


class Watching:
    """`tools/check --watch` in a terminal of its own."""

    def __init__(self, clone: Path, *arguments: str, lines: int = 40) -> None:
        self.clone = clone
        command = [sys.executable, str(clone / "tools" / "check"), "--watch", *arguments]
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(clone)
            os.environ["TERM"] = "xterm"
            os.execv(command[0], command)
        self.resize(lines)
        self.output = ""
        self.code: int | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while data := os.read(self._terminal, 65536):
                self.output += data.decode(errors="replace")
        except OSError:  # the other side is closed
            return

    def resize(self, lines: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 100, 0, 0))

    @property
    def screen(self) -> str:
        """The last frame in full."""
        frames = self.output.split("\x1b[H")
        whole = next((frame for frame in reversed(frames) if frame.endswith("\x1b[J")), "")
        return ESCAPE.sub("", whole)

    def sees(self, *texts: str) -> str:
        """Wait until all of these are on the screen at once."""
        try:
            until(lambda: all(text in self.screen for text in texts), PATIENCE)
        except AssertionError:
            raise AssertionError(f"never seen together: {texts}\n{self.screen or self.output}") from None
        return self.screen

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def path(self, kata: str) -> Path:
        return self.clone / "katas" / f"{kata}.py"

    def save(self, kata: str, change: Callable[[str], str] = lambda text: text) -> None:
        """Save the reference, with a change, the way most editors do: a new file in the place of the old."""
        text = (self.clone / "reference" / f"{kata}.py").read_text(encoding="utf-8")
        fresh = self.path(kata).with_suffix(".swp")
        fresh.write_text(change(text), encoding="utf-8")
        fresh.replace(self.path(kata))

    @property
    def warm(self) -> int:
        """The warm process."""
        return until(lambda: [pid for pid in descendants(self.pid) if "dojo.warm.host" in arguments_of(pid)])[0]

    def end(self, how: Callable[[], None]) -> int:
        """End it in this way, wait for it, and see that nothing of it is left. Its exit code, or minus the signal."""
        below = descendants(self.pid)
        how()
        status = until(lambda: os.waitpid(self.pid, os.WNOHANG), 30)[1]
        self.code = os.waitstatus_to_exitcode(status)
        until(lambda: not any(map(lives, below)), 30)
        return self.code

    def hang_up(self) -> None:
        os.close(self._terminal)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def arguments_of(pid: int) -> str:
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tk", dir="/tmp") as path, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", path)
        patch.delenv("TORCH_KATAS_PROGRESS", raising=False)
        yield Path(path)


def cloned(to: Path) -> Path:
    for name in ("katas", "reference", "tests", "tools"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.backup*"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, to)
    for path in (to / "katas").glob("k*.py"):
        reference = (to / "reference" / path.name).read_text(encoding="utf-8")
        assert path.read_text(encoding="utf-8") != reference
    return to


@pytest.fixture(scope="module")
def clone(tmp_path_factory, runtime) -> Path:
    return cloned(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def watching(clone) -> Iterator[Watching]:
    """A session that all tests here share, in their order."""
    session = Watching(clone, "k06")
    yield session
    if session.code is None:
        session.end(session.kill)


def test_it_starts_with_what_is_to_do(watching):
    assert "starting Python and torch" in watching.sees("k06  Logistic regression", "starting")
    shown = watching.sees(STUB, "q quit")
    assert "katas/k06_logistic_regression.py:" in shown
    assert "0 of " in shown
    assert "n next" not in shown


def test_a_mistake_is_named_with_the_line(watching):
    watching.save(K06, lambda text: text.replace(RIGHT, WRONG))
    shown = watching.sees("failed", "these are the raw scores", "h hint")
    first = next(line for line in shown.splitlines()[3:] if line.strip())
    assert "test_output_is_the_sigmoid_of_the_scores" in first
    assert re.search(r"katas/k06_logistic_regression\.py:\d+", shown)
    assert WRONG in shown


def test_a_hint_comes_when_asked_for(watching):
    assert "Hint 1" not in watching.screen
    watching.press("h")
    watching.sees("Hint 1 of ", "these are the raw scores")
    watching.press("h")
    watching.sees("Hint 2 of ")


def test_the_fix_is_answered_with_what_was_learned_and_waits(watching):
    watching.save(K06)
    shown = watching.sees("passed", "Learned:", "n next: k07", "d compare")
    assert "Hint" not in shown
    assert "train distance: " in shown


def test_the_comparison_and_back(watching):
    watching.press("d")
    watching.sees("+ the reference's", "b back")
    watching.press("b")
    watching.sees("Learned:")


def test_next_is_the_next_kata(watching):
    watching.press("n")
    watching.sees("k07  Hidden layer", "not started")


def test_it_follows_the_file_that_is_saved(watching):
    watching.save(K01)
    watching.sees("k01  Tensors", "passed")


def test_a_save_in_place_is_seen_too(watching):
    with watching.path(K01).open("a", encoding="utf-8") as file:
        file.write("1 +\n")
    watching.sees("failed", "is not valid Python")


def test_a_file_that_is_deleted_and_brought_back(watching):
    watching.path(K01).unlink()
    watching.sees("failed", "can't be read")
    watching.save(K01)
    watching.sees("k01  Tensors", "passed")


def test_a_folder_that_is_replaced(watching):
    folder = watching.clone / "katas"
    aside = watching.clone / "aside"
    shutil.copytree(folder, aside)
    folder.rename(watching.clone / "old")
    aside.rename(folder)
    watching.save(K01, lambda text: text + "\n1 +")
    watching.sees("failed", "is not valid Python")
    watching.save(K01)
    watching.sees("k01  Tensors", "passed")


def test_a_save_during_a_run_ends_that_run(watching):
    started = watching.clone / "started"
    watching.save(K01, lambda text: f"open({str(started)!r}, 'w').close()\nwhile True: pass\n{text}")
    until(started.exists, PATIENCE)
    watching.sees("testing")
    begin = time.monotonic()
    watching.save(K01)
    watching.sees("k01  Tensors", "passed")
    assert "endless loop" not in watching.screen
    assert time.monotonic() - begin < PATIENCE


def test_of_a_storm_of_saves_the_last_one_is_judged(watching):
    for number in range(20):
        watching.save(K01, lambda text, number=number: f"{text}\n1 + # {number}")
        time.sleep(0.05)
    watching.save(K01, lambda text: f"{text}\nraise SystemExit('the last one')")
    watching.sees("failed", "the last one")
    watching.save(K01)
    watching.sees("k01  Tensors", "passed")


def test_another_check_in_this_clone_is_answered_by_it(watching, clone):
    code = "import dojo.warm.ask as ask; ask.own.run = None; from dojo.check.commands import main; main()"
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(clone / 'tools')!r}]; sys.argv[1:] = ['k01']; {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "passed" in done.stdout, done.stderr
    assert done.returncode == 0


def test_a_killed_warm_process_is_replaced(watching):
    before = watching.warm
    os.kill(before, signal.SIGKILL)
    watching.save(K01, lambda text: text + "\n1 +")
    watching.sees("failed", "is not valid Python")
    assert watching.warm != before


def test_a_change_of_the_tests_is_seen(watching, clone):
    path = clone / "tests" / "expect.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("def shape(", "def shape(*_, **__):\n    unmet('changed', 'this', 'that', 'all')\n\n\ndef _shape(")
    )
    watching.save(K06)
    watching.sees("k06  Logistic regression", "failed", "changed")
    path.write_text(text, encoding="utf-8")
    watching.save(K06)
    watching.sees("k06  Logistic regression", "passed")


def test_a_change_of_the_tools_starts_it_anew_where_it_was(watching, clone):
    path = clone / "tools" / "dojo" / "check" / "watch" / "frame.py"
    path.write_text(path.read_text(encoding="utf-8").replace("Learned:", "You have learned:"), encoding="utf-8")
    watching.save(K06)
    watching.sees("k06  Logistic regression", "passed", "You have learned:")


def test_a_small_screen_scrolls_and_keeps_the_keys(watching):
    watching.resize(14)
    watching.save(K06, lambda text: text.replace(RIGHT, WRONG))
    shown = watching.sees("test_output_is_the_sigmoid", "more lines: down", "q quit")
    assert len(shown.splitlines()) == 14
    watching.press("\x1b[B" * 30)
    watching.sees(WRONG, "q quit")
    watching.resize(40)
    watching.sees("test_output_is_the_sigmoid", WRONG, "q quit")


def test_reset_asks_and_keeps_a_copy(watching):
    watching.press("r")
    watching.sees("back to its stub?", "y yes, reset")
    watching.press("y")
    watching.sees(STUB, "is the stub again. What was there: katas/k06_logistic_regression.py.backup-")
    assert [WRONG in copy.read_text() for copy in (watching.clone / "katas").glob("*.backup-*")] == [True]


def test_ctrl_c_leaves_the_terminal_as_it_was_and_no_process(watching, runtime):
    assert watching.end(lambda: watching.press("\x03")) == 130
    assert "\x1b[?1049l" in watching.output  # the screen of before
    assert "\x1b[?25h" in watching.output.rpartition("\x1b[?25l")[2]  # the cursor
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("how", ["hang_up", "kill"])
def test_a_closed_terminal_or_a_kill_leaves_no_process(clone, how):
    session = Watching(clone, "k01")
    session.sees("k01  Tensors")
    assert session.warm
    session.end(getattr(session, how))


def test_two_clones_do_not_meet(clone, tmp_path, runtime):
    here, there = Watching(clone, "k01"), Watching(cloned(tmp_path / "other"), "k01")
    try:
        here.sees("k01  Tensors")
        there.sees("k01  Tensors")
        until(lambda: len(list(runtime.glob("*/*/card.json"))) == 2)
        assert len(list(runtime.iterdir())) == 2
        there.save(K01, lambda text: text + "\n1 +")
        there.sees("failed", "is not valid Python")
        here.sees("k01  Tensors", "passed")
    finally:
        codes = [session.end(lambda session=session: session.press("q")) for session in (here, there)]
    assert codes == [0, 0]


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
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.returncode == 2
