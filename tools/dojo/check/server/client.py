"""Asks a server to run tests: one that somebody keeps in this clone, or one of its own (Keeper)."""

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, wait

import msgspec

from dojo import ROOT
from dojo.catalog import Kata
from dojo.check.server import rendezvous, server
from dojo.check.server.fingerprint import environment, fingerprint
from dojo.check.server.rendezvous import Address
from dojo.cli import OUT_OF_REACH
from dojo.processes.channel import Connection
from dojo.processes.worker import SECONDS_TO_START
from dojo.results import KataResult, Outcome
from dojo.suite import supervisor
from dojo.suite.supervisor import OnResult
from dojo.suite.unit import Unit

LARGEST_ANSWER = 64 * 1024 * 1024
SECONDS_OF_SILENCE = SECONDS_TO_START + supervisor.SECONDS_OF_SILENCE
# what comes of a server that is gone, is another, or gives an odd answer
BROKEN = (OSError, EOFError, AuthenticationError, ValueError, LookupError, msgspec.MsgspecError)
MOST_TRIES = 3
SECONDS_TO_END = 5
# a server that ends earlier is not replaced before it is asked: the next would end as soon
SHORTEST_LIFE = 5.0
GONE = "its process was gone"
# Not as a module or a file: children that are not forked would import that a second time.
PROGRAM = "import sys; sys.path[:0] = {paths!r}; from dojo.check.server.server import main; main()"


class Unanswered(Exception):
    """The server did not answer, or not with results."""


class Stale(Unanswered):
    """It has imported other things than are there now."""


class Dropped(Exception):
    """The results are not wanted any more."""


class NotWarm(Exception):
    """No server can be had; the message is its last word."""


def run(
    units: Sequence[Unit], katas: Sequence[Kata], on_result: OnResult | None = None
) -> list[KataResult]:
    """The same as suite.supervisor.run, by a server of this clone if one is there and not stale."""
    for address in rendezvous.addresses():
        with contextlib.suppress(Unanswered):  # the next one then reports some tests again
            results = ask(address, units, None, on_result)
            if all(kata.outcome != Outcome.ERROR for kata in results):
                return results
    return supervisor.run(units, katas, None, on_result)


def ask(
    address: Address,
    units: Sequence[Unit],
    jobs: int | None = None,
    on_result: OnResult | None = None,
    drop: Connection | None = None,
) -> list[KataResult]:
    """Ask the server with this address. The run is ended as soon as `drop` has something to read,
    its end included.

    Raises Unanswered (Stale if it is that), or Dropped if ended through `drop`.
    """
    try:
        question = server.RunRequest(fingerprint(), list(units), jobs)
        with Client(address.socket) as connection:
            server.greet_server(connection, address.key)
            connection.send_bytes(server.encode(question))
            patience = float(server.SECONDS_TO_GREET)
            while True:
                ready = wait([connection, drop] if drop else [connection], patience)
                if drop in ready:
                    raise Dropped
                if not ready:
                    raise Unanswered("the warm process fell silent")
                data = connection.recv_bytes(LARGEST_ANSWER)
                patience = SECONDS_OF_SILENCE
                match server.decode(data):
                    case server.Results(results) if on_result:
                        for number, result in results:
                            on_result(units[number], result)
                    case server.AllResults(katas):
                        return katas
                    case server.Refusal(why, is_stale):
                        raise Stale(why) if is_stale else Unanswered(why)
    except BROKEN as error:
        raise Unanswered(f"{type(error).__name__}: {error}") from error


class Keeper(contextlib.AbstractContextManager["Keeper"]):
    """Keeps a server: starts it, replaces it when it is stale or gone, and leaves none behind. May
    be used by several threads. Calls `on_restart` with the reason for each new start.
    """

    def __init__(self, on_restart: Callable[[str], None] = lambda reason: None) -> None:
        self._on_restart = on_restart
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = Address("", "")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the keeper)
        self._closed = False

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(
        self,
        units: Sequence[Unit],
        jobs: int | None = None,
        on_result: OnResult | None = None,
        drop: Connection | None = None,
    ) -> list[KataResult]:
        """Ask the server, or a new one where the old one is stale or gone.

        Raises NotWarm if none can be started or all broke off, Dropped if ended through `drop`.
        """
        reason: Unanswered | None = None
        for _ in range(MOST_TRIES):
            address = self.ready()
            try:
                return ask(address, units, jobs, on_result, drop)
            except Unanswered as problem:
                reason = problem
                self._discard(address, problem)
        raise NotWarm(f"The warm process broke off: {reason}")

    def ready(self) -> Address:
        """Start a server if there is none; returns its address. It may still be importing."""
        with self._lock:
            if self._closed:
                raise Dropped
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._start()
                threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
            return self._address

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._end()
            self._errors.close()

    def _discard(self, address: Address, problem: Unanswered) -> None:
        """End the server with this address, unless another thread has done so meanwhile."""
        with self._lock:
            if self._process and self._address == address and not self._closed:
                self._end()
                self._on_restart(str(problem) if isinstance(problem, Stale) else GONE)

    def _start(self) -> None:
        program = PROGRAM.format(paths=[str(ROOT / "tools"), str(ROOT)])
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                **OUT_OF_REACH,  # of Ctrl-C: that is for the keeper, whose end ends the server
            )
        except OSError as error:  # no memory, too many processes, a Python that is being installed
            raise NotWarm(f"The warm process can't start ({error.strerror or error}).") from error
        try:
            line = self._process.stdout.readline() if self._process.stdout else b""
            self._address = msgspec.json.decode(line, type=Address)
        except msgspec.MsgspecError as error:
            self._end()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            raise NotWarm(f"The warm process can't start. {''.join(lines[-1:])}") from error

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Start a new server as soon as this one has ended, so that it is warm when needed."""
        begin = time.monotonic()
        process.wait()
        if self._process is process and time.monotonic() - begin > SHORTEST_LIFE:
            self._on_restart(GONE)
            with contextlib.suppress(NotWarm, Dropped):
                self.ready()

    def _end(self) -> None:
        """Close the server's standard input, which ends it; kill it if it does not end."""
        process = self._process
        self._process = None  # first: _follow() is waiting for its end
        if not process:
            return
        with process:  # closes its pipes
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
