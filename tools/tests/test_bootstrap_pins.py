"""Pins, floors and what is installed are held together; a pin that does not exist is noticed."""

import re
import shutil
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.bootstrap.packages import Paths, plain, requirements
from dojo.validate import pins


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """What is asked for, and what is pinned."""
    shutil.copytree(ROOT / "tools" / "pins", tmp_path / "tools" / "pins")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def uv_as(text_of, monkeypatch) -> None:
    """uv, without a network: resolves to what text_of makes of the pins that there are."""
    monkeypatch.setattr(pins, "resolved", lambda root, upgrade=False: text_of(root))


def as_pinned(root: Path) -> dict[str, str]:
    """Everything as it is."""
    files = (ROOT / "tools" / "pins").glob("*.txt")
    return {path.stem: path.read_text("utf-8") for path in files if path.stem != "torch"}


def replace(root: Path, file: str, old: str, new: str) -> None:
    path = root / "tools" / "pins" / f"{file}.txt"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_everything_is_pinned_with_hashes_for_all_systems():
    paths = Paths(ROOT)
    for path in sorted(paths.pins.glob("*.txt")):
        for block in re.split(r"\n(?=[a-z])", path.read_text("utf-8")):
            if "==" in block and path.stem != "torch":
                assert "--hash=sha256:" in block
    core = (paths.pins / "core.txt").read_text("utf-8")
    for name in requirements(ROOT):
        assert name == "torch" or f"\n{plain(name)}==" in core
    # torch's own needs, of every build, and those of its build for CUDA apart
    assert "\nsympy==" in core and "nvidia" not in core and "\ntriton==" not in core
    cuda = (paths.pins / "cuda.txt").read_text("utf-8")
    assert "\nnvidia-cublas==" in cuda and "sys_platform == 'linux'" in cuda
    # four Pythons on three systems: wheels of numpy alone are many
    assert core.partition("\nnumpy==")[2].partition("\npackaging==")[0].count("--hash") > 30


def test_pins_floors_and_what_is_installed_fit_together(monkeypatch):
    uv_as(as_pinned, monkeypatch)
    assert pins.recorded().problems == []


def test_a_version_that_does_not_exist_is_seen_from_what_is_installed(copied):
    replace(copied, "core", "numpy==2.4.6", "numpy==2.4.66")
    known = {"core": pins.pins((copied / "tools/pins/core.txt").read_text("utf-8"))}
    assert [fault for fault in pins.otherwise_installed(known) if "numpy" in fault] == [
        "tools/pins/core.txt has numpy==2.4.66; 2.4.6 is installed"
    ]


def test_a_version_that_does_not_exist_is_seen_from_the_index(copied, monkeypatch):
    uv_as(as_pinned, monkeypatch)
    assert pins.recorded(root=copied).problems == []
    replace(copied, "validate", "libcst==1.9.0", "libcst==1.9.99")
    (problem,) = (each for each in pins.recorded(root=copied).problems if "uv makes" in each)
    assert "libcst==1.9.0" in problem and "libcst==1.9.99" in problem and pins.WRITE in problem


def test_a_hash_that_was_changed_is_seen(copied, monkeypatch):
    uv_as(as_pinned, monkeypatch)
    first = re.search(r"sha256:(\w{8})", (copied / "tools/pins/core.txt").read_text("utf-8"))
    replace(copied, "core", first[0], "sha256:00000000")
    assert "other hashes" in pins.recorded(root=copied).problems[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"numpy>=1.26"', '"numpy>=99.0"', "asks for numpy>=99.0; tools/pins pins numpy==2.4.6"),
        (
            '"rich>=',
            '"new-package>=1.0", "rich>=',
            "asks for new-package>=1.0; tools/pins does not",
        ),
        ('"torch>=2.6"', '"torch>=3.0"', "asks for torch>=3.0; tools/pins pins torch==2.13.0"),
        ('"ruff>=', '"new-tool>=2.0", "ruff>=', "asks for new-tool>=2.0; tools/pins does not pin"),
    ],
)
def test_a_floor_that_no_pin_meets_is_a_problem(copied, monkeypatch, old, new, says):
    uv_as(as_pinned, monkeypatch)
    project = copied / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace(old, new), "utf-8")
    (problem,) = pins.recorded(root=copied).problems
    assert says in problem


def test_without_a_network_the_index_is_not_checked_and_that_is_said(copied, monkeypatch):
    def unreachable(*arguments):
        raise pins.PinsError("uv: Request failed after 3 retries")

    monkeypatch.setattr(pins, "resolved", unreachable)
    finding = pins.recorded(root=copied)
    assert not finding.problems and finding.scope.endswith("pins, here")
    assert "not checked beside the index: uv: Request failed after 3 retries" in finding.notes


def test_each_package_is_written_to_the_file_of_the_extra_it_belongs_to(copied, monkeypatch):
    made = {
        (): "a==1\ntorch==2.13.0\nnvidia-x==1 ; sys_platform == 'linux'\ntriton==3\n",
        ("--extra", "validate"): "a==1\nb==1\n",
        ("--extra", "linters"): "b==1\nc==1\n",
    }
    everything = "".join(dict.fromkeys("".join(made.values()).splitlines(keepends=True)))

    def compiled(root, out, *options):
        text = made.get(options, everything)
        return {line.partition("==")[0]: line for line in text.splitlines(keepends=True)}

    monkeypatch.setattr(pins, "_compiled", compiled)
    finding = pins.write(False, copied)
    files = {path.stem: path.read_text("utf-8") for path in Paths(copied).pins.glob("*.txt")}
    lines = {
        name: [line for line in text.splitlines() if not line.startswith("#")]
        for name, text in files.items()
    }
    assert lines == {
        "core": ["a==1"],
        "cuda": ["nvidia-x==1 ; sys_platform == 'linux'", "triton==3"],
        "validate": ["b==1"],
        "linters": ["c==1"],
        "torch": ["torch==2.13.0"],
    }
    assert finding.scope == "pinned: core 1, cuda 2, validate 1, linters 1"
