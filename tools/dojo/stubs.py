"""From a reference to the stub a learner starts with.

A reference marks what is to be solved:

    # BEGIN SOLUTION model: create self.linear and self.sigmoid
    #     a longer explanation goes on in lines indented by four spaces or more
    self.linear = nn.Linear(num_features, num_labels)
    # END SOLUTION

and the stub has in its place:

    # TODO model: create self.linear and self.sigmoid
    #     a longer explanation goes on in lines indented by four spaces or more
    raise NotImplementedError("model")

Within a dict no line can raise. An entry `"model": {"B", "E"},` becomes `"model": ...,` and counts
as open as long as its value is the ellipsis.
"""

import ast
import itertools
import re
from collections.abc import Iterable

from dojo import UserError

BEGIN = re.compile(r"(?P<indent>\s*)# BEGIN SOLUTION(?: (?P<task>\w+): (?P<text>\S.*))?\s*$")
END = re.compile(r"(?P<indent>\s*)# END SOLUTION\s*$")
LOOKS_LIKE_A_MARKER = re.compile(r"\s*#\s*(begin|end)\s*solution", re.IGNORECASE)
MORE_TEXT = re.compile(r"\s*# {4,}\S")
TODO = re.compile(r"\s*# TODO \w+:")
ENTRY = re.compile(r'\s*"\w+": \S.*,$')


class MarkerError(UserError):
    """The solution markers of a reference are malformed; the message says where and how."""


def stub_of(source: str, tasks: Iterable[str], name: str = "the reference") -> str:
    """The stub generated from a reference's text, which an error calls `name`.

    Each of the `tasks`, which are those of the catalog, needs a region; no other may have one.
    Raises MarkerError if a marker is malformed, nested, unclosed, or of an unknown task; or a
    region is empty.
    """
    tasks, seen = set(tasks), set()
    stub: list[str] = []
    region: re.Match[str] | None = None  # the marker that begins the region being left out
    begin_line, code = 0, list[str]()  # where it begins, and its lines so far
    for number, line in enumerate(source.splitlines(), start=1):
        where = f"{name}:{number}"
        if begin := BEGIN.match(line):
            if region:
                raise MarkerError(
                    f"{where}: a solution region begins inside the one of line {begin_line}"
                )
            if not begin["task"]:
                raise MarkerError(f"{where}: write '# BEGIN SOLUTION task: what to do'")
            if begin["task"] not in tasks:
                names = ", ".join(sorted(tasks))
                raise MarkerError(
                    f"{where}: the catalog has no task '{begin['task']}' (it has {names})"
                )
            region, begin_line, code = begin, number, []
            stub.append(f"{begin['indent']}# TODO {begin['task']}: {begin['text'].rstrip()}")
        elif end := END.match(line):
            if not region:
                raise MarkerError(f"{where}: a solution region ends that has not begun")
            if end["indent"] != region["indent"] or not code:
                problem = "is empty" if not code else "ends at another indentation than it begins"
                raise MarkerError(f"{where}: the solution region of line {begin_line} {problem}")
            task = region["task"]
            is_entry = len(code) == 1 and ENTRY.match(code[0])
            instead = f'"{task}": ...,' if is_entry else f'raise NotImplementedError("{task}")'
            stub.append(region["indent"] + instead)
            seen.add(task)
            region = None
        elif LOOKS_LIKE_A_MARKER.match(line):
            raise MarkerError(
                f"{where}: write '# BEGIN SOLUTION task: what to do' or '# END SOLUTION',"
                " exactly so"
            )
        elif region is None or (MORE_TEXT.match(line) and not code):
            stub.append(line)
        elif line.strip():
            code.append(line)
    if region:
        raise MarkerError(f"{name}:{begin_line}: the solution region has no '# END SOLUTION'")
    if tasks - seen:
        lacking = ", ".join(sorted(tasks - seen))
        raise MarkerError(f"{name}: no solution region for the task {lacking}")
    return "\n".join(stub) + "\n"


def solution_lines(source: str, task: str | None = None) -> set[int]:
    """The numbers of the lines inside a reference's solution regions, of one task or of all."""
    lines, inside = set(), False
    for number, line in enumerate(source.splitlines(), start=1):
        if begin := BEGIN.match(line):
            inside = task in (None, begin["task"])
        elif END.match(line):
            inside = False
        elif inside:
            lines.add(number)
    return lines


def open_regions(source: str) -> dict[str, int]:
    """Task → line of the first `raise NotImplementedError("task")`, or dict entry `"task": ...`,
    left in a learner's file. A file that is not Python has none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    regions: dict[str, int] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Raise(ast.Call(ast.Name("NotImplementedError"), [ast.Constant(task), *_])):
                name = str(task)
                regions[name] = min(node.lineno, regions.get(name, node.lineno))
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and getattr(value, "value", None) is ...:
                        regions.setdefault(str(key.value), key.lineno)
    return regions


def is_begun(source: str, line: int) -> bool:
    """True if code of the learner's own stands beside the stub's `raise` in this line."""
    lines = source.splitlines()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        at = [number for number, each in enumerate(function.body) if each.lineno == line]
        if not at:
            continue
        above = function.body[ast.get_docstring(function) is not None : at[0]]
        if function.name == "__init__":  # the stub has lines above its TODO, none with a layer
            todos = (n for n in range(function.lineno, line) if TODO.match(lines[n - 1]))
            first = next(todos, line)
            above = [each for each in above if each.lineno > first or _makes_layer(each)]
        return bool(above or function.body[at[0] + 1 :])
    return False


def _makes_layer(statement: ast.stmt) -> bool:
    return re.search(r"nn\.[A-Z]\w*\([^)]", ast.unparse(statement)) is not None


def todo(source: str, task: str) -> str:
    """The text of the `# TODO task: ...` comment of a learner's file; empty if it is gone."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        if match := re.match(rf"\s*# TODO {re.escape(task)}: (.*)", line):
            more = itertools.takewhile(MORE_TEXT.match, lines[number + 1 :])
            return " ".join([match[1], *(text.strip("# \t") for text in more)])
    return ""
