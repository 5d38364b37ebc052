"""The first thing a child process runs: light to import, so that the parent stays free of pytest and torch."""

from multiprocessing.connection import Connection

from dojo.suite.unit import Unit


def main(units: list[Unit], log: str, connection: Connection) -> None:
    from dojo.suite import session

    session.main(units, log, connection)
