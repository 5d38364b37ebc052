"""The limit on computing: it counts what the processor did, not the clock."""

import signal
import sys
import threading
import time

import pytest

from dojo import limits
from dojo.suite import feedback

HERE = [limits.by_thread] if sys.platform == "win32" else [limits.by_thread, limits.by_timer]


def compute() -> None:
    """Never ends by itself."""
    while True:
        pass


@pytest.mark.parametrize("limited", HERE)
def test_an_endless_loop_is_ended_though_it_catches_exceptions(limited):
    def stubborn():
        while True:
            try:
                compute()
            except Exception:
                continue

    with pytest.raises(limits.TimeUp), limited(0.05):
        stubborn()


@pytest.mark.parametrize("limited", HERE)
def test_code_that_catches_everything_is_interrupted_again(limited, monkeypatch):
    monkeypatch.setattr(limits, "AGAIN", 0.05)
    caught = []
    with pytest.raises(limits.TimeUp), limited(0.05):
        while True:
            try:
                compute()
            except BaseException as error:
                caught.append(error)
                if len(caught) == 3:
                    raise


@pytest.mark.parametrize("limited", HERE)
def test_waiting_is_not_counted(limited):
    with limited(0.2):
        time.sleep(0.5)


def test_what_other_threads_compute_is_not_counted_where_a_timer_keeps_the_limit():
    if limits.by_timer not in HERE:
        pytest.skip("there is no such timer")
    helper = threading.Thread(target=lambda: sum(range(10_000_000)))
    with limits.by_timer(0.1):
        helper.start()
        helper.join()


def test_nothing_of_it_is_left():
    before = signal.getsignal(signal.SIGPROF) if limits.by_timer in HERE else None
    with limits.computing(60):
        pass
    if before is not None:
        assert signal.getsignal(signal.SIGPROF) is before
        assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
    assert threading.active_count() == 1 or limits.by_timer in HERE


def test_the_messages_say_what_was_used_up(tmp_path):
    def why(error):
        path = tmp_path / "k06.py"
        return feedback.explain(error, path, None, "it ends", 15, "")[0]

    computed = why(limits.TimeUp())
    assert computed.seen.startswith("still running after 15 s of computing")
    assert "endless loop" in computed.likely[0].text
    waited = why(pytest.fail.Exception("Timeout (>60.0s) from pytest-timeout."))
    assert waited.seen.startswith(
        "not done after 60.0 s by the clock, of which it computed for less than 15 s"
    )
    assert "your code waits" in waited.likely[0].text
