"""Slips in models: layers, their classes, and the methods of nn.Module."""

import ast
import difflib
import re
from collections.abc import Iterator

from dojo.suite.source import code as trees
from dojo.suite.source.code import Code, Found, Function, leaves

WITHOUT_SETTINGS = {"ReLU", "Sigmoid", "Tanh", "SiLU", "Softsign", "LogSigmoid", "Identity"}
WITH_DIMENSION = {"Softmax", "LogSoftmax", "Softmin"}
BOXES = {"torch.nn.Sequential", "torch.nn.ModuleList"}
FORWARD = {"__init__", "forward"}


def class_in_container(code: Code) -> Found:
    for call in code.calls:
        adds = isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "add_module")
        if code.full(call.func) in BOXES or adds:
            parts = [leaf for argument in call.args for leaf in leaves(argument)]
            yield from ((p, (ast.unparse(p),)) for p in parts if code.layer(p))


def class_as_layer(code: Code) -> Found:
    for model in code.classes:
        for node in ast.walk(model):
            match node:
                case ast.Assign([ast.Attribute(ast.Name("self"), name)], value) if code.layer(
                    value
                ):
                    calls = trees.calls_of(model, name)
                    if calls and all(call.args for call in calls):
                        yield node, (ast.unparse(value), name, code.layer(value))


def layer_made_with_data(code: Code) -> Found:
    for call in code.calls:
        name, data = code.layer(call.func), call.args[0] if call.args else None
        if data is None or _is_setting(data):
            continue
        if name in WITHOUT_SETTINGS or name in WITH_DIMENSION:
            made = ast.unparse(call.func) + ("(dim=1)" if name in WITH_DIMENSION else "()")
            yield call, (ast.unparse(call.func), code.unparsed(data), made, name)


def _is_setting(node: ast.AST) -> bool:
    is_constant = isinstance(node, ast.Constant | ast.UnaryOp | ast.Starred)
    return is_constant or re.search(r"dim|axis|inplace", ast.unparse(node)) is not None


def loss_made_with_data(code: Code) -> Found:
    for call in code.calls:
        is_constant = any(isinstance(argument, ast.Constant) for argument in call.args)
        if (name := code.loss(call.func)) and len(call.args) > 1 and not is_constant:
            data = ", ".join(map(code.unparsed, call.args))
            yield call, (ast.unparse(call.func), data, name)


def layer_as_value(code: Code) -> Found:
    for model in code.models:
        layers = {
            target.attr
            for node in ast.walk(model)
            if isinstance(node, ast.Assign) and code.makes_layer(node.value)
            for target in node.targets
            if isinstance(target, ast.Attribute) and trees.is_self(target)
        }
        for call in (node for node in ast.walk(model) if isinstance(node, ast.Call)):
            computes = code.full(call.func).startswith(("torch.nn.functional.", "torch."))
            computes &= not code.full(call.func).rpartition(".")[2][:1].isupper()
            applied = trees.is_self(call.func) and call.func.attr in layers  # type: ignore[attr-defined]
            for given in call.args if computes or applied else ():
                if trees.is_self(given) and given.attr in layers:  # type: ignore[attr-defined]
                    yield call, (ast.unparse(given),)


def self_missing(code: Code) -> Found:
    for model in code.models:
        if not (init := trees.methods(model).get("__init__")):
            continue
        kept = trees.attributes_of_self(model, ast.Store)
        used, wanted = trees.loads(init), trees.attributes_of_self(model, ast.Load)
        for name, value, line in trees.assigned(init):
            is_lost = code.makes_layer(value) or name in wanted
            if is_lost and name not in used and name not in kept:
                yield trees.at(init, line), (name,)


def self_left_out(code: Code) -> Found:
    known = {*code.top, *(name for name, _, _ in trees.assigned(code.tree))}
    for model in code.classes:
        kept = trees.attributes_of_self(model, ast.Store) - known
        for method in trees.methods(model).values():
            for node in ast.walk(method):
                is_read = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
                if is_read and node.id in kept - {*trees.parameters(method)}:  # type: ignore[attr-defined]
                    yield node, (node.id,)  # type: ignore[attr-defined]


def misspelt_method(code: Code) -> Found:
    for model in code.models:
        names = trees.methods(model)
        for name, method in names.items():
            core = name.strip("_").lower()
            if name not in FORWARD and core in ("init", "int", "inti", "initt", "intit"):
                if name.startswith("_") and "__init__" not in names:
                    yield method, (name, "__init__")
            elif "forward" not in names and difflib.get_close_matches(core, ["forward"], 1, 0.8):
                yield method, (name, "forward")


def super_missing(code: Code) -> Found:
    for model in code.models:
        init = trees.methods(model).get("__init__")
        if init and not re.search(r"super|Module\.__init__", ast.unparse(init)):
            yield init, ()


def plain_list(code: Code) -> Found:
    for model in code.models:
        text = ast.unparse(model)
        for method in trees.methods(model).values():
            values = list(trees.assigned(method))
            for node in ast.walk(method):
                if not isinstance(node, ast.Assign | ast.AnnAssign) or not node.value:
                    continue
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if not isinstance(target, ast.Attribute) or not trees.is_self(target):
                    continue
                name, value = target.attr, node.value
                if isinstance(value, ast.Name):
                    named = [v for other, v, _ in values if other == value.id]
                    value = named[0] if len(named) == 1 else value
                kind = {ast.List: "list", ast.ListComp: "list", ast.Tuple: "tuple"}.get(type(value))
                kind = "dict" if isinstance(value, ast.Dict | ast.DictComp) else kind
                parts = value.values if isinstance(value, ast.Dict) else leaves(value)
                parts = [value.value] if isinstance(value, ast.DictComp) else parts
                made = [*parts, *_appended(method, name, node.value)]
                boxed = re.search(rf"(?:Sequential|ModuleList|ModuleDict)\(\*?self\.{name}\b", text)
                if kind and not boxed and any(map(code.makes_layer, made)):
                    box = "ModuleDict" if kind == "dict" else "ModuleList (or an nn.Sequential)"
                    yield node, (name, kind, box)


def _appended(method: Function, name: str, value: ast.AST) -> Iterator[ast.AST]:
    """What is appended to self.name, or to the variable that it was made of."""
    places = {f"self.{name}", value.id if isinstance(value, ast.Name) else ""}
    for call in trees.calls_of(method, "append", "extend"):
        assert isinstance(call.func, ast.Attribute)
        if ast.unparse(call.func.value) in places:
            yield from (leaf for argument in call.args for leaf in leaves(argument))
