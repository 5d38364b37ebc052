"""How a plain `tools/check` ends when it is asked to: with nothing left behind."""

import os
import signal
import subprocess
import sys

import pytest
from helpers import descendants, lives, until

from dojo import ROOT

if os.name == "nt":
    pytest.skip("about signals of POSIX", allow_module_level=True)

COMMAND = [sys.executable, str(ROOT / "tools" / "check"), "k01", "--target"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_leaves_no_process_and_no_scratch_file(tmp_path, name):
    number, scratch, target = getattr(signal, name), tmp_path / "scratch", tmp_path / "katas"
    scratch.mkdir()
    target.mkdir()
    started = tmp_path / "started"
    (target / "k01_tensors.py").write_text(
        f"open({str(started)!r}, 'w').close()\nwhile True: pass\n"
    )
    known = os.environ | {"TMPDIR": str(scratch), "XDG_RUNTIME_DIR": str(scratch)}
    running = subprocess.Popen(
        [*COMMAND, str(target)], env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(started.exists)
        below = descendants(running.pid)
        assert below
        running.send_signal(number)
        assert running.wait(60) == 128 + number
        until(lambda: not any(map(lives, below)))
        assert [
            path.name
            for path in scratch.iterdir()
            if path.name.startswith(("torch-katas-", "pymp-"))
        ] == []
    finally:
        running.kill()


def test_what_is_told_to_ignore_a_closed_terminal_goes_on():
    """As nohup tells it."""
    code = f"""
import signal, sys; sys.path[:0] = [{str(ROOT / "tools")!r}]
from dojo import cli
signal.signal(signal.SIGHUP, signal.SIG_IGN)
cli.end_cleanly()
signal.raise_signal(signal.SIGHUP)
signal.raise_signal(signal.SIGTERM)
"""
    assert (
        subprocess.run([sys.executable, "-c", code], check=False).returncode == 128 + signal.SIGTERM
    )
