"""A watch session: events come through one queue and change the model, the screen shows it."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

from rich.console import Console

from dojo import bootstrap, reference_results
from dojo.catalog import Catalog, Kata
from dojo.check import editor, store
from dojo.check.server.client import Dropped, Keeper, NotWarm
from dojo.check.server.fingerprint import tools
from dojo.check.watch import effects, transitions
from dojo.check.watch import model as m
from dojo.check.watch.files import Watcher
from dojo.check.watch.frame import Frame
from dojo.check.watch.terminal import Keys, Terminal
from dojo.console import Screen
from dojo.processes.channel import Connection
from dojo.suite.unit import Unit

# on Windows Ctrl-C is not noticed during a wait without end
SECONDS_TO_WAIT = 0.2 if os.name == "nt" else 3600.0
SECONDS_BETWEEN_COUNTS = 0.1
SECONDS_BETWEEN_SIGNS = 0.25  # that move while something runs
SECONDS_TO_END = 2
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGBREAK": 130}

Happening = m.Event | Callable[[], None]  # or something that the main thread has to do


class ToolsChanged(Exception):
    """The tools that run here are not those on the disk. The text is the kata to go on with."""


class Session:
    """One person, one folder of kata files; `device` is where the placement tests run."""

    def __init__(
        self, model: m.Model, folder: Path, device: str, screen: Screen, terminal: Terminal
    ) -> None:
        self.model = model
        self._folder, self._device, self._screen, self._terminal = folder, device, screen, terminal
        # a signal may put something in at any moment
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.put: Callable[[Happening], None] = self._queue.put
        self.keys = Keys(lambda name: self.put(m.Key(name)), lambda: self.put(m.Quit(0)))
        self._drops: dict[int, Connection] = {}
        self._threads: list[threading.Thread] = []
        self._records = reference_results.read()
        self._tools = tools()
        self._drawn = 0.0
        self.keeper = Keeper(self._restarted)

    def run(self) -> int:
        """Go on until the end; returns the exit code."""
        katas = [kata.name for kata in self.model.catalog.katas]
        with self.keeper, Watcher(self._folder, katas, lambda saved: self.put(m.Saved(saved))):
            self.put(m.SessionStarted())
            while True:
                events = list(self._events())
                for event in events:
                    self.model, todo = transitions.update(self.model, event)
                    for effect in todo:
                        if isinstance(effect, m.Quit):
                            self._end_runs()
                            return effect.code
                        self._do(effect)
                # redraws of the count are limited, so that they never delay a verdict
                is_count = events and all(isinstance(event, m.Progress) for event in events)
                if not is_count or time.monotonic() - self._drawn > SECONDS_BETWEEN_COUNTS:
                    self._draw()

    def _events(self) -> Iterator[m.Event]:
        """All that has happened; waits for the first, and does what this thread has to do."""
        happenings = []
        with contextlib.suppress(queue.Empty):
            busy = self.model.run or self.model.background
            seconds = SECONDS_BETWEEN_SIGNS if busy else SECONDS_TO_WAIT
            happenings.append(self._queue.get(timeout=seconds))
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
        sign = int(self._drawn / SECONDS_BETWEEN_SIGNS)
        frame = Frame(self._screen, width, height, self._records, sign)
        self._terminal.show(frame.lines(self.model))

    def _do(
        self, effect: effects.RunTests | effects.DropRun | effects.OpenEditor | effects.Work
    ) -> None:
        match effect:
            case effects.RunTests(run):
                self._drops[run], drop = Pipe()
                thread = threading.Thread(target=self._test, args=(effect, drop), daemon=True)
                self._threads = [*(t for t in self._threads if t.is_alive()), thread]
                thread.start()
            case effects.DropRun(run):
                self._drop(run)
            case effects.OpenEditor(kata, line):
                self._edit(self._folder / f"{kata}.py", line)
            case work:
                width, _ = self._terminal.size()
                console = Console(
                    width=width, force_terminal=True, legacy_windows=False, highlight=False
                )
                self.model = effects.after(work, self.model, replace(self._screen, console=console))

    def _edit(self, path: Path, line: int) -> None:
        """Open a file in the learner's editor: beside this, or in the terminal until it ends."""
        editing = editor.editing(os.environ, shutil.which, path, line)
        if editing is None:
            self.put(m.Noticed(editor.NONE))
            return
        program = shutil.which(editing.command[0]) or editing.command[0]
        command = [program, *editing.command[1:]]
        try:
            if editing.in_terminal and sys.platform != "win32":
                with self.keys.held(), self._terminal.left():
                    subprocess.run(command, check=False)
            else:
                silent = subprocess.DEVNULL
                subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)
        except OSError as error:
            why = f"{editing.command[0]} can't be started ({error.strerror or error})"
            self.put(m.Noticed(f"{why}: $VISUAL or $EDITOR says which editor to use."))

    def _drop(self, run: int) -> None:
        with contextlib.suppress(OSError, KeyError):
            self._drops.pop(run).close()

    def _end_runs(self) -> None:
        """Drop all runs, and wait for results that are just being written to the state."""
        for run in list(self._drops):
            self._drop(run)
        for thread in self._threads:
            thread.join(SECONDS_TO_END)

    def _test(self, effect: effects.RunTests, drop: Connection) -> None:
        """Have katas tested, in a thread of its own."""
        run, names = effect.run, effect.katas
        begin = time.monotonic()
        units = [Unit(str(self._folder), name, self._device) for name in names]
        jobs = 1 if effect.in_background else None
        try:
            before = store.hashes(names) if self.model.is_learners else {}
            results = self.keeper.ask(units, jobs, lambda *_: self.put(m.Progress(run)), drop)
        except Dropped:
            return
        except NotWarm as problem:
            self.put(m.RunFailed(run, f"{problem} Save again to try again."))
            return
        except Exception as error:  # whatever it is, the screen must not go on saying that it tests
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            why = f"The run broke off ({reason}): save again, or quit and start anew."
            self.put(m.RunFailed(run, why))
            return
        finally:
            drop.close()
            self._drop(run)
        self.put(m.RunEnded(run, tuple(results), time.monotonic() - begin))
        if before:
            notice = effects.record(results, before, self._device)
            self.put(m.Noticed(notice) if notice else m.Recorded())

    def _restarted(self, reason: str) -> None:
        if tools() != self._tools:
            self.put(self._leave_for_new_tools)
        self.put(m.Restarting(reason))

    def _leave_for_new_tools(self) -> None:
        raise ToolsChanged(self.model.current)


