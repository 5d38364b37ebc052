"""Child processes that have everything imported already, where the system allows it.

On Linux a fork server imports torch, pytest and the rest once and forks each child. Elsewhere each
child starts from nothing: there is no fork (Windows), or none that is safe with the system's
libraries (macOS).
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
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess

from dojo import ROOT

if sys.platform == "win32":
    Context = SpawnContext
else:
    from multiprocessing.context import ForkServerContext

    Context = SpawnContext | ForkServerContext

# an environment variable: start every child from nothing, as where there is no safe fork
NO_FORK = "TORCH_KATAS_NO_FORK"
LONGEST_ADDRESS = 107 if sys.platform.startswith("linux") else 103  # bytes, of a socket
# what multiprocessing adds to the folder for temporary files for its fork server's socket
SERVERS = len("/pymp-12345678/listener-12345678")

# starting a process checks on all others, and two checks of one process disturb each other
_one_at_a_time = threading.Lock()


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    return sys.platform.startswith("linux") and not os.environ.get(NO_FORK)


def context(many: bool = False) -> Context:
    """The multiprocessing context for runs. Light: the fork server starts with the first process.

    Args:
        many: children for many katas will come, so that the fork server also imports what only some
            of them need. It keeps what it has imported, and does not notice when that is stale.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTORCH_NVML_BASED_CUDA_CHECK"):
        os.environ.setdefault(name, "1")
    ours = [str(ROOT / "tools"), str(ROOT)]
    paths = [*ours, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path for path in paths if path))
    if sys.platform == "win32" or not can_fork():
        # a spawned process is given this one's sys.path in the place of its own
        sys.path += [path for path in ours if path not in sys.path]
        return multiprocessing.get_context("spawn")
    _make_room_for_sockets()
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload([preloaded(many)])
    return chosen


def preloaded(many: bool) -> str:
    """A module that imports what children need: a fork server is given names, and nothing else."""
    return "dojo.suite.preload_katas" if many else "dojo.suite.preload_tests"


def _make_room_for_sockets() -> None:
    """Have multiprocessing choose a short folder now if the usual one is too long for sockets."""
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST_ADDRESS - SERVERS:
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
        workers, mp_context=context(many=True), initializer=end_with_the_parent
    )


def end(executor: ProcessPoolExecutor) -> None:
    """End a pool at once, whatever its processes do, and the fork server with it, so that the next
    process needs a new one. (While it imports torch, all who start a process wait for it, and then
    it starts one that nobody wants any more.)
    """
    # Private: without it, the fork server ends with this process.
    if sys.platform != "win32":
        server = getattr(multiprocessing.forkserver, "_forkserver", None)
        if process := getattr(server, "_forkserver_pid", None):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    end_workers(executor)


def end_workers(executor: ProcessPoolExecutor) -> None:
    """End a pool at once, whatever its processes do; other children of the fork server go on."""
    # Private, until Python 3.14 has kill_workers(): without it, each ends after what it is at.
    processes = dict(getattr(executor, "_processes", None) or {})
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes.values():
        process.kill()


def end_with_the_parent() -> None:
    """End this process with its parent, whose end it would not notice while it waits for work, as
    the fork server keeps its pipe open, or while it runs an endless loop.
    """

    def leave() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def start(process: BaseProcess) -> None:
    with _one_at_a_time:
        process.start()


def is_alive(process: BaseProcess) -> bool:
    with _one_at_a_time:
        return process.is_alive()


def exit_code(process: BaseProcess, patience: float) -> int | None:
    """Exit code of a process that has ended or is about to; None if it has not by then."""
    with _one_at_a_time:
        process.join(patience)
        return process.exitcode
