"""The workflows in .github, looked at by two linters.

zizmor asks what a stranger could make a workflow do. jactionlint, a fork of actionlint, asks if
GitHub would run it, and as it is meant. Both come as packages that hold a program, and here they
ask nothing of the network.
"""

import shutil
import subprocess
import sysconfig
from pathlib import Path

from dojo import ROOT
from dojo.catalog import Catalog
from dojo.validate import Finding

# jactionlint: shellcheck and pyflakes are left out, as they would be found on some machines alone
LINTERS = {
    "zizmor": "--offline -q --no-progress --color=never --strict-collection --persona=pedantic",
    "jactionlint": "--no-online --no-color --no-hints --strict-exit --shellcheck= --pyflakes=",
}


def lint(_: Catalog, root: Path = ROOT) -> Finding:
    """What the linters find wrong in root/.github, and which of them can't be had here."""
    files = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    files += sorted((root / ".github").glob("dependabot.y*ml"))
    if not files:
        return Finding((), "there are none")
    names = [path.relative_to(root).as_posix() for path in files]
    problems, notes, looked = [], [], []
    for name, options in LINTERS.items():
        program = program_of(name)
        if program is None:
            notes.append(f"not checked by {name}: it is not installed beside this Python")
            continue
        looked.append(name)
        done = subprocess.run(
            [program, *options.split(), *names],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()
            problems.append(f"{name}: {said or f'exit code {done.returncode}'}")
    scope = f"{len(files)} files, {' and '.join(looked)}" if looked else "not checked"
    return Finding(problems, scope, notes, unchecked=bool(notes))


def program_of(name: str) -> str | None:
    """The linter that was installed with this Python's packages, whose version is pinned."""
    return shutil.which(name, path=sysconfig.get_path("scripts"))
