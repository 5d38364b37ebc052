"""The meaning of names, which anybody can choose: whose a file is, and which kata's is meant."""

import difflib
import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Refused

# Canvas: doejane_12345_67890_katas.zip, doejane_LATE_12345_67890_katas.zip. Moodle: Jane
# Doe_12345_assignsubmission_file_. The first such number counts, by which their own table of grades
# knows the student: what stands after it the student chose, and it may look the same. The names of
# Gradescope (submission_123456) and GitHub Classroom (homework-login) don't fit, and are ids.
DEFAULT_PATTERN = (
    r"^(?:[^_]+(?:_LATE)?_(?=\d{2,}_\d{3,}_.)|.+?_(?=\d+_assignsubmission_))(?P<id>\d+)_"
)
ARCHIVE_ENDINGS = (".zip", ".tgz", ".tar", ".gz", ".rar", ".7z", ".bz2", ".xz", ".tar.zst")
LONGEST_ID = 64
_SAFE = re.compile(r"[A-Za-z0-9._@+-]")
_LATE = re.compile(r"[^_]+_LATE_\d{2,}_\d{3,}_.")
_AT_THE_EDGES = "._@+-"  # hidden files, options of commands, formulas
_SINGLE = re.compile(
    r"(?:(?P<who>.*)[_\- ])?(?P<kata>k\d\d_[a-z0-9_]+?)(?:-\d+| ?\(\d+\))?\.py",
    re.IGNORECASE | re.DOTALL,
)
_UNSEEN_FOLDERS = ("__macosx", "__pycache__", "node_modules", "site-packages", "venv")

# how much of two names has to be the same: "k02_devices" is 0.95 "k02_device", 0.6 "k00_concepts"
CLOSE = 0.8
LONGEST_COMPARED = 60  # no longer name is compared letter by letter
LONGEST_NAME = 255  # of a file on any system; archives have longer ones, by which nothing is meant
# what a Python text is handed in as; with another ending, as a picture's, it takes more than a name
_TEXT = re.compile(r"(?P<stem>.+?)\.(?:py(?![a-z0-9]).*|pyw|txt)|(?P<bare>[^.]+)", re.DOTALL)
_NUMBER = re.compile(r"^k(?:ata)?[ _-]*(\d{1,2})(?!\d)|(?<![a-z0-9])k(\d\d)(?!\d)")
_LEFTOVER = re.compile(r"[.#].*|.*(?:~|\.(?:bak|orig|old|tmp|swp|swo)|\.backup.*)", re.DOTALL)


def own_name(entry: str) -> str:
    """An entry's name without the endings of archives."""
    for ending in ARCHIVE_ENDINGS:
        if entry.lower().endswith(ending) and entry != ending:
            return own_name(entry[: -len(ending)])
    return entry


def is_archive(name: str) -> bool:
    """True if the name ends as that of an archive."""
    return name.lower().endswith(ARCHIVE_ENDINGS)


def is_late(entry: str) -> bool:
    """True if Canvas marked it as late, before the number, where no student can put that."""
    return _LATE.match(entry) is not None


def id_in(entry: str, pattern: re.Pattern[str]) -> str:
    """The pattern's group `id` in an entry's name; empty if the pattern does not fit."""
    match = pattern.search(entry)
    return (match["id"] or "") if match else ""


def safe_id(name: str) -> str:
    """The name in ASCII letters, digits and a few signs. Where that changes it, a hash of the whole
    name follows after a ~, which no name itself can have: different names stay apart, in one run
    and from one run to the next, and none can pass for another. The two ways to write an accent in
    Unicode make no difference: systems exchange them.
    """
    whole = unicodedata.normalize("NFC", name)
    letters = (a for a in unicodedata.normalize("NFKD", name) if not unicodedata.combining(a))
    safe = "".join(letter if _SAFE.match(letter) else "_" for letter in letters)
    safe = safe.strip(_AT_THE_EDGES)[:LONGEST_ID]
    return safe if safe and safe == whole else f"{safe or 'unnamed'}~{name_hash(whole)[:6]}"


def name_hash(name: str) -> str:
    """Hash of a name, which may hold bytes that are no text."""
    try:
        data = os.fsencode(name)
    except UnicodeEncodeError:  # no name of a file
        data = name.encode("utf-8", "backslashreplace")
    return hashlib.sha256(data).hexdigest()


def single_file(entry: str) -> tuple[str, str] | None:
    """The part before the kata's name in the name that Canvas or Moodle gives a kata's file, and
    the kata's name as the student spelled it, without the "-1" or " (1)" of a second one. None for
    any other name.
    """
    match = _SINGLE.fullmatch(entry)
    return ((match["who"] or "").rstrip("_- "), match["kata"]) if match else None


