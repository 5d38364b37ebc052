"""Asks a warm process to judge; where none is there, or anything is odd, it is done here."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, wait

from dojo.catalog import Kata
from dojo.check.server import rendezvous
from dojo.check.server.fingerprint import fingerprint
from dojo.check.server.server import SECONDS_TO_GREET, greet
from dojo.results import KataResult, Outcome, kata_result, test_result
from dojo.suite import supervisor as own
from dojo.suite.supervisor import OnResult
from dojo.suite.unit import Unit

LARGEST_ANSWER = 64 * 1024 * 1024
SECONDS_OF_SILENCE = own.SECONDS_TO_START + own.SECONDS_OF_SILENCE


class Unanswered(Exception):
    """The warm process did not answer, or not with a verdict."""


class Stale(Unanswered):
    """It has imported other things than are there now."""


class Dropped(Exception):
    """The asker wants to know no more."""


def run(
    units: Sequence[Unit],
    katas: Sequence[Kata],
    jobs: int | None = None,
    on_result: OnResult | None = None,
) -> list[KataResult]:
    """The same as suite.run.run, by a warm process of this clone if there is one that is not stale.

    Where one breaks off, `on_result` hears of some tests twice.
    """
    for card in rendezvous.cards():
        try:
            results = ask(card, units, jobs, on_result)
        except Unanswered:
            continue
        if all(kata.outcome != Outcome.ERROR for kata in results):
            return results
    return own.run(units, katas, jobs, on_result)


def ask(
    card: rendezvous.Card,
    units: Sequence[Unit],
    jobs: int | None = None,
    on_result: OnResult | None = None,
    drop: Connection | None = None,
) -> list[KataResult]:
    """Ask this warm process.

    Args:
        card: how to reach it.
        drop: ends the run as soon as there is something to read in it, the end included.

    Raises:
        Unanswered: Stale if it is that.
        Dropped: ended through `drop`.
    """
    try:
        question = {
            "fingerprint": fingerprint(),
            "units": [asdict(unit) for unit in units],
            "jobs": jobs,
        }
        with Client(card.address) as connection:
            greet(connection, card.key, as_host=False)
            connection.send_bytes(json.dumps(question).encode())
            patience = SECONDS_TO_GREET
            while True:
                ready = wait([connection, *([drop] if drop else [])], patience)
                if drop in ready:
                    raise Dropped
                if not ready:
                    raise Unanswered("the warm process fell silent")
                answer = json.loads(connection.recv_bytes(LARGEST_ANSWER))
                patience = SECONDS_OF_SILENCE
                match answer["answer"]:
                    case "results" if on_result:
                        for number, fields in answer["results"]:
                            on_result(units[number], test_result(fields))
                    case "end":
                        return [kata_result(fields) for fields in answer["katas"]]
                    case "stale":
                        raise Stale("the tests, the tools or the packages have changed")
                    case "other" | "trouble":
                        raise Unanswered(answer.get("text", "it runs with other settings"))
    except (
        OSError,
        EOFError,
        AuthenticationError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise Unanswered(f"{type(error).__name__}: {error}") from error
