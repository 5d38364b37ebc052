"""Reports which kata files have changed, however an editor saves them."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import watchfiles

MILLISECONDS_TO_SETTLE = 50  # an editor's several steps of one save count as one
MILLISECONDS_BETWEEN_STEPS = 5
# without an event the files are looked at this often, as when the whole folder was replaced
MILLISECONDS_WITHOUT_EVENT = 1000


@dataclass(frozen=True)
class Version:
    """One version of a file: another one was written at another time or has other content."""

    written: int
    size: int
    content: str
    # says only when to read again: a folder that was moved away and back may have new numbers
    inode: int = field(compare=False)


def version(path: Path, last: Version | None) -> Version | None:
    """The version of a file, None if it can't be read. Reads it only if it is not the last one."""
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if last and state == (last.written, last.size, last.inode):
            return last
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
    return Version(stat.st_mtime_ns, stat.st_size, content, stat.st_ino)


class Watcher:
    """Calls `on_save` with the katas whose files have changed, in a thread of its own."""

    def __init__(
        self, folder: Path, katas: Iterable[str], on_save: Callable[[frozenset[str]], None]
    ) -> None:
        self._folder, self._on_save = folder, on_save
        self._versions = {kata: version(folder / f"{kata}.py", None) for kata in katas}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, RuntimeError):  # no folder, or it can't be watched
                self._until_replaced()
            self._compare()
            self._stop.wait(MILLISECONDS_WITHOUT_EVENT / 1000)

    def _until_replaced(self) -> None:
        """Watch the folder until it is a new one, as after git has deleted and restored it."""
        inode = self._folder.stat().st_ino
        names = {f"{kata}.py" for kata in self._versions}
        events = watchfiles.watch(
            self._folder,
            watch_filter=lambda change, path: Path(path).name in names,
            debounce=MILLISECONDS_TO_SETTLE,
            step=MILLISECONDS_BETWEEN_STEPS,
            stop_event=self._stop,
            rust_timeout=MILLISECONDS_WITHOUT_EVENT,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        for _ in events:
            self._compare()
            if self._folder.stat().st_ino != inode:
                return

    def _compare(self) -> None:
        last = self._versions
        self._versions = {k: version(self._folder / f"{k}.py", old) for k, old in last.items()}
        if changed := frozenset(k for k, old in last.items() if self._versions[k] != old):
            self._on_save(changed)
