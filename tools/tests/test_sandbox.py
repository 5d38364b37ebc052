"""The sandbox itself: what it shows, what holds, what becomes of it when something in it or around
it ends.
"""

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from helpers import outcomes
from hostile_programs import KATA, base
from sandboxes import BARE, a_sandbox, judge

from dojo import ROOT
from dojo.catalog import load
from dojo.grade.sandbox import host, isolation, stage, syscalls, trial, view
from dojo.grade.sandbox.isolation import Isolation, NoSandbox
from dojo.grade.sandbox.launch import Sandbox
from dojo.grade.sandbox.trial import TrialJob, TrialReport
from dojo.results import Outcome
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit

FILES = {KATA: base("reference").encode()}
PYTHON = view.Python(
    "/usr/bin/python3.11", ("/usr/bin/python3.11", "/usr/lib"), ("/usr/lib/python3.11",)
)
OWN = {name: f"{name}:[1]" for name in isolation.NAMESPACES}
CONTAINED = {
    "reached": [],
    "namespaces": {name: f"{name}:[2]" for name in isolation.NAMESPACES},
    "of_host": {name: f"{name}:[3]" for name in isolation.NAMESPACES},
    "capabilities": 0,
    "no_new_privileges": True,
    "first": True,
    "landlock": 6,
    "seccomp": True,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


# What holds, and how it is said


def test_one_line_says_what_holds():
    found = isolation.judge(TrialReport(**CONTAINED), OWN, "0.8.0")
    assert (
        found.text
        == "isolated: bubblewrap 0.8.0, namespaces (user, pid, mount, ipc, net, uts), Landlock 6,"
        " seccomp, memory by looks at it (no cgroup: processes may take more together),"
        " one user for all runs"
    )
    poor = Isolation("0.8.0", ("user",), 0, False, 2).text
    assert "a user for each run" in replace(found, own_user=True).text
    assert "no Landlock" in poor and "no seccomp" in poor and "memory by cgroup 2" in poor


@pytest.mark.parametrize(
    "change",
    [
        {"reached": ["the network"]},
        {"namespaces": CONTAINED["namespaces"] | {"net": OWN["net"]}},
        *(
            {"namespaces": CONTAINED["namespaces"] | {name: f"{name}:[3]"}}
            for name in isolation.NAMESPACES
        ),
        {"namespaces": {}},
        {"capabilities": 1},
        {"no_new_privileges": False},
        {"first": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_trial_run_that_was_not_contained_is_no_sandbox(change):
    with pytest.raises(NoSandbox, match="was not contained"):
        isolation.judge(TrialReport(**CONTAINED | change), OWN, "0.8.0")


@contextmanager
def bait(folder: Path) -> Iterator[dict]:
    """For the attempts of a probe: what it reaches without a sandbox."""
    (folder / "canary").write_text("seen")
    with socket.create_server(("127.0.0.1", 0)) as network, socket.socket(socket.AF_UNIX) as named:
        named.bind(f"\0{folder}")
        named.listen()
        reached = {
            "files_outside": [str(folder / "canary")],
            "folders_outside": [str(folder)],
            "folders_to_read": [str(folder)],
        }
        yield reached | {
            "port": network.getsockname()[1],
            "name": str(folder),
            "process": os.getpid(),
        }


def what_is_reached(sandbox: Sandbox, folder: Path, attempts: dict) -> list[str]:
    tried = sandbox.start(TrialJob(**attempts), folder / "log")
    try:
        return msgspec.json.decode(tried.channel.receive(60), type=TrialReport).reached
    finally:
        tried.close()


def test_the_probe_finds_what_is_open(tmp_path):
    """Without a sandbox it reaches all that it tries: otherwise its silence would mean nothing."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with bait(tmp_path) as attempts:
        job = TrialJob(**attempts).below(trial.namespaces())
        process = multiprocessing.get_context("fork").Process(target=job.run, args=(theirs,))
        process.start()
        report = msgspec.json.decode(ours.recv_bytes(), type=TrialReport)
        process.join()
    assert report.reached == list(trial.ATTEMPTS)
    with pytest.raises(NoSandbox):
        isolation.judge(
            report,
            {name: str(Path("/proc/self/ns", name).readlink()) for name in isolation.NAMESPACES},
            "",
        )


def test_the_probe_of_a_sandbox_reaches_nothing(tmp_path):
    tmp_path.chmod(0o777)
    with a_sandbox(content=BARE) as sandbox, bait(tmp_path) as attempts:
        assert what_is_reached(sandbox, tmp_path, attempts) == []


def test_what_is_said_to_hold_is_what_the_machine_has():
    with a_sandbox(content=BARE) as sandbox:
        found = sandbox.isolation
    assert found.landlock == syscalls.landlock_version() and found.seccomp
    users = Path("/proc/self/uid_map").read_text(encoding="utf-8")
    assert found.own_user == (os.geteuid() == 0 and stage.has(users, stage.FIRST_USER))


def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(NoSandbox, match=r"apt install bubblewrap.*--no-sandbox"),
        Sandbox(content=BARE),
    ):
        pass


def test_another_system_is_told_that_it_takes_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NoSandbox, match=r"Linux machine.*--no-sandbox"), Sandbox():
        pass


def test_a_machine_without_user_namespaces_is_told_what_to_allow():
    code = (
        "from pathlib import Path\n"
        "from dojo.grade.sandbox.isolation import NoSandbox\n"
        "from dojo.grade.sandbox.launch import Sandbox\n"
        "Path('/proc/sys/user/max_user_namespaces').write_text('0')\n"
        "try:\n    Sandbox().__enter__()\nexcept NoSandbox as reason:\n    print(reason)\n"
    )
    with a_sandbox(content=BARE):
        pass  # else there is nothing to take away
    if not shutil.which("unshare"):
        pytest.skip("there is no `unshare`")
    path = [str(ROOT / "tools"), *view.this_python().path]
    start = f"import sys; sys.path[:0] = {path!r}\n"
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        view.this_python().program,
        "-c",
        start + code,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "may not make a user namespace" in said and "sysctl" in said and "--no-sandbox" in said
    assert "Traceback" not in said and said.count("\n") == 1


def test_another_trouble_is_told_in_one_sentence():
    said = isolation.explain("bwrap: first\nbwrap: Can't mount proc\n")
    assert said.startswith("The sandbox could not be started (bwrap: Can't")
    assert "it said nothing" in isolation.explain("")


@pytest.mark.parametrize(
    ("users", "real"),
    [("0 0 4294967295", True), ("0 1000 1", False), ("0 1000 1\n1 100000 65536", True)],
)
def test_root_of_a_namespace_of_one_user_is_not_made_nobody(users, real):
    assert stage.is_real_root(users) == real


@pytest.mark.parametrize(
    ("users", "to_spare"),
    [("0 1000 1", 0), ("0 65534 1\n1 60600 3", 3), ("0 0 4294967295", 4294967294)],
)
def test_there_are_as_many_users_to_spare_as_the_table_has(users, to_spare):
    assert host.users_to_spare(users) == to_spare


# What can be seen


@pytest.fixture
def root(tmp_path) -> Path:
    """A checkout, as far as the view is concerned."""
    for part in (*view.PARTS, "reference", ".git"):
        if "." in part.strip("."):
            (tmp_path / part).touch()
        else:
            (tmp_path / part).mkdir(parents=True)
    return tmp_path


def test_the_view_has_the_tests_and_no_answers(root):
    seen = view.view(PYTHON, root=root)
    within = {
        Path(source).relative_to(root).as_posix()
        for source in seen.sources
        if Path(source).is_relative_to(root)
    }
    assert within == set(view.PARTS)
    assert not any(Path(source) in (root, *root.parents) for source in seen.sources)


def test_what_lies_below_a_folder_that_is_seen_is_hidden_nevertheless(root):
    seen = view.view(PYTHON, hidden=[Path("/usr/share")], root=root)
    line = view.command("bwrap", seen, seen.sources, ["python"])
    assert line.index("/usr") < line.index("/usr/share")
    assert line[line.index("/usr/share") - 1] == "--tmpfs"


def test_a_folder_that_holds_what_must_be_seen_can_not_be_hidden(root):
    for folder in (root, root.parent, root / "tests", root / "tools", Path("/usr")):
        assert view.in_the_way(view.view(PYTHON, [folder], root=root), [folder])[0] == folder
    fine = [
        root / "grades",
        root / "tests" / "submissions",
        root / "katas" / "mine",
        root.parent / "beside",
    ]
    for folder in fine:
        folder.mkdir(parents=True)
    assert view.in_the_way(view.view(PYTHON, fine, root=root), fine) is None


def test_what_is_not_seen_anyway_is_not_even_named(root, tmp_path):
    hidden = tmp_path / "of Jane Doe"
    hidden.mkdir()
    seen = view.view(PYTHON, root=root, hidden=[hidden, root / "reference"])
    assert str(hidden) not in view.command("bwrap", seen, seen.sources, ["python"])


def test_a_hidden_folder_may_be_named_by_a_relative_path(tmp_path, monkeypatch):
    (tmp_path / "doe.zip").touch()
    monkeypatch.chdir(tmp_path)
    with a_sandbox(content=BARE, hidden=[Path(), Path("none")]) as sandbox:
        assert sandbox.hidden == (tmp_path, tmp_path / "none") and sandbox.isolation


def test_submissions_that_hold_the_project_are_told_so_and_not_that_the_sandbox_leaks():
    with pytest.raises(NoSandbox) as told, a_sandbox(content=BARE, hidden=[ROOT]):
        pass
    says = str(told.value)
    assert says.startswith(f"No submission may look into {ROOT}, yet each needs {ROOT}/")
    assert "folders of their own" in says and "--no-sandbox" not in says


def test_python_below_a_hidden_folder_is_seen_nevertheless(root):
    inside = replace(PYTHON, folders=(str(root / ".venv/lib"),))
    line = view.command("bwrap", (seen := view.view(inside, root=root)), seen.sources, ["python"])
    assert line.index(str(root)) < line.index(str(root / ".venv/lib"))


def test_folders_that_are_no_packages_are_not_shown(monkeypatch, tmp_path):
    (tmp_path / "site-packages").mkdir()
    for folder in (tmp_path, tmp_path / "site-packages", ROOT, Path("relative")):
        monkeypatch.syspath_prepend(str(folder))
    found = view.this_python()
    assert str(tmp_path / "site-packages") in found.path
    assert not {str(tmp_path), str(ROOT), "relative", ""} & {*found.path, *found.folders}


def test_grades_below_the_submissions_are_hidden_with_them(tmp_path):
    (tmp_path / "results" / "homework").mkdir(parents=True)
    with a_sandbox(content=BARE, hidden=[tmp_path, tmp_path / "results" / "homework"]) as sandbox:
        assert sandbox.isolation  # whose trial run has found neither


def test_a_hidden_folder_is_empty_in_there(tmp_path):
    below_usr = {"folders_outside": ["/usr/share"]}
    with bait(tmp_path) as attempts:
        with a_sandbox(content=BARE, hidden=[Path("/usr/share")]) as sandbox:
            assert what_is_reached(sandbox, tmp_path, attempts | below_usr) == []
        with a_sandbox(content=BARE) as sandbox:
            assert what_is_reached(sandbox, tmp_path, attempts | below_usr) == [
                "a folder that is hidden"
            ]


# Judging


def test_the_verdict_is_the_same_as_outside(sandbox):
    (inside,) = judge(sandbox, FILES)
    (outside,) = run([Unit("reference", KATA, "cpu")], load().katas)
    assert [
        (task.name, [(test.name, test.outcome) for test in task.tests]) for task in inside.tasks
    ] == [(task.name, [(test.name, test.outcome) for test in task.tests]) for task in outside.tasks]


def test_feedback_names_the_file_as_handed_in(sandbox):
    wrong = FILES[KATA].replace(b"self.sigmoid(self.linear(x))", b"self.linear(x)")
    (result,) = judge(sandbox, {KATA: wrong})
    assert "/submission/k06_logistic_regression.py:" in result.tasks[0].first_problem.message
    assert "raw scores" in result.tasks[0].first_problem.message


def test_a_kata_that_was_not_handed_in_is_none(sandbox):
    (result,) = run([Unit("nowhere", KATA, "cpu")], load().katas, worker=sandbox)
    assert set(outcomes(result).values()) == {Outcome.FAILED}
