"""tools/check as a learner meets it: screens, hints, reset, JSON, exit codes."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.check import store
from dojo.stubs import stub_of


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "tools" / "check"), *arguments]
    known = os.environ | {"PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=known, cwd=ROOT, check=False
    )


@pytest.fixture(scope="module")
def half_finished(tmp_path_factory, catalog) -> Path:
    """A learner's folder: k01 solved, k06 with a mistake, k07 not there, the rest not started."""
    folder = tmp_path_factory.mktemp("learner")
    for kata in catalog.katas:
        reference = (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")
        text = stub_of(reference, [task.name for task in kata.tasks])
        if kata.short == "k01":
            text = reference
        if kata.short == "k06":
            text = reference.replace("return self.sigmoid(self.linear(x))", "return self.linear(x)")
        if kata.short != "k07":
            (folder / f"{kata.name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def overview(half_finished) -> subprocess.CompletedProcess:
    return check("--target", str(half_finished))


def test_overview_shows_stages_katas_and_outcomes(overview, catalog):
    for stage in catalog.stages:
        assert f"Stage {stage.number}  {stage.title}" in overview.stdout
    lines = {
        line.split()[0]: line for line in overview.stdout.splitlines() if line.startswith("  k")
    }
    assert "to_tensors ok, to_class_indices ok, to_numpy ok" in lines["k01"]
    assert "model FAILED, train blocked, boundary blocked" in lines["k06"]
    assert "layers FAILED" in lines["k07"]
    assert "models -, train -, metrics -, point -" in lines["k17"]
    assert overview.returncode == 1


def test_a_kata_with_gaps_says_how_far_it_has_come(tmp_path, catalog):
    kata = catalog.find("k03")
    text = stub_of(kata.reference_text(), [task.name for task in kata.tasks])
    green = text.replace(
        'raise NotImplementedError("mse")', "return ((weight * inputs - targets) ** 2).mean()"
    )
    for folder, source in (("begun", green), ("untouched", text)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{kata.name}.py").write_text(source, encoding="utf-8")
    begun = check("k03", "--target", str(tmp_path / "begun")).stdout
    assert "k03  Autograd  1 of 6 tasks green" in begun
    assert (
        "k03  Autograd  not started" in check("k03", "--target", str(tmp_path / "untouched")).stdout
    )


def test_a_python_without_torch_is_told_where_to_find_one():
    command = [sys.executable, "-S", "-m", "katas.k03_autograd"]  # -S: no installed packages
    run = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("This Python has no torch. Activate the project's environment")
    assert "Traceback" not in run.stderr


def test_overview_counts_tasks_against_the_reference(overview, catalog):
    total = sum(len(kata.tasks) for kata in catalog.katas)
    green = len(catalog.find("k01").tasks)  # the only one that is solved
    assert f"{green} of the {total} tasks that the reference passes" in overview.stdout


def test_overview_ends_with_what_to_do_next(tmp_path, catalog):
    for name in ("k01_tensors", "k06_logistic_regression"):
        kata = next(kata for kata in catalog.katas if kata.name == name)
        text = (ROOT / "reference" / f"{name}.py").read_text(encoding="utf-8")
        text = text.replace("return self.sigmoid(self.linear(x))", "return self.linear(x)")
        (tmp_path / f"{kata.name}.py").write_text(text, encoding="utf-8")
    shown = check("run", "k06", "--target", str(tmp_path)).stdout
    assert "these are the raw scores: self.sigmoid is not applied to them" in shown
    assert "k06_logistic_regression.py:" in shown
    assert "return self.linear(x)" in shown
    assert "python tools/check hint k06" in shown
    assert "site-packages" not in shown


def test_plain_text_where_output_is_piped(overview):
    assert "\x1b[" not in overview.stdout
    overview.stdout.encode("ascii")


def test_a_solved_kata_exits_with_0_and_says_what_was_learned(half_finished, catalog):
    result = check("k01", "--target", str(half_finished))
    assert result.returncode == 0
    assert next(kata for kata in catalog.katas if kata.short == "k01").learned in result.stdout


def test_training_is_shown_beside_the_reference():
    shown = check("--target", "reference", "k06").stdout
    shown = " ".join(shown.split())
    assert "the largest distance between the model's probabilities and those of the best" in shown
    assert "; needed: at most 0.01; the reference: practically 0" in shown
    assert "passed easy, 20 min" in shown


def test_json_is_one_document_on_standard_output(half_finished):
    result = check("--json", "k01", "k06", "--target", str(half_finished))
    document = json.loads(result.stdout)
    assert document["target"] == str(half_finished)
    assert [(kata["name"], kata["outcome"]) for kata in document["katas"]] == [
        ("k01_tensors", "passed"),
        ("k06_logistic_regression", "failed"),
    ]
    tests = document["katas"][1]["tasks"][0]["tests"]
    assert {"name", "outcome", "message", "seconds", "device"} <= set(tests[0])
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["k99"], "There is no kata 'k99'"),
        (["spirl"], "The nearest is k17_spiral_mlp"),
        (["--target", "nowhere"], "--target nowhere: there is no such folder"),
        (["--device", "tpu"], "choose auto, cpu, cuda, mps or simulated"),
        (
            ["hint", "k06", "nothing"],
            "k06 has no task 'nothing'. Its tasks are model, train, boundary.",
        ),
        (["hint", "k99"], "There is no kata 'k99'"),
        (
            ["compare", "k06", "nothing"],
            "k06 has no task 'nothing'. Its tasks are model, train, boundary.",
        ),
        (["compare", "k06"], "You can compare once a task of k06 is green"),
        (["reset", "k99"], "There is no kata 'k99'"),
        (["--printed"], "--printed shows one kata's output: name it"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(arguments, says):
    result = check(*arguments)
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.returncode == 2


def test_an_absent_device_is_said():
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has the device that the test wants absent")
    result = check("k06", "--device", "mps", "--target", "reference")
    assert result.returncode == 2
    assert "--device mps: no Apple GPU" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["list"], ["hint"], ["hint", "k06"], ["compare", "k06"], ["--help"]]
)
def test_light_commands_do_not_import_torch(arguments):
    code = (
        "import sys; sys.argv = ['check', *sys.argv[1:]]; sys.path.insert(0, 'tools')\n"
        "from dojo.check.commands import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == (2 if 'compare' in sys.argv else 0)\n"
        "assert not {'torch', 'sklearn', 'pytest', 'numpy'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True
    )


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_list_has_a_line_for_every_kata_with_its_difficulty_and_minutes(catalog, columns):
    lines = check("list", COLUMNS=str(columns)).stdout.splitlines()
    for kata in catalog.katas:
        (line,) = [line for line in lines if line.startswith(f"  {kata.short}  {kata.title} ")]
        assert f" {kata.difficulty} " in line and f" {kata.minutes} min " in line
        assert len(line) <= columns
        assert re.search(r"(written|\d to write(: \w.*)?)$", line)


def test_a_console_without_the_characters_gets_plain_ones(half_finished):
    result = check("k06", "--target", str(half_finished), PYTHONIOENCODING="ascii")
    assert result.returncode == 1
    assert "raw scores" in result.stdout


def test_reset_writes_the_stub_and_keeps_a_copy(tmp_path):
    path = tmp_path / "k01_tensors.py"
    path.write_bytes(b"my work\r\n")
    sentence = store.reset(path, "the stub\n", datetime(2026, 1, 2, 3, 4, 5))
    assert path.read_bytes() == b"the stub\n"
    name = "k01_tensors.py.backup-20260102-030405"
    copied = f"What was there: katas/{name}"
    assert sentence == f"katas/k01_tensors.py is the stub again. {copied}"
    assert (tmp_path / name).read_bytes() == b"my work\r\n"


def test_reset_brings_a_deleted_file_back(tmp_path):
    path = tmp_path / "k01_tensors.py"
    sentence = store.reset(path, "the stub\n", datetime(2026, 1, 2))
    assert sentence == "katas/k01_tensors.py is the stub again."
    assert path.read_bytes() == b"the stub\n"
    assert store.is_stub(path, "the stub\n")


def test_reset_asks_first(catalog, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from dojo.check import commands

    (tmp_path / "katas").mkdir()
    path = tmp_path / "katas" / "k06_logistic_regression.py"
    path.write_text("my work\n")
    monkeypatch.setattr(store, "KATAS", path.parent)
    runner = CliRunner()
    refused = runner.invoke(commands.app, ["reset", "k06"], input="n\n")
    assert refused.exit_code == 1
    assert path.read_text() == "my work\n"
    agreed = runner.invoke(commands.app, ["reset", "k06"], input="y\n")
    assert agreed.exit_code == 0
    assert "# TODO model" in path.read_text()
    assert [copy.read_text() for copy in path.parent.glob("*.backup-*")] == ["my work\n"]
    assert "nothing to do" in runner.invoke(commands.app, ["reset", "k06"]).output


def test_a_stop_from_the_keyboard_is_one_word(monkeypatch, capsys):
    from dojo.check import commands, running

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "judge", interrupted)
    monkeypatch.setattr(sys, "argv", ["check", "k01"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_the_readme_shows_what_check_prints(half_finished):
    """As a terminal has it, where signs stand for words; the devices are those of a machine."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("$ python tools/check k06\n")[2].partition("```")[0]
    for sign, word in {"✓": "ok", "✗": "FAILED", "◌": "blocked", "–": "skipped"}.items():
        shown = shown.replace(f"{sign} ", f"{word} ")
    printed = check("k06", "--target", str(half_finished)).stdout
    printed = printed.replace(f"{half_finished}{os.sep}", "katas/")
    on_devices = "test_follows_its_device on "
    lines = [
        [line for line in text.splitlines() if on_devices not in line] for text in (shown, printed)
    ]
    assert lines[0] == lines[1]
