"""What a kata's code changes for the whole process: put back, so that no other kata meets it.

The tables below name these things. Not in them are random numbers (every test sets the seeds) and
warnings filters (pytest puts them back after each step of a test). What the import of a kata's file
changes holds while its own tests run. What a test changes is undone after it, or, in a table that
it takes long to look through, after the last test of the kata in a row.
"""

import builtins
import contextlib
import importlib
import locale
import logging
import math
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch

from dojo.diagnosis import Cause, Diagnosis
from dojo.suite.loader import A_KATA, packages

MOST_NAMED = 3  # names of one table that a sentence lists
# what decides how all code after it computes, and what a function does that leaves it changed
DECIDING = {
    "torch's recording of gradients": "gradients are switched off, or on, for all code after this:"
    " `with torch.no_grad():` ends with its block",
    "torch's inference mode": "inference mode is entered and never left:"
    " `with torch.inference_mode():` ends with its block",
    "torch's default dtype": "torch.set_default_dtype(...) holds for all code after it: give a"
    " tensor its own dtype instead",
    "torch's default device": "torch.set_default_device(...) holds for all code after it: give a"
    " tensor its own device instead",
}
PLAIN = (bool, int, float, torch.dtype, torch.device)
# not SIGALRM, which ends a test that takes too long
SIGNALS = {"SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGPIPE", "SIGUSR1", "SIGUSR2"}
STREAMS = {"sys.stdin", "sys.stdout", "sys.stderr"}
DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydev", "coverage")
ABSENT: Any = object()
State = dict["Table", dict[str, Any]]
_guards: list[Any] = []  # a mode of torch ends with the object that began it


