"""From an exception to what a learner reads: what was seen and expected, causes, their line."""

import linecache
import re
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb

from dojo.diagnosis import Cause, Diagnosis, clipped, identified
from dojo.limits import TimeUp
from dojo.suite import causes, layers, loader
from dojo.suite.loader import Explained, KataUnderTest, MissingName, shown
from dojo.suite.source import classics, evidence

MOST_FRAMES = 5
LOOK_AT_VALUES = (
    "Print what goes into that line just before it, each value's type and shape: is it what you had"
    " in mind?"
)
LOOK_AT_THE_LAYERS = "Which of these layers gives the first size that you did not mean?"
LOOK_AT_THE_LOOP = (
    "Print the loop's counter or condition in every round: does it come nearer to its end?"
)
LOOK_AT_THE_WAIT = "What does the line below wait for, and who is to end that?"
WAITING = (
    Cause("your code waits: time.sleep(), a lock, a process or the network", id="error.waiting"),
    Cause("this machine is too busy: check again later", id="error.waiting.2"),
)
ENDLESS = (
    Cause("an endless loop (its condition never changes?)", id="error.endless"),
    Cause("far more epochs than needed", id="error.endless.2"),
)


def explain(
    error: BaseException,
    path: Path,
    kata: KataUnderTest | None,
    expected: str,
    limit: float | None,
    pointer: str,
    asked_by: str = "",
) -> tuple[Diagnosis, str]:
    """Why a test failed, and the learner's own lines that this is about.

    Args:
        error: what was raised, with its traceback.
        path: the kata's file.
        kata: the loaded kata, None when loading it failed.
        expected: what the test demands, in words.
        limit: seconds that a test may compute, for the message of one that took longer.
        pointer: what leads on where the diagnosis itself does not.
        asked_by: "k06.train", for the ids of the causes that the test words.
    """
    frames = list(learner_frames(error.__traceback__, path))
    diagnosis = _diagnosis(error, expected, limit, bool(frames))
    if kata is not None:
        diagnosis = _with_source(diagnosis, error, frames, kata)
    known = tuple(identified(cause, asked_by) for cause in diagnosis.likely)
    diagnosis = replace(diagnosis, likely=known)
    if way := _layers(error):
        question = LOOK_AT_THE_LAYERS if diagnosis.pointer else ""
        diagnosis = replace(diagnosis, layers=way, pointer=question)
    if not diagnosis.leads_on:
        diagnosis = replace(diagnosis, pointer=pointer)
    if isinstance(error, MissingName):
        return bounded(diagnosis), ""
    lines, where = _own_lines(frames, path, kata)
    return bounded(replace(diagnosis, where=where)), lines


def _with_source(
    why: Diagnosis, error: BaseException, frames: list[tuple[int, str]], kata: KataUnderTest
) -> Diagnosis:
    """The diagnosis with what the learner's own source adds to it."""
    is_unmet = getattr(error, "diagnosis", None) is why
    text = "" if is_unmet else f"{type(error).__name__}: {error}"
    if not isinstance(error, Exception):  # the time limit, sys.exit()
        return why
    found = classics.findings(loader.source_of(kata), loader.used(kata))
    return evidence.merged(why, text, {line for line, _ in frames}, found)


def _layers(error: BaseException) -> tuple[str, ...]:
    """The layers that the model went through before the error, or up to the wrong shape."""
    wrong = getattr(error, "wrong", None)
    if isinstance(wrong, tuple):
        value, expected = wrong
        return layers.up_to_shape(value, expected, error.__traceback__)
    is_ordinary = isinstance(error, RuntimeError | ValueError | IndexError | TypeError)
    return layers.up_to_error(error.__traceback__) if is_ordinary else ()


def bounded(diagnosis: Diagnosis) -> Diagnosis:
    """The same with texts short enough for a report: an error's text may be of any length."""
    return replace(
        diagnosis,
        headline=clipped(diagnosis.headline),
        seen=clipped(diagnosis.seen),
        expected=clipped(diagnosis.expected),
        likely=tuple(replace(cause, text=clipped(cause.text)) for cause in diagnosis.likely),
        layers=tuple(map(clipped, diagnosis.layers)),
    )


