"""The entries of the folder of submissions: whose they are, and which are nobody's."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dojo import catalog
from dojo.catalog import Kata
from dojo.grade.gradebook.book import NAME as GRADEBOOK
from dojo.grade.intake import names, notes, reading
from dojo.grade.intake.names import KataNames
from dojo.grade.records import Ignored, Submission
from dojo.grade.text import line

OF_THE_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
NO_STUDENT = "names no student: put it into a folder of the student's name"


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
        """Its name, made fit to be shown."""
        return line(self.names[0]) + _and_more(self.names)

    def noted(self, note: str) -> "Entry":
        """The same entry with one more note."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)
class Intake:
    """What a folder of submissions holds.

    Attributes:
        entries: by id.
        strays: what is nobody's submission, and why.
    """

    folder: Path
    kata_names: KataNames
    entries: tuple[Entry, ...]
    strays: tuple[Ignored, ...]

    @property
    def katas(self) -> tuple[str, ...]:
        return self.kata_names.graded

    def read(self, entry: Entry) -> Submission:
        """Read one submission. Whatever is wrong with it is noted in it, and nothing is raised."""
        paths = [self.folder / name for name in entry.names]
        choice, problem = reading.read(paths, self.kata_names)
        beside = [notes.beside(name, self.kata_names) for name in entry.beside]
        left_out = (*choice.left_out, *(finding for finding in beside if finding.kata))
        found = notes.notes(left_out, choice.places, self.katas)
        if not choice.files and not found and choice.others:
            found = (notes.nothing_of_these(choice.others),)
        return Submission(
            entry.id,
            entry.shown,
            choice.files,
            choice.ignored + tuple(finding.ignored for finding in beside),
            problem,
            entry.notes + found,
        )


