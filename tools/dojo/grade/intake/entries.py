"""The entries of the folder of submissions: whose they are, and which are nobody's."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dojo import UserError, catalog
from dojo.catalog import Kata
from dojo.grade.gradebook.book import NAME as GRADEBOOK
from dojo.grade.intake import archives, attempts, names, notes, reading
from dojo.grade.intake.names import DEFAULT_PATTERN, KataNames
from dojo.grade.records import Ignored, Submission
from dojo.grade.text import line

OF_THE_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
EARLIER = "an earlier attempt of the same student"
NO_STUDENT = "names no student: put it into a folder of the student's name"


class IntakeError(UserError):
    """The folder of submissions, or the pattern for ids, can't be used."""


@dataclass(frozen=True)
class Entry:
    """One submission, not read yet.

    Attributes:
        id: of the student; unique among the entries, whatever their case.
        names: of the folder, the archive or the single files of one student.
        beside: names of the student's other files, such as a report: they are not read.
        notes: what a person should know of it.
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
        """The same entry with one more note, if it is not empty."""
        return replace(self, notes=(*self.notes, note)) if note else self


@dataclass(frozen=True)
class Intake:
    """A folder of submissions: its entries by id, and the files that are nobody's submission."""

    folder: Path
    kata_names: KataNames
    entries: tuple[Entry, ...]
    strays: tuple[Ignored, ...]

    @property
    def katas(self) -> tuple[str, ...]:
        """Names of the katas that are graded."""
        return self.kata_names.graded

    def read(self, entry: Entry) -> Submission:
        """Read one submission. Whatever is wrong with it is noted in it, and nothing is raised."""
        try:
            return self._read(entry)
        except Exception as error:  # the fault of this entry alone, whatever it is
            problem = f"This submission can't be read ({type(error).__name__})."
            return Submission(entry.id, entry.shown, {}, problem=problem, notes=entry.notes)

    def _read(self, entry: Entry) -> Submission:
        paths = [self.folder / name for name in entry.names]
        choice, problem = reading.read(paths, self.kata_names)
        beside = [notes.beside(name, self.kata_names) for name in entry.beside]
        ignored = choice.ignored + tuple(finding.ignored for finding in beside)
        left_out = (*choice.left_out, *(finding for finding in beside if finding.kata))
        more = notes.notes(left_out, choice.places, self.katas)
        if not choice.files and not more and choice.others:
            more = (notes.nothing_of_these(choice.others),)
        all_notes = entry.notes + more
        return Submission(entry.id, entry.shown, choice.files, ignored, problem, all_notes)


def scan(
    folder: Path, katas: Sequence[Kata], pattern: str = DEFAULT_PATTERN, skip: Path | None = None
) -> Intake:
    """The entries of a folder of submissions. None of them is read yet.

    Args:
        katas: those that are graded; files of other katas are listed as ignored.
        pattern: a regular expression, searched in an entry's name; its group `id` is the student's
            id. Where it does not fit, that is the name without the endings of archives.
        skip: a path that is no submission even if it lies in the folder: where the grades go.

    Raises:
        IntakeError: the folder or the pattern can't be used.
    """
    compiled = _compiled(pattern)
    files = _files_in(folder)
    every = tuple(kata.name for kata in catalog.load().katas)
    kata_names = KataNames(tuple(kata.name for kata in katas), every)
    if why := _why_of_one_student(folder, files, kata_names):
        raise IntakeError(why)
    why_stray = {file: _why_stray(file, compiled, kata_names, skip) for file in files}
    # the user's own pattern may make each attempt a student's
    tries = [
        file
        for file in files
        if attempts.attempt(file.name) and not (why_stray[file] or names.id_in(file.name, compiled))
    ]
    earlier = attempts.earlier({file.name: _is_work(file) for file in tries})
    why_stray |= {file: EARLIER for file in tries if file.name in earlier}
    strays = [Ignored(line(file.name), why) for file, why in why_stray.items() if why]
    entries = _grouped((file for file, why in why_stray.items() if not why), compiled)
    if not entries:
        raise IntakeError(_why_nothing(folder, strays))
    if pattern != DEFAULT_PATTERN:
        entries = _note_where_unfit(entries, compiled)
    repeated = {one.owner for name in earlier if (one := attempts.attempt(name))}
    entries = _unique(_note_attempts(_note_lateness(entry), repeated) for entry in entries)
    return Intake(folder, kata_names, tuple(entries), tuple(strays))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise IntakeError(f"--id-pattern is no regular expression ({error}).") from None
    if "id" not in compiled.groupindex:
        how = "write (?P<id>...) around the part of a name that is the id"
        raise IntakeError(f"--id-pattern has no group `id`: {how}.")
    return compiled


