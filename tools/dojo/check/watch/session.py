"""A watch session: what happens comes through one queue, the model says what follows, the screen
shows it.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from dojo import bootstrap, reference_results
from dojo.catalog import Catalog, Kata
from dojo.check import store
from dojo.check.server.client import Dropped
from dojo.check.server.fingerprint import tools
from dojo.check.server.keeper import Keeper, NotWarm
from dojo.check.watch import effects as deeds
from dojo.check.watch import events, keys, transitions
from dojo.check.watch.files import Watcher
from dojo.check.watch.frame import Frame
from dojo.check.watch.model import Model
from dojo.check.watch.terminal import Terminal
from dojo.console import Screen
from dojo.suite.unit import Unit

# on Windows a wait without end hears no Ctrl-C
SECONDS_BETWEEN_LOOKS = 0.2 if os.name == "nt" else 3600.0
SECONDS_BETWEEN_COUNTS = 0.1
SECONDS_TO_END = 2
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGBREAK": 130}

Happening = events.Event | Callable[[], None]  # or something that has to be done by the main thread


class ToolsChanged(Exception):
    """What runs here is not what is there now. The text is the kata to go on with."""


class Session:
    """One person, one folder of katas.

    Args:
        model: where to begin.
        folder: the kata files.
        device: where the placement tests run.
        look: marks and colours.
        terminal: what to draw on.
    """

    def __init__(
        self, model: Model, folder: Path, device: str, look: Screen, terminal: Terminal
    ) -> None:
        self.model = model
        self._folder, self._device, self._look, self._terminal = folder, device, look, terminal
        self._katas = {kata.name: kata for kata in model.catalog.katas}
        # a signal may put something in at any moment
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._drops: dict[int, Connection] = {}
        self._judging: list[threading.Thread] = []
        self._records = reference_results.read()
        self._tools = tools()
        self._drawn = 0.0
        self.keeper = Keeper(self._restarted)

    def put(self, happening: Happening) -> None:
        self._queue.put(happening)

    def run(self) -> int:
        """Go on until the end; the exit code."""
        names = list(self._katas)
        with self.keeper, Watcher(self._folder, names, lambda katas: self.put(events.Saved(katas))):
            self.put(events.Started())
            while True:
                news = list(self._news())
                for event in news:
                    self.model, effects = transitions.update(self.model, event)
                    for effect in effects:
                        if isinstance(effect, events.Quit):
                            self._end_all()
                            return effect.code
                        self._do(effect)
                is_count = bool(news) and all(
                    isinstance(event, events.TestJudged) for event in news
                )
                if not is_count or self._is_time_to_draw():
                    self._draw()

    def _is_time_to_draw(self) -> bool:
        """A count that moves is not worth keeping the verdict waiting for its picture."""
        return time.monotonic() - self._drawn > SECONDS_BETWEEN_COUNTS

    def _news(self) -> Iterator[events.Event]:
        """All that has happened; waits until something has."""
        happenings = []
        with contextlib.suppress(queue.Empty):
            happenings.append(self._queue.get(timeout=SECONDS_BETWEEN_LOOKS))
            while True:
                happenings.append(self._queue.get_nowait())
        for happening in happenings:
            if callable(happening):
                happening()
            else:
                yield happening

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        width, height = self._terminal.size()
        self._terminal.show(Frame(self._look, width, height, self._records).lines(self.model))

    def _do(self, effect: events.Effect) -> None:
        match effect:
            case events.Judge(run, katas, in_background):
                ours, theirs = Pipe()
                self._drops[run] = ours
                jobs = 1 if in_background else None
                self._judging = [thread for thread in self._judging if thread.is_alive()]
                self._judging.append(
                    threading.Thread(
                        target=self._judge, args=(run, katas, jobs, theirs), daemon=True
                    )
                )
                self._judging[-1].start()
            case events.Drop(run):
                self._drop(run)
            case events.OpenHint(kata, task):
                self._tell(deeds.open_hint(self._katas[kata], task))
            case events.ShowHints(kata):
                self._tell(deeds.all_hints(self._katas[kata], self._look, self._terminal.size()[0]))
            case events.Compare(kata):
                self._tell(deeds.compare(self._katas[kata], self._look, self._terminal.size()[0]))
            case events.Reset(kata):
                self._tell(deeds.reset(self._katas[kata]))

    def _tell(self, event: events.Event | None) -> None:
        if event:
            self.put(event)

    def _drop(self, run: int) -> None:
        with contextlib.suppress(OSError, KeyError):
            self._drops.pop(run).close()

    def _end_all(self) -> None:
        """Drop what is being judged, and let a verdict that is just being written down come to its
        end.
        """
        for run in list(self._drops):
            self._drop(run)
        for thread in self._judging:
            thread.join(SECONDS_TO_END)

    def _judge(self, run: int, names: tuple[str, ...], jobs: int | None, drop: Connection) -> None:
        """Have katas judged, in a thread of its own."""
        begin = time.monotonic()
        units = [Unit(str(self._folder), name, self._device) for name in names]
        try:
            before = store.hashes(names) if self.model.own else {}
            results = self.keeper.ask(
                units, jobs, lambda unit, result: self.put(events.TestJudged(run)), drop
            )
        except Dropped:
            return
        except NotWarm as problem:
            self.put(events.NotJudged(run, f"{problem} Save again to try again."))
            return
        except Exception as error:  # whatever it is, the screen must not go on saying that it tests
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            self.put(
                events.NotJudged(
                    run, f"The run broke off ({why}): save again, or quit and start anew."
                )
            )
            return
        finally:
            drop.close()
            self._drop(run)
        self.put(events.Judged(run, tuple(results), time.monotonic() - begin))
        if before:
            self._tell(deeds.record(results, before, self._device))

    def _restarted(self, reason: str) -> None:
        if tools() != self._tools:
            self.put(self._start_anew)
        self.put(events.Restarting(reason))

    def _start_anew(self) -> None:
        raise ToolsChanged(self.model.current)


def begin(catalog: Catalog, folder: Path, own: bool, wanted: Kata | None) -> Model:
    """The model to start with: at the wanted kata, or where the learner is."""
    passed, at, notice = deeds.known(catalog) if own else ({}, None, "")
    worked_on = list(deeds.worked_on(catalog, folder))
    unknown = tuple(kata.name for kata in worked_on if not passed.get(kata.name))
    begun = worked_on[-1].name if worked_on else catalog.katas[0].name
    return Model(
        catalog, own, wanted.name if wanted else at or begun, passed, unknown=unknown, notice=notice
    )


def watch(
    catalog: Catalog, folder: Path, own: bool, wanted: Kata | None, device: str, look: Screen
) -> int:
    """Watch until the learner quits; the exit code."""
    terminal = Terminal(look.console)
    session = Session(begin(catalog, folder, own, wanted), folder, device, look, terminal)
    try:
        with terminal, signals(session, terminal):
            keys.listen(
                lambda name: session.put(events.Key(name)), lambda: session.put(events.Ended(0))
            )
            code = session.run()
    except ToolsChanged as change:
        os.environ.pop(bootstrap.JUST_SET_UP, None)
        sys.argv = [
            sys.argv[0],
            "run",
            "--watch",
            str(change),
            "--target",
            str(folder),
            "--device",
            device,
        ]
        bootstrap.go_on_in(Path(sys.executable))
        raise
    except OSError:  # the terminal was closed
        return CODES["SIGHUP"]
    done, total = session.model.count
    with contextlib.suppress(OSError):
        look.console.print(
            f"{done} of {total} tasks pass. `python tools/check --watch` goes on from here."
        )
    return code


@contextlib.contextmanager
def signals(session: Session, terminal: Terminal) -> Iterator[None]:
    """Ctrl-C and a closed terminal end the session; another size draws anew; Ctrl-Z gives the
    terminal back meanwhile.
    """

    def stop() -> None:
        terminal.leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        terminal.enter()

    handlers = {
        name: lambda *_, code=code: session.put(events.Ended(code)) for name, code in CODES.items()
    }
    handlers |= {
        "SIGWINCH": lambda *_: session.put(terminal.forget),
        "SIGTSTP": lambda *_: session.put(stop),
    }
    known = {
        getattr(signal, name): handler
        for name, handler in handlers.items()
        if hasattr(signal, name)
    }
    before = {number: signal.signal(number, handler) for number, handler in known.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
