"""The warm process: has everything imported, and judges for whoever asks.

Its standard input is its lifeline: when that ends, because its keeper has ended in whatever way, it
ends too, and its children with it. It prints its card as one line of JSON. Each asker sends one
question and gets answers, all of them JSON:

    {"fingerprint": ..., "units": [...], "jobs": n or null}

    {"answer": "accepted"}
    {"answer": "results", "results": [[unit's number, {...}], ...]}     as tests are judged
    {"answer": "end", "katas": [...]}
    {"answer": "stale"}     what it imported is not what is there now: it ends after this
    {"answer": "other"}     the asker runs with other settings
    {"answer": "trouble", "text": ...}

An asker that hangs up has its run ended.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from multiprocessing import Pipe
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge

from dojo import catalog
from dojo.check.server import rendezvous
from dojo.check.server.fingerprint import fingerprint
from dojo.processes import forking
from dojo.processes.spare import READY, SPARES
from dojo.results import TestResult
from dojo.suite.supervisor import Abandoned, run
from dojo.suite.unit import Unit

LARGEST_QUESTION = 1024 * 1024
SECONDS_TO_GREET = 5
SECONDS_TO_END = 3
SECONDS_BETWEEN_RESULTS = 0.1  # an asker that is woken for each test takes its time from the tests


class Host:
    """What is the same for all askers."""

    def __init__(self, card: rendezvous.Card) -> None:
        # before anything is imported: a change while it is imported counts as one
        self.fingerprint = fingerprint()
        self.card = card
        self.is_over, self._end = Pipe(duplex=False)
        self._threads: list[threading.Thread] = []

    def end(self) -> None:
        """Every run is ended, and no new one begins."""
        with contextlib.suppress(OSError):
            self._end.close()

    def listen(self, listener: Listener) -> None:
        while True:
            try:
                connection = listener.accept()
            except OSError:
                continue
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(
                threading.Thread(target=self._serve, args=(connection,), daemon=True)
            )
            self._threads[-1].start()

    def wait_for_askers(self) -> None:
        for thread in self._threads:
            thread.join(SECONDS_TO_END)

    def _serve(self, connection: Connection) -> None:
        with connection, contextlib.suppress(OSError, EOFError, ValueError, Abandoned):
            greet(connection, self.card.key, as_host=True)
            question = json.loads(connection.recv_bytes(LARGEST_QUESTION))
            if question["fingerprint"] != self.fingerprint:
                is_stale = fingerprint() != self.fingerprint
                _say(connection, answer="stale" if is_stale else "other")
                if is_stale:
                    os.close(0)
                return
            _say(connection, answer="accepted")
            try:
                self._judge(connection, question)
            except (OSError, EOFError, Abandoned):
                raise
            except Exception as error:  # whatever it is, the asker can judge by itself
                _say(connection, answer="trouble", text=f"{type(error).__name__}: {error}")

    def _judge(self, connection: Connection, question: dict) -> None:
        units = [Unit(**fields) for fields in question["units"]]

        untold: list[tuple[int, dict]] = []
        told = time.monotonic()

        def tell(unit: Unit, result: TestResult) -> None:
            nonlocal told
            untold.append((unit.number, asdict(result)))
            if time.monotonic() - told > SECONDS_BETWEEN_RESULTS:
                flush()

        def flush() -> None:
            nonlocal told
            _say(connection, answer="results", results=untold)
            untold.clear()
            told = time.monotonic()

        katas = run(units, catalog.load().katas, question["jobs"], tell, [connection, self.is_over])
        flush()
        _say(connection, answer="end", katas=[asdict(kata) for kata in katas])
        SPARES.fill(forking.context())
        if len(units) == 1:
            READY.prepare(forking.context(), units[0])


def greet(connection: Connection, key: str, as_host: bool) -> None:
    """Both sides show that they know the key. A side that does not speak in time is as good as
    gone.

    Raises:
        OSError, EOFError, multiprocessing.AuthenticationError: it is somebody else, or nobody.
    """
    known = bytes.fromhex(key)
    for is_asking in (as_host, not as_host):
        if not is_asking and not connection.poll(SECONDS_TO_GREET):
            raise EOFError
        (deliver_challenge if is_asking else answer_challenge)(connection, known)


def _say(connection: Connection, **answer: object) -> None:
    connection.send_bytes(json.dumps(answer).encode())


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the keeper
    own = rendezvous.own_folder()
    card = rendezvous.new_card(own)
    host = Host(card)
    tempfile.tempdir = str(own)
    try:
        with Listener(card.address, backlog=16) as listener:
            SPARES.wanted = 0 if forking.can_fork() else 1
            forking.start_server()
            SPARES.fill(forking.context())
            threading.Thread(target=host.listen, args=(listener,), daemon=True).start()
            rendezvous.put_up(card, own)
            print(json.dumps(asdict(card)), flush=True)
            with contextlib.suppress(OSError):
                os.read(0, 1)
            host.end()
            host.wait_for_askers()
    except Exception as error:  # the keeper says it on
        sys.stderr.write(f"{error}\n")
    finally:
        rendezvous.take_down(own)
        sys.stderr.flush()
        os._exit(0)