def watch(catalog: Catalog, folder: Path, named: Kata | None, device: str, screen: Screen) -> int:
    """Watch until the learner quits; returns the exit code."""
    terminal = Terminal(screen.console)
    session = Session(effects.begin(catalog, folder, named), folder, device, screen, terminal)
    try:
        with terminal, signals(session, terminal):
            session.keys.listen()
            code = session.run()
    except ToolsChanged as change:
        os.environ.pop(bootstrap.JUST_SET_UP, None)
        sys.argv[1:] = ["run", "--watch", str(change), "--target", str(folder), "--device", device]
        bootstrap.go_on_in(Path(sys.executable))
        raise
    except OSError:  # the terminal was closed
        return CODES["SIGHUP"]
    done, total = session.model.count
    text = f"{done} of {total} tasks pass. `python tools/check --watch` goes on from here."
    with contextlib.suppress(OSError):
        screen.console.print(text)
    return code


@contextlib.contextmanager
def signals(session: Session, terminal: Terminal) -> Iterator[None]:
    """Ctrl-C and a closed terminal end the session; a new size draws the whole frame again; Ctrl-Z
    gives the terminal back until the session is continued.
    """

    def stop() -> None:
        terminal.leave()
        if sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGSTOP)
        terminal.enter()

    by_name: dict[str, Happening] = {name: m.Quit(code) for name, code in CODES.items()}
    by_name |= {"SIGWINCH": terminal.forget, "SIGTSTP": stop}
    happenings = {getattr(signal, n): what for n, what in by_name.items() if hasattr(signal, n)}
    with contextlib.ExitStack() as stack:
        for number in happenings:
            before = signal.signal(number, lambda sent, frame: session.put(happenings[sent]))
            stack.callback(signal.signal, number, before)
        yield
