"""Starts child processes that have everything imported already, where the system allows it.

On Linux a fork server imports torch, pytest and the rest once and forks each child. Elsewhere a
child starts anew: fork is not there (Windows) or not safe with the system's libraries (macOS).
"""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.util
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from dojo import ROOT
from dojo.check.server import rendezvous

# an environment variable: children start anew, as they do where there is no safe fork
NO_FORK = "TORCH_KATAS_NO_FORK"


# a process that starts looks after all others; two that look at one disturb each other
_one_at_a_time = threading.Lock()
_preload = ["dojo.suite.uninterrupted", "dojo.suite.preload"]


def can_fork() -> bool:
    return sys.platform.startswith("linux") and not os.environ.get(NO_FORK)


def context(many: bool = False) -> BaseContext:
    """The multiprocessing context for runs. Light: the fork server starts with the first process.

    Args:
        many: children of many katas will come, so that the fork server also imports what only some
            of them need. It keeps what it has imported: whoever keeps a fork server has to know
            when that is stale.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    paths = [str(ROOT / "tools"), str(ROOT)]
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [*paths, *(path for path in known if path and path not in paths)]
    )
    if not can_fork():
        return multiprocessing.get_context("spawn")
    _make_room_for_sockets()
    chosen = multiprocessing.get_context("forkserver")
    if many and "dojo.suite.preload_katas" not in _preload:
        _preload.append("dojo.suite.preload_katas")
    chosen.set_forkserver_preload(_preload)
    return chosen


def _make_room_for_sockets() -> None:
    """Where the folder for temporary files has a long name, sockets go elsewhere: their addresses
    are short or not at all.

    multiprocessing chooses its own folder once, the first time it is asked, and removes it in the
    end.
    """
    if len(os.fsencode(tempfile.gettempdir())) > rendezvous.LONGEST_ADDRESS - rendezvous.SERVERS:
        usual, tempfile.tempdir = tempfile.tempdir, "/tmp"
        try:
            multiprocessing.util.get_temp_dir()
        finally:
            tempfile.tempdir = usual


def start_server() -> None:
    """Let the imports begin before the first child is asked for, where there is a fork server."""
    context(many=True)
    if can_fork():
        multiprocessing.forkserver.ensure_running()


def pool(workers: int | None = None) -> ProcessPoolExecutor:
    """Processes with everything imported, for work on many katas. They end with the process that
    asked, however it ends.

    Args:
        workers: how many; by default one a core.
    """
    return ProcessPoolExecutor(
        workers, mp_context=context(many=True), initializer=_end_with_the_parent
    )


def end(some: ProcessPoolExecutor) -> None:
    """End a pool at once, whatever its processes do. The fork server goes too, and the next process
    needs a new one: while it imports torch it keeps all waiting who start a process, and then
    starts one that nobody wants any more.
    """
    if server := getattr(multiprocessing.forkserver._forkserver, "_forkserver_pid", None):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)
    end_workers(some)


def end_workers(some: ProcessPoolExecutor) -> None:
    """End a pool at once, whatever its processes do; other children of the fork server go on."""
    processes = some._processes or {}  # there is no public way before Python 3.14
    some.shutdown(wait=False, cancel_futures=True)
    for process in list(processes.values()):
        process.kill()


def _end_with_the_parent() -> None:
    """A worker that waits for work would not notice that nobody is left to send it: the fork server
    keeps its pipe open.
    """
    threading.Thread(target=_leave_after_the_parent, daemon=True).start()


def _leave_after_the_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def start(process: BaseProcess) -> None:
    with _one_at_a_time:
        process.start()


def is_alive(process: BaseProcess) -> bool:
    with _one_at_a_time:
        return process.is_alive()


def exit_code(process: BaseProcess, patience: float) -> int | None:
    """Of a process that has ended or is about to; None if it has not by then."""
    with _one_at_a_time:
        process.join(patience)
        return process.exitcode
