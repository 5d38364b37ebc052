"""A class of made-up students: right and wrong solutions, stubs, attacks and torn archives, each
with what it has earned.
"""

import io
import itertools
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dojo import ROOT
from dojo.catalog import Kata
from dojo.grade.records import Record, Status
from dojo.stubs import stub_of
from dojo.validate import patches
from dojo.validate.test_files import tasks_of

SHAPES = ("folder", "folder in katas/", "zip", "zip in katas/", "tar.gz")
WEIGHTS = {
    "reference": 2,
    "variant": 3,
    "mistake": 4,
    "stub": 1,
    "half done": 1,
    "hostile": 3,
    "broken archive": 1,
}
TORN = ("cut", "empty", "no archive", "outside", "bomb", "link")


@dataclass(frozen=True)
class Student:
    """One submission, and what its record has to say of each "kata.task"."""

    kind: str  # a key of WEIGHTS
    what: str  # which of them
    files: Mapping[str, str]  # kata file name → text
    shape: str  # how it is handed in: one of SHAPES or TORN
    earned: frozenset[str] = frozenset()  # all these must be verified
    not_all: frozenset[str] = frozenset()  # at least one of these must not be
    never: frozenset[str] = frozenset()  # none of these may be

    def problem(self, record: Record) -> str:
        """What is wrong with its record; empty where nothing is."""
        verified = {
            f"{kata.name}.{task.name}"
            for kata in record.katas
            for task in kata.tasks
            if task.status == Status.VERIFIED
        }
        if missing := self.earned - verified:
            return f"earned and not credited: {', '.join(sorted(missing))}"
        if self.not_all and self.not_all <= verified:
            return f"credited in spite of its mistake: {', '.join(sorted(self.not_all))}"
        if stolen := self.never & verified:
            return f"credited and not earned: {', '.join(sorted(stolen))}"
        return ""


def students(katas: Sequence[Kata], number: int) -> Iterator[Student]:
    """So many students, of all kinds in turn; always the same ones."""
    every = {kind: students for kind in WEIGHTS if (students := _of_kind(kind, katas))}
    sources = {kind: itertools.cycle(students) for kind, students in every.items()}
    order = itertools.cycle([kind for kind in sources for _ in range(WEIGHTS[kind])])
    shapes = itertools.cycle(SHAPES)
    for kind in itertools.islice(order, number):
        student = next(sources[kind])
        yield student if student.shape else replace(student, shape=next(shapes))


def hand_in(student: Student, folder: Path, name: str) -> None:
    """Write a student's submission into the folder, under this name without its ending."""
    inside = "katas/" if "katas/" in student.shape else ""
    files = {f"{inside}{kata}.py": text.encode() for kata, text in student.files.items()}
    if student.shape.startswith("folder"):
        (folder / name / inside).mkdir(parents=True)
        for path, data in files.items():
            (folder / name / path).write_bytes(data)
    elif student.shape.startswith("zip"):
        (folder / f"{name}.zip").write_bytes(_zip(files))
    elif student.shape == "tar.gz":
        (folder / f"{name}.tar.gz").write_bytes(_tar(files))
    else:
        ending = ".tar.gz" if student.shape == "link" else ".zip"
        (folder / f"{name}{ending}").write_bytes(_torn(student.shape, files))


def _of_kind(kind: str, katas: Sequence[Kata]) -> list[Student]:
    """All students of a kind. Without a shape they take any."""
    right = {kata.name: kata.reference_text() for kata in katas}
    tasks = {
        kata.name: frozenset(f"{kata.name}.{task.name}" for task in kata.tasks) for kata in katas
    }
    every = frozenset[str]().union(*tasks.values())
    stubs = {
        kata.name: stub_of(right[kata.name], [task.name for task in kata.tasks], "")
        for kata in katas
    }
    students = []
    match kind:
        case "reference":
            students = [Student(kind, "all of it", right, "", earned=every)]
        case "stub":
            students = [Student(kind, "nothing done", stubs, "", never=every)]
        case "half done":
            name = katas[0].name
            files, rest = stubs | {name: right[name]}, every - tasks[name]
            students = [Student(kind, "one kata", files, "", tasks[name], never=rest)]
        case "variant":
            for variant in (each for kata in katas for each in patches.load("variant", kata.name)):
                files = right | {variant.kata: variant.apply(right[variant.kata])}
                students.append(Student(kind, variant.name, files, "", earned=every))
        case "mistake":
            for kata in katas:
                for mistake in patches.load("mistake", kata.name):
                    files = right | {kata.name: mistake.apply(right[kata.name])}
                    wrong = (f"{kata.name}.{task}" for task in tasks_of(kata, mistake.caught_by))
                    earned, not_all = every - tasks[kata.name], frozenset(wrong)
                    students.append(Student(kind, mistake.name, files, "", earned, not_all))
        case "hostile":
            attacks, name = _hostile(katas)
            for attack in attacks:
                text = attack.file(canary="/nowhere", port=9, process=1, sibling=1).decode()
                verdict = {f"{name}.{task}": status for task, status in attack.verdict.items()}
                verified = {task for task in verdict if verdict[task] == Status.VERIFIED}
                never = frozenset(verdict) - verified
                earned = (every - tasks[name]) | verified
                files = right | {name: text}
                students.append(Student(kind, attack.name, files, "", earned, never=never))
        case "broken archive":
            students = [Student(kind, shape, right, shape, never=every) for shape in TORN]
    return students


def _hostile(katas: Sequence[Kata]) -> tuple[list[Any], str]:
    """The hostile collection and its kata; an empty one where that is not graded."""
    sys.path.insert(0, str(ROOT / "tools" / "tests"))
    from hostile_programs import KATA, programs

    return (programs() if any(kata.name == KATA for kata in katas) else [], KATA)


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def _tar(files: Mapping[str, bytes], links: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            if links:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(data)
            archive.addfile(info, None if links else io.BytesIO(data))
    return buffer.getvalue()


def _torn(how: str, files: Mapping[str, bytes]) -> bytes:
    match how:
        case "cut":
            whole = _zip(files)
            return whole[: len(whole) // 2]
        case "empty":
            return b""
        case "no archive":
            return b"I could not get the upload to work, sorry.\n"
        case "outside":
            return _zip({f"../../{path}": data for path, data in files.items()})
        case "bomb":
            return _zip(dict.fromkeys(files, b" " * 50_000_000))
    return _tar(files, links=True)