def scan(
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
    files = _files_in(folder)
    every = tuple(kata.name for kata in catalog.load().katas)
    kata_names = KataNames(tuple(kata.name for kata in katas), every)
    if why := _why_of_one_student(folder, files, kata_names):
        raise IntakeError(why)
    strays = []
    groups = _Groups()
    for file in files:
        single = names.single_file(file.name) if file.is_file(follow_symlinks=False) else None
        if why := _why_stray(file, single, compiled, kata_names, skip):
            strays.append(Ignored(line(file.name), why))
            continue
        own_name = single[0] if single else names.own_name(file.name)
        student = names.safe_id(names.id_in(file.name, compiled) or own_name)
        groups.add(file, student, single is not None)
    if not (entries := groups.entries()):
        raise IntakeError(_nothing_there(folder, strays))
    if pattern != names.DEFAULT_PATTERN:
        entries = _note_where_unfit(entries, compiled)
    entries = _unique([_note_lateness(entry) for entry in entries])
    return Intake(folder, kata_names, tuple(entries), tuple(strays))


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


def _files_in(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in the folder of submissions, by name."""
    try:
        with os.scandir(folder) as files:
            return sorted(files, key=lambda file: file.name)
    except FileNotFoundError:
        problem = ": there is no such folder. Give the one that holds the submissions."
    except NotADirectoryError:
        problem = (
            " is no folder. Give the folder that holds the submissions; unpack a downloaded"
            " archive."
        )
    except OSError as error:
        problem = f" can't be read ({error.strerror}): check that you may."
    raise IntakeError(f"{folder}{problem}")


class _Groups:
    """Groups what lies in the folder by the submission that it belongs to."""

    def __init__(self) -> None:
        # (id, name of a folder or an archive, which stands alone) → names
        self._submissions: dict[tuple[str, str], list[str]] = defaultdict(list)
        # id without its case → id and name of other files
        self._plain: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, file: os.DirEntry[str], student: str, is_kata: bool) -> None:
        if not is_kata and _is_plain(file):
            self._plain[student.casefold()].append((student, file.name))
        else:
            self._submissions[student, "" if is_kata else file.name].append(file.name)

    def entries(self) -> list[Entry]:
        """The entries. If a student has only plain files, such as a report, the first of them is
        the entry, so that it is reported as unreadable.
        """
        for key in self._plain.keys() - {student.casefold() for student, _ in self._submissions}:
            student, name = self._plain[key].pop(0)
            self._submissions[student, name] = [name]
        entries = []
        for (student, _), group in self._submissions.items():
            beside = self._plain.get(student.casefold(), [])
            entries.append(Entry(student, tuple(group), tuple(name for _, name in beside)))
        return entries


def _note_where_unfit(entries: Sequence[Entry], pattern: re.Pattern[str]) -> list[Entry]:
    """With a note where the user's pattern does not fit.

    Raises:
        IntakeError: it fits nowhere: no id would be the one that is meant.
    """
    noted = []
    for entry in entries:
        unfit = [name for name in entry.names if not names.id_in(name, pattern)]
        note = f"--id-pattern does not fit {line(unfit[0])}." if unfit else ""
        noted.append(entry.noted(note) if note else entry)
    if all(len(entry.notes) > 0 for entry in noted):
        many = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
        example = line(entries[0].names[0])
        raise IntakeError(
            f"--id-pattern fits none of {many}, such as {example}: correct it, or leave it out."
        )
    return noted


def _note_lateness(entry: Entry) -> Entry:
    late = [name for name in (*entry.names, *entry.beside) if names.is_late(name)]
    if not late:
        return entry
    return entry.noted(f"Handed in late, says Canvas: {line(late[0])}{_and_more(late)}.")


def _and_more(files: Sequence[str]) -> str:
    return f" and {len(files) - 1} more" if len(files) > 1 else ""


def _unique(entries: Iterable[Entry]) -> list[Entry]:
    """The entries by id. Where several have one id, each gets a part of its name's hash after a ~,
    and a note: none of them can pass as the one that is meant.
    """
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.id.casefold()].append(entry)
    unique = []
    for group in groups.values():
        hashes = [names.name_hash(entry.names[0]) for entry in group]
        length = 6
        while len({digest[:length] for digest in hashes}) < len(group):
            length += 1
        for entry, digest in zip(group, hashes, strict=True):
            if len(group) > 1:
                note = f"{len(group)} entries have the id {entry.id}; this one is {entry.shown}."
                entry = replace(entry.noted(note), id=f"{entry.id}~{digest[:length]}")
            unique.append(entry)
    return sorted(unique, key=lambda entry: entry.id)


def _why_stray(
    file: os.DirEntry[str],
    single: tuple[str, str] | None,
    pattern: re.Pattern[str],
    katas: KataNames,
    grades: Path | None,
) -> str:
    """Why something in the folder is nobody's submission; empty if it is somebody's.

    Args:
        single: of a single kata's file, whose it is and which kata's, as names.single_file() gives.
        grades: where the grades go.
    """
    if file.name.startswith(".") or file.name.casefold() in OF_THE_SYSTEM:
        return "a file of the system"
    if grades is not None and _only_leads_to(file, grades):
        return "where the grades go"
    if file.is_dir(follow_symlinks=False) and (Path(file.path) / GRADEBOOK).is_file():
        return "grades of another run"
    if "_assignsubmission_onlinetext" in file.name:
        return "a text that was typed into Moodle"
    if single:
        return "" if single[0] else NO_STUDENT
    if pattern.search(file.name) or not _is_plain(file):
        return ""
    if kata := katas.nearest(file.name):
        return f"is it meant as {kata}.py? rename it to STUDENT_{kata}.py"
    return "neither a folder, an archive nor a kata's file"


def _is_plain(file: os.DirEntry[str]) -> bool:
    """True if it is a file, and no archive of any kind."""
    if not file.is_file(follow_symlinks=False) or names.is_archive(file.name):
        return False
    return not reading.is_archive(Path(file.path))


def _only_leads_to(file: os.DirEntry[str], grades: Path) -> bool:
    """True if it is where the grades go, or a folder in which nothing lies but the way there and
    grades of other runs.
    """
    here, goal = Path(file.path).resolve(), grades.resolve()
    if here == goal:
        return True
    if not file.is_dir(follow_symlinks=False) or not goal.is_relative_to(here):
        return False
    for step in goal.relative_to(here).parts:
        others = {name for name in _names_in(here) - {step} if not name.startswith(".")}
        if not all((here / name / GRADEBOOK).is_file() for name in others):
            return False
        here /= step
    return True


def _names_in(folder: Path) -> set[str]:
    try:
        return {inside.name for inside in folder.iterdir()}
    except OSError:  # not there yet, or not to be read: nothing is known of it
        return set()


def _why_of_one_student(folder: Path, files: Iterable[os.DirEntry[str]], katas: KataNames) -> str:
    """Why this folder is most likely one submission itself, in a sentence for the user; empty if it
    isn't.
    """
    every = {f"{kata}.py" for kata in katas.every}
    for file in files:
        if file.name.casefold() == "katas" and file.is_dir(follow_symlinks=False):
            if not every & _names_in(Path(file.path)):
                return ""
            return (
                f"{folder} looks like one submission: it holds a folder {file.name}/ with katas'"
                f" files. Give the folder that holds {folder.name}; if this is the one of the"
                f" submissions, move {file.name}/ into a folder of its student's name."
            )
    return ""


def _nothing_there(folder: Path, strays: Iterable[Ignored]) -> str:
    if any(stray.reason == NO_STUDENT for stray in strays):
        return (
            f"{folder} looks like one submission: it holds katas' files itself. Give the folder"
            f" that holds {folder.name}."
        )
    return (
        f"{folder} holds no submission: neither a folder nor an archive nor a kata's file with a"
        " student's name."
    )