def _files_in(folder: Path) -> list[os.DirEntry[str]]:
    """The files and folders in the folder of submissions, by name."""
    try:
        with os.scandir(folder) as files:
            return sorted(files, key=lambda file: file.name)
    except FileNotFoundError:
        problem = ": there is no such folder. Give the one that holds the submissions."
    except NotADirectoryError:
        how = "Give the folder that holds the submissions; unpack a downloaded archive"
        problem = f" is not a folder. {how}."
    except OSError as error:
        problem = f" can't be read ({error.strerror}): check that you may."
    raise IntakeError(f"{folder}{problem}")


def _grouped(files: Iterable[os.DirEntry[str]], pattern: re.Pattern[str]) -> list[Entry]:
    """The entries that these files make. If a student has only plain files, such as a report, the
    first is the entry, so that it is reported as unreadable.
    """
    # by id and name: a folder or an archive stands alone, single files of one owner belong together
    submitted: dict[tuple[str, str], list[str]] = defaultdict(list)
    # id without its case → id and name of the student's other files
    beside: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for file in files:
        single = _single(file)
        own_name = single[0] if single else names.own_name(file.name)
        attempt = attempts.attempt(file.name)
        known = names.id_in(file.name, pattern) or (attempt.id if attempt else "")
        student = names.safe_id(known or own_name)
        together = attempt.owner if attempt else ""  # a username may hide a part of itself
        if _is_work(file):
            submitted[student, together if single else file.name].append(file.name)
        else:
            beside[student.casefold()].append((student, file.name))
    for key in beside.keys() - {student.casefold() for student, _ in submitted}:
        student, name = beside[key].pop(0)
        submitted[student, name] = [name]
    entries = []
    for (student, _), group in submitted.items():
        others = tuple(name for _, name in beside[student.casefold()])
        entries.append(Entry(student, tuple(group), others))
    return entries


def _note_where_unfit(entries: Sequence[Entry], pattern: re.Pattern[str]) -> list[Entry]:
    """Add a note where the user's pattern does not fit; raises IntakeError if it fits nowhere."""
    noted = []
    for entry in entries:
        unfit = [name for name in entry.names if not names.id_in(name, pattern)]
        note = f"--id-pattern does not fit {line(unfit[0])}." if unfit else ""
        noted.append(entry.noted(note))
    if all(entry.notes for entry in noted):
        many = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
        what = f"none of {many}, such as {line(entries[0].names[0])}"
        raise IntakeError(f"--id-pattern fits {what}: correct it, or leave it out.")
    return noted


def _note_lateness(entry: Entry) -> Entry:
    late = [name for name in (*entry.names, *entry.beside) if names.is_late(name)]
    note = f"Handed in late, says Canvas: {line(late[0])}{_and_more(late)}." if late else ""
    return entry.noted(note)


def _note_attempts(entry: Entry, repeated: Collection[str]) -> Entry:
    attempt = attempts.attempt(entry.names[0])
    return entry.noted(attempt.note if attempt and attempt.owner in repeated else "")


def _and_more(files: Sequence[str]) -> str:
    return f" and {len(files) - 1} more" if len(files) > 1 else ""


