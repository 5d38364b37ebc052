"""The choice of files from a submission, and the reason why each of the others is not taken."""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from dojo.grade.intake import names
from dojo.grade.intake.bounds import Refused
from dojo.grade.intake.names import KataNames
from dojo.grade.intake.notes import NO_KATA, Cause, LeftOut, listed, never
from dojo.grade.records import Ignored

NOT_GRADED = "no kata that is graded here"
NOT_LOOKED_INTO = "a folder that is not looked into"
IN_REFERENCE = "lies in reference/, where the solutions are"
MOST_COMPARED = 5  # copies of one kata's file that are read to see whether they differ
_LIKE_A_KATA = re.compile(r"k\d\d_[a-z0-9_]+\.py")


@dataclass(frozen=True)
class Member:
    """A file that lies in a submission.

    Attributes:
        load: reads it, and raises Refused where that can't be.
        refusal: why it is not taken whatever its name; such as that it is a link.
        entry: the name by which a person finds it, where that is not its path.
    """

    path: str
    load: Callable[[], bytes] = never
    refusal: str = ""
    entry: str = ""


@dataclass(frozen=True)
class Choice:
    """The files taken from a submission, and those that were not.

    Attributes:
        files: kata → content of its file.
        places: kata → path of its file.
        left_out: files that are, or may be meant as, a graded kata's, and were not taken.
        others: names of files of katas that are not graded.
    """

    files: Mapping[str, bytes]
    ignored: tuple[Ignored, ...]
    places: Mapping[str, str]
    left_out: tuple[LeftOut, ...] = ()
    others: tuple[str, ...] = ()


def chosen(members: Iterable[Member], katas: KataNames) -> Choice:
    """The files to take, read.

    A file is a kata's if its name is exactly that, or that with the number which a browser gives to
    a second download, where it is the only one; any other is listed, with the nearest kata if there
    is one. Of several files of one name that one is taken which lies in a folder `katas` and,
    of these, least deep; where that does not single one out, none is.
    """
    rest: list[LeftOut] = []
    candidates: dict[str, list[LeftOut]] = defaultdict(list)
    for member in members:
        finding = _look_at(member, katas)
        if finding.reason:
            rest.append(finding)
        else:
            candidates[finding.kata].append(finding)
    for copy in _only_downloads(rest, candidates):
        rest.remove(copy)
        candidates[copy.kata].append(replace(copy, reason="", cause=None))
    files: dict[str, bytes] = {}
    places: dict[str, str] = {}
    for kata, copies in candidates.items():
        taken = _the_one(copies)
        refusal = ""
        if taken is not None:
            try:
                files[kata] = taken.load()
                places[kata] = taken.path
            except Refused as refused:
                refusal = str(refused)
        reason = _why_no_copy(taken, copies, refusal)
        for copy in copies:
            if copy is not taken:
                rest.append(replace(copy, reason=reason, cause=Cause.COPY))
            elif refusal:
                rest.append(replace(copy, reason=refusal, cause=Cause.REFUSED))
    rest = [_without_needless_question(finding, files) for finding in rest]
    others = dict.fromkeys(finding.place[-1] for finding in rest if finding.reason == NOT_GRADED)
    return Choice(files, listed(rest), places, tuple(_that_matter(rest, files)), tuple(others))


def _look_at(member: Member, katas: KataNames) -> LeftOut:
    """Judge by its name and place alone whether a file is a kata's."""
    load = never if member.refusal else member.load
    try:
        place = names.parts(member.path)
    except Refused as refused:
        kata = katas.nearest(re.split(r"[/\\]", member.path)[-1])
        path = member.entry or member.path
        return LeftOut(path, str(refused), kata, Cause.REFUSED, False, (member.path,), load)
    if folder := names.unseen_folder("/".join(place)):
        return LeftOut(member.entry or f"{folder}/", NOT_LOOKED_INTO, place=place)
    kata = katas.nearest(place[-1])
    reason, cause = _why_not(member, place, kata)
    if reason and cause is None:
        kata = ""
    weak = names.is_weak(place[-1]) or cause is Cause.ARCHIVE or reason == IN_REFERENCE
    path = member.entry or "/".join(place)
    return LeftOut(path, reason, kata, cause, weak, place, load)


