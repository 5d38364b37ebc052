"""Tells which kata files have changed, however an editor saves them."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import watchfiles

MILLISECONDS = {"debounce": 50, "step": 5}  # an editor's several steps of one save count as one
LOOK_ANYWAY = 1000  # milliseconds: where no event comes, as when the whole folder was replaced


@dataclass(frozen=True)
class Version:
    """What tells one version of a file from another: it was written again, or says something else.

    Attributes:
        place: its number on the disk, which says nothing by itself: a folder that was moved away
            and back has new files.
    """

    written: int
    size: int
    content: str
    place: int = field(compare=False)


def versions(
    folder: Path, katas: Iterable[str], known: Mapping[str, Version | None]
) -> dict[str, Version | None]:
    """The version of each file, None for one that can't be read; read anew only where it is not the
    file that is known.
    """
    return {kata: _version(folder / f"{kata}.py", known.get(kata)) for kata in katas}


def _version(path: Path, known: Version | None) -> Version | None:
    try:
        found = path.stat()
        if known and (found.st_mtime_ns, found.st_size, found.st_ino) == (
            known.written,
            known.size,
            known.place,
        ):
            return known
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
    return Version(found.st_mtime_ns, found.st_size, content, found.st_ino)


class Watcher:
    """Calls `on_save` with the names of the katas whose files are not what they were, in a thread
    of its own.
    """

    def __init__(
        self, folder: Path, katas: Iterable[str], on_save: Callable[[frozenset[str]], None]
    ) -> None:
        self._folder, self._katas, self._on_save = folder, tuple(katas), on_save
        self._known = versions(folder, self._katas, {})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        while not self._stop.is_set():
            # no such folder, or it can't be watched
            with contextlib.suppress(OSError, RuntimeError):
                self._until_replaced()
            self._look()
            self._stop.wait(LOOK_ANYWAY / 1000)

    def _until_replaced(self) -> None:
        """Watch the folder until it is another one, as after git has deleted it and brought it
        back.
        """
        here = self._folder.stat().st_ino
        names = {f"{kata}.py" for kata in self._katas}
        events = watchfiles.watch(
            self._folder,
            watch_filter=lambda change, path: Path(path).name in names,
            stop_event=self._stop,
            rust_timeout=LOOK_ANYWAY,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
            **MILLISECONDS,
        )
        for _ in events:
            self._look()
            if self._folder.stat().st_ino != here:
                return

    def _look(self) -> None:
        now = versions(self._folder, self._katas, self._known)
        changed = frozenset(kata for kata in self._katas if now[kata] != self._known[kata])
        self._known = now
        if changed:
            self._on_save(changed)
