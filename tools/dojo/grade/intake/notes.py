"""Reports of files that were not taken. So that no 0 comes without a word, all are listed, and
there is a note on those that may be what should have been graded.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dojo.grade.intake import names
from dojo.grade.intake.bounds import Refused
from dojo.grade.intake.names import KataNames
from dojo.grade.records import Ignored
from dojo.grade.text import line

NO_KATA = "not a kata's file"
BESIDE = "handed in beside it: neither an archive nor a kata's file"
MOST_LISTED = 100
FEW = 3  # other files of one folder that are listed by name; more are counted
MOST_NAMED = 3
MOST_NOTES = 6
# Why a file that may be a kata's was not taken: it decides what can be done about it.
Cause = Enum("Cause", ["COPY", "NAME", "FORM", "ARCHIVE", "REFUSED"])


def never() -> bytes:
    """Load a file that is not to be read."""
    raise Refused("is not read")


@dataclass(frozen=True)
class LeftOut:
    """A file of a submission, looked at.

    Attributes:
        reason: why it is not taken; empty for a kata's file that may be.
        kata: the graded kata whose file it is, or may be meant as; empty if there is none.
        cause: None for a file that needs no note.
        weak: it matters only where nothing is taken for the kata.
        place: its folders and its name in the submission.
        load: reads it, and raises Refused where that can't be.
    """

    path: str
    reason: str = ""
    kata: str = ""
    cause: Cause | None = None
    weak: bool = False
    place: tuple[str, ...] = ()
    load: Callable[[], bytes] = never

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def ignored(self) -> Ignored:
        return Ignored(line(self.path), self.reason)


def beside(name: str, katas: KataNames) -> LeftOut:
    """A student's other file in the folder of submissions, which is not read."""
    kata = katas.nearest(name) if names.is_text(name) else ""
    if not kata:
        return LeftOut(name, BESIDE)
    return LeftOut(name, f"is it meant as {kata}.py? rename it", kata, Cause.NAME)


def listed(findings: Sequence[LeftOut]) -> tuple[Ignored, ...]:
    """Paths that were not taken, and why: each once, but a folder for its many files of no kata."""
    others = Counter(finding.folder for finding in findings if finding.reason == NO_KATA)
    entries: dict[Ignored, None] = {}
    for finding in findings:
        if finding.reason == NO_KATA and (count := others[finding.folder]) > FEW:
            entry = Ignored(line(f"{finding.folder}/"), f"{count} files that are no kata's")
        else:
            entry = finding.ignored
        entries[entry] = None
    shown = tuple(entries)[:MOST_LISTED]
    if (more := len(entries) - MOST_LISTED) > 0:
        shown += (Ignored("(and others)", f"{more:,} more that are not listed here"),)
    return shown


def notes(
    left_out: Sequence[LeftOut], places: Mapping[str, str], graded: Sequence[str]
) -> tuple[str, ...]:
    """A sentence for each group of files left out: which, why, and what to do. `places` has the
    paths of the katas' files that were taken.
    """
    groups: dict[tuple[str, Cause | None], list[LeftOut]] = defaultdict(list)
    for finding in left_out:
        if finding.kata or any(kata not in places for kata in graded):
            cause = None if finding.kata in places else finding.cause
            groups[finding.kata, cause].append(finding)
    sentences = [_note(group, places.get(kata, "")) for (kata, _), group in groups.items()]
    if (more := len(sentences) - MOST_NOTES) > 0:
        sentences[MOST_NOTES:] = [f"And {more} more such notes: see what was not taken."]
    return tuple(sentences)


def nothing_of_these(others: Sequence[str]) -> str:
    """The note on a submission that holds other katas than those that are graded."""
    return f"Nothing of this assignment was handed in. It holds {_named(others)}."


def _note(group: Sequence[LeftOut], taken: str) -> str:
    """The note on files left out for one kata and cause; `taken` is the path of the kata's file."""
    first = group[0]
    several = len(group) > 1
    what = f"{_named([finding.path for finding in group])} {'were' if several else 'was'} not taken"
    meant = f"{'is one of them' if several else 'is it'} meant as {first.kata}.py?"
    if taken:
        what += f", {line(taken)} was"
        return f"{what}: if another one is meant, put it in its place and grade again."
    if first.cause is Cause.COPY:
        is_second = "a second copy" in first.reason
        why = line(first.reason, 200) if is_second else "nothing says which of them counts"
        return f"{what}: {why}. Leave only the right one and grade again."
    if first.cause is Cause.NAME:
        return f"{what}: {meant} Rename it and grade again."
    if first.cause is Cause.FORM:
        return f"{what}: {meant} Only a Python file of that name is graded: ask for it."
    if first.cause is Cause.ARCHIVE:
        which = "the right one" if several else "it"
        return f"{what}: archives in a submission are not unpacked. Unpack {which} and grade again."
    which = "the first one" if several else "it"
    return f"{what}: {which} {line(first.reason)}. Ask for {first.kata}.py again."


def _named(paths: Sequence[str]) -> str:
    shown = [line(path, most=80) for path in paths[:MOST_NAMED]]
    if len(paths) > MOST_NAMED:
        return f"{', '.join(shown)} and {len(paths) - MOST_NAMED} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