def _why_not(member: Member, place: Sequence[str], kata: str) -> tuple[str, Cause | None]:
    """The reason why a file is not taken as this kata's, the nearest; empty if it is taken."""
    name = place[-1]
    if member.refusal:
        return member.refusal, Cause.REFUSED
    if name == f"{kata}.py":
        in_reference = any(folder.casefold() == "reference" for folder in place[:-1])
        return (IN_REFERENCE, Cause.REFUSED) if in_reference else ("", None)
    if name.startswith("._"):
        return "what macOS notes about a file", None
    if names.is_archive(name):
        return "an archive inside: it is not unpacked", Cause.ARCHIVE
    if kata and not names.is_text(name):
        return f"is it meant as {kata}.py? only that is graded", Cause.FORM
    if kata and names.is_spelling_of(name, kata):
        return f"has to be named {kata}.py", Cause.NAME
    if kata:
        return f"is it meant as {kata}.py? rename it", Cause.NAME
    return (NOT_GRADED if _LIKE_A_KATA.fullmatch(name) else NO_KATA), None


def _only_downloads(findings: Sequence[LeftOut], katas: Container[str]) -> list[LeftOut]:
    """The files named as second downloads, "k12_logits (1).py", that are the only ones of a kata
    not among these.
    """
    downloads: dict[str, list[LeftOut]] = defaultdict(list)
    for finding in findings:
        if finding.cause is Cause.NAME and names.is_download(finding.place[-1], finding.kata):
            downloads[finding.kata].append(finding)
    return [one for kata, (one, *more) in downloads.items() if not more and kata not in katas]


def _the_one(copies: Sequence[LeftOut]) -> LeftOut | None:
    """The copy that counts; None where nothing says which."""
    if len(copies) == 1:
        return copies[0]
    inside = [copy for copy in copies if copy.place[:-1] and copy.place[-2].casefold() == "katas"]
    least = min((len(copy.place) for copy in inside), default=0)
    shallow = [copy for copy in inside if len(copy.place) == least]
    return shallow[0] if len(shallow) == 1 else None


def _why_no_copy(taken: LeftOut | None, copies: Sequence[LeftOut], refusal: str) -> str:
    """The reason why other copies are not taken; `refusal` is that of the one that counts."""
    if taken is not None:
        how = "counts, and could not be taken" if refusal else "was taken"
        return f"a second copy: {taken.path} {how}"
    if len({copy.path for copy in copies}) < len(copies):
        return "is there more than once under the same name, so none was taken"
    which = f"one of {len(copies)} copies, and nothing says which counts: none was taken"
    if any(copy.path != "/".join(copy.place) for copy in copies):  # single files, in no folder
        return which
    return f"{which}. The one in a folder katas/ would be"


def _without_needless_question(finding: LeftOut, files: Mapping[str, bytes]) -> LeftOut:
    """Drop the "is it meant as ...?" of a weak match where the kata's own file was taken."""
    if finding.weak and finding.kata in files and finding.cause in (Cause.NAME, Cause.FORM):
        return replace(finding, reason=NO_KATA, kata="", cause=None)
    return finding


def _that_matter(findings: Sequence[LeftOut], files: Mapping[str, bytes]) -> Iterator[LeftOut]:
    """Those that may be what should have been graded: not where the very same text was."""
    compared = dict.fromkeys(files, 0)
    for finding in findings:
        if finding.cause and finding.kata in files:
            compared[finding.kata] += 1
            is_compared = compared[finding.kata] <= MOST_COMPARED
            if finding.weak or (is_compared and _holds(finding, files[finding.kata])):
                continue
        if finding.kata or finding.cause is Cause.ARCHIVE:
            yield finding


def _holds(finding: LeftOut, data: bytes) -> bool:
    with suppress(Exception):  # however damaged it is: the submission goes without it
        return finding.load() == data
    return False