@dataclass(frozen=True, eq=False)
class Table:
    """Names with a value each; None is one that can't be read yet.

    Attributes:
        words: what a name of it is called.
        now: the table, to be read only.
        put: gives a name a value, or takes it out if that is ABSENT.
        counts: whether a new name is a change.
        is_quick: it is looked through after every test.
    """

    words: str
    now: Callable[[], Mapping[str, Any]]
    put: Callable[[str, Any], object]
    counts: Callable[[str], bool] = lambda name: False
    is_quick: bool = False

    def changed(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Name → value of what is another than before."""
        now = self.now()
        with contextlib.suppress(Exception):  # values may refuse to be compared
            if before == now:
                return {}
        old = [name for name in before if not _same(before[name], now.get(name, ABSENT))]
        new = [name for name in now if name not in before and self.counts(name)]
        return {name: now.get(name, ABSENT) for name in old + new}

    def restore(self, before: Mapping[str, Any]) -> None:
        """Make it what it was before, as far as that can be."""
        for name in self.changed(before):
            with contextlib.suppress(Exception):
                self.put(name, before.get(name, ABSENT))

    def texts(self, changed: Mapping[str, Any]) -> list[str]:
        """The changes in words."""
        told = ((name, f" to {v}" if isinstance(v, PLAIN) else "") for name, v in changed.items())
        texts = [self.words.format(name) + to for name, to in told]
        return [*texts[:MOST_NAMED], f"{len(texts) - MOST_NAMED} more"][: len(texts)]


def _same(one: Any, other: Any) -> bool:
    try:
        return one is None or one is other or (type(one) is type(other) and bool(one == other))
    except Exception:
        return False


def _names(
    words: str, table: Any, now: Any = None, counts: Any = lambda name: False, quick: bool = False
) -> Table:
    def put(name: str, value: Any) -> None:
        if value is ABSENT:
            del table[name]
        else:
            table[name] = value

    return Table(words, now or (lambda: table), put, counts, quick)


def _class(kind: type) -> Table:
    def put(name: str, value: Any) -> None:
        delattr(kind, name) if value is ABSENT else setattr(kind, name, value)

    hides = partial(hasattr, super(kind, kind))
    return Table(f"{kind.__module__}.{kind.__name__}.{{}}", lambda: vars(kind), put, hides)


def _is_made_up(name: str) -> bool:
    """True for a module of a package that was not imported as packages are."""
    top = sys.modules.get(name.partition(".")[0])
    return getattr(top, "__spec__", None) is None and not A_KATA.match(name)


def _plot_settings() -> dict[str, Any]:
    # asked for its values one by one, matplotlib would choose a backend
    items = dict.items(sys.modules["matplotlib"].rcParams) if "matplotlib" in sys.modules else ()
    return {name: value for name, value in items if name != "backend" or isinstance(value, str)}


def _figures(keep: tuple[int, ...] | None = None) -> tuple[int, ...]:
    pyplot = sys.modules["matplotlib.pyplot"]
    for number in () if keep is None else set(pyplot.get_fignums()) - set(keep):
        pyplot.close(number)
    return tuple(pyplot.get_fignums())


def _set_inference_mode(mode: bool) -> None:
    _guards.append(torch.inference_mode(mode))
    _guards[-1].__enter__()


def _tracer(get: Callable[[], Any]) -> tuple[Any]:
    return (None if str(getattr(get(), "__module__", "")).startswith(DEBUGGERS) else get(),)


def _log() -> tuple[int, int, list[Any]]:
    root = logging.root
    handlers = [each for each in root.handlers if not type(each).__module__.startswith("_pytest")]
    return root.level, root.manager.disable, handlers


def _put_log(state: tuple[int, int, list[Any]]) -> None:
    of_pytest = [handler for handler in logging.root.handlers if handler not in _log()[2]]
    logging.root.level, logging.root.manager.disable, handlers = state
    logging.root.handlers[:] = [*of_pytest, *handlers]


# fmt: off
VALUES: dict[str, tuple[Any, Any]] = {  # what it is called → how it is read, how it is put back
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (torch.get_default_device, lambda it: torch.set_default_device(
        None if it.type == "cpu" else it)),
    "torch's inference mode": (torch.is_inference_mode_enabled, _set_inference_mode),
    "torch's recording of gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's anomaly mode": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "torch's deterministic mode": (
        torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "torch's precision of products": (
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    # private: without it they can't be read, and are not put back
    "torch's print options": (lambda: dict(vars(torch._tensor_str.PRINT_OPTS)),
                              lambda it: vars(torch._tensor_str.PRINT_OPTS).update(it)),
    "numpy's error handling": (numpy.geterr, lambda it: numpy.seterr(**it)),
    "numpy's print options": (numpy.get_printoptions, lambda it: numpy.set_printoptions(**it)),
    "scikit-learn's configuration": (lambda: sys.modules["sklearn"].get_config(),
                                     lambda it: sys.modules["sklearn"].set_config(**it)),
    "matplotlib's open figures": (_figures, _figures),
    "the root logger": (_log, _put_log),
    "the working directory": (os.getcwd, os.chdir),
    "the locale": (partial(locale.setlocale, locale.LC_ALL),) * 2,
    "the recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "sys.path": (lambda: list(sys.path), partial(setattr, sys, "path")),
    "sys.settrace": (partial(_tracer, sys.gettrace), lambda it: sys.settrace(*it)),
    "sys.setprofile": (partial(_tracer, sys.getprofile), lambda it: sys.setprofile(*it)),
    **{name: (partial(getattr, sys, name[4:]), partial(setattr, sys, name[4:]))
       for name in (*STREAMS, "sys.excepthook", "sys.displayhook")},
    **{f"what {each.name} does": (partial(signal.getsignal, each), partial(signal.signal, each))
       for each in signal.Signals if each.name in SIGNALS},
}
# fmt: on


def _values() -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(VALUES)
    for name, (read, _) in VALUES.items():
        with contextlib.suppress(Exception):
            values[name] = read()
    return values


def deciding() -> dict[str, Any]:
    """Name → value, as it is now, of what decides how all code computes."""
    return {name: VALUES[name][0]() for name in DECIDING}


def left_changed(before: Mapping[str, Any]) -> Diagnosis | None:
    """What is wrong if code since then has left otherwise what decides how all code computes."""
    now = deciding()
    names = [name for name in before if now[name] != before[name]]
    if not names:
        return None
    seen, expected = (
        ", ".join(f"{name}: {state[name]}" for name in names) + " " + when
        for state, when in ((now, "afterwards"), (before, "as before"))
    )
    causes = tuple(Cause(DECIDING[name], told=True) for name in names)
    headline = f"Your code leaves {names[0]} changed, for all code after it."
    return Diagnosis(headline, seen, expected, causes)


def put_back(before: Mapping[str, Any]) -> None:
    """Make what decides how all code computes what it was before."""
    TABLES[0].restore(before)


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _put_setting(name: str, value: Any) -> None:
    dict.__setitem__(sys.modules["matplotlib"].rcParams, name, value)


LIBRARIES = (torch, torch.nn, torch.nn.functional, torch.nn.init, torch.optim, torch.linalg)
TABLES = (
    Table("{}", _values, lambda name, value: VALUES[name][1](value), is_quick=True),
    _names("builtins.{}", vars(builtins), counts=lambda name: True, quick=True),
    _names("the environment variable {}", os.environ, _environ, counts=lambda name: True),
    Table("matplotlib's {}", _plot_settings, _put_setting),
    _names("sys.modules['{}']", sys.modules, counts=_is_made_up),
    *map(_class, (torch.Tensor, torch.nn.Module, torch.nn.Linear, torch.optim.Optimizer)),
    *(
        # torch.Storage follows the default dtype
        _names(f"{it.__name__}.{{}}", vars(it), lambda it=it: vars(it) | {"Storage": None})
        for it in (*LIBRARIES, numpy, numpy.random, numpy.linalg, math, random)
    ),
)


class Leftovers:
    """Keeps the process as it was before a kata's tests, and says what its code changed."""

    def __init__(self) -> None:
        self._kata = ""
        self._base: State = {}
        self._held: State = {}  # the same with what the import of this kata's file changed
        self._own: dict[str, State] = {}  # kata → what the import of its file changed

    def enter(self, kata: str) -> None:
        """A test of this kata begins."""
        if kata != self._kata:
            self._kata, self._base = kata, _read()
            self._hold()
            for table in self._own.get(kata, {}):
                table.restore(self._held[table])

    def _hold(self) -> None:
        own = self._own.get(self._kata, {})
        self._held = self._base | {table: self._base[table] | more for table, more in own.items()}

    @contextlib.contextmanager
    def importing(self, path: Path, texts: list[str]) -> Iterator[None]:
        """The kata's file is imported meanwhile; what this changes is added to the texts."""
        with contextlib.suppress(OSError, ValueError):
            for name in packages([path]):  # what these change is not the kata's doing
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        before = _read()
        for table, base in self._base.items():
            if table.is_quick or not base:  # what could not be read before
                known = {name: value for name, value in base.items() if value is not None}
                self._base[table] = before[table] | known
        try:
            yield
        finally:
            changed = {table: table.changed(before[table]) for table in TABLES}
            texts += (text for table in TABLES for text in table.texts(changed[table]))
            for stream in STREAMS:  # pytest itself puts them back after each step of a test
                changed[TABLES[0]].pop(stream, None)
            self._own[self._kata] = {table: names for table, names in changed.items() if names}
            self._hold()

    def leave(self, is_last: bool) -> list[str]:
        """A test has ended, the last of its kata in a row or not: what it changed, in words."""
        texts, own = [], self._own.get(self._kata, {})
        for table in TABLES:
            if is_last or table.is_quick:
                changed = table.changed(self._held[table])
                texts += table.texts(changed)
                if changed or (is_last and table in own):
                    table.restore((self._base if is_last else self._held)[table])
        if is_last:
            self._kata = ""
        return texts


def _read() -> State:
    return {table: dict(table.now()) for table in TABLES}
