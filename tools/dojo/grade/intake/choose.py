"""Which of the files found in a submission are taken, and why each of the others is not. Nothing is chosen in silence."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dojo.grade.intake import bounds, names
from dojo.grade.intake.bounds import Refused
from dojo.grade.records import Ignored
from dojo.grade.text import line

NO_KATA = "not a kata's file"
MOST_LISTED = 100
FEW = 3  # other files of one folder that are listed by name; more are counted
UNSEEN_FOLDERS = ("__macosx", "__pycache__", "node_modules", "site-packages", "venv")
_LIKE_A_KATA = re.compile(r"k\d\d_[a-z0-9_]+\.py")


@dataclass(frozen=True)
class Member:
    """A file that lies in a submission.

    Attributes:
        path: as it is written there.
        load: reads it, and raises Refused where that can't be.
        refusal: why it is not taken whatever its name is; such as that it is a link.
    """

    path: str
    load: Callable[[], bytes]
    refusal: str = ""


def never() -> bytes:
    """Reads a member that is not to be read."""
    raise Refused("is not read")


@dataclass(frozen=True)
class Choice:
    files: dict[str, bytes]
    ignored: tuple[Ignored, ...]


def chosen(members: Iterable[Member], katas: Sequence[str]) -> Choice:
    """The files to take, read.

    Of several files of one name that one is taken which lies in a folder `katas` and, of these, least deep; where that does not
    say which, none is.

    Args:
        members: of a submission, in their order.
        katas: the names of the katas that are graded.
    """
    candidates: dict[str, list[tuple[tuple[str, ...], Member]]] = {}
    others: list[tuple[str, str]] = []
    for member in members:
        try:
            place = names.parts(member.path)
        except Refused as reason:
            others.append((member.path, str(reason)))
            continue
        if folder := unseen("/".join(place)):
            others.append((f"{folder}/", "a folder that is not looked into"))
        elif why := member.refusal or _why_not(place, katas):
            others.append(("/".join(place), why))
        else:
            candidates.setdefault(place[-1].removesuffix(".py"), []).append((place, member))
    files: dict[str, bytes] = {}
    for kata, found in candidates.items():
        taken = _the_one([place for place, _ in found])
        for number, (place, member) in enumerate(found):
            path = "/".join(place)
            if number != taken:
                others.append((path, _copy(taken, [place for place, _ in found])))
                continue
            try:
                files[kata] = member.load()
            except Refused as reason:
                others.append((path, str(reason)))
    return Choice(files, _listed(others))


def unseen(path: str) -> str:
    """The folder on the way to this path's end into which nobody looks; empty if there is none."""
    parts = path.replace("\\", "/").split("/")
    for number, folder in enumerate(parts[:-1], start=1):
        if folder not in (".", "..") and (folder.startswith(".") or folder.casefold() in UNSEEN_FOLDERS):
            return "/".join(parts[:number])
    return ""


class Crowd:
    """Counts the members of an archive. Of a folder that nobody looks into, the first one stands for all."""

    def __init__(self) -> None:
        self._all, self._seen, self._folders = 0, 0, set()

    def has_to_be_seen(self, path: str, is_folder: bool) -> bool:
        """Count a member, and say whether it is a file that is to be listed.

        Raises:
            Refused: there are more than the bounds allow.
        """
        self._all += 1
        if self._all > bounds.ALL_MEMBERS:
            raise Refused(f"has more than {bounds.ALL_MEMBERS:,} members")
        if folder := unseen(path):
            if is_folder or folder in self._folders:
                return False
            self._folders.add(folder)
        self._seen += 1
        if self._seen > bounds.MEMBERS:
            raise Refused(f"has more than {bounds.MEMBERS:,} members")
        return not is_folder


def _why_not(place: tuple[str, ...], katas: Sequence[str]) -> str:
    """Why a file at this place is not taken; empty if it may be."""
    name = place[-1]
    if name.removesuffix(".py") in katas and name.endswith(".py"):
        is_solution = "reference" in (folder.casefold() for folder in place[:-1])
        return "lies in reference/, where the solutions are" if is_solution else ""
    if name.startswith("._"):
        return "what macOS notes about a file"
    alike = next((kata for kata in katas if _is_spelling_of(name, kata)), "")
    if alike:
        return f"has to be named {alike}.py"
    if _LIKE_A_KATA.fullmatch(name):
        return "no kata that is graded here"
    if name.lower().endswith(names.ARCHIVE_ENDINGS):
        return "an archive inside: it is not unpacked"
    return NO_KATA


def _is_spelling_of(name: str, kata: str) -> bool:
    """Whether this is most likely meant to be the kata's file: other case, "Copy of", "(1)", a second ending."""
    return kata in names.folded(name).replace("-", "_").replace(" ", "_") and ".py" in names.folded(name)


def _the_one(places: Sequence[tuple[str, ...]]) -> int | None:
    if len(places) == 1:
        return 0
    inside = [number for number, place in enumerate(places) if len(place) > 1 and place[-2].casefold() == "katas"]
    least = min((len(places[number]) for number in inside), default=0)
    shallow = [number for number in inside if len(places[number]) == least]
    return shallow[0] if len(shallow) == 1 else None


def _copy(taken: int | None, places: Sequence[tuple[str, ...]]) -> str:
    if taken is not None:
        return f"a second copy: {'/'.join(places[taken])} was taken"
    if len(set(places)) < len(places):
        return "is there more than once under the same name, so none was taken"
    return f"one of {len(places)} copies, and nothing says which counts: none was taken. The one in a folder katas/ would be"


def _listed(others: Sequence[tuple[str, str]]) -> tuple[Ignored, ...]:
    """Each once; where a folder holds many files that have nothing to do with katas, the folder instead of them."""
    folder_of = [path.rpartition("/")[0] for path, _ in others]
    crowd = Counter(folder for folder, (_, reason) in zip(folder_of, others, strict=True) if reason == NO_KATA)
    listed: dict[Ignored, None] = {}
    for folder, (path, reason) in zip(folder_of, others, strict=True):
        if reason == NO_KATA and crowd[folder] > FEW:
            listed[Ignored(line(f"{folder}/"), f"{crowd[folder]} files that are no kata's")] = None
        else:
            listed[Ignored(line(path), reason)] = None
    more = len(listed) - MOST_LISTED
    shown = tuple(listed)[:MOST_LISTED]
    return shown if more <= 0 else (*shown, Ignored("(and others)", f"{more:,} more that are not listed here"))