def _diagnosis(
    error: BaseException, expected: str, limit: float | None, in_learners_code: bool
) -> Diagnosis:
    diagnosis, kind = getattr(error, "diagnosis", None), type(error).__name__
    is_explained = isinstance(error, Explained) or kind == "Unmet"
    if is_explained and isinstance(diagnosis, Diagnosis):
        return diagnosis
    if isinstance(error, AssertionError) and not in_learners_code:
        headline = str(error).partition("\nassert ")[0] or "Not as the test demands."
        return Diagnosis(headline, expected=expected)
    if is_late(error):
        return _endless(error, expected, limit or 0)
    headline = "The test could not work with what your code returned."
    words = "the error's own words say what could not be done"
    if in_learners_code:
        headline = "Your code raised an error."
        words += "; it was raised in the line below"
    likely = causes.likely(error) or (Cause(words, id="error.unknown"),)
    is_told = any(cause.told for cause in likely)
    pointer = LOOK_AT_VALUES if in_learners_code and not is_told else ""
    return Diagnosis(
        headline, causes.seen(error), f"no error (the test: {expected})", likely, pointer
    )


def is_late(error: BaseException) -> bool:
    """True if a limit of time has ended a test: our own, or by the clock that of pytest-timeout."""
    return isinstance(error, TimeUp) or (
        type(error).__name__ == "Failed" and "Timeout" in str(error)
    )


def _endless(error: BaseException, expected: str, limit: float) -> Diagnosis:
    headline = "This did not come to an end."
    if isinstance(error, TimeUp):
        seen = f"still running after {limit:g} s of computing, in the line below"
        return Diagnosis(headline, seen, expected, ENDLESS, LOOK_AT_THE_LOOP)
    (seconds,) = re.findall(r"[\d.]+(?=s)", str(error))[:1] or ["?"]
    seen = (
        f"not done after {seconds} s by the clock, of which it computed for less than {limit:g} s"
    )
    return Diagnosis(headline, seen, expected, WAITING, LOOK_AT_THE_WAIT)


def raise_left(path: Path, line: int) -> Diagnosis:
    """What is said where a stub's `raise` still stands beside the code that was to replace it."""
    where = f"{shown(path)}:{line}"
    text = (
        f"code of yours stands beside the stub's `raise`: once it is complete, take line {line} out"
    )
    return Diagnosis(
        f"{where} still raises NotImplementedError, as the stub did.",
        "your code, and the line that says there is none yet",
        "your code in place of that line",
        (Cause(text, told=True, id="source.raise-left"),),
        where=where,
    )


def learner_frames(traceback: types.TracebackType | None, path: Path) -> Iterator[tuple[int, str]]:
    """Line number and function of the traceback's entries in the kata's file, outermost first."""
    for frame, line in walk_tb(traceback):
        if frame.f_code.co_filename == str(path):
            yield line, frame.f_code.co_name


def is_raised_in(traceback: types.TracebackType | None, path: Path, source: str) -> bool:
    """True if a `raise` in the kata's file raised the exception; torch, which raises without a
    frame of its own, seems to raise in the line that called it.
    """
    *_, (frame, line) = [(None, 0), *walk_tb(traceback)]
    if frame is None or frame.f_code.co_filename != str(path):
        return False
    return any(re.search(r"\braise\b", text) for text in source.splitlines()[line - 1 : line])


def _own_lines(
    frames: list[tuple[int, str]], path: Path, kata: KataUnderTest | None
) -> tuple[str, str]:
    """The learner's lines that led to the error or were used last; and where to look."""
    if frames:
        if len(frames) > MOST_FRAMES:
            frames = [*frames[:2], *frames[2 - MOST_FRAMES :]]
        source = loader.source_of(kata).splitlines() if kata else linecache.getlines(str(path))
        lines = []
        for number, function in frames:
            line = source[number - 1].strip() if number <= len(source) else ""
            lines += [f"{shown(path)}:{number}, in {function}", f"    {line}"]
        return "\n".join(lines), f"{shown(path)}:{frames[-1][0]}"
    if kata is None or (name := loader.last_used(kata)) is None:
        return "", ""
    code = loader.code_of(loader.source_of(kata), name)
    if not code:
        return f"{shown(path)}, {name}", shown(path)
    listing = "\n".join(f"  {number:4d} | {text}" for number, text in code)
    where = f"{shown(path)}:{code[0][0]}"
    return f"{where}, your {name}:\n{listing}", where
