"""Keeps the learner's state in .progress.json: whole or not at all, however many commands write and
however they end.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from dojo import ROOT, lock
from dojo.check import state as states
from dojo.check.state import State
from dojo.results import Outcome, Verdict

KATAS, TESTS = ROOT / "katas", ROOT / "tests"


def file() -> Path:
    """Where the state is: at the top of the repository, unless the environment names another place,
    as the tests do.
    """
    return Path(os.environ.get("TORCH_KATAS_PROGRESS") or ROOT / ".progress.json")


def read(path: Path | None = None) -> tuple[State, str]:
    """The state, and a sentence for the learner where the file was broken and had to be set aside;
    otherwise an empty one.

    Raises:
        OSError: the file is there and can't be read.
    """
    path = path or file()
    if not path.exists():
        return State(), ""
    try:
        with lock.held(_lock(path)):
            return _load(path)
    except (
        PermissionError
    ):  # a folder in which nothing can be written: nobody else writes there either
        try:
            return _parse(path), ""
        except (ValueError, RecursionError):
            return (
                State(),
                (
                    f"{path.name} could not be used, so hints and attempts are not known; your"
                    " katas are not touched."
                ),
            )


def change(how: Callable[[State], State], path: Path | None = None) -> tuple[State, str]:
    """Read, change and write the state in one go. Returns the new one, and a sentence as read()
    does.

    Raises:
        OSError: it can't be written; the file is as it was.
    """
    path = path or file()
    with lock.held(_lock(path)):
        old, notice = _load(path)
        new = how(old)
        if new != old or not path.exists():
            _write(new, path)
        return new, notice


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _parse(path: Path) -> State:
    return states.from_json(json.loads(path.read_bytes().decode("utf-8")))


def _load(path: Path) -> tuple[State, str]:
    try:
        return _parse(path), ""
    except FileNotFoundError:
        return State(), ""
    except (ValueError, RecursionError) as error:  # half a file, another file, brackets without end
        reason = (
            "it is not JSON"
            if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
            else error
        )
        aside = _free_name(path)
        path.rename(aside)
        return (
            State(),
            (
                f"{path.name} could not be used ({reason}): it is kept as {aside.name}, and hints"
                " and attempts are counted anew; your katas are not touched."
            ),
        )


def _free_name(path: Path) -> Path:
    """A name that nothing has yet: what was set aside before stays, too."""
    name = f"{path.name}.broken-{datetime.now():%Y%m%d-%H%M%S}"
    names = (path.with_name(name + (f"-{number}" if number else "")) for number in range(1_000_000))
    return next(name for name in names if not name.exists())


def _write(state: State, path: Path) -> None:
    fresh = path.with_name(path.name + ".new")  # one name is enough: only the lock's holder writes
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(state.to_json(), indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def content_hash(kata: str, folder: Path | None = None) -> str:
    """Of a kata's file and of what judges it, the same whatever their line ends; empty where one
    can't be read.

    An update may bring other tests: what passed those of before is then to be confirmed.
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
    """Kata name → content_hash of it: to be taken before a check and given to record()."""
    return {kata: content_hash(kata) for kata in katas}


def record(
    verdict: Verdict, before: dict[str, str], today: date | None = None, device: str = "auto"
) -> str:
    """Keep what a check of the learner's own katas found. Returns a sentence as read() does.

    Args:
        before: the files' hashes from before the check. A file saved during it was judged in nobody
            knows which version. device: where the placement tests ran. On one of one's choice some
            are left out, so that nothing becomes green by it.

    Raises:
        OSError: the state can't be written.
    """
    now = hashes(before)
    content = {kata: before[kata] if before[kata] == now[kata] else "" for kata in before}
    day = today or date.today()

    def with_all(state: State) -> State:
        for kata in verdict.katas:
            if device != "auto":
                kata = replace(
                    kata, tasks=tuple(task for task in kata.tasks if task.outcome != Outcome.PASSED)
                )
            state = states.after_check(state, kata, content.get(kata.name, ""), day)
        return state

    return change(with_all)[1]


def edited(katas: Iterable[str]) -> dict[str, float]:
    """Kata name → when the learner's file was last changed; files that are not there are left
    out.
    """
    files = ((kata, KATAS / f"{kata}.py") for kata in katas)
    return {kata: path.stat().st_mtime for kata, path in files if path.is_file()}
