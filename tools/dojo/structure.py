"""What a model is made of, as far as a stub fixes it: submodules by name, their types and sizes.

Free are the order in which they are made, where it does not count for the model; names in an
nn.Sequential; `inplace`; and further submodules without parameters of their own: nobody has to use
them, or they are other names for the parts that the stub names, such as an nn.Sequential of them.
Torch is not imported: a model brings its own methods.
"""

import re
import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from dojo.diagnosis import counted

ORDERED = ("Sequential", "ModuleList")
LINE = re.compile(r"(?:\((?P<name>[^)]*)\): )?(?:(?P<times>\d+) x )?(?P<kind>\w+)\((?P<sizes>.*)")
IN_PLACE = re.compile(r"(?:, )?\binplace=\w+|\binplace\b")


@dataclass(frozen=True)
class Structure:
    """A module, and what it is made of.

    Attributes:
        sizes: what stands between its brackets when it is printed, without `inplace`.
        parts: name → module; of those in a row the name is their number.
        state: ids of the parameters and buffers in it.
    """

    kind: str
    sizes: str = ""
    parts: dict[str, "Structure"] = field(default_factory=dict)
    state: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.kind}({self.sizes})" if not self.parts else f"{self.kind}(...)"

    def lines(self, name: str = "") -> Iterator[str]:
        """The module as it is printed."""
        head = f"({name}): " if name else ""
        if not self.parts:
            yield f"{head}{self.kind}({self.sizes})"
            return
        yield f"{head}{self.kind}("
        for inner, part in self.parts.items():
            yield from (f"  {line}" for line in part.lines(inner))
        yield ")"


def of(model: Any) -> Structure:
    """What a model is made of. A layer of a class of one's own is what that class makes a kind of:
    an nn.Linear, say.
    """
    return _of(model, model._get_name())


def _kind(part: Any) -> str:
    kinds = (one for one in type(part).__mro__ if one.__module__.startswith("torch.nn."))
    nearest = next(kinds, None)
    own: str = part._get_name()
    return own if nearest is None or nearest.__name__ == "Module" else nearest.__name__


def _of(model: Any, kind: str) -> Structure:
    # not named_children(), which leaves out what stands there twice, such as one nn.Tanh for all
    children = {name: part for name, part in model._modules.items() if part is not None}
    parts = {
        str(number) if kind in ORDERED else name: _of(child, _kind(child))
        for number, (name, child) in enumerate(children.items())
    }
    state = frozenset(map(id, (*model.parameters(), *model.buffers())))
    return Structure(kind, _free_of_in_place(model.extra_repr()), parts, state)


def read(text: str) -> Structure:
    """What the printed text of a model says that it is made of."""
    lines = textwrap.dedent(text).strip().splitlines()
    return _read(lines.pop(0), lines)[1]


def _read(line: str, rest: list[str]) -> tuple[str, Structure]:
    found = LINE.match(line.strip())
    if found is None:
        raise ValueError(f"not a line of a printed model: {line!r}")
    name, kind, sizes = found["name"] or "", found["kind"], found["sizes"]
    if sizes.endswith(")"):
        return name, Structure(kind, _free_of_in_place(sizes[:-1]))
    parts: dict[str, Structure] = {}
    while (line := rest.pop(0).strip()) != ")":
        inner, part = _read(line, rest)
        for each in _numbers(inner):
            parts[each if kind not in ORDERED else str(len(parts))] = part
    return name, Structure(kind, "", parts)


def _numbers(name: str) -> list[str]:
    """'(0-2)' stands for three modules that are alike."""
    first, dash, last = name.partition("-")
    if dash and first.isdigit() and last.isdigit():
        return [str(number) for number in range(int(first), int(last) + 1)]
    return [name]


def _free_of_in_place(sizes: str) -> str:
    return IN_PLACE.sub("", sizes).removeprefix(", ")


def fits(seen: Structure, wanted: Structure) -> bool:
    """True if a model is made of what is wanted, and of nothing else that learns."""
    if (seen.kind, seen.sizes) != (wanted.kind, wanted.sizes):
        return False
    if wanted.kind in ORDERED and len(seen.parts) != len(wanted.parts):
        return False
    return not _more(seen, wanted.parts) and all(
        name in seen.parts and fits(seen.parts[name], part) for name, part in wanted.parts.items()
    )


def _more(part: Structure, named: Collection[str]) -> set[str]:
    """The names of further parts with something to learn, or to keep, that the named ones lack."""
    held = {each for name in named if name in part.parts for each in part.parts[name].state}
    return {name for name, one in part.parts.items() if name not in named and one.state - held}


def difference(seen: Structure, wanted: Structure, name: str = "") -> str:
    """The first place where a model is made of something else than what is wanted, in words."""
    own = name or "the model"
    if (seen.kind, seen.sizes) != (wanted.kind, wanted.sizes):
        return f"{own} is {seen}, where {wanted} is asked for"
    if wanted.kind in ORDERED and len(seen.parts) != len(wanted.parts):
        kinds = ", ".join(part.kind for part in wanted.parts.values())
        found = counted(len(seen.parts), "part")
        return f"{own} has {found}, where {len(wanted.parts)} are asked for: {kinds}"
    more = _more(seen, wanted.parts)
    for part, right in wanted.parts.items():
        inner = f"{name}.{part}".strip(".")
        if part not in seen.parts:
            alike = [other for other in more if fits(seen.parts[other], right)]
            called = f": here it is called {alike[0]}" if len(alike) == 1 else ""
            return f"there is no {inner}{called}"
        if not fits(seen.parts[part], right):
            return difference(seen.parts[part], right, inner)
    return f"{own} has parts that are not asked for: {', '.join(sorted(more))}"


def plain(model: Any, *named: str) -> list[object]:
    """What a model is made of, as plain values that are the same for all models that fit.

    Args:
        named: the attributes that the stub names.
    """
    return _plain(of(model), named)


def _plain(part: Structure, named: Collection[str]) -> list[object]:
    if part.kind in ORDERED:
        return [part.kind, part.sizes, [_plain(one, ()) for one in part.parts.values()]]
    counting = _more(part, named) | set(named)
    kept = {name: _plain(one, ()) for name, one in part.parts.items() if name in counting}
    return [part.kind, part.sizes, kept]
