"""From an exception to what a learner reads: what was seen, what was expected, the likely cause,
the line of their own.
"""

import linecache
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dojo.diagnosis import Cause, Diagnosis, clipped
from dojo.suite import causes, layers
from dojo.suite.loader import (
    Explained,
    KataUnderTest,
    MissingName,
    code_of,
    last_used,
    shown,
    source_of,
)

MOST_FRAMES = 5
LOOK_AT_VALUES = (
    "Print what goes into that line just before it, each value's type and shape: is it what you had"
    " in mind?"
)
LOOK_AT_THE_LAYERS = "Which of these layers gives the first size that you did not mean?"
LOOK_AT_THE_LOOP = (
    "Print the loop's counter or condition in every round: does it come nearer to its end?"
)


def explain(
    error: BaseException,
    path: Path,
    kata: KataUnderTest | None,
    expected: str,
    time_limit: float | None,
    pointer: str,
) -> tuple[Diagnosis, str]:
    """Why a test failed, and the learner's own lines that this is about.

    Args:
        error: what was raised, with its traceback.
        path: the kata's file.
        kata: the loaded kata, None when loading it failed.
        expected: what the test demands, in words.
        time_limit: seconds a test may take, for the message of one that took longer.
        pointer: what leads on where the diagnosis itself does not.
    """
    frames = list(learner_frames(error.__traceback__, path))
    diagnosis = _diagnosis(error, expected, time_limit, bool(frames))
    if shown_layers := _layers(error):
        diagnosis = replace(
            diagnosis, layers=shown_layers, pointer=LOOK_AT_THE_LAYERS if diagnosis.pointer else ""
        )
    if not diagnosis.leads_on:
        diagnosis = replace(diagnosis, pointer=pointer)
    lines, where = (
        ("", diagnosis.where) if isinstance(error, MissingName) else _own_lines(frames, path, kata)
    )
    return bounded(replace(diagnosis, where=where)), lines


def _layers(error: BaseException) -> tuple[str, ...]:
    """What went through the model before the error, or on the way to a tensor of the wrong
    shape.
    """
    if isinstance(wrong := getattr(error, "wrong", None), tuple):
        return layers.up_to_shape(*wrong, error.__traceback__)
    ordinary = isinstance(error, RuntimeError | ValueError | IndexError | TypeError)
    return layers.up_to_error(error.__traceback__) if ordinary else ()


def bounded(diagnosis: Diagnosis) -> Diagnosis:
    """The same with texts short enough for a report: what a learner's code says in an error may be
    of any length.
    """
    texts = {name: clipped(getattr(diagnosis, name)) for name in ("headline", "seen", "expected")}
    likely = tuple(replace(cause, text=clipped(cause.text)) for cause in diagnosis.likely)
    return replace(diagnosis, **texts, likely=likely, layers=tuple(map(clipped, diagnosis.layers)))


def _diagnosis(
    error: BaseException, expected: str, time_limit: float | None, in_learners_code: bool
) -> Diagnosis:
    known = getattr(error, "diagnosis", None)
    if isinstance(known, Diagnosis) and (
        isinstance(error, Explained) or type(error).__name__ == "Unmet"
    ):
        return known
    if isinstance(error, AssertionError) and not in_learners_code:
        return Diagnosis(
            str(error).partition("\nassert ")[0] or "Not as the test demands.", expected=expected
        )
    if type(error).__name__ == "Failed" and "Timeout" in str(error):
        likely = (
            Cause("an endless loop (its condition never changes?)"),
            Cause("far more epochs than needed"),
        )
        seen = f"still running after {time_limit:g} s, in the line below"
        return Diagnosis("This did not come to an end.", seen, expected, likely, LOOK_AT_THE_LOOP)
    seen = type(error).__name__ + (f": {error}" if str(error) else "")
    headline = (
        "Your code raised an error."
        if in_learners_code
        else "The test could not work with what your code returned."
    )
    expected = f"no error, so that: {expected}"
    pointer = LOOK_AT_VALUES if in_learners_code else ""
    if known := causes.likely(error):
        is_told = any(cause.told for cause in known)
        return Diagnosis(headline, seen, expected, known, "" if is_told else pointer)
    words = "the error's own words say what it stumbled over" + (
        "; it was raised in the line below" * in_learners_code
    )
    return Diagnosis(headline, seen, expected, (Cause(words),), pointer)


def learner_frames(traceback: types.TracebackType | None, path: Path) -> Iterator[tuple[int, str]]:
    """Line number and function name of each traceback entry that lies in the kata's file, outermost
    first.
    """
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            yield traceback.tb_lineno, traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next


def ends_in(traceback: types.TracebackType | None, path: Path) -> bool:
    """Whether the exception was raised by a line of the kata's file itself, not by something that
    line called.
    """
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename == str(path)


def _own_lines(
    frames: list[tuple[int, str]], path: Path, kata: KataUnderTest | None
) -> tuple[str, str]:
    """The learner's lines that led to the error, or what was used last; and the place of the one to
    look at.
    """
    if frames:
        if len(frames) > MOST_FRAMES:
            frames = [*frames[:2], *frames[2 - MOST_FRAMES :]]
        lines = []
        for number, function in frames:
            lines.append(f"{shown(path)}:{number}, in {function}")
            source = source_of(kata).splitlines() if kata else linecache.getlines(str(path))
            lines.append("    " + (source[number - 1].strip() if number <= len(source) else ""))
        return "\n".join(lines), f"{shown(path)}:{frames[-1][0]}"
    if kata is None or (used := last_used(kata)) is None:
        return "", ""
    code = code_of(source_of(kata), used)
    if not code:
        return f"{shown(path)}, {used}", shown(path)
    listing = "\n".join(f"  {number:4d} | {text}" for number, text in code)
    where = f"{shown(path)}:{code[0][0]}"
    return f"{where}, your {used}:\n{listing}", where
