"""The setup of .venv: which Python a command goes on in, when .venv is made or used as it is, and
what is said when it can't be made.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import ROOT, bootstrap
from dojo.bootstrap import builds, entering, packages, pip, sentences, venv
from dojo.bootstrap.packages import Paths, SetupError
from dojo.bootstrap.progress import SetupProgress, step_of

TOO_LITTLE = 300 * 10**6


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A repository that needs no packages."""
    (tmp_path / "tools" / "pins").mkdir(parents=True)
    for name, text in {"torch": "torch==2.13.0\n", "core": "tiny==1.0\n", "cuda": ""}.items():
        (tmp_path / "tools" / "pins" / f"{name}.txt").write_text(text)
    needs_nothing = "[project]\ndependencies = []\n[project.optional-dependencies]\nvalidate = []\n"
    (tmp_path / "pyproject.toml").write_text(needs_nothing)
    monkeypatch.setattr(builds, "driver", lambda: None)
    return Paths(tmp_path)


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, bool]]:
    """Instead of a virtual environment and pip: which torch would have been installed, and whether
    everything would have been installed again.
    """
    done = []

    def fill(paths, progress, extras, build, repair) -> None:
        paths.python.parent.mkdir(exist_ok=True)
        paths.python.write_text("")
        done.append((build, repair))

    monkeypatch.setattr(venv, "_fill", fill)
    return done


def test_this_environment_has_what_the_project_needs():
    assert packages.missing(packages.requirements(ROOT, "validate")) == []


def test_missing_and_old_packages_are_found():
    needed = {"pytest": (999,), "no-such-package": (1,), "rich": (1, 0)}
    assert packages.missing(needed) == ["pytest", "no-such-package"]


def test_packages_are_found_however_they_were_installed(tmp_path):
    """pip and uv leave a .dist-info, conda sometimes an .egg-info."""
    for name in (
        "torch-2.13.0+cpu.dist-info",
        "scikit_learn-1.9.1-py3.12.egg-info",
        "Ruamel.Yaml-0.18.dist-info",
        "pytest_timeout-2.4.0.egg-info",
        "~orch-2.12.0.dist-info",
    ):
        (tmp_path / name).mkdir()
    found = packages.installed([tmp_path])
    del found["~orch"]  # left by a pip that was killed; no package is called that
    assert found == {
        "torch": "2.13.0+cpu",
        "scikit-learn": "1.9.1",
        "ruamel-yaml": "0.18",
        "pytest-timeout": "2.4.0",
    }
    assert packages.missing({"torch": (2, 13), "pytest-timeout": (3,)}, [tmp_path]) == [
        "pytest-timeout"
    ]


def test_setup_makes_a_python_that_runs(paths, monkeypatch):
    """The real thing, as far as the virtual environment."""
    monkeypatch.setattr(pip, "install", lambda *arguments: None)
    monkeypatch.setattr(venv, "find_torch", lambda *arguments: ("2.13.0", []))
    monkeypatch.setattr(venv, "FIRST_IMPORT", "import pip")
    venv.set_up(paths)
    assert venv.state_of(paths) == "ready"
    subprocess.run([paths.python, "-c", "import pip"], check=True)


def test_states_of_the_environment(paths, filled):
    assert venv.state_of(paths) == "absent"
    paths.venv.mkdir()
    assert venv.state_of(paths) == "unmarked"
    venv.set_up(paths)
    assert venv.state_of(paths) == "ready"
    assert venv.state_of(paths, "validate") == "lacking"
    venv.set_up(paths, "validate")
    assert venv.state_of(paths, "validate") == venv.state_of(paths) == "ready"
    (paths.pins / "validate.txt").write_text("more==1.0\n")
    assert venv.state_of(paths) == "outdated"
    venv.set_up(paths)
    (paths.pins / "torch.txt").write_text("torch==3.0.0\n")
    assert venv.state_of(paths) == "outdated"
    venv.set_up(paths)
    paths.python.unlink()
    assert venv.state_of(paths) == "broken"
    for broken in ("", "{}", "[]", '{"state": "unfinished"}', '{"state": "ready"}'):
        paths.marker.write_text(broken)
        assert venv.state_of(paths) == "unfinished"


