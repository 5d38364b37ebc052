"""A class of made-up students: right and wrong solutions, stubs, attacks and torn archives, each
with what it has earned.
"""

import io
import itertools
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """One submission, and what its record has to say.

    Attributes:
        kind: a key of WEIGHTS.
        what: which of them.
        files: kata file name → text.
        shape: how it is handed in: one of SHAPES or TORN.
        earned: "kata.task" of all that must be verified.
        not_all: "kata.task" of those of which at least one must not be.
        never: "kata.task" of those of which none may be.
    """

    kind: str
    what: str
    files: Mapping[str, str]
    shape: str
    earned: frozenset[str] = frozenset()
    not_all: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

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
    sources = {
        kind: itertools.cycle(_of_kind(kind, katas))
        for kind in WEIGHTS
        if kind != "hostile" or _hostile(katas)
    }
    order = itertools.cycle([kind for kind in sources for _ in range(WEIGHTS[kind])])
    shapes = itertools.cycle(SHAPES)
    for kind in itertools.islice(order, number):
        student = next(sources[kind])
        yield student if student.shape else Student(**vars(student) | {"shape": next(shapes)})


def hand_in(student: Student, folder: Path, name: str) -> None:
    """Write a student's submission into the folder, under this name without its ending."""
    inside = "katas/" if "katas/" in student.shape else ""
    files = {f"{inside}{kata}.py": text.encode() for kata, text in student.files.items()}
    if student.shape.startswith("folder"):
        for path, data in files.items():
            place = folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
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
    stubs = {
        kata.name: stub_of(text, [t.name for t in kata.tasks], "")
        for kata, text in zip(katas, right.values(), strict=True)
    }
    tasks = {
        kata.name: frozenset(f"{kata.name}.{task.name}" for task in kata.tasks) for kata in katas
    }
    every, first = frozenset().union(*tasks.values()), katas[0].name
    match kind:
        case "reference":
            return [Student(kind, "all of it", right, "", earned=every)]
        case "stub":
            return [Student(kind, "nothing done", stubs, "", never=every)]
        case "half done":
            return [
                Student(
                    kind,
                    "one kata",
                    stubs | {first: right[first]},
                    "",
                    tasks[first],
                    never=every - tasks[first],
                )
            ]
        case "variant":
            found = [
                (one, one.apply(right[kata.name]))
                for kata in katas
                for one in patches.load("variant", kata.name)
            ]
            return [
                Student(kind, one.name, right | {one.kata: text}, "", earned=every)
                for one, text in found
            ]
        case "mistake":
            return [
                Student(
                    kind,
                    one.name,
                    right | {kata.name: one.apply(right[kata.name])},
                    "",
                    earned=every - tasks[kata.name],
                    not_all=frozenset(
                        f"{kata.name}.{task}" for task in tasks_of(kata, one.caught_by)
                    ),
                )
                for kata in katas
                for one in patches.load("mistake", kata.name)
            ]
        case "hostile":
            attacks, kata = _hostile(katas)
            return [
                Student(
                    kind,
                    one.name,
                    right
                    | {kata: one.file(canary="/nowhere", port=9, process=1, sibling=1).decode()},
                    "",
                    earned=(every - tasks[kata])
                    | {
                        f"{kata}.{t}"
                        for t, status in one.verdict.items()
                        if status == Status.VERIFIED
                    },
                    never=frozenset(
                        f"{kata}.{t}"
                        for t, status in one.verdict.items()
                        if status != Status.VERIFIED
                    ),
                )
                for one in attacks
            ]
    return [Student(kind, shape, right, shape, never=every) for shape in TORN]


def _hostile(katas: Sequence[Kata]) -> tuple[list, str] | None:
    """The hostile collection and its kata, where that is graded."""
    sys.path.insert(0, str(ROOT / "tools" / "tests"))
    from hostile_programs import KATA, programs

    return (programs(), KATA) if any(kata.name == KATA for kata in katas) else None


def _zip(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return made.getvalue()


def _tar(files: Mapping[str, bytes], links: bool = False) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            if links:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(data)
            archive.addfile(info, None if links else io.BytesIO(data))
    return made.getvalue()


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
