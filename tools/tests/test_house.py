"""The order of the house: imports run down only, from a floor to the same room or to lower floors,
and never in a circle.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.validate.test_rules import MOST_LINES

TOOLS = ROOT / "tools"
# From the bottom up. Rooms that share a floor don't import each other; what is in none of these
# rooms lies directly in dojo, below all of them.
FLOORS = (
    {"dojo.processes", "dojo.simulated", "dojo.bootstrap", "dojo.training"},
    {"dojo.suite"},
    {"dojo.exam"},
    {"dojo.check", "dojo.grade", "dojo.validate"},
    {"bench"},
)


# words at the start of a line in the list of a package that name no room of it
NOT_ROOMS = {"tools", "bench", "tests", "nsjail", "isolate", "pyseccomp", "runsc", "psutil"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(TOOLS).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    name_of(path): path for room in ("dojo", "bench") for path in (TOOLS / room).rglob("*.py")
}


def imports(source: str, modules=MODULES, package: str = "") -> Iterator[str]:
    """The modules that a text imports, also within functions: of `from a import b` this is a.b
    where that is a module. `from .a import b` is of the package that the text lies in.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2, "no room imports from the folder above it by dots"
            parts = [package] * node.level + [node.module or ""]
            if (module := ".".join(filter(None, parts))) in modules:
                names = {f"{module}.{alias.name}" for alias in node.names}
                yield from names & modules.keys() or {module}


def room_of(module: str) -> str:
    return next(
        (room for floor in FLOORS for room in floor if f"{module}.".startswith(f"{room}.")), ""
    )


def floor_of(room: str) -> int:
    return next((number for number, floor in enumerate(FLOORS) if room in floor), -1)