def test_a_package_that_was_taken_out_of_the_environment_is_missed(paths, filled):
    venv.set_up(paths)
    text = (paths.root / "pyproject.toml").read_text()
    (paths.root / "pyproject.toml").write_text(text.replace("[]", '["tiny>=1.0"]', 1))
    assert venv.state_of(paths) == "lacking"
    folder = "Lib/site-packages" if sys.platform == "win32" else "lib/python3.1/site-packages"
    (paths.venv / folder / "tiny-1.0.dist-info").mkdir(parents=True)
    assert venv.state_of(paths) == "ready"


def interrupt(paths, monkeypatch, leave: str = "half-copied") -> None:
    """A setup that is stopped while it installs."""

    def interrupted(*arguments):
        (paths.venv / leave).write_text("x")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(venv, "_fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            venv.set_up(paths)
    assert venv.state_of(paths) == "unfinished"


def test_an_interrupted_setup_is_made_anew(paths, filled, monkeypatch):
    interrupt(paths, monkeypatch)
    interrupt(paths, monkeypatch)
    venv.set_up(paths)
    assert venv.state_of(paths) == "ready"
    assert not (paths.venv / "half-copied").exists()
    assert filled == [("cpu" if builds.LINUX else "default", False)]


@pytest.mark.parametrize("who", ["made by somebody else", "set up before, with other pins"])
def test_what_others_put_into_the_environment_is_never_lost(paths, filled, monkeypatch, who):
    if who.startswith("made"):
        paths.venv.mkdir()
        (paths.venv / "mine").write_text("x")
    else:
        venv.set_up(paths)
        (paths.venv / "mine").write_text("x")
        (paths.pins / "torch.txt").write_text("torch==3.0.0\n")
    interrupt(paths, monkeypatch)
    venv.set_up(paths)
    assert venv.state_of(paths) == "ready" and (paths.venv / "mine").exists()
    assert filled[-1][1]  # all packages again: half-copied ones look complete


def test_the_environment_that_runs_is_repaired_and_not_emptied(paths, filled, monkeypatch):
    interrupt(paths, monkeypatch)
    monkeypatch.setattr(sys, "prefix", str(paths.venv))
    venv.set_up(paths)
    assert (paths.venv / "half-copied").exists()
    assert filled[-1] == ("cpu" if builds.LINUX else "default", True)


def test_the_environment_of_another_system_is_left_alone(paths, filled):
    venv.set_up(paths)
    there = "bin/python" if sys.platform == "win32" else "Scripts/python.exe"
    (paths.venv / there).parent.mkdir()
    paths.python.rename(paths.venv / there)
    with pytest.raises(SetupError, match="set up on another system"):
        venv.set_up(paths)
    assert (paths.venv / there).exists()


def test_no_room_is_said_before_anything_is_made(paths, filled, monkeypatch, capsys):
    usage = shutil.disk_usage(paths.root)._replace(free=TOO_LITTLE)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SetupError, match=r"0\.3 GB is free: make room"):
        venv.set_up(paths)
    assert venv.state_of(paths) == "absent" and not filled
    assert "MB to download" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(paths, filled, monkeypatch):
    def refuse(*arguments, **named):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        SetupError, match=r"can't be written \(Read-only file system\): copy this folder"
    ):
        venv.set_up(paths)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        (
            "NewConnectionError: [Errno -3] Temporary failure in name resolution",
            "the index's name is not known here. Please check the network connection",
        ),
        ("ReadTimeoutError: Read timed out.", "nothing more came from the index"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED", "let PIP_CERT name"),
        ("Getting pytest_timeout-2.4.0\nERROR: unheard of", "for a reason unknown here"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
            "The disk is full",
        ),
        ("OSError: [Errno 2] ...\nHINT: ... Windows Long Path support", "enable long paths"),
        ("ERROR: [Errno 13] Permission denied: 'x'", "end what still runs from there"),
        (
            "ERROR: No matching distribution found for tiny==66.0 (from -r core.txt (line 1))",
            "No package tiny==66.0 was found for Python",
        ),
        ("something\nERROR: ResolutionImpossible: for help visit\n", r"see|the end of .*setup.log"),
        ("", "for a reason unknown here"),
    ],
)
def test_a_failed_pip_is_explained_without_its_own_words(paths, printed, says):
    told = sentences.explain(printed, paths)
    assert re.search(says, told)
    assert not re.search(r"\n|ERROR|Resolution", told)


