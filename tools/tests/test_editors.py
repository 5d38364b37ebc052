"""What editors and containers read is true: it parses, and what it names is there. The button of an
editor that runs a kata's file works.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from dojo import ROOT

EDITORS = sorted([*ROOT.glob(".vscode/*.json"), ROOT / ".devcontainer" / "devcontainer.json"])
ONE = {"fileBasenameNoExtension": "k06_logistic_regression", "workspaceFolder": str(ROOT)}
ONE["file"] = str(ROOT / "katas" / f"{ONE['fileBasenameNoExtension']}.py")
ONE["command:python.interpreterPath"] = sys.executable


def read(path) -> dict:
    """A file of an editor, its variables replaced as if a kata were open."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.sub(r"\$\{([^}]+)\}", lambda match: ONE[match[1]], text))


def run(*command: str, folder=ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "Agg"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", EDITORS, ids=lambda path: path.name)
def test_it_parses_and_the_files_it_names_are_there(path):
    text = json.dumps(read(path))
    named = set(re.findall(r"\b(?:tools|tests|katas)/[\w./]+", text)) | {"tests"}
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_tasks_are_commands_of_check(tmp_path):
    tasks = {task["label"]: task for task in read(ROOT / ".vscode" / "tasks.json")["tasks"]}
    hint = tasks["A hint for this kata"]
    shown = run(hint["command"], *hint["args"], TORCH_KATAS_PROGRESS=str(tmp_path / "state.json"))
    assert shown.returncode == 0 and "k06" in shown.stdout
    for task in tasks.values():
        if "--watch" not in task["args"]:
            assert run(task["command"], *task["args"], "--help").returncode == 0


def test_the_container_sets_up_what_the_tools_ask_for():
    settings = read(ROOT / ".devcontainer" / "devcontainer.json")
    assert (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).is_file()
    python, *command = settings["postCreateCommand"].split()
    assert python == "python" and run(sys.executable, *command).returncode == 0


def test_editors_recommend_what_the_container_has():
    container = read(ROOT / ".devcontainer" / "devcontainer.json")
    recommended = read(ROOT / ".vscode" / "extensions.json")["recommendations"]
    assert container["customizations"]["vscode"]["extensions"] == recommended


@pytest.mark.parametrize("folder", [".", "katas", "tests"])
@pytest.mark.parametrize("kata", ["k01_tensors", "k06_logistic_regression", "k12_logits"])
def test_a_gap_is_a_sentence_however_the_kata_is_run(kata, folder):
    ran = run(sys.executable, str(ROOT / "katas" / f"{kata}.py"), folder=ROOT / folder)
    as_module = run(sys.executable, "-m", f"katas.{kata}")
    assert ran.returncode == as_module.returncode == 1
    assert ran.stderr == as_module.stderr
    pattern = rf"'\w+' is not written yet: line \d+ of {kata}.py waits for you\. .* {kata[:3]} .*\n"
    assert re.fullmatch(pattern, ran.stderr)


@pytest.fixture
def copied(tmp_path):
    """A folder of katas elsewhere; the test writes one into it."""
    (tmp_path / "katas").mkdir()
    for name in ("__init__.py", "given", "katas"):
        (tmp_path / "katas" / name).symlink_to(ROOT / "katas" / name)
    return tmp_path / "katas"


def test_the_solved_kata_runs_and_says_where_its_pictures_are(copied, reference):
    path = copied / "k06_logistic_regression.py"
    path.write_text(reference, encoding="utf-8")
    ran = run(sys.executable, path.name, folder=copied)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "pictures/k06-1.png" in ran.stdout and (copied / "pictures" / "k06-1.png").is_file()


@pytest.mark.parametrize(
    "mistake", ["1 / 0", "raise NotImplementedError", "raise NotImplementedError('not my task')"]
)
def test_a_mistake_still_shows_its_traceback(copied, reference, mistake):
    path = copied / "k06_logistic_regression.py"
    path.write_text(reference.replace("    losses = []\n", f"    {mistake}\n"), encoding="utf-8")
    ran = run(sys.executable, path.name, folder=copied)
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr and f"    {mistake}\n" in ran.stderr
