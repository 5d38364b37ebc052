"""What decides a verdict, and what a record of it therefore depends on: held against the modules
that are really loaded where submissions are judged and exams are tried.
"""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dojo import ROOT, imports
from dojo.grade.assignment import read
from dojo.grade.gradebook import keys, versions
from dojo.validate import exams

KATA = "k06_logistic_regression"
# Added to a kata: writes down which files are loaded when one of its functions is called.
WATCHED = """
def watched(function, folder={folder!r}):
    def call(*arguments):
        import json, os, sys
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        with open(os.path.join(folder, f"{{os.getpid()}}.json"), "w") as file:
            json.dump([name for name in files if name], file)
        return function(*arguments)
    return call
decision_boundary = watched(decision_boundary)
"""
JUDGING = """
import sys
from pathlib import Path
from dojo.catalog import load
from dojo.grade.assignment import read
from dojo.grade.judge import Judge, judging
from dojo.grade.records import Submission, Status

if __name__ == "__main__":
    assignment = read(None, ["k06"], load())
    with judging(assignment, b"secret", False, 1) as shared, Judge(shared) as judge:
        files = {sys.argv[2]: Path(sys.argv[3]).read_bytes()}
        record = judge.judge(Submission("doe", "doe.zip", files))
    assert all(task.status == Status.VERIFIED for task in record.katas[0].tasks)
    write_down()
"""
SANDBOXED = """
import sys
from dojo.grade.sandbox import host
from dojo.grade.sandbox.launch import EXAM, SUITE
from dojo.suite import preload
preload.preload_tests(SUITE.modules())
preload.preload(EXAM.modules())
write_down()
"""
DRAWING = """
import sys
from dojo.exam import sheet
sheet.draw(sys.argv[2], b"secret")
write_down()
"""
TRYING = """
import sys
from pathlib import Path
from dojo.exam import sheet
drawn = sheet.draw(sys.argv[2], b"secret")
found = sheet.reasons(drawn, Path(sys.argv[3]).read_text(), ["model", "train", "boundary"])
assert set(found.values()) == {""}, found
write_down()
"""
WRITE_DOWN = """
def write_down():
    import json, os, sys
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    with open(os.path.join(sys.argv[1], f"{os.getpid()}.json"), "w") as file:
        json.dump([name for name in files if name], file)
"""


def loaded(folder: Path, *programs: str) -> set[str]:
    """Run the programs and all that they start: the repository's files that were loaded in them."""
    seen = folder / "seen"
    seen.mkdir()
    source = (ROOT / "reference" / f"{KATA}.py").read_text(encoding="utf-8")
    kata = folder / f"{KATA}.py"
    kata.write_text(source + WATCHED.format(folder=str(seen)), encoding="utf-8")
    for number, program in enumerate(programs):
        script = folder / f"program{number}.py"
        paths = f"import sys; sys.path[:0] = {[str(ROOT / 'tools'), str(ROOT)]!r}\n"
        script.write_text(paths + WRITE_DOWN + program, encoding="utf-8")
        command = [sys.executable, str(script), str(seen), KATA, str(kata)]
        subprocess.run(command, check=True, cwd=folder)
    files = {Path(name) for path in seen.iterdir() for name in json.loads(path.read_text())}
    ours = {path.relative_to(ROOT) for path in files if path.is_relative_to(ROOT)}
    return {path.as_posix() for path in ours if path.parts[0] in ("tools", "tests", "katas")}


@pytest.fixture(scope="module")
def judging(tmp_path_factory) -> set[str]:
    """What is loaded where a submission is judged: in the judge, the child of the suite, the one
    that answers the exam, the one that draws it, and the first process of each sandbox.
    """
    return loaded(tmp_path_factory.mktemp("judging"), JUDGING, SANDBOXED, DRAWING)


@pytest.fixture(scope="module")
def trying(tmp_path_factory) -> set[str]:
    """What is loaded where an exam is tried."""
    return loaded(tmp_path_factory.mktemp("trying"), TRYING)


@pytest.fixture
def copy(tmp_path) -> Path:
    """The repository's Python files."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    unwanted = shutil.ignore_patterns("__pycache__", "validation", ".*")
    for name in ("tests", "katas", "reference", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unwanted)
    return tmp_path


@pytest.fixture
def grade_key(catalog, copy) -> Callable[[], object]:
    assignment = read(None, ["k06"], catalog)
    return lambda: versions(assignment, True, copy)


@pytest.fixture
def exam_key(catalog, copy) -> Callable[[], object]:
    return lambda: exams.asking(catalog.find("k06"), copy)


def unnoticed(copy: Path, key: Callable[[], object], names: set[str]) -> list[str]:
    """Those of these files of which an alteration doesn't alter the key."""
    found, first = [], key()
    for name in sorted(names):
        path = copy / name
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\nALTERED = 1\n", encoding="utf-8")
        if key() == first:
            found.append(name)
        path.write_text(text, encoding="utf-8")
    assert key() == first
    return found


def says_nothing(name: str, no_say) -> bool:
    return imports.is_in(imports.module_of(ROOT / name), no_say)


def test_a_grade_is_stale_after_a_change_of_anything_that_judges(judging, copy, grade_key):
    for started in ("suite/pytest_run", "exam/answering", "grade/judge", "grade/sandbox/host"):
        assert f"tools/dojo/{started}.py" in judging
    deciding = {name for name in judging if not says_nothing(name, keys.NO_SAY)}
    assert len(deciding) > 60 and unnoticed(copy, grade_key, deciding) == []


