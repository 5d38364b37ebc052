"""What a record depends on: a change of anything that judges a submission makes its record too old,
and no other does.
"""

import json
import shutil
from dataclasses import replace

import pytest

from dojo import ROOT
from dojo.grade.assignment import read
from dojo.grade.gradebook import key, keys, versions
from dojo.grade.records import Ignored, Submission


def test_the_key_is_of_whose_it_is_what_it_holds_and_what_judges_it():
    one = Submission("doe", "doe.zip", {"k06": b"x"})
    known = {"suite": "1"}
    assert key(one, known) == key(
        replace(one, entry="other.zip", ignored=(Ignored("a", "b"),)), known
    )
    others = [
        replace(one, id="roe"),
        replace(one, files={"k06": b"y"}),
        replace(one, files={}),
        replace(one, problem="p"),
    ]
    made = {key(other, known) for other in others} | {
        key(one, {"suite": "2"}),
        key(one, known | {"exam": "1"}),
    }
    assert len(made) == 6 and key(one, known) not in made


@pytest.fixture
def checkout(tmp_path):
    """A copy of what judges k06 and k07."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("tests", "katas", "reference", "tools/dojo"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "validation")
        )
    (tmp_path / "reference" / "exams").mkdir(exist_ok=True)
    return tmp_path


def test_what_judges_a_submission_is_known_and_nothing_else(checkout, catalog, monkeypatch):
    assignment = read(None, ["k06,k07"], catalog)
    first = versions(assignment, True, checkout)
    json.dumps(first)
    assert versions(assignment, True, checkout) == first
    for name in (
        "tests/test_k08_multi_hidden_layer.py",
        "reference/k01_tensors.py",
        "tools/dojo/check/commands.py",
        "katas/x.py",
    ):
        (checkout / name).open("a").write("\n# changed\n")
    (checkout / "tools/dojo/grade/commands.py").unlink()
    windows = (
        (checkout / "tests/test_k06_logistic_regression.py").read_bytes().replace(b"\n", b"\r\n")
    )
    (checkout / "tests/test_k06_logistic_regression.py").write_bytes(windows)
    assert versions(assignment, True, checkout) == first
    for part, name in (
        ("suite", "tests/test_k06_logistic_regression.py"),
        ("suite", "tests/support/expect.py"),
        ("suite", "katas/given/data.py"),
        ("exam", "reference/k07_hidden_layer.py"),
        ("exam", "reference/exams/k06_logistic_regression.py"),
        ("tools", "tools/dojo/suite/supervisor.py"),
    ):
        with (checkout / name).open("a") as file:
            file.write("\n# changed\n")
        now = versions(assignment, True, checkout)
        assert [key for key in first if now[key] != first[key]] == [part], name
        first = now
    assert versions(assignment, False, checkout) != first
    points = assignment.points
    assert versions(replace(assignment, points=dict.fromkeys(points, 7)), True, checkout) == first
    for other in (
        replace(assignment, points=dict(list(points.items())[1:])),
        replace(assignment, limits=replace(assignment.limits, seconds_a_test=7)),
    ):
        assert versions(other, True, checkout) != first
    monkeypatch.setattr(keys, "_version", lambda package: "0.1")
    assert versions(assignment, True, checkout) != first
