"""Which of the files found in a submission are taken, and why each of the others is not. Nothing is
chosen in silence.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dojo.grade.intake import names, near
from dojo.grade.intake.bounds import Refused
from dojo.grade.intake.crowd import unseen
from dojo.grade.intake.left import ARCHIVE, COPY, FORM, NAME, REFUSED, Left
from dojo.grade.intake.listing import NO_KATA, listed
from dojo.grade.intake.near import Wanted
from dojo.grade.records import Ignored

NOT_GRADED = "no kata that is graded here"
MOST_COMPARED = 5  # copies of one kata's file that are read to see whether they differ
_LIKE_A_KATA = re.compile(r"k\d\d_[a-z0-9_]+\.py")


@dataclass(frozen=True)
class Member:
    """A file that lies in a submission.

    Attributes:
        path: as it is written there.
        load: reads it, and raises Refused where that can't be.
        refusal: why it is not taken whatever its name is; such as that it is a link.
        entry: the name by which a person finds it, where that is not its path.
    """

    path: str
    load: Callable[[], bytes]
    refusal: str = ""
    entry: str = ""


def never() -> bytes:
    """Reads a member that is not to be read."""
    raise Refused("is not read")


@dataclass(frozen=True)
class Choice:
    """What is taken from a submission.

    Attributes:
        files: kata → what its file holds.
        places: kata → where that file lies.
        left: what is, or may be meant as, a graded kata's file, and was not taken.
        others: names of files of katas that are not graded.
    """

    files: dict[str, bytes]
    ignored: tuple[Ignored, ...]
    places: dict[str, str]
    left: tuple[Left, ...] = ()
    others: tuple[str, ...] = ()


NOTHING = Choice({}, (), {})


@dataclass(frozen=True)
class _Seen:
    """A member, looked at.

    Attributes:
        reason: why it is not taken; empty for a kata's file that may be.
        kata: whose it is or may be.
        kind: of the reason; as in Left, empty where nobody needs to be told.
        weak: it matters only where nothing is taken for the kata.
    """

    member: Member
    place: tuple[str, ...]
    reason: str = ""
    kata: str = ""
    kind: str = ""
    weak: bool = False

    @property
    def path(self) -> str:
        return self.member.entry or "/".join(self.place)


def chosen(members: Iterable[Member], wanted: Wanted) -> Choice:
    """The files to take, read.

    Of several files of one name that one is taken which lies in a folder `katas` and, of these,
    least deep; where that does not say which, none is.

    Args:
        members: of a submission, in their order.
    """
    every = [_looked_at(member, wanted) for member in members]
    candidates: dict[str, list[_Seen]] = {}
    for one in every:
        if not one.reason:
            candidates.setdefault(one.kata, []).append(one)
    files, places, seen = {}, {}, [one for one in every if one.reason]
    for kata, found in candidates.items():
        taken, why_not = _the_one(found), ""
        if taken is not None:
            try:
                files[kata], places[kata] = taken.member.load(), taken.path
            except Refused as reason:
                why_not = str(reason)
        why_no_copy = _copy(taken, found, why_not)
        for one in found:
            if one is not taken:
                seen.append(replace(one, reason=why_no_copy, kind=COPY))
            elif why_not:
                seen.append(replace(one, reason=why_not, kind=REFUSED))
    seen = [_unless_needless(one, files) for one in seen]
    left = tuple(
        Left(one.path, one.kata, one.reason, one.kind) for one in _that_matter(seen, files)
    )
    others = tuple(dict.fromkeys(one.place[-1] for one in seen if one.reason == NOT_GRADED))
    return Choice(files, listed([(one.path, one.reason) for one in seen]), places, left, others)


def _looked_at(member: Member, wanted: Wanted) -> _Seen:
    try:
        place = names.parts(member.path)
    except Refused as reason:
        name = member.path.replace("\\", "/").rpartition("/")[2]
        return _Seen(member, (member.path,), str(reason), wanted.meant(name), REFUSED)
    if folder := unseen("/".join(place)):
        return _Seen(member, (f"{folder}/",), "a folder that is not looked into")
    name = place[-1]
    weak = near.is_faint(name)
    if member.refusal:
        return _Seen(member, place, member.refusal, wanted.meant(name), REFUSED, weak)
    kata = name.removesuffix(".py") if name.endswith(".py") else ""
    if kata in wanted.graded:
        if "reference" in (folder.casefold() for folder in place[:-1]):
            return _Seen(
                member,
                place,
                "lies in reference/, where the solutions are",
                kata,
                REFUSED,
                weak=True,
            )
        return _Seen(member, place, "", kata)
    if name.startswith("._"):
        return _Seen(member, place, "what macOS notes about a file")
    is_archive = name.lower().endswith(names.ARCHIVE_ENDINGS)
    meant = wanted.meant(name)
    if is_archive:
        return _Seen(
            member, place, "an archive inside: it is not unpacked", meant, ARCHIVE, weak=True
        )
    if meant and near.is_text(name):
        reason = (
            f"has to be named {meant}.py"
            if near.is_spelling_of(name, meant)
            else f"is it meant as {meant}.py? rename it"
        )
        return _Seen(member, place, reason, meant, NAME, weak)
    if meant:
        return _Seen(
            member, place, f"is it meant as {meant}.py? only that is graded", meant, FORM, weak
        )
    if kata in wanted.known or _LIKE_A_KATA.fullmatch(name):
        return _Seen(member, place, NOT_GRADED)
    return _Seen(member, place, NO_KATA)


def _the_one(found: Sequence[_Seen]) -> _Seen | None:
    if len(found) == 1:
        return found[0]
    inside = [one for one in found if len(one.place) > 1 and one.place[-2].casefold() == "katas"]
    least = min((len(one.place) for one in inside), default=0)
    shallow = [one for one in inside if len(one.place) == least]
    return shallow[0] if len(shallow) == 1 else None


def _copy(taken: _Seen | None, found: Sequence[_Seen], why_not: str) -> str:
    if taken is not None:
        return (
            f"a second copy: {taken.path} {'counts, and could not be' if why_not else 'was'} taken"
        )
    if len({one.path for one in found}) < len(found):
        return "is there more than once under the same name, so none was taken"
    which = f"one of {len(found)} copies, and nothing says which counts: none was taken"
    return (
        which
        if any(one.member.entry for one in found)
        else f"{which}. The one in a folder katas/ would be"
    )


def _unless_needless(one: _Seen, files: dict[str, bytes]) -> _Seen:
    """No question what a file is meant as that says little, where its kata's file is there."""
    needless = one.weak and one.kind in (NAME, FORM) and one.kata in files
    return replace(one, reason=NO_KATA, kata="", kind="") if needless else one


def _that_matter(seen: Sequence[_Seen], files: dict[str, bytes]) -> list[_Seen]:
    """Those that may be what should have been graded: not where the very same text was."""
    matter, compared = [], dict.fromkeys(files, 0)
    for one in seen:
        if one.kind and one.kata in files:
            compared[one.kata] += 1
            if one.weak or (
                compared[one.kata] <= MOST_COMPARED and _holds(one.member, files[one.kata])
            ):
                continue
        if one.kata or one.kind == ARCHIVE:
            matter.append(one)
    return matter


def _holds(member: Member, data: bytes) -> bool:
    if member.refusal:
        return False
    try:
        return member.load() == data
    except Exception:  # as damaged as it may be: the submission goes without it
        return False
