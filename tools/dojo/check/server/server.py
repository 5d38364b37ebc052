"""The server: has everything imported, and runs tests for clients.

Its standard input is its lifeline: when that ends, because its keeper has ended in whatever way, it
ends too, and its children with it. It prints its address as one line of JSON. Each client sends one
RunRequest and gets answers; one that hangs up has its run ended.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge

import msgspec

from dojo import catalog
from dojo.check.server import rendezvous
from dojo.check.server.fingerprint import fingerprint
from dojo.processes import forking
from dojo.processes.channel import Connection
from dojo.processes.worker import Plain
from dojo.results import KataResult, TestResult
from dojo.suite.job import SuiteJob
from dojo.suite.supervisor import Abandoned, run
from dojo.suite.unit import Unit

LARGEST_QUESTION = 1024 * 1024
SECONDS_TO_GREET = 5
SECONDS_TO_END = 3
SECONDS_BETWEEN_RESULTS = 0.1  # a client that is woken for each test takes its time from the tests


class RunRequest(msgspec.Struct, tag=True):
    """The units to run, as many at a time as there are jobs."""

    fingerprint: str
    units: list[Unit]
    jobs: int | None


class Results(msgspec.Struct, tag=True):
    """Unit numbers and results of tests that have ended; at first none, as the run begins."""

    results: list[tuple[int, TestResult]]


class AllResults(msgspec.Struct, tag=True):
    """The run is over."""

    katas: list[KataResult]


class Refusal(msgspec.Struct, tag=True):
    """The client has to run the tests itself, or ask another server."""

    why: str
    is_stale: bool = False  # the server has imported what is not there now: its keeper replaces it


Message = RunRequest | Results | AllResults | Refusal


def encode(message: Message) -> bytes:
    """The message as JSON: not by msgspec, which refuses folders whose name is not UTF-8."""
    return json.dumps(msgspec.to_builtins(message)).encode()


def decode(data: bytes) -> Message:
    """The message in this JSON. Raises ValueError or msgspec.ValidationError if it holds none."""
    message: Message = msgspec.convert(json.loads(data), Message)
    return message


class Server:
    """Serves each client in a thread of its own."""

    def __init__(self, address: rendezvous.Address) -> None:
        # before anything is imported: a change while it is imported counts as one
        self.fingerprint = fingerprint()
        self.address = address
        self.worker = Plain(many=True, spares=1)
        self.is_over, self._end = Pipe(duplex=False)
        self._threads: list[threading.Thread] = []

    def listen(self, listener: Listener) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection = listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads = [*(t for t in self._threads if t.is_alive()), thread]
                thread.start()

    def end(self) -> None:
        """End every run, and wait for the threads of their clients."""
        with contextlib.suppress(OSError):
            self._end.close()
        for thread in self._threads:
            thread.join(SECONDS_TO_END)

    def _serve(self, connection: Connection) -> None:
        errors = (OSError, EOFError, ValueError, msgspec.MsgspecError, Abandoned)
        with connection, contextlib.suppress(*errors):
            greet_client(connection, self.address.key)
            question = decode(connection.recv_bytes(LARGEST_QUESTION))
            if isinstance(question, RunRequest):
                self._answer(connection, question)

    def _answer(self, connection: Connection, question: RunRequest) -> None:
        if question.fingerprint != self.fingerprint:
            if fingerprint() == self.fingerprint:
                _send(connection, Refusal("it runs with other settings"))
            else:
                why = "the tests, the tools or the packages have changed"
                _send(connection, Refusal(why, is_stale=True))
            return
        _send(connection, Results([]))
        try:
            self._run(connection, question)
        except (OSError, EOFError, Abandoned):
            raise
        except Exception as error:  # whatever it is, the client can run the tests itself
            _send(connection, Refusal(f"{type(error).__name__}: {error}"))

    def _run(self, connection: Connection, question: RunRequest) -> None:
        units, unsent = question.units, Results([])
        sent = time.monotonic()

        def on_result(unit: Unit, result: TestResult) -> None:
            nonlocal sent
            unsent.results.append((unit.number, result))
            if time.monotonic() - sent > SECONDS_BETWEEN_RESULTS:
                _send(connection, unsent)
                unsent.results.clear()
                sent = time.monotonic()

        abandon = [connection, self.is_over]
        katas = run(units, catalog.load().katas, question.jobs, on_result, abandon, self.worker)
        _send(connection, unsent)
        _send(connection, AllResults(katas))
        self.worker.fill()
        usual = [Unit(unit.target, unit.kata, unit.device) for unit in units]
        if len(units) == 1 and units == usual:
            self.worker.prepare(SuiteJob(tuple(usual)))


def greet_client(connection: Connection, key: str) -> None:
    """Let a client show that it knows the key, then show it that we do.

    Raises OSError, EOFError or multiprocessing.AuthenticationError: it does not, or not in time.
    """
    deliver_challenge(connection, bytes.fromhex(key))
    _await(connection)
    answer_challenge(connection, bytes.fromhex(key))


def greet_server(connection: Connection, key: str) -> None:
    """The client's side of the same, with the same errors."""
    _await(connection)
    answer_challenge(connection, bytes.fromhex(key))
    deliver_challenge(connection, bytes.fromhex(key))


def _await(connection: Connection) -> None:
    if not connection.poll(SECONDS_TO_GREET):
        raise EOFError


def _send(connection: Connection, answer: Message) -> None:
    connection.send_bytes(encode(answer))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the keeper
    folder = rendezvous.new_folder()
    address = rendezvous.new_address(folder)
    tempfile.tempdir = str(folder)
    server = Server(address)
    try:
        with Listener(address.socket, backlog=16) as listener:
            forking.start_server()
            server.worker.fill()
            threading.Thread(target=server.listen, args=(listener,), daemon=True).start()
            rendezvous.publish(address, folder)
            print(msgspec.json.encode(address).decode(), flush=True)
            with contextlib.suppress(OSError):
                os.read(0, 1)
            server.end()
    except Exception as error:  # the keeper passes it on to the user
        sys.stderr.write(f"{error}\n")
    finally:
        rendezvous.remove(folder)
        sys.stderr.flush()
        os._exit(0)
