"""Which Python a command goes on in."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from dojo import ROOT
from dojo.bootstrap import builds, packages, venv
from dojo.bootstrap.packages import AGAIN, Paths, SetupError

EXIT_UNABLE = 2
# an environment variable: ends a circle of setups that do not help
JUST_SET_UP = "TORCH_KATAS_JUST_SET_UP"


def enter(extra: str | None = None) -> None:
    """Return if this Python has the packages; otherwise run the same command again in .venv, which
    is set up first where needed. `extra`: a needed group of [project.optional-dependencies].
    """
    paths = Paths(ROOT)
    just_set_up = os.environ.pop(JUST_SET_UP, None)
    try:
        flagged = len(sys.argv)
        asked = builds.take_choice(sys.argv, os.environ)
        inside = paths.runs_here
        lacking = packages.missing(packages.requirements(paths.root, extra))
        if not lacking and not inside:
            if len(sys.argv) < flagged:
                sys.stderr.write(
                    f"{builds.FLAG} is about .venv; {sys.prefix} has the packages already and is"
                    " used as it is.\n"
                )
            return
        state = venv.state_of(paths, extra, asked)
        if inside and state == "ready":
            return
        if just_set_up:
            raise SetupError(
                f"The setup of {paths.venv} ended well, yet {', '.join(lacking) or state}"
                f" can't be found there: delete that folder and {AGAIN}."
            )
        if state != "ready":
            own = sys.prefix != sys.base_prefix or Path(sys.prefix, "conda-meta").is_dir()
            if own and not inside:
                names = ", ".join(lacking[:3]) + (" and more" if len(lacking) > 3 else "")
                sys.stderr.write(f"The environment {sys.prefix} lacks {names}; .venv is used.\n")
            venv.set_up(paths, extra, asked)
            os.environ[JUST_SET_UP] = "1"
        go_on_in(paths.python)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(EXIT_UNABLE)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the same command again to finish the setup.\n")
        sys.exit(130)


def go_on_in(python: Path) -> None:
    """Replace this process by the same command in another Python."""
    command = [str(python), *sys.argv]
    if sys.platform == "win32":  # there execv returns to the shell before the command is done
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, too
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)
