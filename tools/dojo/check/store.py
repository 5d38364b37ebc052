"""The learner's files: the state in .progress.json, the kata files, their hashes and stubs.

The state is written whole or not at all, however many commands write and however they end.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from dojo import ROOT, UserError, files, lock
from dojo.catalog import Kata, Task
from dojo.check import state as states
from dojo.check.state import State
from dojo.results import Outcome, Verdict
from dojo.stubs import stub_of

KATAS, TESTS = ROOT / "katas", ROOT / "tests"


def file() -> Path:
    """The file of the state: that in the environment (for tests), else at the repository's top.

    Raises UserError if something that is no file bears the name, since writing would replace it.
    """
    path = Path(os.environ.get("TORCH_KATAS_PROGRESS") or ROOT / ".progress.json")
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not a file: your progress needs one; move it out of the way.")
    return path


def read(path: Path | None = None) -> tuple[State, str]:
    """The state, and a sentence for the learner if the file was broken and was set aside, else "".

    Raises OSError if the file is there and can't be read.
    """
    path = path or file()
    if not path.exists():
        return State(), ""
    try:
        with lock.held(_lock(path)):
            return _load(path)
    except PermissionError:  # where nothing can be written no other process writes either
        try:
            return states.from_json(path.read_bytes()), ""
        except ValueError:
            return State(), (
                f"{path.name} could not be used, so hints and attempts are not known; your katas"
                " are not touched."
            )


def change(how: Callable[[State], State], path: Path | None = None) -> tuple[State, str]:
    """Read, change and write the state in one go. Returns the new state, and a sentence as read().

    Raises OSError if it can't be written; the file is as it was.
    """
    path = path or file()
    with lock.held(_lock(path)):
        old, notice = _load(path)
        new = how(old)
        if new != old or not path.exists():
            files.write_whole(path, new.to_json().decode() + "\n")
        return new, notice


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _load(path: Path) -> tuple[State, str]:
    try:
        return states.from_json(path.read_bytes()), ""
    except FileNotFoundError:
        return State(), ""
    except ValueError as reason:
        aside = _free_name(path)
        path.rename(aside)
        return State(), (
            f"{path.name} could not be used ({reason}): it is kept as {aside.name}, and hints and"
            " attempts are counted anew; your katas are not touched."
        )


def _free_name(path: Path) -> Path:
    """A name that nothing has yet, so that what was set aside before stays too."""
    name = f"{path.name}.broken-{datetime.now():%Y%m%d-%H%M%S}"
    names = (path.with_name(name + (f"-{number}" if number else "")) for number in range(1_000_000))
    return next(name for name in names if not name.exists())


def content_hash(kata: str, folder: Path | None = None) -> str:
    """Hash of a kata's file, its tests and the pass marks, ignoring line-ending style; empty if one
    can't be read. After an update, what passed the old tests has to pass the new ones.
    """
    paths = (folder or KATAS) / f"{kata}.py", TESTS / f"test_{kata}.py", TESTS / "pass_marks.toml"
    digest = hashlib.sha256()
    try:
        for path in paths:
            digest.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    except OSError:
        return ""
    return digest.hexdigest()[:16]


def hashes(katas: Iterable[str]) -> dict[str, str]:
    """Kata name → content_hash: to be taken before a check and given to record()."""
    return {kata: content_hash(kata) for kata in katas}


def record(
    verdict: Verdict, before: dict[str, str], today: date | None = None, device: str = "auto"
) -> str:
    """Keep the results of a check of the learner's own katas. Returns a sentence as read() does.

    Args:
        before: the files' hashes from before the check. If a file was saved meanwhile, the version
            that was judged is unknown.
        device: where the placement tests ran. On a chosen device some are left out, so that nothing
            becomes green by such a check.

    Raises OSError if the state can't be written.
    """
    content = {kata: after for kata, after in hashes(before).items() if after == before[kata]}
    day = today or date.today()

    def with_results(state: State) -> State:
        for kata in verdict.katas:
            if device != "auto":
                tasks = tuple(task for task in kata.tasks if task.outcome != Outcome.PASSED)
                kata = replace(kata, tasks=tasks)
            state = states.after_check(state, kata, content.get(kata.name, ""), day)
        return state

    return change(with_results)[1]


def open_hint(kata: str, task: Task) -> str:
    """Open one more hint of a task. Returns a sentence, and raises OSError, as change() does."""
    return change(lambda state: states.after_hint(state, kata, task, datetime.now()))[1]


def solution_shown(kata: str, task: Task) -> str:
    """Note that a solution of a task was shown. Returns and raises what change() does."""
    return change(lambda state: states.after_solution(state, kata, task, date.today()))[1]


def edited(katas: Iterable[str]) -> dict[str, float]:
    """Kata name → when the learner's file was last changed; missing files are left out."""
    paths = {kata: KATAS / f"{kata}.py" for kata in katas}
    return {kata: path.stat().st_mtime for kata, path in paths.items() if path.is_file()}


def stub(kata: Kata) -> str:
    """The text of a kata's stub."""
    tasks = [task.name for task in kata.tasks]
    return stub_of(kata.reference_text(), tasks, f"reference/{kata.name}.py")


def is_stub(path: Path, text: str) -> bool:
    """True if the file is this stub already, ignoring line-ending style."""
    return path.is_file() and files.content(path) == text.encode()


def reset(path: Path, text: str, now: datetime) -> str:
    """Write the stub, and keep what was there in a copy. Returns a sentence on both.

    Raises OSError if the folder can't be written; the file is as it was.
    """
    copy = ""
    if path.exists():
        backup = path.with_name(f"{path.name}.backup-{now:%Y%m%d-%H%M%S}")
        backup.write_bytes(path.read_bytes())
        copy = f" What was there: katas/{backup.name}"
    files.write_whole(path, text)
    return f"katas/{path.name} is the stub again.{copy}"