def parts(path: str) -> tuple[str, ...]:
    r"""A path's folders and name, divided by "/" or, as in archives from Windows, by "\". Raises
    Refused if it leads out of the submission, is too long or deep, or has control characters.
    """
    odd = [letter for letter in path if unicodedata.category(letter) in ("Cc", "Cs")]
    # bytes of another encoding than UTF-8, as old archives have them in the names of folders
    if not all("\udc80" <= letter <= "\udcff" for letter in odd):
        raise Refused("has control characters in its name")
    if len(path) > bounds.PATH_CHARACTERS:
        raise Refused(f"has a path of more than {bounds.PATH_CHARACTERS} characters")
    path = path.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise Refused("has an absolute path")
    steps = tuple(step for step in path.split("/") if step not in ("", "."))
    if ".." in steps:
        raise Refused('leads out of the submission ("..")')
    if len(steps) > bounds.DEPTH + 1:
        raise Refused(f"lies deeper than {bounds.DEPTH} folders")
    if not steps:
        raise Refused("has no name")
    return steps


def is_unseen(folder: str) -> bool:
    """True if a folder of this name is not looked into."""
    return folder.startswith(".") or folder.casefold() in _UNSEEN_FOLDERS


def unseen_folder(path: str) -> str:
    """The first folder in a path that is not looked into; empty if there is none."""
    folders = path.replace("\\", "/").split("/")[:-1]
    for number, folder in enumerate(folders, start=1):
        if folder not in (".", "..") and is_unseen(folder):
            return "/".join(folders[:number])
    return ""


@dataclass(frozen=True)
class KataNames:
    """Names of the katas whose files are looked for: those that are graded, and all there are."""

    graded: tuple[str, ...]
    every: tuple[str, ...]

    def nearest(self, name: str) -> str:
        """The graded kata whose file a file of this name is most likely meant as, if there is one:
        a 0 for a slip in a name has to be seen.
        """
        kata = _nearest(name, self.every) if len(name) <= LONGEST_NAME else ""
        return kata if kata in self.graded else ""


def is_text(name: str) -> bool:
    """True if it can be a Python text under a wrong name."""
    return _TEXT.fullmatch(_folded(name)) is not None


def is_weak(name: str) -> bool:
    """True if such a name matters only where the kata's own file is missing: a picture, a name
    without a kata's number, or that under which an editor or `check reset` keeps an older text.
    """
    has_number = _NUMBER.search(_evened(name)) is not None
    return not is_text(name) or not has_number or _LEFTOVER.fullmatch(_folded(name)) is not None


def is_spelling_of(name: str, kata: str) -> bool:
    """True if it holds the kata's whole name: other case, "Copy of", "(1)", a second ending."""
    return kata in _evened(name) and ".py" in _folded(name)


def is_download(name: str, kata: str) -> bool:
    """True if it is the kata's file with the number of a second download: "k12_logits (1).py"."""
    match = _SINGLE.fullmatch(name)
    is_whole = match is not None and not match["who"] and match["kata"] == kata
    return is_whole and name != f"{kata}.py"


def _nearest(name: str, katas: tuple[str, ...]) -> str:
    evened = _evened(name)
    if evened.startswith("test_"):  # a kata's tests bear its name
        return ""
    if inside := max((kata for kata in katas if kata in evened), key=len, default=""):
        return inside
    match = _TEXT.fullmatch(evened)
    stem = (match["stem"] or match["bare"]) if match else _without_endings(evened)
    is_compared = match is not None and len(stem) <= LONGEST_COMPARED
    close = difflib.get_close_matches(stem, katas, n=1, cutoff=CLOSE) if is_compared else []
    if close:
        return close[0]
    if number := _NUMBER.search(stem):
        short = f"k{int(number[1] or number[2]):02d}"
        return next((kata for kata in katas if kata.partition("_")[0] == short), "")
    return ""


def _without_endings(name: str) -> str:
    """Without the endings after the last blank: "k01 v1.2 a.tar.gz" is called "k01 v1.2 a"."""
    blanks = [number for number, letter in enumerate(name) if letter.isspace()]
    dot = name.find(".", blanks[-1] if blanks else 0)
    return name if dot < 0 else name[:dot]


def _folded(name: str) -> str:
    """Equal for names that look alike but for case and form of their characters."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _evened(name: str) -> str:
    return _folded(name).replace("-", "_").replace(" ", "_")
