"""From names, which anybody can choose, to students' ids and to paths that can be trusted."""

import hashlib
import os
import re
import unicodedata

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Refused

# Canvas: doejane_12345_67890_katas.zip, doejane_LATE_12345_67890_katas.zip. Moodle: Jane
# Doe_12345_assignsubmission_file_. What stands after it the student chose, and it may look the
# same: the first such number counts.
# What they write at the number's place is what their own table of grades knows the student by. The
# names of Gradescope (submission_123456) and GitHub Classroom (homework-login) don't fit, and are
# ids as they are.
DEFAULT_PATTERN = (
    # what stands before the number, and after it
    r"^(?:[^_]+(?:_LATE)?_(?=\d{2,}_\d{3,}_.)|.+?_(?=\d+_assignsubmission_))" r"(?P<id>\d+)_"
)
ARCHIVE_ENDINGS = (
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".gz",
    ".rar",
    ".7z",
    ".tar.bz2",
    ".bz2",
    ".tar.xz",
    ".xz",
    ".tar.zst",
)
LONGEST_ID = 64
_KEPT = re.compile(r"[A-Za-z0-9._@+-]")
_LATE = re.compile(r"[^_]+_LATE_\d{2,}_\d{3,}_.")
_AT_THE_EDGES = "._@+-"  # hidden files, options of commands, formulas
_LONE = re.compile(
    r"(?:(?P<who>.*)[_\- ])?(?P<kata>k\d\d_[a-z0-9_]+?)(?:-\d+| ?\(\d+\))?\.py",
    re.IGNORECASE | re.DOTALL,
)


def own_name(entry: str) -> str:
    """An entry's name without the endings of archives."""
    name = entry
    while ending := next(
        (ending for ending in ARCHIVE_ENDINGS if name.lower().endswith(ending) and name != ending),
        "",
    ):
        name = name[: -len(ending)]
    return name


def is_late(entry: str) -> bool:
    """Whether Canvas marked an entry of this name as late. The mark stands before the number, where
    no student can put it.
    """
    return _LATE.match(entry) is not None


def fits(entry: str, pattern: re.Pattern[str]) -> bool:
    """Whether the pattern finds an id in an entry's name."""
    found = pattern.search(entry)
    return bool(found and found["id"])


def student(entry: str, pattern: re.Pattern[str], otherwise: str) -> str:
    """The id of the student whose entry has this name: by the pattern's group `id`, or `otherwise`
    where it does not fit.
    """
    found = pattern.search(entry)
    return safe_id(found["id"] if found and found["id"] else otherwise)


def safe_id(name: str) -> str:
    """The name in letters and digits of ASCII and a few signs. Where that changes it, a hash of the
    whole name follows after a ~, which no name itself can have: two names that differ stay apart,
    in one run and from one run to the next, and none can pass for another. The two ways to write an
    accent in Unicode make no difference: systems exchange them.
    """
    whole = unicodedata.normalize("NFC", name)
    letters = [one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one)]
    kept = "".join(one if _KEPT.match(one) else "_" for one in letters).strip(_AT_THE_EDGES)[
        :LONGEST_ID
    ]
    return kept if kept and kept == whole else f"{kept or 'unnamed'}~{name_hash(whole)[:6]}"


def name_hash(name: str) -> str:
    return hashlib.sha256(
        os.fsencode(name) if _is_file_name(name) else name.encode("utf-8", "backslashreplace")
    ).hexdigest()


def _is_file_name(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def lone(entry: str) -> tuple[str, str] | None:
    """Of a single kata's file, as Canvas and Moodle name them: what stands before the kata's name,
    and the kata's name in the student's spelling. None for any other name.

    What such a system adds after a name that it has seen before ("-1", " (1)") is left out.
    """
    if not (found := _LONE.fullmatch(entry)):
        return None
    who = (found["who"] or "").rstrip("_- ")
    return who, found["kata"]


def parts(path: str) -> tuple[str, ...]:
    r"""A path's folders and name. The parts may be divided by "/" or, as in archives from Windows,
    by "\".

    Raises:
        Refused: the path leads out of the submission, or is too long, too deep or written in
            characters that can't be seen.
    """
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in path) and not _only_foreign_bytes(
        path
    ):
        raise Refused("has control characters in its name")
    if len(path) > bounds.PATH_CHARACTERS:
        raise Refused(f"has a path of more than {bounds.PATH_CHARACTERS} characters")
    given = path.replace("\\", "/")
    if given.startswith("/") or re.match(r"[A-Za-z]:", given):
        raise Refused("has an absolute path")
    found = tuple(part for part in given.split("/") if part not in ("", "."))
    if ".." in found:
        raise Refused('leads out of the submission ("..")')
    if len(found) > bounds.DEPTH + 1:
        raise Refused(f"lies deeper than {bounds.DEPTH} folders")
    if not found:
        raise Refused("has no name")
    return found


def _only_foreign_bytes(path: str) -> bool:
    """Whether all that is odd are bytes of another encoding than UTF-8, as old archives have them
    in the names of folders.
    """
    return all(
        "\udc80" <= one <= "\udcff" or unicodedata.category(one) not in ("Cc", "Cs") for one in path
    )


def folded(name: str) -> str:
    """Equal for names that look alike but for case and form of their characters."""
    return unicodedata.normalize("NFKC", name).casefold().strip()
