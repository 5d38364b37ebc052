"""Whether a kata's file is still its stub: then no process that dies, and no test that is late, is
its fault.
"""

from pathlib import Path

from dojo.catalog import Kata
from dojo.stubs import MarkerError, open_regions, stub_of, todo

LARGEST = 1_000_000  # bytes of a file that is read


def lines(kata: Kata, folder: Path) -> dict[str, str]:
    """Task → what is said of it where the file in this folder is the stub as it came; empty where
    something else stands in it, or it can't be read.
    """
    path = folder / f"{kata.name}.py"
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return {}
        source = path.read_text(encoding="utf-8")
        if source != stub_of(kata.reference_text(), [task.name for task in kata.tasks]):
            return {}
    except (OSError, ValueError, MarkerError):
        return {}
    return {
        task: f"{path.name}:{line} waits for you:\n  {todo(source, task)}"
        for task, line in open_regions(source).items()
    }
