"""A kata's file back to its stub, with a copy of what was there."""

from datetime import datetime
from pathlib import Path

from dojo import ROOT
from dojo.catalog import Kata
from dojo.stubs import stub_of


def stub(kata: Kata) -> str:
    reference = ROOT / "reference" / f"{kata.name}.py"
    return stub_of(
        reference.read_text(encoding="utf-8"),
        [task.name for task in kata.tasks],
        f"reference/{kata.name}.py",
    )


def is_stub(path: Path, text: str) -> bool:
    """Whether the file is the stub already, whatever its line ends."""
    try:
        return path.read_bytes().replace(b"\r\n", b"\n") == text.encode()
    except OSError:
        return False


def reset(path: Path, text: str, now: datetime) -> Path | None:
    """Write the stub; what was there is kept beside it. Returns the copy's path, None where there
    was no file.

    Raises:
        OSError: the folder can't be written; the file is then as it was.
    """
    backup = None
    if path.exists():
        backup = path.with_name(f"{path.name}.backup-{now:%Y%m%d-%H%M%S}")
        backup.write_bytes(path.read_bytes())
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    fresh.replace(path)
    return backup
