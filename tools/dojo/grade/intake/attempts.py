"""Several attempts of one student, as Blackboard hands them out: the newest counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# gradebook_CS1_Homework1_jdoe_attempt_2026-11-20-10-33-21_katas.zip, and beside it a text about the
# attempt, which ends at the time. What the student named comes after the time.
_NAME = re.compile(
    r"(?P<owner>.*?(?P<id>[^_]+))_attempt_(?P<at>\d{4}(?:-\d\d){5})(?:_.|\.txt$)", re.DOTALL
)


@dataclass(frozen=True)
class Attempt:
    """The attempt that a file belongs to.

    Attributes:
        owner: the assignment and the student's username: the same in all attempts.
        id: the username, or the end of one that has an underscore.
        at: when it was handed in: "2026-11-20-10-33-21".
    """

    owner: str
    id: str
    at: str

    @property
    def note(self) -> str:
        """The note where there are others of this owner."""
        time = f"{self.at[:10]} {self.at[11:].replace('-', ':')}"
        return f"Handed in more than once: the attempt of {time} counts."


def attempt(entry: str) -> Attempt | None:
    """The attempt by a file's name; None where the name is not Blackboard's."""
    match = _NAME.match(entry)
    return Attempt(match["owner"], match["id"], match["at"]) if match else None


def earlier(files: Mapping[str, bool]) -> set[str]:
    """The names of the files that belong to an attempt which does not count: of an owner's attempts
    the newest does that holds some work.

    Args:
        files: name → whether it can be work; False for a text about an attempt.
    """
    found = {name: one for name in files if (one := attempt(name))}
    newest: dict[str, tuple[bool, str]] = {}
    for name, one in found.items():
        rank = files[name], one.at
        newest[one.owner] = max(rank, newest.get(one.owner, rank))
    return {name for name, one in found.items() if one.at != newest[one.owner][1]}