def _unique(entries: Iterable[Entry]) -> list[Entry]:
    """The entries by id. Where several have one id, each gets a note and a part of its name's hash
    after a ~: none of them can pass as the one that is meant.
    """
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.id.casefold()].append(entry)
    unique = []
    for group in groups.values():
        if len(group) == 1:
            unique += group
            continue
        hashes = [names.name_hash(entry.names[0]) for entry in group]
        length = 6
        while len({digest[:length] for digest in hashes}) < len(group):
            length += 1
        for entry, digest in zip(group, hashes, strict=True):
            note = f"{len(group)} entries have the id {entry.id}; this one is {entry.shown}."
            unique.append(replace(entry.noted(note), id=f"{entry.id}~{digest[:length]}"))
    return sorted(unique, key=lambda entry: entry.id)


def _why_stray(
    file: os.DirEntry[str], pattern: re.Pattern[str], katas: KataNames, grades: Path | None
) -> str:
    """The reason why a file is nobody's submission; empty if it is somebody's."""
    if file.name.startswith(".") or file.name.casefold() in OF_THE_SYSTEM:
        return "a file of the system"
    if grades is not None and _only_leads_to(file, grades):
        return "where the grades go"
    if "_assignsubmission_onlinetext" in file.name:
        return "a text that was typed into Moodle"
    if single := _single(file):
        return "" if single[0] else NO_STUDENT
    if pattern.search(file.name) or attempts.attempt(file.name) or not _is_plain(file):
        return ""
    if kata := katas.nearest(file.name):
        return f"is it meant as {kata}.py? rename it to STUDENT_{kata}.py"
    return "neither a folder, an archive nor a kata's file"


def _single(file: os.DirEntry[str]) -> tuple[str, str] | None:
    """As names.single_file(), for a file."""
    return names.single_file(file.name) if _is_file(file) else None


def _is_work(file: os.DirEntry[str]) -> bool:
    """True if it can hold a kata's file: it is one by its name, a folder or an archive."""
    return _single(file) is not None or not _is_plain(file)


def _is_plain(file: os.DirEntry[str]) -> bool:
    """True if it is a file, and no archive of any kind."""
    if not _is_file(file) or names.is_archive(file.name):
        return False
    return not archives.is_archive(Path(file.path))


def _is_file(file: os.DirEntry[str]) -> bool:
    try:
        return file.is_file(follow_symlinks=False)
    except OSError:  # whatever it is: reading it will say what is wrong with it
        return False


def _only_leads_to(file: os.DirEntry[str], grades: Path) -> bool:
    """True if it is where the grades go, or holds only the way there and, beside that, grades of
    other runs. Where they go decides: a gradebook that a student put anywhere means nothing.
    """
    here, goal = (Path(os.path.realpath(path)) for path in (file.path, grades))
    if here == goal:
        return True
    if not goal.is_relative_to(here):
        return False
    for step in goal.relative_to(here).parts:
        others = {name for name in _names_in(here) - {step} if not name.startswith(".")}
        if not all(Path(here / name / GRADEBOOK).is_file() for name in others):
            return False
        here /= step
    return True


def _names_in(folder: Path) -> set[str]:
    try:
        return {inside.name for inside in folder.iterdir()}
    except OSError:  # not there yet, or not to be read: nothing is known of it
        return set()


def _why_of_one_student(folder: Path, files: Iterable[os.DirEntry[str]], katas: KataNames) -> str:
    """The reason to take this folder for one submission, for the user; empty if there is none."""
    every = {f"{kata}.py" for kata in katas.every}
    named = (file for file in files if file.name.casefold() == "katas")
    inside = next((file for file in named if file.is_dir(follow_symlinks=False)), None)
    if inside is None or not every & _names_in(Path(inside.path)):
        return ""
    return (
        f"{folder} looks like one submission: it holds a folder {inside.name}/ with katas' files."
        f" Give the folder that holds {folder.name}; if this is the one of the submissions, move"
        f" {inside.name}/ into a folder of its student's name."
    )


def _why_nothing(folder: Path, strays: Iterable[Ignored]) -> str:
    if any(stray.reason == NO_STUDENT for stray in strays):
        what = "looks like one submission: it holds katas' files itself"
        return f"{folder} {what}. Give the folder that holds {folder.name}."
    kinds = "neither a folder nor an archive nor a kata's file with a student's name"
    return f"{folder} holds no submission: {kinds}."
