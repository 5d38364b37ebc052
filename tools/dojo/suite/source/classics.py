"""The beginners' mistakes that can be read in a learner's source, and where they stand in a file.

classics.toml says what is said of each, and when; models, trainings and python find them. A
detector finds nothing in right code, unless its entry says otherwise: it is held against all right
solutions there are (tools/tests/test_source.py).
"""

import ast
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dojo.suite.source import models, python, trainings
from dojo.suite.source.code import Code, Found


@dataclass(frozen=True)
class Classic:
    """An entry of classics.toml; what the fields mean stands there."""

    text: str
    raises: str | None = None
    shows: str | None = None
    like: str | None = None
    sure: bool = True


@dataclass(frozen=True)
class Slip:
    """A classic found in a file, with its first and last line."""

    name: str
    line: int
    end: int
    words: tuple[str, ...]
    classic: Classic


# of two findings that explain a failure the first is said first
DETECTORS: dict[str, Callable[[Code], Found]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        models.class_in_container,
        models.class_as_layer,
        models.layer_made_with_data,
        models.loss_made_with_data,
        models.layer_as_value,
        python.method_not_called,
        models.self_missing,
        models.self_left_out,
        models.misspelt_method,
        models.super_missing,
        models.plain_list,
        trainings.loss_made_to_record,
        trainings.cut_off,
        trainings.backward_missing,
        trainings.backward_after_step,
        trainings.zeroed_after_backward,
        trainings.zeroing_missing,
        trainings.optimizer_of_another,
        trainings.optimizer_of_the_old,
        trainings.optimizer_in_loop,
        trainings.loss_arguments_swapped,
        trainings.mode_set_alone,
        trainings.nll_on_scores,
        trainings.softmax_twice,
        trainings.sigmoid_twice,
        python.return_in_loop,
        trainings.range_off,
        python.counter_returned,
        trainings.enumerate_unpacked,
        python.equals_plus,
        python.hat_for_power,
        python.largest_along,
        python.compared_alone,
        python.is_number,
        python.mutable_default,
        python.shadowed,
        python.print_for_return,
        trainings.summed_loss,
        trainings.one_column,
        python.argument_unused,
    )
}
CLASSICS = msgspec.toml.decode(
    Path(__file__).with_suffix(".toml").read_bytes(), type=dict[str, Classic]
)


def findings(text: str, used: Iterable[str]) -> list[Slip]:
    """The classics in what these names of a file lead to; none in a file that is not Python."""
    try:
        code, found = _read(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    reached = code.reached(used)
    here = ((one.name, one.words, one) for place, one in found if place in reached)
    first = {(name, words): one for name, words, one in reversed(list(here))}
    return list(reversed(first.values()))


@functools.lru_cache(maxsize=1)  # a file's failing tests come one after the other
def _read(text: str) -> tuple[Code, list[tuple[ast.AST, Slip]]]:
    code, found = Code(text), []
    for name, detector in DETECTORS.items():
        for node, words in detector(code):
            line, end = node.lineno, node.end_lineno  # type: ignore[attr-defined]
            finding = Slip(name, line, end or line, words, CLASSICS[name])
            found.append((code.place(node), finding))
    return code, found