def wrong_arrows(arrows: dict[str, set[str]]) -> list[str]:
    """Imports of a higher floor, or of another room on the same one."""
    found = []
    for module, imported in arrows.items():
        for other in imported:
            here, there = room_of(module), room_of(other)
            if here != there and floor_of(there) >= floor_of(here):
                found.append(f"{module} imports {other}")
    return sorted(found)


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A way along imports that comes back to where it began; empty if there is none."""
    done: set[str] = set()

    def search(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for other in sorted(arrows[module]):
            if found := search(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next(filter(None, (search(module, []) for module in sorted(arrows))), [])


@pytest.fixture(scope="module")
def arrows() -> dict[str, set[str]]:
    """Module → what it imports."""
    return {
        module: set(imports(path.read_text(encoding="utf-8"), package=name_of(path.parent)))
        - {module}
        for module, path in MODULES.items()
    }


def test_no_import_runs_up_or_between_rooms_of_one_floor(arrows):
    assert wrong_arrows(arrows) == []


def test_no_import_runs_in_a_circle(arrows):
    assert circle(arrows) == []


def test_every_folder_of_the_house_has_its_floor():
    rooms = {path.name for path in (TOOLS / "dojo").iterdir() if list(path.glob("*.py"))}
    assert {f"dojo.{name}" for name in rooms} == set().union(*FLOORS) - {"bench"}


def test_a_wrong_arrow_and_a_circle_are_found():
    modules = [
        "dojo.a",
        "dojo.suite",
        "dojo.suite.b",
        "dojo.exam.c",
        "dojo.check.d",
        "dojo.grade.e",
    ]
    known = dict.fromkeys(modules, Path())
    text = (
        "import dojo.a\ndef f():\n    from dojo.suite import b, name\n    from dojo.exam import c"
    )
    assert set(imports(text, known)) == {"dojo.a", "dojo.suite.b"}
    assert set(imports("from dojo.suite import name", known)) == {"dojo.suite"}
    down = {"dojo.exam.c": {"dojo.suite.b", "dojo.a"}, "dojo.suite.b": {"dojo.suite", "dojo.a"}}
    assert wrong_arrows(down) == []
    up = {
        "dojo.suite.b": {"dojo.exam.c"},
        "dojo.a": {"dojo.suite"},
        "dojo.check.d": {"dojo.grade.e"},
    }
    assert wrong_arrows(up) == [
        "dojo.a imports dojo.suite",
        "dojo.check.d imports dojo.grade.e",
        "dojo.suite.b imports dojo.exam.c",
    ]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def listed_wrongly(text: str, rooms: set[str]) -> list[str]:
    """Rooms that the text of a package leaves out, and first words of its lines that name none."""
    names = {name.rstrip("/") for name in re.findall(r"[\w/]+", text)}
    first = re.findall(r"^ *([a-z_]+)/?(?:, ([a-z_]+)/?)?  +\S", text, flags=re.MULTILINE)
    return sorted((rooms - names) | ({name for pair in first for name in pair if name} - rooms))


PACKAGES = {name_of(path): path.parent for path in (TOOLS / "dojo").rglob("__init__.py")}


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_package_lists_its_rooms(name):
    package = PACKAGES[name]
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.stem for path in package.glob("*.py")} - {"__init__"}
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    assert set(listed_wrongly(text or "", rooms)) - NOT_ROOMS == set()


def test_a_room_that_is_not_listed_and_one_that_is_gone_are_found():
    assert listed_wrongly("a, b   rooms\n  c/  a package\n", {"a", "b", "c"}) == []
    assert listed_wrongly("a   a room, b\nd   is gone\n", {"a", "b", "c"}) == ["c", "d"]


# what one kata alone looks at, and is too long for its file
ALONE = {
    *("batches", "descent", "formulas", "numpy_network", "rules"),
    *("one_weight", "signals", "splits", "walks"),
}
SPECIFICATIONS = sorted((ROOT / "tests").glob("test_k*.py"))


def test_a_specification_is_one_file_of_a_readable_length():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SPECIFICATIONS
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
    others = {path.name for path in (ROOT / "tests").iterdir()} - lengths.keys() - {"__pycache__"}
    assert others == {"__init__.py", "support", "pass_marks.toml", "loss_bands.toml"}


def test_what_the_tests_share_serves_several_katas():
    texts = [path.read_text(encoding="utf-8") for path in SPECIFICATIONS]
    support = {path.stem: path for path in (ROOT / "tests" / "support").glob("[a-z]*.py")}
    inner = "\n".join(path.read_text(encoding="utf-8") for path in support.values())
    inner += (ROOT / "conftest.py").read_text(encoding="utf-8")

    def users(name: str) -> int:
        pattern = rf"^from tests\.support(\.{name}\b| import .*\b{name}\b)"
        katas = sum(bool(re.search(pattern, text, re.MULTILINE)) for text in texts)
        return katas + 2 * bool(re.search(pattern, inner, re.MULTILINE))

    assert {name for name in support if users(name) < 2} == ALONE


@pytest.mark.parametrize("name", ["README.md", "reference/README.md", ".github/CONTRIBUTING.md"])
def test_files_that_the_docs_name_are_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:tools|tests|katas|reference)/[\w./]+\w", text))
    named = {path for path in named if "kNN" not in path}
    assert len(named) > 3 and [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert [line for line in text.splitlines() if len(line) > 100] == []


def public_classes(sources: dict[str, str]) -> dict[str, list[str]]:
    """Name of a public class → the modules that define one."""
    places: dict[str, list[str]] = {}
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    return places


def test_a_class_name_means_one_thing_in_the_whole_house():
    sources = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
    several = {name: where for name, where in public_classes(sources).items() if len(where) > 1}
    assert several == {}
    assert public_classes({"a": "class Run: ...", "b": "class Run: ..."}) == {"Run": ["a", "b"]}


# What a package is imported as, where that is not its name.
IMPORTED_AS = {"scikit-learn": "sklearn", "pytest-timeout": "pytest_timeout"}
# Not declared, as each version of the package named brings it.
BROUGHT_BY = {
    "packaging": "pytest",
    "libcst": "mutmut",
    "colorama": "pytest",
    "scipy": "scikit-learn",
}


def packages_imported(source: str) -> set[str]:
    """The packages that a text imports, also within functions, by their names in Python."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_what_is_imported_is_declared():
    """click came with typer, and was imported, until typer no longer needed it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # an import of a linter stands behind a question whether it is there
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["validate"], *extras["linters"]]
    declared = {re.match(r"[\w-]+", line)[0] for line in lines}
    allowed = {IMPORTED_AS.get(name, name) for name in declared} | set(sys.stdlib_module_names)
    allowed |= {name for name, package in BROUGHT_BY.items() if package in declared}
    own = {"dojo", "bench", "katas", "reference", "tests"}
    own |= {path.stem for path in (TOOLS / "tests").glob("*.py")}
    folders = ("tools/dojo", "tools/bench", "tests", "katas", "reference")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    undeclared = {
        f"{path.relative_to(ROOT).as_posix()} imports {name}"
        for path in [ROOT / "conftest.py", *paths]
        for name in packages_imported(path.read_text(encoding="utf-8")) - allowed - own
    }
    assert sorted(undeclared) == []
