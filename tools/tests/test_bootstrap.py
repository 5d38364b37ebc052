"""The setup of .venv: when it is made, when it is used as it is, and what is said when it can't be
made.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import ROOT, bootstrap
from dojo.bootstrap import Paths, SetupError, SetupProgress, step_of


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A repository that needs no packages."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "constraints.txt").write_text("torch==2.13.0\n")
    needs_nothing = "[project]\ndependencies = []\n[project.optional-dependencies]\nvalidate = []\n"
    (tmp_path / "pyproject.toml").write_text(needs_nothing)
    return Paths(tmp_path)


@pytest.fixture
def no_pip(monkeypatch) -> list[str]:
    """Instead of a virtual environment and pip: a list of what would have been done."""
    done = []
    monkeypatch.setattr(bootstrap, "make_venv", lambda *arguments: done.append("venv"))
    monkeypatch.setattr(bootstrap, "install", lambda *arguments: done.append("pip"))
    return done


def test_this_environment_has_what_the_project_needs():
    assert bootstrap.missing(bootstrap.requirements(ROOT, "validate")) == []


def test_missing_and_old_packages_are_found():
    assert bootstrap.missing({"pytest": (999,), "no-such-package": (1,), "rich": (1, 0)}) == [
        "pytest",
        "no-such-package",
    ]


def test_every_requirement_is_pinned():
    pins = (ROOT / "tools" / "constraints.txt").read_text().lower().replace("_", "-")
    for name in bootstrap.requirements(ROOT, "validate"):
        assert f"\n{name.lower()}==" in pins
    assert "\ntorch==2.13.0\n" in pins


def test_setup_makes_a_python_that_runs(paths):
    """The real thing, with nothing to install."""
    paths.root.joinpath("pyproject.toml").write_text(
        "[project]\ndependencies = ['pip>=1']\n[project.optional-dependencies]\nvalidate = []\n"
    )
    bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "ready"
    subprocess.run([paths.python, "-c", "import pip"], check=True)


def test_states_of_the_environment(paths, no_pip):
    assert bootstrap.venv_state(paths) == "absent"
    paths.venv.mkdir()
    assert bootstrap.venv_state(paths) == "unmarked"
    bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "ready"
    paths.constraints.write_text("torch==3.0.0\n")
    assert bootstrap.venv_state(paths) == "outdated"
    for broken in ("", "{}", "[]", '{"state": "unfinished"}'):
        paths.marker.write_text(broken)
        assert bootstrap.venv_state(paths) == "unfinished"


def test_an_interrupted_setup_is_made_anew(paths, no_pip, monkeypatch):
    def interrupted(*arguments):
        (paths.venv / "half-copied").write_text("x")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "unfinished"
    bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "ready"
    assert not (paths.venv / "half-copied").exists()


def test_what_others_put_into_the_environment_is_kept_when_only_the_pins_changed(paths, no_pip):
    bootstrap.set_up(paths)
    (paths.venv / "mine").write_text("x")
    paths.constraints.write_text("torch==3.0.0\n")
    bootstrap.set_up(paths)
    assert (paths.venv / "mine").exists()
    assert no_pip == ["venv", "pip"] * 2


def test_no_room_is_said_before_anything_is_made(paths, no_pip, monkeypatch):
    usage = shutil.disk_usage(paths.root)._replace(free=300 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SetupError, match=r"0\.3 GB is free .* make room"):
        bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "absent"


def test_a_folder_that_cannot_be_written_is_said(paths, no_pip, monkeypatch):
    def refuse(*arguments, **named):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        SetupError, match=r"can't be written \(Read-only file system\): copy this folder"
    ):
        bootstrap.set_up(paths)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        (
            "NewConnectionError: [Errno -3] Temporary failure in name resolution",
            "check the network",
        ),
        (
            (
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on"
                " device"
            ),
            "The disk is full",
        ),
        (
            "ERROR: No matching distribution found for torch==2.13.0",
            "No package torch==2.13.0 was found for Python",
        ),
        ("something\nERROR: it broke\n", r"ERROR: it broke\): see .*setup.log"),
        ("", "pip said nothing"),
    ],
)
def test_a_failed_pip_is_explained_in_one_sentence(paths, printed, says):
    import re

    told = bootstrap.explain(printed, paths)
    assert re.search(says, told)
    assert "\n" not in told


def test_a_python_without_venv_names_the_package(paths, monkeypatch):
    fails = "raise SystemExit('not created because ensurepip is not available')"
    real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **named: real([sys.executable, "-c", fails], **named)
    )
    with pytest.raises(SetupError, match=r"apt install python3\.\d+-venv"):
        bootstrap.set_up(paths)


def test_no_network_is_one_sentence_and_leaves_the_setup_unfinished(paths, monkeypatch):
    paths.root.joinpath("pyproject.toml").write_text(
        "[project]\ndependencies ="
        " ['torch-katas-needs-this>=1']\n[project.optional-dependencies]\nvalidate = []\n"
    )
    for name, value in {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError, match="check the network connection"):
        bootstrap.set_up(paths)
    assert bootstrap.venv_state(paths) == "unfinished"


@pytest.mark.parametrize("script", ["check", "validate"])
def test_a_python_too_old_is_told_so(script):
    path = str(ROOT / "tools" / script)
    old = (
        f"import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path({path!r},"
        " run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", old], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith(
        "torch-katas needs Python 3.11 or newer, and this is 3.9: run the command with"
    )
    compile((ROOT / "tools" / script).read_bytes(), script, "exec")
    (ROOT / "tools" / script).read_text(encoding="ascii")  # a Python 2 stumbles over anything else


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (
            "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (780.1 MB)",
            "getting torch 2.13.0, 780.1 MB",
        ),
        ("Processing /some/where/numpy-2.4.6-cp311-cp311-linux_x86_64.whl", "getting numpy 2.4.6"),
        ("Using cached rich-15.0.0-py3-none-any.whl (310 kB)", "getting rich 15.0.0, 310 kB"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("  Downloading sympy-1.14.0-py3-none-any.whl (from torch)", "getting sympy 1.14.0"),
        ("Collecting torch", None),
    ],
)
def test_steps_of_pip_are_put_in_words(line, step):
    assert step_of(line + "\n") == step


def test_a_count_promises_no_more_packages_than_there_may_be(paths, capsys):
    # the last only for the project's own tests
    paths.constraints.write_text("torch==2.13.0\nnumpy==2.4.6\nruff==1.0\n")
    lines = [
        "  Downloading torch-2.13.0-py3-none-any.whl (9 MB)\n",
        "Installing collected packages: numpy, torch\n",
    ]
    assert list(SetupProgress(paths.constraints, "First run.").while_reading(lines)) == lines
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  getting torch 2.13.0, 9 MB (1 of at most 3)",
        "  unpacking 2 packages",
    ]


def test_the_marker_is_plain_json(paths, no_pip):
    bootstrap.set_up(paths)
    assert set(json.loads(paths.marker.read_text())) == {"state", "pins"}