def test_a_python_without_venv_names_the_package(paths, monkeypatch):
    fails = "raise SystemExit('not created because ensurepip is not available')"
    real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **named: real([sys.executable, "-c", fails], **named)
    )
    with pytest.raises(SetupError, match=r"apt install python3\.\d+-venv"):
        venv.set_up(paths)


@pytest.mark.parametrize(
    ("argv", "variable", "asked", "left"),
    [
        (["k06"], None, None, ["k06"]),
        (["k06", "--torch", "cpu", "-h"], None, "cpu", ["k06", "-h"]),
        (["--torch=default", "list"], "cpu", "default", ["list"]),
        (["list"], "default", "default", ["list"]),
        (["list"], "", None, ["list"]),
    ],
)
def test_the_build_can_be_asked_for(argv, variable, asked, left):
    words = ["check", *argv]
    environ = {} if variable is None else {builds.VARIABLE: variable}
    assert builds.take_choice(words, environ) == asked
    assert words == ["check", *left]


@pytest.mark.parametrize("argv", [["--torch"], ["--torch", "gpu"], ["--torch="]])
def test_a_build_that_does_not_exist_is_refused(argv):
    with pytest.raises(SetupError, match="choose cpu, cuda or default"):
        builds.take_choice(["check", *argv], {})
    with pytest.raises(SetupError, match=f"{builds.VARIABLE} gpu: choose"):
        builds.take_choice(["check"], {builds.VARIABLE: "gpu"})


def test_cuda_is_for_linux(monkeypatch):
    monkeypatch.setattr(builds, "LINUX", False)
    with pytest.raises(SetupError, match="--torch cuda is for Linux"):
        builds.take_choice(["check", "--torch", "cuda"], {})


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    return root


NVRM = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build\nGCC 12.3.0\n"
SMI = "#!/bin/sh\necho {}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="of Linux")
@pytest.mark.parametrize(
    ("files", "version", "build"),
    [
        ({}, None, "cpu"),
        ({"dev/nvidia0": "", "sys/module/nvidia/version": "580.65.06\n"}, "580.65.06", "cuda"),
        (
            {"dev/nvidia3": "", "proc/driver/nvidia/version": NVRM.format("590.1.2")},
            "590.1.2",
            "cuda",
        ),
        # in a container: the driver of the host, and no GPU
        ({"sys/module/nvidia/version": "580.65.06\n"}, None, "cpu"),
        ({"dev/nvidia0": "", "sys/module/nvidia/version": "535.1\n"}, "535.1", "cpu"),
        ({"dev/nvidia0": ""}, "", "cuda"),
        ({"dev/nvidiactl": ""}, None, "cpu"),
        ({"usr/lib/wsl/lib/nvidia-smi": SMI.format("581.15")}, "581.15", "cuda"),
        ({"usr/lib/wsl/lib/nvidia-smi": "#!/bin/sh\nexit 9\n"}, None, "cpu"),
    ],
)
def test_a_gpu_is_found_without_torch(tmp_path, monkeypatch, files, version, build):
    monkeypatch.setenv("PATH", "/nowhere")
    root = machine(tmp_path, files)
    found = builds.driver(root)
    assert found == version
    monkeypatch.setattr(builds, "LINUX", True)
    monkeypatch.setattr(builds, "driver", lambda: found)
    assert builds.fitting()[0] == build


def test_elsewhere_than_on_linux_the_default_build_is_taken(monkeypatch):
    monkeypatch.setattr(builds, "LINUX", False)
    assert builds.fitting()[0] == "default"


class Left(Exception):
    """The command went on in another Python."""


