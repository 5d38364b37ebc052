"""Is a function written out by hand? Read from the source of a submission, on the trusted side:
whatever it runs, and wherever, stands there by its name.
"""

import ast
from collections.abc import Collection, Iterator, Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Torch's own ways, whatever they are called there: no matter whether as a function, in place, as a
# method or as a module, so without capitals and underscores.
ACTIVATIONS = _names(
    "sigmoid tanh relu leakyrelu prelu softplus silu gelu selu expit relu6 elu celu rrelu glu mish"
    " hardtanh hardsigmoid hardswish hardshrink logsigmoid softshrink softsign tanhshrink threshold"
    " softmax softmin logsoftmax gumbelsoftmax softmax2d prelukernel"
)
SOFTMAX = _names("softmax logsoftmax softmin logsumexp gumbelsoftmax softmax2d")
CROSS_ENTROPY = _names(
    "binarycrossentropy binarycrossentropywithlogits bceloss bcewithlogitsloss crossentropy"
    " crossentropyloss softmarginloss multilabelsoftmarginloss linearcrossentropy"
    " linearcrossentropyloss"
)
AUTOGRAD = _names("backward grad gradandvalue jacrev jacfwd jacobian hessian vjp jvp vhp hvp")
OPTIMIZERS = _names("optim fusedsgd fusedadam fusedadamw")
# what reaches anything by a text, and code that stands in one; exactly so
AROUND = _names(
    "getattr setattr eval exec compile __import__ import_module globals vars attrgetter"
    " methodcaller __dict__ __getattr__ __getattribute__ __code__ __globals__ FunctionType CodeType"
    " CompilationUnit load loads ops _C _VF _refs _prims _decomp ctypes"
)
OTHERS, CALLED = "", "()"  # no names


def fault(source: str | bytes, functions: Mapping[str, Collection[str]]) -> str:
    """What the code of one of these functions names that it is to do without, in words; else "".

    Args:
        functions: a function or class of the file → names as above.
    """
    try:
        known = _known(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return ""  # nor can it be loaded
    for function, without in functions.items():
        names = set(_named(function, known))
        found = {name for name in names if name.replace("_", "").lower() in without}
        if found := found | (names & AROUND):
            return f"{function} is not written out: its code names {', '.join(sorted(found))}"
    return ""


def _known(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """What each name of the file stands for. What else runs when it is loaded stands under CALLED,
    if it gives nothing a value, and under OTHERS.
    """
    known: dict[str, list[ast.AST]] = {OTHERS: [], CALLED: []}
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        match statement := waiting.pop():
            case ast.If(test=ast.Compare(left=ast.Name("__name__"))):
                pass
            case ast.If(body=body, orelse=other) | ast.For(body=body, orelse=other):
                waiting += [*body, *other]
            case ast.With(body=body):
                waiting += body
            case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=last):
                waiting += [*body, *other, *last, *(one for part in handlers for one in part.body)]
            case ast.Expr() | ast.Assert():
                known[CALLED].append(statement)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                known.setdefault(name, []).append(statement)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                module = getattr(statement, "module", None)
                for alias in names:
                    name = alias.asname or alias.name.partition(".")[0]
                    whole = ast.alias(f"{module}.{alias.name}" if module else alias.name)
                    known.setdefault(name, []).append(whole)
            case ast.Assign(targets=targets, value=value) if all(map(_is_of_names, targets)):
                for name in _stored(*targets):
                    known.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(name), value=value):
                known.setdefault(name, []).extend([value] if value else [])
            case _:
                known[OTHERS].append(statement)
    return known


def _is_of_names(target: ast.expr) -> bool:
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return all(isinstance(part, ast.Name) for part in parts)


def _stored(*parts: ast.AST) -> set[str]:
    """The names that code gives to values of its own."""
    nodes = [node for part in parts for node in ast.walk(part)]
    names = {
        one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return names | {one.arg for one in nodes if isinstance(one, ast.arg)}


def _named(function: str, known: Mapping[str, list[ast.AST]]) -> Iterator[str]:
    """The names in the code of a function, and in all of the file that it uses, but for those that
    are its own.
    """
    waiting = [OTHERS, CALLED, function]
    seen = {*waiting}
    while waiting:
        is_called = (place := waiting.pop()) == CALLED  # such as a comparison with torch's own
        for part in known.get(place, ()):
            own = _stored(part)
            for node in ast.walk(part):
                match node:
                    case ast.Name(name) if name in known:
                        waiting += [] if name in seen else [name]
                        seen.add(name)
                    case ast.Name(name) if name in own:
                        pass
                    case ast.Name(name) | ast.Attribute(attr=name):
                        yield from [name] if name in AROUND or not is_called else []
                    case ast.alias(name=name) | ast.ImportFrom(module=str(name)):
                        yield from name.split(".")
