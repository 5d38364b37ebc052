"""What a test file may not do: leave tests out, judge nothing, or look at the reference.

Read from the text alone, so that a weakened test is named at once. Whether each test can fail is
measured by `mutants`.
"""

import ast
from collections.abc import Iterator, Sequence

from dojo import ROOT
from dojo.catalog import Catalog, Kata
from dojo.results import KataResult, Outcome
from dojo.validate import Finding
from dojo.validate.patched import bare
from dojo.validate.test_files import marked_tasks

MOST_LINES = 550
LEAVES_OUT = {"skip", "skipif", "xfail", "importorskip", "expectedFailure", "exit", "_exit"}


def hold(chosen: Catalog) -> Finding:
    """Every test belongs to a task, runs always, and checks something."""
    problems, number = list[str](), 0
    for kata in chosen.katas:
        file = f"tests/test_{kata.name}.py"
        source = (ROOT / file).read_text(encoding="utf-8")
        problems += [f"{file}:{line}: {fault}" for line, fault in faults(source, kata)]
        number += len(test_names(source))
    return Finding(problems, f"{number} tests")


def faults(source: str, kata: Kata) -> list[tuple[int, str]]:
    """Line and fault of all that is wrong with a test file."""
    tree = ast.parse(source)
    found = [*_size(source), *_groups(tree, kata), *_left_out(tree), *_reference(tree)]
    return sorted([*found, *_empty(tree)])


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _functions(group: ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in group.body if isinstance(node, ast.FunctionDef)]


def tests_of(group: ast.ClassDef) -> list[ast.FunctionDef]:
    """The tests of a class."""
    return [node for node in _functions(group) if node.name.startswith("test")]


def _size(source: str) -> Iterator[tuple[int, str]]:
    if (lines := len(source.splitlines())) > MOST_LINES:
        yield lines, f"{lines} lines: a kata's test file has at most {MOST_LINES}"


def _groups(tree: ast.Module, kata: Kata) -> Iterator[tuple[int, str]]:
    """Tests outside of classes or without a task, and functions that are no tests by their name."""
    tasks = [task.name for task in kata.tasks]
    said = {name for node in ast.walk(tree) for name in _names(node)}
    yield from _twice(_classes(tree))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.lineno, f"{node.name} stands in no class: its task is not known"
    bases = {name for group in _classes(tree) for base in group.bases for name in _names(base)}
    for group in _classes(tree):
        tests, marked = tests_of(group), marked_tasks(group)
        if group.name in bases and not marked:
            continue  # its tests are those of the classes that are made from it
        yield from _twice(_functions(group))
        if tests and not group.name.startswith("Test"):
            yield group.lineno, f"{group.name} has tests, which never run: call it Test..."
        for task in marked:
            if task not in tasks:
                yield group.lineno, f"{group.name}: there is no task {task} ({', '.join(tasks)})"
        for test in tests:
            if not marked and not _is_marked(test, tree):
                fault = f'has no task, so it never counts: @pytest.mark.task("{tasks[0]}")'
                yield test.lineno, f"{group.name}, {test.name} {fault}"
        for node in group.body:
            if isinstance(node, ast.ClassDef):
                yield node.lineno, f"{node.name} stands within {group.name}: it never runs"
        if group.name.startswith("Test"):
            for node in _functions(group):
                if node not in tests and node.name not in said:
                    yield node.lineno, f"{node.name} is no test by its name, and no test uses it"


def _is_marked(test: ast.FunctionDef, tree: ast.Module) -> bool:
    """True if the cases of a test are marked with their tasks, one by one."""
    nodes = [inner for decorator in test.decorator_list for inner in ast.walk(decorator)]
    names = {name for node in nodes for name in _names(node)}
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                nodes += ast.walk(node) if name in names else ()
    return any(isinstance(node, ast.Attribute) and node.attr == "task" for node in nodes)


def _twice(nodes: Sequence[ast.FunctionDef | ast.ClassDef]) -> Iterator[tuple[int, str]]:
    seen = set[str]()
    for node in nodes:
        if node.name in seen:
            yield node.lineno, f"{node.name} is defined twice: the first one never runs"
        seen.add(node.name)


def _left_out(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Ways to leave a test out, or to wait. A test on each device may leave one of them out."""
    allowed = {
        inner
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "device" in _arguments(function)
        for node in ast.walk(function)
        if isinstance(node, ast.If)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in LEAVES_OUT:
                if node not in allowed:
                    yield node.lineno, f"{name} leaves tests out: a test always runs"
            case ast.Name(id="sleep") | ast.Attribute(attr="sleep"):
                yield node.lineno, "sleep: a test waits for nothing"
            case ast.ExceptHandler(type=kind) if kind is None or "Exception" in ast.unparse(kind):
                yield node.lineno, "an error of any kind is caught here: name those that are meant"
            case ast.If(test=ast.Constant(value=value)) | ast.While(test=ast.Constant(value=value)):
                if not value:
                    yield node.lineno, "this never runs"


def _reference(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case ast.Constant(value="reference"):
                modules = ["reference"]
            case ast.Constant(value=str(text)) if text.startswith(("reference.", "reference/")):
                modules = ["reference"]
            case _:
                continue
        if any(module.partition(".")[0] == "reference" for module in modules):
            yield node.lineno, "the reference is looked at: write the formula out, or ask torch"


def _empty(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Tests that check nothing, and checks of a value by itself."""
    judging = _judging(tree)
    for group in _classes(tree):
        for test in tests_of(group):
            if not _judges(test, judging):
                yield test.lineno, f"{test.name} checks nothing: call expect, or assert"
            last = next((n for n in test.body[:-1] if isinstance(n, ast.Return | ast.Raise)), None)
            if last:
                yield last.lineno, f"{test.name} ends here: what comes after never runs"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="expect")), args=[one, other, *_]):
                pairs = [(one, other)]
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                pairs = [(left, right)]
            case _:
                continue
        if any(ast.unparse(one) == ast.unparse(other) for one, other in pairs):
            yield node.lineno, f"{ast.unparse(pairs[0][0])} is compared with itself"


def _judging(tree: ast.Module) -> set[str]:
    """The names that check something when they are called: of tests/support, and those of this file
    that use them.
    """
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.support")
        for alias in node.names
    }
    judging, helpers = (
        imported,
        [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)],
    )
    while new := {
        node.name for node in helpers if node.name not in judging and _judges(node, judging)
    }:
        judging = judging | new
    return judging


def _judges(node: ast.AST, judging: set[str]) -> bool:
    for inner in ast.walk(node):
        match inner:
            case ast.Assert() | ast.Raise():
                return True
            case ast.Call(func=function) if judging & {*_names(function), *_roots(function)}:
                return True
    return False


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name


def _roots(node: ast.AST) -> Iterator[str]:
    while isinstance(node, ast.Attribute):
        node = node.value
    yield from _names(node)


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}


def not_run(kata: Kata, result: KataResult) -> list[str]:
    """The tests of a kata's file that passed in no case, though all that ran passed."""
    file = f"tests/test_{kata.name}.py"
    passed = {bare(test.name) for test in result.tests if test.outcome == Outcome.PASSED}
    there = test_names((ROOT / file).read_text(encoding="utf-8"))
    return [f"{file}: {name} did not run on the reference" for name in there if name not in passed]


def test_names(source: str) -> list[str]:
    """The names of all tests in a file's text, whether they run or not."""
    return [test.name for group in _classes(ast.parse(source)) for test in tests_of(group)]