@pytest.fixture
def entered(paths, filled, monkeypatch):
    """Enters from a Python that lacks everything."""
    (paths.root / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-thing>=1"]\n')
    monkeypatch.setattr(entering, "ROOT", paths.root)
    monkeypatch.setattr(venv, "state_of", lambda *arguments: "ready" if filled else "absent")
    monkeypatch.delenv(builds.VARIABLE, raising=False)

    def leave(python):
        os.environ.pop(bootstrap.JUST_SET_UP, None)
        raise Left(str(python))

    monkeypatch.setattr(entering, "go_on_in", leave)

    def enter(*argv: str) -> None:
        monkeypatch.setattr(sys, "argv", ["check", *argv])
        bootstrap.enter()

    return enter


def test_a_python_without_the_packages_is_left_for_the_one_in_venv(entered, filled, paths):
    for _ in range(2):
        with pytest.raises(Left, match=re.escape(str(paths.python))):
            entered("k01")
    assert len(filled) == 1


def test_an_environment_of_ones_own_that_lacks_some_is_told(entered, monkeypatch, capsys):
    monkeypatch.setattr(sys, "prefix", "/my/own")
    with pytest.raises(Left):
        entered()
    told = "The environment /my/own lacks no-such-thing; .venv is used.\n"
    assert capsys.readouterr().err.startswith(told)


def test_an_environment_that_has_the_packages_is_used_as_it_is(
    entered, filled, paths, capsys, monkeypatch
):
    (paths.root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest>=8"]\n')
    entered("list", "--torch", "cpu")
    assert not filled and "has the packages already" in capsys.readouterr().err
    monkeypatch.setenv(builds.VARIABLE, "cpu")  # set for all, it is no news to each
    entered("list")
    assert capsys.readouterr().err == ""


def test_a_circle_of_setups_that_do_not_help_is_ended(entered, monkeypatch, capsys):
    monkeypatch.setenv(bootstrap.JUST_SET_UP, "1")
    with pytest.raises(SystemExit) as ended:
        entered()
    assert ended.value.code == 2
    assert "no-such-thing can't be found there: delete that folder" in capsys.readouterr().err


def test_a_wrong_choice_ends_the_command_with_its_sentence(entered, capsys):
    with pytest.raises(SystemExit) as ended:
        entered("--torch", "gpu")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "--torch gpu: choose cpu, cuda or default.\n"


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
            "  Downloading torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)",
            "getting torch 2.13.0+cpu, 191.8 MB",
        ),
        ("Processing /some/where/numpy-2.4.6-cp311-cp311-linux_x86_64.whl", "getting numpy 2.4.6"),
        ("Using cached rich-15.0.0-py3-none-any.whl (310 kB)", "getting rich 15.0.0, 310 kB"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("Installing collected packages: torch", "unpacking 1 package"),
        ("  Downloading sympy-1.14.0-py3-none-any.whl (from torch)", "getting sympy 1.14.0"),
        ("Collecting torch", None),
    ],
)
def test_steps_of_pip_are_put_in_words(line, step):
    assert step_of(line + "\n") == step


def test_a_count_promises_no_more_packages_than_there_may_be(paths, capsys):
    lines = [
        "  Downloading torch-2.13.0-py3-none-any.whl (9 MB)\n",
        "Installing collected packages: numpy, torch\n",
    ]
    progress = SetupProgress([paths.pins / "core.txt"], "First run.")
    progress.expect(paths.pins / "core.txt")
    assert list(progress.while_reading(lines)) == lines
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  getting torch 2.13.0, 9 MB (1 of at most 3)",
        "  unpacking 2 packages",
    ]


def test_the_marker_is_plain_json(paths, filled):
    venv.set_up(paths)
    written = json.loads(paths.marker.read_text())
    assert set(written) == {"state", "pins", "extras", "torch", "ours"}


def test_every_command_tells_of_the_choice():
    for script in ("check", "grade", "validate"):
        told = subprocess.run(
            [sys.executable, ROOT / "tools" / script, "--help"], capture_output=True, text=True
        )
        assert "--torch cpu|cuda|default" in told.stdout and builds.VARIABLE in told.stdout
