"""The pins in tools/pins: written by uv, and held against pyproject.toml, what is installed here,
and the index.

uv resolves all extras together, for every system and Python that is supported, and knows the hash
of each wheel; which file a package belongs to follows from resolving each extra alone. torch is
pinned without hashes, as its builds lie in different indexes; what only its CUDA build needs has a
file of its own.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from dojo import ROOT, UserError, files
from dojo.bootstrap.packages import Paths, plain, requirements, torch_pin
from dojo.catalog import Catalog
from dojo.validate import Finding

CUDA = re.compile(r"(nvidia|cuda)-|triton$")
WRITE = "python tools/validate pins --write"
HEADER = f"# {{}}\n# `{WRITE}` writes this file.\n"
WHAT = {
    "core": "What every command needs, and torch needs in every build; torch.txt has torch itself.",
    "cuda": "What torch needs in its build for CUDA.",
}
SECONDS = 120


class PinsError(UserError):
    """The packages can't be resolved; the message says why."""


def write(upgrade: bool, root: Path = ROOT) -> Finding:
    """Write all pins anew: versions stay where they still fit, unless they are to be upgraded."""
    made = resolved(root, upgrade)
    for name, text in made.items():
        files.write_whole(Paths(root).pins / f"{name}.txt", text)
    numbers = [f"{name} {len(pins(text))}" for name, text in made.items()]
    return Finding((), "pinned: " + ", ".join(numbers))


def recorded(chosen: Catalog | None = None, root: Path = ROOT) -> Finding:
    """Do pins, floors and what is installed here fit together, and does the index have it all?"""
    pinned = {path.stem: pins(path.read_text("utf-8")) for path in _files(root)}
    problems = [*dict.fromkeys(unmet_floors(root, pinned))]
    notes: list[str] = []
    marked = (Path(sys.prefix) / Paths(root).marker.name).exists()
    (problems if marked else notes).extend(otherwise_installed(pinned))
    checked = "beside the index"
    try:
        made = resolved(root)
        for name in sorted(made.keys() | pinned.keys() - {"torch"}):
            path = Paths(root).pins / f"{name}.txt"
            old = path.read_text("utf-8") if path.exists() else ""
            if (new := made.get(name, "")) != old:
                changed = sorted({*map(str, pins(old))} ^ {*map(str, pins(new))})
                what = ", ".join(changed[:4]) or "other hashes"
                problems.append(f"tools/pins/{name}.txt: uv makes other pins ({what}): {WRITE}")
    except PinsError as reason:
        checked, notes = "here", [*notes, f"not checked beside the index: {reason}"]
    number = sum(map(len, pinned.values()))
    unchecked = checked == "here"
    return Finding(problems, f"{number} pins, {checked}", notes, unchecked)


def pins(text: str) -> list[Requirement]:
    """What a file pins, with the marker that says where."""
    lines = re.findall(r"(?m)^[\w.-]+==[^\\\n]*", text)
    return [Requirement(line) for line in lines]


def unmet_floors(root: Path, pinned: dict[str, list[Requirement]]) -> Iterator[str]:
    """Requirements of pyproject.toml that no pin of their file meets."""
    for extra in (None, *extras(root)):
        names = ("core", "torch", extra) if extra else ("core", "torch")
        known = [pin for name in names for pin in pinned.get(name or "", ())]
        for name, lowest in requirements(root, extra).items():
            mine = [pin for pin in known if plain(pin.name) == plain(name)]
            low = [pin for pin in mine if version_of(pin).release < lowest]
            if low or not mine:
                what = f"pins {low[0]}" if low else "does not pin it"
                floor = ".".join(map(str, lowest))
                yield f"pyproject.toml asks for {name}>={floor}; tools/pins {what}: {WRITE}"


def otherwise_installed(pinned: dict[str, list[Requirement]]) -> Iterator[str]:
    """Pins for this system and Python of which another version is installed."""
    here = {plain(each.name): each.version for each in metadata.distributions()}
    for name, known in pinned.items():
        for pin in known:
            there = here.get(plain(pin.name))
            applies = pin.marker is None or pin.marker.evaluate()
            if there and applies and Version(there).public != version_of(pin).public:
                yield f"tools/pins/{name}.txt has {pin.name}{pin.specifier}; {there} is installed"


def version_of(pin: Requirement) -> Version:
    """The version that is pinned."""
    return Version(next(iter(pin.specifier)).version)


def extras(root: Path) -> list[str]:
    """The groups of pyproject.toml's optional dependencies."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"])


def resolved(root: Path, upgrade: bool = False) -> dict[str, str]:
    """The text of each file of pins, by its name. Raises PinsError."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pins.txt"
        if not upgrade:
            out.write_text("".join(path.read_text("utf-8") for path in _files(root)), "utf-8")
        (Path(folder) / "torch.txt").write_text(f"torch=={torch_pin(Paths(root))}\n", "utf-8")
        blocks = _compiled(root, out, "--all-extras", "--generate-hashes")
        core = _compiled(root, out).keys()
        belongs = {name: "cuda" if CUDA.match(name) else "core" for name in core}
        made = {"core": "", "cuda": ""}
        for extra in extras(root):
            for name in _compiled(root, out, "--extra", extra).keys() - core:
                belongs.setdefault(name, extra)
            made[extra] = ""
    for name in sorted(blocks.keys() - {"torch"}):
        made[belongs[name]] += blocks[name]
    return {
        name: HEADER.format(WHAT.get(name, f"What only the extra {name} needs.")) + text
        for name, text in made.items()
    }


def _files(root: Path) -> list[Path]:
    return sorted(Paths(root).pins.glob("*.txt"))


def _compiled(root: Path, out: Path, *options: str) -> dict[str, str]:
    """Name → lines that pin it, for all systems. The versions in `out` are preferred."""
    if find_spec("uv") is None:
        raise PinsError("uv is not installed here (python -m pip install uv)")
    command = [sys.executable, "-m", "uv", "pip", "compile", str(root / "pyproject.toml")]
    command += ["--universal", "--python-version", "3.11", "--no-build", "--no-header"]
    command += ["--no-annotate", "--quiet", "--constraints", str(out.parent / "torch.txt")]
    text = out.read_text("utf-8") if out.exists() else ""
    try:
        told = subprocess.run(
            [*command, "-o", str(out), *options],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PinsError(f"uv was not done after {SECONDS} s") from None
    if told.returncode:
        lines = [line.strip(" ×╰─▶├│") for line in told.stderr.splitlines()]
        raise PinsError("uv: " + " ".join(filter(None, lines))[:400])
    made = out.read_text("utf-8")
    if "--generate-hashes" not in options:
        out.write_text(text, "utf-8")
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", made.strip()):
        name = block.partition("==")[0]
        found[name] = found.get(name, "") + block + "\n"
    return found