def test_an_exam_is_stale_after_a_change_of_anything_that_tries_it(trying, copy, exam_key):
    deciding = {name for name in trying if not says_nothing(name, exams.NO_SAY)}
    assert len(deciding) > 15 and unnoticed(copy, exam_key, deciding) == []


def of_others(copy: Path) -> set[Path]:
    """The tools for learners and for maintainers, the benchmarks, the tools' tests, and the parts
    of grading that come before and after a judgement; and tests and exams of other katas.
    """
    rooms = ("dojo/check", "dojo/validate", "bench", "tests", "dojo/grade/intake")
    rooms += ("dojo/grade/gradebook",)
    ours = {path for room in rooms for path in (copy / "tools" / room).rglob("*.py")}
    ours |= {
        copy / "tools" / "dojo" / "grade" / f"{name}.py" for name in ("run", "show", "exports")
    }
    return ours | {copy / "reference/exams/k07_hidden_layer.py", copy / "tests/test_k08_x.py"}


def test_what_judges_nothing_makes_nothing_stale(copy, grade_key, exam_key):
    first = grade_key(), exam_key()
    for path in of_others(copy):
        with path.open("a", encoding="utf-8") as file:
            file.write("\nALTERED = 1\n")
    assert (grade_key(), exam_key()) == first


def test_a_new_name_of_what_judges_nothing_makes_nothing_stale(copy, grade_key, exam_key):
    first = grade_key(), exam_key()
    imported = imports.closure(imports.files_of(keys.JUDGE, copy), copy)
    for path in of_others(copy) - imported:  # the name of what a judge imports stands in its code
        if path.is_file() and path.name != "__init__.py" and "reference" not in path.parts:
            path.rename(path.with_name(f"new_{path.name}"))
    assert (grade_key(), exam_key()) == first


def test_a_new_module_counts_as_soon_as_one_that_judges_imports_it(copy, grade_key, exam_key):
    new = copy / "tools/dojo/exam/new_part.py"
    new.write_text("LIMIT = 1\n")
    first = grade_key(), exam_key()
    with (copy / "tools/dojo/exam/sheet.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\ndef later():\n    from dojo.exam import (\n        new_part,  # why\n    )\n"
        )
    second = grade_key(), exam_key()
    new.write_text("LIMIT = 2\n")
    third = grade_key(), exam_key()
    assert all(
        len({str(key) for key in of_one}) == 3 for of_one in zip(first, second, third, strict=True)
    )


def test_what_has_no_say_would_have_one_if_it_were_not_named_with_a_reason():
    for start, no_say in ((keys.JUDGE, keys.NO_SAY), ("dojo.exam.sheet", exams.NO_SAY)):
        imported = imports.closure(imports.files_of(start))
        for module, reason in no_say.items():
            assert set(imports.files_of(module)) & imported and reason
            assert module in map(imports.module_of, imported)


def test_no_import_is_overlooked():
    """The pattern finds what the syntax tree has."""
    for folder in ("tools", "tests", "katas", "reference"):
        for path in (ROOT / folder).rglob("*.py"):
            text, wanted = path.read_text(encoding="utf-8"), set()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    wanted |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    module = "." * node.level + (node.module or "")
                    within = module if module.endswith(".") else f"{module}."
                    wanted |= {f"{within}{alias.name}" for alias in node.names} | {module}
            assert wanted <= imports.imported(text), path


def test_an_import_within_a_folder_is_followed_by_its_dots(tmp_path):
    for name in ("a/__init__.py", "a/b/__init__.py", "a/b/c.py", "a/d.py", "a/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    start = tmp_path / "a" / "b" / "__init__.py"
    start.write_text("from . import c\n")
    (tmp_path / "a" / "b" / "c.py").write_text("from ..d import (\n    f,\n)\n")
    (tmp_path / "a" / "d.py").write_text("from .e import g\n")
    found = {path.relative_to(tmp_path).as_posix() for path in imports.closure([start], tmp_path)}
    assert found == {"a/__init__.py", "a/b/__init__.py", "a/b/c.py", "a/d.py", "a/e.py"}


def test_a_module_that_is_started_by_its_name_counts():
    names = imports.imported('run("dojo.suite.preload", f"from dojo.grade import x; x()")')
    assert {"dojo.suite.preload", "dojo.grade.x"} <= names


def test_a_modules_data_counts_with_it():
    for module in ("dojo.suite.causes", "dojo.simulated.kernels"):
        data = ROOT / "tools" / f"{module.replace('.', '/')}.toml"
        assert data.is_file() and data in imports.files_of(module)


def test_packages_on_the_way_count_and_what_is_left_out_does_not(tmp_path):
    (tmp_path / "tools/dojo/room").mkdir(parents=True)
    files = {"a.py": "import dojo.room.b", "tools/dojo/room/b.py": "from dojo import c"}
    files |= {
        "tools/dojo/__init__.py": "",
        "tools/dojo/room/__init__.py": "",
        "tools/dojo/c.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def found(*without: str) -> set[str]:
        paths = imports.closure([tmp_path / "a.py"], tmp_path, without)
        return {path.relative_to(tmp_path).as_posix() for path in paths}

    assert found() == set(files)
    assert found("dojo.c") == set(files) - {"tools/dojo/c.py"}
    assert found("dojo") == {"a.py"}
