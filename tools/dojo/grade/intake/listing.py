"""The list of what was not taken from a submission, short enough to be read."""

from collections import Counter
from collections.abc import Sequence

from dojo.grade.records import Ignored
from dojo.grade.text import line

NO_KATA = "not a kata's file"
MOST_LISTED = 100
FEW = 3  # other files of one folder that are listed by name; more are counted


def listed(others: Sequence[tuple[str, str]]) -> tuple[Ignored, ...]:
    """Each path with its reason once; where a folder holds many files that have nothing to do with
    katas, the folder instead of them.
    """
    folder_of = [path.rpartition("/")[0] for path, _ in others]
    crowd = Counter(
        folder for folder, (_, reason) in zip(folder_of, others, strict=True) if reason == NO_KATA
    )
    found: dict[Ignored, None] = {}
    for folder, (path, reason) in zip(folder_of, others, strict=True):
        if reason == NO_KATA and crowd[folder] > FEW:
            found[Ignored(line(f"{folder}/"), f"{crowd[folder]} files that are no kata's")] = None
        else:
            found[Ignored(line(path), reason)] = None
    more = len(found) - MOST_LISTED
    shown = tuple(found)[:MOST_LISTED]
    return (
        shown
        if more <= 0
        else (*shown, Ignored("(and others)", f"{more:,} more that are not listed here"))
    )
