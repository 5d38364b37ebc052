"""Folders that nobody looks into, and how much may lie in an archive."""

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Refused

UNSEEN_FOLDERS = ("__macosx", "__pycache__", "node_modules", "site-packages", "venv")


def unseen(path: str) -> str:
    """The folder on the way to this path's end into which nobody looks; empty if there is none."""
    parts = path.replace("\\", "/").split("/")
    for number, folder in enumerate(parts[:-1], start=1):
        if folder not in (".", "..") and (
            folder.startswith(".") or folder.casefold() in UNSEEN_FOLDERS
        ):
            return "/".join(parts[:number])
    return ""


class Crowd:
    """Counts the members of an archive. Of a folder that nobody looks into, the first one stands
    for all.
    """

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
