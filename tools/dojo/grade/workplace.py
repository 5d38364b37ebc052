"""The folder for a run's temporary files: what a killed run left behind goes with the next one."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from pathlib import Path


@contextmanager
def clean(grades: Path) -> Iterator[None]:
    """Keep the temporary files of this block in one folder, which belongs to the folder of grades:
    it is emptied before, and removed as the process ends. Where there is no such folder to be had,
    they lie where they always do. Enter it while the gradebook is open: then no other run works
    there.
    """
    folder = place(grades)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except OSError:  # no room, or somebody else's
        yield
        return
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir, variable = before
        os.environ.pop("TMPDIR")
        if variable is not None:
            os.environ["TMPDIR"] = variable
        # multiprocessing takes its own folder in there away as the process ends: after that
        Finalize(None, shutil.rmtree, (folder, True), exitpriority=-1000)


def place(grades: Path) -> Path:
    """Where the temporary files of a run with these grades lie."""
    user = getattr(os, "getuid", lambda: 0)()
    name = hashlib.sha256(f"{user} {os.path.realpath(grades)}".encode(errors="replace")).hexdigest()
    return Path(tempfile.gettempdir()) / f"torch-katas-grade-{name[:12]}"
