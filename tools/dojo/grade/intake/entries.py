"""The entries of the folder of submissions: whose they are."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dojo import catalog
from dojo.catalog import Kata
from dojo.grade.intake import left, names, reading, strays
from dojo.grade.intake.near import Wanted
from dojo.grade.records import Ignored, Submission
from dojo.grade.text import line


class IntakeError(Exception):
    """The folder of submissions can't be used; the message is one sentence for the user, saying
    what to do.
    """


@dataclass(frozen=True)
class Entry:
    """One submission, not read yet.

    Attributes:
        id: of the student; unique among the entries, whatever their case.
        names: of the folder, the archive or the single files of one student, as they are in the
            folder.
        beside: names of the student's other files, such as a report: they are not read.
        notes: what a person should know of it before it is read.
    """

    id: str
    names: tuple[str, ...]
    beside: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        more = f" and {len(self.names) - 1} more" if len(self.names) > 1 else ""
        return line(self.names[0]) + more


@dataclass(frozen=True)
class Intake:
    """What a folder of submissions holds.

    Attributes:
        entries: by id.
        strays: what is nobody's submission, and why.
    """

    folder: Path
    wanted: Wanted
    entries: tuple[Entry, ...]
    strays: tuple[Ignored, ...]

    @property
    def katas(self) -> tuple[str, ...]:
        return self.wanted.graded

    def read(self, entry: Entry) -> Submission:
        """Read one submission. Whatever is wrong with it is told in it, and nothing is raised."""
        choice, problem = reading.read([self.folder / name for name in entry.names], self.wanted)
        beside = left.beside(entry.beside, self.wanted)
        notes = left.notes((*choice.left, *beside.left), choice.places, self.katas)
        if not choice.files and not notes and choice.others:
            notes = (left.nothing_of_these(choice.others),)
        return Submission(
            entry.id,
            entry.shown,
            choice.files,
            choice.ignored + beside.ignored,
            problem,
            entry.notes + notes,
        )


def look(
    folder: Path,
    katas: Sequence[Kata],
    pattern: str = names.DEFAULT_PATTERN,
    skip: Path | None = None,
) -> Intake:
    """The entries of a folder of submissions. None of them is read yet.

    Args:
        katas: those that are graded; files of other katas are listed as ignored.
        pattern: a regular expression, searched in an entry's name, whose group `id` is the
            student's id. An entry that it does not fit has its own name as id, without the endings
            of archives.
        skip: a path that is no submission even if it lies in the folder: where the grades go.

    Raises:
        IntakeError: there is no such folder, nothing in it, or the pattern can't be used.
    """
    compiled = _compiled(pattern)
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        raise IntakeError(
            f"{folder}: there is no such folder. Give the one that holds the submissions."
        ) from None
    except NotADirectoryError:
        raise IntakeError(
            f"{folder} is no folder. Give the folder that holds the submissions; unpack a"
            " downloaded archive."
        ) from None
    except OSError as error:
        raise IntakeError(
            f"{folder} can't be read ({error.strerror}): check that you may."
        ) from None
    wanted = Wanted(
        tuple(kata.name for kata in katas), tuple(kata.name for kata in catalog.load().katas)
    )
    if why := strays.of_one_student(folder, found, wanted):
        raise IntakeError(why)
    groups, nobodys = _Groups(), []
    for entry in found:
        single = names.lone(entry.name) if entry.is_file(follow_symlinks=False) else None
        if why := strays.why_stray(entry, single, compiled, wanted, skip):
            nobodys.append(Ignored(line(entry.name), why))
        else:
            groups.add(
                entry,
                names.student(
                    entry.name, compiled, single[0] if single else names.own_name(entry.name)
                ),
                single,
            )
    entries = groups.entries()
    if not entries:
        raise IntakeError(strays.nothing_there(folder, nobodys))
    if pattern != names.DEFAULT_PATTERN:
        entries = _told_of_the_pattern(entries, compiled)
    return Intake(
        folder, wanted, _told_apart([_told_of_lateness(entry) for entry in entries]), tuple(nobodys)
    )


class _Groups:
    """Which entries of the folder make one submission."""

    def __init__(self) -> None:
        # (id, one group per entry that stands alone) → names
        self._given: dict[tuple[str, str], list[str]] = defaultdict(list)
        # id without its case → id and name of other files
        self._plain: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, entry: os.DirEntry, student: str, single: object) -> None:
        if single:
            self._given[student, ""].append(entry.name)
        elif strays.is_plain(entry):
            self._plain[student.casefold()].append((student, entry.name))
        else:
            self._given[student, entry.name].append(entry.name)

    def entries(self) -> list[Entry]:
        """Of a student who has only plain files, such as a report, the first one is the entry, and
        is told what it is not.
        """
        given, plain = dict(self._given), {key: list(files) for key, files in self._plain.items()}
        for key in plain.keys() - {student.casefold() for student, _ in given}:
            student, name = plain[key].pop(0)
            given[student, name] = [name]
        beside = {key: tuple(name for _, name in files) for key, files in plain.items()}
        return [
            Entry(student, tuple(them), beside.get(student.casefold(), ()))
            for (student, _), them in given.items()
        ]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise IntakeError(f"--id-pattern is no regular expression ({error}).") from None
    if "id" not in compiled.groupindex:
        raise IntakeError(
            r"--id-pattern has no group `id`: write (?P<id>...) around the part of a name that is"
            r" the id."
        )
    return compiled


def _told_of_the_pattern(entries: list[Entry], pattern: re.Pattern[str]) -> list[Entry]:
    """With a note where the user's pattern does not fit.

    Raises:
        IntakeError: it fits nowhere: no id would be the one that is meant.
    """
    unfit = [[name for name in entry.names if not names.fits(name, pattern)] for entry in entries]
    if all(unfit):
        many = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
        example = line(entries[0].names[0])
        raise IntakeError(
            f"--id-pattern fits none of {many}, such as {example}: correct it, or leave it out."
        )
    told = (
        [f"--id-pattern does not fit {line(name)}." for name in unfitting[:1]]
        for unfitting in unfit
    )
    return [_noted(entry, *notes) for entry, notes in zip(entries, told, strict=True)]


def _told_of_lateness(entry: Entry) -> Entry:
    late = [name for name in (*entry.names, *entry.beside) if names.is_late(name)]
    more = f" and {len(late) - 1} more" if len(late) > 1 else ""
    return _noted(entry, f"Handed in late, says Canvas: {line(late[0])}{more}.") if late else entry


def _noted(entry: Entry, *notes: str) -> Entry:
    return replace(entry, notes=(*entry.notes, *notes))


def _told_apart(entries: list[Entry]) -> tuple[Entry, ...]:
    """The entries by id. Where several have one id, each gets a part of its name's hash after a ~,
    and a note: none of them can pass as the one that is meant.
    """
    same: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        same[entry.id.casefold()].append(entry)
    made = []
    for group in same.values():
        if len(group) == 1:
            made.append(group[0])
            continue
        hashes = [names.name_hash(entry.names[0]) for entry in group]
        length = next(
            length for length in range(6, 65) if len({one[:length] for one in hashes}) == len(group)
        )
        for entry, own in zip(group, hashes, strict=True):
            note = f"{len(group)} entries have the id {entry.id}; this one is {entry.shown}."
            made.append(_noted(replace(entry, id=f"{entry.id}~{own[:length]}"), note))
    return tuple(sorted(made, key=lambda entry: entry.id))
