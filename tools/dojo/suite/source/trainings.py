"""Slips in trainings: losses, optimizers, and the order of the moves."""

import ast
import re
from collections.abc import Iterator

from dojo.suite.source import code as trees
from dojo.suite.source.code import Code, Found, Function

CUTTING = {"detach", "item", "numpy", "tolist", "round", "argmax"}
# losses whose outputs and targets can't change places
LOPSIDED = {"BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "NLLLoss"}
LOPSIDED |= {"binary_cross_entropy_with_logits", "binary_cross_entropy"}
LOPSIDED |= {"cross_entropy", "nll_loss"}
SOFTMAX = {"torch.softmax", "torch.nn.functional.softmax"}
SIGMOID = {"torch.sigmoid", "torch.nn.functional.sigmoid"}


def _with_backward(code: Code) -> Iterator[tuple[Function, str, ast.Call]]:
    """Functions with the name on which backward() is called, and that call."""
    for function in code.functions:
        for call in trees.calls_of(function, "backward"):
            match call.func:
                case ast.Attribute(ast.Name(name)):
                    yield function, name, call


def loss_made_to_record(code: Code) -> Found:
    for function, name, _ in _with_backward(code):
        for node in ast.walk(function):
            match node:
                case ast.Assign([ast.Attribute(ast.Name(base), "requires_grad")]) | ast.Expr(
                    ast.Call(ast.Attribute(ast.Name(base), "requires_grad_"))
                ) if base == name:
                    yield node, (ast.unparse(node),)


def cut_off(code: Code) -> Found:
    for function, name, call in _with_backward(code):
        line = call.lineno
        target = ast.Name(name, ast.Load())

        for node in trees.chain(function, target, line):
            match node:
                case ast.Call(ast.Attribute(base, attr)) if attr in CUTTING:
                    is_cut = True
                case ast.Attribute(base, "data") if isinstance(node.ctx, ast.Load):
                    is_cut = True
                case ast.Call(called, [base, *_]):
                    is_cut = code.full(called) == "torch.tensor"
                case _:
                    is_cut = False
            if is_cut and _runs(function, base, line):
                yield node, (code.unparsed(node),)
        for model in _runs(function, target, line):
            block = code.around(model, ast.With)
            if block and call not in ast.walk(block) and "no_grad" in ast.unparse(block)[:30]:
                yield block, ("with torch.no_grad()",)


def _runs(function: Function, value: ast.AST, line: int) -> list[ast.Call]:
    """The calls of the function's arguments, such as model(x), that a value is computed from."""
    given = trees.parameters(function)
    calls = [n for n in trees.chain(function, value, line) if isinstance(n, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in given]


def _steps(function: Function) -> list[ast.Call]:
    """The calls of an optimizer's step()."""
    return [
        call
        for call in trees.calls_of(function, "step")
        if re.match(r"(?i)[\w.]*opt\w*\.step\(", ast.unparse(call))
    ]


def backward_missing(code: Code) -> Found:
    for function in code.functions:
        steps, text = _steps(function), ast.unparse(function)
        is_elsewhere = trees.loads(function) & code.top.keys()
        if steps and not is_elsewhere and not re.search(r"backward|autograd|\.grad\b", text):
            yield steps[0], (ast.unparse(steps[0].func),)


def zeroing_missing(code: Code) -> Found:
    for function in code.functions:
        backward = trees.calls_of(function, "backward")
        is_elsewhere = trees.loads(function) & code.top.keys()
        if _steps(function) and backward and not is_elsewhere:
            loop = code.around(backward[0], ast.For, ast.While)
            if loop and not re.search(r"zero_grad|\.grad\b", ast.unparse(function)):
                yield backward[0], ()


def _in_loop(code: Code, *names: str) -> Iterator[list[tuple[ast.Expr, str]]]:
    """For each body of a loop: its own statements that call a method of these, in order."""
    for node in code.nodes:
        if isinstance(node, ast.For | ast.While):
            calls = []
            for statement in node.body:
                match statement:
                    case ast.Expr(ast.Call(ast.Attribute(base, attr))) if attr in names:
                        if attr != "step" or "opt" in ast.unparse(base).lower():
                            calls.append((statement, attr))
            yield calls


def backward_after_step(code: Code) -> Found:
    for calls in _in_loop(code, "backward", "step"):
        if [name for _, name in calls] == ["step", "backward"]:
            yield calls[0][0], ()


def zeroed_after_backward(code: Code) -> Found:
    for calls in _in_loop(code, "backward", "step", "zero_grad"):
        if [name for _, name in calls] == ["backward", "zero_grad", "step"]:
            yield calls[1][0], ()


def optimizer_in_loop(code: Code) -> Found:
    for function in code.functions:
        steps = {code.around(step, ast.For, ast.While) for step in _steps(function)} - {None}
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            remembers = not name.endswith("SGD") or "momentum" in ast.unparse(call)
            is_in_loop = code.around(call, ast.For, ast.While) in steps
            if code.is_optimizer(call.func) and is_in_loop and remembers:
                yield call, (name,)


def _optimizers(code: Code) -> Iterator[tuple[Function, ast.Call, str]]:
    """Functions that make an optimizer of the parameters of one name: the call, and the name."""
    for function in code.functions:
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            match call:
                case ast.Call(made, [ast.Call(ast.Attribute(ast.Name(name), "parameters")), *_]):
                    if code.is_optimizer(made):
                        yield function, call, name


def optimizer_of_another(code: Code) -> Found:
    backward = {function: (name, call) for function, name, call in _with_backward(code)}
    for function, made, name in _optimizers(code):
        fresh = [v for other, v, _ in trees.assigned(function) if other == name]
        if function in backward and len(fresh) == 1 and _makes_model(code, fresh[0]):
            loss, call = backward[function]
            nodes = trees.chain(function, ast.Name(loss, ast.Load()), call.lineno)
            called = {n.func.id for n in nodes if isinstance(n, ast.Call) and _is_name(n.func)}  # type: ignore[attr-defined]
            others = [each for each in trees.parameters(function) if each in called]
            if name not in called and "model" in others:
                yield made, (name, "model")


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _makes_model(code: Code, value: ast.AST) -> bool:
    is_copy = isinstance(value, ast.Call) and ast.unparse(value.func).endswith("deepcopy")
    return is_copy or code.makes_layer(value)


def optimizer_of_the_old(code: Code) -> Found:
    for _function, made, name in _optimizers(code):
        block = code.around(made, ast.stmt)
        siblings = getattr(code.parents.get(block), "body", []) if block else []
        for statement in siblings[siblings.index(block) + 1 :] if block in siblings else ():
            match statement:
                case ast.Assign([ast.Name(other)], value) if other == name:
                    if _makes_model(code, value):
                        yield statement, (name,)


def mode_set_alone(code: Code) -> Found:
    for node in code.nodes:
        match node:
            case ast.Assign([ast.Attribute(ast.Name(name), "training")]) if name != "self":
                loop = code.around(node, ast.For)  # over all modules, each may get its own
                if not (isinstance(loop, ast.For) and name in ast.unparse(loop.target)):
                    yield node, (f"{name}.training = ...", f"{name}.train(...)")


def nll_on_scores(code: Code) -> Found:
    named = {getattr(node, "attr", getattr(node, "id", "")) for node in code.nodes}
    if not named & {"log_softmax", "LogSoftmax", "logsumexp", "log"}:
        for call in code.calls:
            if code.full(call.func) in ("torch.nn.NLLLoss", "torch.nn.functional.nll_loss"):
                yield call, ()


def softmax_twice(code: Code) -> Found:
    losses = ("torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy")
    yield from _applied_twice(code, losses, SOFTMAX, "Softmax")


def sigmoid_twice(code: Code) -> Found:
    losses = (
        "torch.nn.BCEWithLogitsLoss",
        "torch.nn.functional.binary_cross_entropy_with_logits",
    )
    yield from _applied_twice(code, losses, SIGMOID, "Sigmoid")


def _applied_twice(code: Code, losses: tuple[str, str], functions: set[str], layer: str) -> Found:
    """Outputs to which a function was applied go into a loss that applies it itself."""
    for function in code.functions:
        if not any(code.full(node) in losses for node in ast.walk(function)):
            continue
        makers = [n for n, v, _ in trees.assigned(function) if _names(code, v, losses[:1])]
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            is_loss = code.full(call.func) == losses[1] or ast.unparse(call.func) in makers
            is_loss |= isinstance(call.func, ast.Call) and code.full(call.func.func) == losses[0]
            for node in trees.chain(function, call.args[0], call.lineno) if call.args else ():
                if is_loss and node is not call and _applies(code, node, functions, layer):
                    yield node, (layer.lower(),)


def _applies(code: Code, node: ast.AST, functions: set[str], layer: str) -> bool:
    match node:
        case ast.Call(ast.Call(made)):
            return code.layer(made) == layer
        case ast.Call(ast.Attribute(attr=attr) as called):
            return code.full(called) in functions or attr == layer.lower()
        case ast.Call(called):
            return code.full(called) in functions
    return False


def _names(code: Code, value: ast.AST, wanted: tuple[str, ...]) -> bool:
    return isinstance(value, ast.Call) and code.full(value.func) in wanted


def loss_arguments_swapped(code: Code) -> Found:
    """A loss that gets the targets first; one that takes both alike is none of them."""
    for function in code.functions:
        makers = {name: value for name, value, _ in trees.assigned(function)}
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if len(call.args) == 2 and _is_lopsided_loss(code, call.func, makers):
                first, second = (_runs(function, each, call.lineno) for each in call.args)
                if second and not first:
                    turned = ", ".join(code.unparsed(each) for each in reversed(call.args))
                    yield call, (f"{code.unparsed(call.func)}({turned})",)


def _is_lopsided_loss(code: Code, called: ast.AST, makers: dict[str, ast.expr]) -> bool:
    """True if outputs and targets can't change places: cross-entropies, and a loss handed in."""
    match called:
        case ast.Name(name) if name in makers:
            return _is_lopsided_loss(code, makers[name], {})
        case ast.Name(name):
            return re.fullmatch(r"criterion|loss_?f(?:n|unction)?", name) is not None
        case ast.Call(made):
            return code.loss(made) in LOPSIDED
    module, _, name = code.full(called).rpartition(".")
    return module == "torch.nn.functional" and name in LOPSIDED


def summed_loss(code: Code) -> Found:
    for call in code.calls:
        for word in call.keywords:
            if word.arg == "reduction" and ast.unparse(word.value) == "'sum'":
                yield call, ()


def one_column(code: Code) -> Found:
    for call in code.calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in ("argmax", "softmax") and (call.args or call.keywords):
            yield call, (code.unparsed(call),)


def enumerate_unpacked(code: Code) -> Found:
    for loop in (node for node in code.nodes if isinstance(node, ast.For)):
        match loop:
            case ast.For(
                ast.Tuple([ast.Name(first), ast.Name(second)]), ast.Call(ast.Name("enumerate"))
            ):
                is_tensors = any(_is_tensors(node, first) for node in ast.walk(loop))
                if is_tensors or re.match(r"(?:features?|inputs?|images?|x|xs|xb|X|data)$", first):
                    yield loop, (first, "number", second)


def _is_tensors(node: ast.AST, name: str) -> bool:
    """True if something is done with a name that no whole number can do."""
    match node:
        case ast.Attribute(ast.Name(base)) | ast.Call(
            ast.Name("model" | "net" | "network"), [ast.Name(base)]
        ):
            return base == name
    return False


def range_off(code: Code) -> Found:
    for function in code.functions:
        counts = {*trees.parameters(function)} & {"epochs", "steps", "rounds", "iterations"}
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            match call:
                case ast.Call(ast.Name("range"), [ast.Constant(1), ast.Name(name)]):
                    off = "less"
                case ast.Call(
                    ast.Name("range"), [ast.BinOp(ast.Name(name), sign, ast.Constant(1))]
                ):
                    off = "less" if isinstance(sign, ast.Sub) else "more"
                case _:
                    continue
            if name in counts:
                yield call, (", ".join(map(ast.unparse, call.args)), off, name)
