"""A learner's own file, read as a tree, and what the failing test can have run of it."""

import ast
import functools
from collections.abc import Iterable, Iterator

from torch import nn
from torch.nn.modules.loss import _Loss

Function = ast.FunctionDef | ast.AsyncFunctionDef
# what a detector gives: where it is, and the words for its text
Found = Iterator[tuple[ast.AST, tuple[str, ...]]]


class Code:
    """A file's tree, with what detectors ask of it.

    Raises:
        SyntaxError, ValueError: the text is not Python.
    """

    def __init__(self, text: str) -> None:
        self.text, self.tree = text, ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.top = {
            node.name: node for node in self.tree.body if isinstance(node, Function | ast.ClassDef)
        }
        self.imported = dict(self._imports())

    def _imports(self) -> Iterator[tuple[str, str]]:
        """Each imported name and what it stands for; what only the file's program imports says
        nothing about its functions.
        """
        of_program = {n for main in self.tree.body if _is_main(main) for n in ast.walk(main)}
        for node in (node for node in self.nodes if node not in of_program):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    root = alias.name if alias.asname else alias.name.partition(".")[0]
                    yield alias.asname or root, root
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"

    def reached(self, names: Iterable[str]) -> set[ast.stmt]:
        """The statements of the top level that these names of the file can lead to: what they name
        themselves, directly or not, and what always runs.
        """
        todo, seen = [name for name in names if name in self.top], set[str]()
        while todo:
            if (name := todo.pop()) not in seen:
                seen.add(name)
                todo += _outer(self.top[name]) & self.top.keys()
        always = {node for node in self.tree.body if not isinstance(node, Function | ast.ClassDef)}
        return {self.top[name] for name in seen} | {node for node in always if not _is_main(node)}

    def place(self, node: ast.AST) -> ast.AST:
        """The statement of the top level that a node lies in."""
        while (parent := self.parents.get(node, self.tree)) is not self.tree:
            node = parent
        return node

    def around(self, node: ast.AST, *kinds: type[ast.AST]) -> ast.AST | None:
        """The nearest node of these kinds that a node lies in."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, kinds):
            above = self.parents.get(above)
        return above

    @functools.cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    @functools.cached_property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in self.nodes if isinstance(node, ast.ClassDef)]

    @functools.cached_property
    def models(self) -> list[ast.ClassDef]:
        """The classes that derive from nn.Module itself."""
        return [
            node
            for node in self.classes
            if any(self.full(base) == "torch.nn.Module" for base in node.bases)
        ]

    @functools.cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    def full(self, node: ast.AST) -> str:
        """The dotted name of what is imported, however it was: "torch.nn.ReLU"; else ""."""
        if isinstance(node, ast.Attribute):
            before = self.full(node.value)
            return f"{before}.{node.attr}" if before else ""
        return self.imported.get(node.id, "") if isinstance(node, ast.Name) else ""

    def layer(self, node: ast.AST) -> str:
        """The name of torch's layer class that a node names; empty if it names none."""
        kind = self._of_nn(node)
        return kind.__name__ if kind and not issubclass(kind, _Loss) else ""

    def loss(self, node: ast.AST) -> str:
        """The name of torch's loss class that a node names; empty if it names none."""
        kind = self._of_nn(node)
        return kind.__name__ if kind and issubclass(kind, _Loss) else ""

    def _of_nn(self, node: ast.AST) -> type[nn.Module] | None:
        module, _, name = self.full(node).rpartition(".")
        kind = getattr(nn, name, None) if module == "torch.nn" else None
        return kind if isinstance(kind, type) and issubclass(kind, nn.Module) else None

    def makes_layer(self, node: ast.AST | None) -> bool:
        """True if this expression makes a layer: of torch, or of a class of the file's own."""
        if not isinstance(node, ast.Call):
            return False
        own = isinstance(node.func, ast.Name) and self.top.get(node.func.id) in self.models
        return own or bool(self.layer(node.func))

    def is_optimizer(self, node: ast.AST) -> bool:
        """True if a class of torch.optim is named."""
        module, _, name = self.full(node).rpartition(".")
        return module == "torch.optim" and name[:1].isupper()

    def unparsed(self, node: ast.AST) -> str:
        """The text of an expression, shortened."""
        text = ast.unparse(node)
        return text if len(text) <= 40 else f"{text[:37]}..."


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def loads(node: ast.AST) -> set[str]:
    """The names that are read somewhere in a node."""
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def attributes_of_self(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The attributes of `self` that a node reads (ast.Load) or sets (ast.Store)."""
    found = (n for n in ast.walk(node) if isinstance(n, ast.Attribute))
    return {n.attr for n in found if is_self(n) and isinstance(n.ctx, context)}


def is_self(node: ast.AST) -> bool:
    """True for self.x."""
    is_attribute = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return is_attribute and node.value.id == "self"  # type: ignore[attr-defined]


def methods(node: ast.ClassDef) -> dict[str, Function]:
    return {each.name: each for each in node.body if isinstance(each, Function)}


def parameters(function: Function) -> list[str]:
    every = function.args
    return [arg.arg for arg in (*every.posonlyargs, *every.args, *every.kwonlyargs)]


def assigned(function: ast.AST) -> Iterator[tuple[str, ast.expr, int]]:
    """(name, value, line) of each assignment to a plain name; `a, b = c` counts for a and for b."""
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            targets = [node.target]
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                if isinstance(part, ast.Name):
                    yield part.id, node.value, node.lineno  # type: ignore[attr-defined]


def calls_of(node: ast.AST, *names: str) -> list[ast.Call]:
    """The calls of methods of these names within a node."""
    return [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in names
    ]


def chain(function: Function, value: ast.AST, before: int) -> Iterator[ast.AST]:
    """The nodes that a value is computed from, through the local names assigned up to a line."""
    values = list(assigned(function))
    todo, seen = [value], set[str]()
    while todo:
        for node in ast.walk(todo.pop()):
            yield node
            if isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                todo += [v for name, v, line in values if name == node.id and line <= before]


def leaves(node: ast.AST) -> Iterator[ast.AST]:
    """The entries of an expression that may hold several."""
    match node:
        case ast.List(entries) | ast.Tuple(entries):
            for entry in entries:
                yield from leaves(entry)
        case ast.Starred(value) | ast.ListComp(value) | ast.GeneratorExp(value):
            yield from leaves(value)
        case ast.BinOp(left, _, right) | ast.IfExp(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case _:
            yield node


def at(node: ast.AST, line: int) -> ast.AST:
    """The first statement in a node that begins in this line."""
    return next(n for n in ast.walk(node) if isinstance(n, ast.stmt) and n.lineno == line)


def _outer(definition: ast.AST) -> set[str]:
    """The names that a definition takes from around it: not its own variables, such as the rows
    `train` beside a function `train`.
    """
    nodes = list(ast.walk(definition))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    named = [node for node in nodes if isinstance(node, ast.Name)]
    own |= {node.id for node in named if isinstance(node.ctx, ast.Store)}
    return {node.id for node in named} - own
