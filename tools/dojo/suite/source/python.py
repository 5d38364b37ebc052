"""Slips of Python itself: brackets, loops, names and signs."""

import ast
import re

from dojo.suite.source import code as trees
from dojo.suite.source.code import Code, Found, Function

NAMED_IN_VAIN = {"backward", "step", "zero_grad", "eval", "train", "append", "__init__", "zero_"}
NAMED_AS_VALUES = {"item", "is_available", "numpy", "tolist", "detach", "argmax"}
HIDING = {
    "sum",
    "list",
    "max",
    "min",
    "len",
    "range",
    "float",
    "int",
    "print",
    "str",
    "zip",
    "dict",
}
HIDING |= {"enumerate", "set", "abs", "round", "sorted", "tuple", "type", "input"}


def method_not_called(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.Expr(ast.Attribute(attr=name) as value) if name in NAMED_IN_VAIN:
                yield node, (ast.unparse(value), name)
            case ast.withitem(ast.Attribute(attr="no_grad" | "enable_grad" | "inference_mode")):
                named = node.context_expr
                yield named, (ast.unparse(named), named.attr)  # type: ignore[attr-defined]
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in NAMED_AS_VALUES:
                if _is_used_up(code, node):
                    yield node, (ast.unparse(node), name)


def _is_used_up(code: Code, node: ast.Attribute) -> bool:
    """True if a method stands where its result is needed, and cannot be meant itself."""
    if ast.unparse(node.value)[:1].isupper():  # a class: Tensor.item
        return False
    match code.parents.get(node):
        case ast.BinOp() | ast.Compare() | ast.FormattedValue():
            return True
        case ast.AugAssign(value=value) | ast.If(test=value) | ast.IfExp(test=value):
            return value is node
        case ast.Call(ast.Attribute(attr="append")) | ast.Call(ast.Name("float" | "int" | "print")):
            return True
        case ast.Call(function) as call:
            return node in call.args and code.is_optimizer(function)
    return False


def return_in_loop(code: Code) -> Found:
    for node in code.nodes:
        if not isinstance(node, ast.For | ast.While):
            continue
        for statement in node.body:
            if isinstance(statement, ast.Return) and statement.value:
                grown = {ast.unparse(c.func.value) for c in trees.calls_of(node, "append")}  # type: ignore[attr-defined]
                added = (n for n in ast.walk(node) if isinstance(n, ast.AugAssign))
                grown |= {ast.unparse(each.target) for each in added}
                if trees.loads(statement.value) & grown:
                    yield statement, ()


def counter_returned(code: Code) -> Found:
    for function in code.functions:
        for loop in (node for node in ast.walk(function) if isinstance(node, ast.For)):
            match loop:
                case ast.For(ast.Tuple([ast.Name(name), _]), ast.Call(ast.Name("enumerate"), [_])):
                    if not loop.iter.keywords:  # type: ignore[attr-defined]
                        yield from _returns(function, loop, name)


def _returns(function: Function, loop: ast.For, name: str) -> Found:
    inside = set(ast.walk(loop))
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value and node not in inside:
            entries = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            if any(isinstance(entry, ast.Name) and entry.id == name for entry in entries):
                yield node, (name,)


def equals_plus(code: Code) -> Found:
    lines = code.text.splitlines()
    for node in code.nodes:
        match node:
            case ast.Assign([ast.Name()], ast.UnaryOp(ast.UAdd(), _)) if re.search(
                r"=\+", lines[node.lineno - 1]
            ):
                yield node, ()


def hat_for_power(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.BinOp(left, ast.BitXor(), right):
                sides = [side.value for side in (left, right) if isinstance(side, ast.Constant)]
                if any(type(value) in (int, float) for value in sides):
                    yield node, ()


def largest_along(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.Call(ast.Attribute(ast.Name("torch"), "max" | "min" as name), [x, second], []):
                if isinstance(second, ast.Constant) and second.value == 0:
                    bound = "min" if name == "max" else "max"
                    yield node, (ast.unparse(node), f"{ast.unparse(x)}.clamp({bound}=0)")


def compared_alone(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.Expr(ast.Compare(ops=[ast.Eq()])):
                yield node, (ast.unparse(node),)


def is_number(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.Compare(_, [ast.Is() | ast.IsNot()], [ast.Constant(value)]):
                if type(value) in (int, float, str):
                    yield node, (code.unparsed(node),)


def mutable_default(code: Code) -> Found:
    for function in code.functions:
        every = function.args
        pairs = [*zip(every.args[::-1], every.defaults[::-1], strict=False)]
        for argument, default in [*pairs, *zip(every.kwonlyargs, every.kw_defaults, strict=True)]:
            grown = trees.calls_of(function, "append", "extend", "update", "add")
            changed = {ast.unparse(call.func.value) for call in grown}  # type: ignore[attr-defined]
            if isinstance(default, ast.List | ast.Dict | ast.Set) and argument.arg in changed:
                yield function, (argument.arg,)


def argument_unused(code: Code) -> Found:
    for function in code.functions:
        raises = isinstance(function.body[-1], ast.Raise)
        for name in () if raises else trees.parameters(function):
            if name not in {"self", "cls"} | trees.loads(function) and name[0] != "_":
                yield function, (name, function.name)


def shadowed(code: Code) -> Found:
    for scope in [*code.functions, code.tree]:
        calls = {ast.unparse(n.func) for n in ast.walk(scope) if isinstance(n, ast.Call)}
        for name, _, line in trees.assigned(scope):
            if name in code.imported or (name in HIDING and name in calls):
                yield trees.at(scope, line), (name, code.imported.get(name, f"Python's {name}()"))


def print_for_return(code: Code) -> Found:
    for function in code.functions:
        ends, promises = ast.unparse(function.body[-1]), function.returns
        returns = any(isinstance(n, ast.Return | ast.Yield) for n in ast.walk(function))
        is_promised = promises is not None and ast.unparse(promises) != "None"
        if ends.startswith("print(") and is_promised and not returns:
            yield function, (function.name,)
