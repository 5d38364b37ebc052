"""From an exception to what a learner reads: what was seen, what was expected, the likely cause, the line of their own."""

import linecache
import types
from collections.abc import Iterator
from pathlib import Path

from dojo.suite import causes
from dojo.suite.learner import KataUnderTest, MissingName, code_of, last_used, shown, source_of

MOST_FRAMES = 5
MOST_CHARACTERS = 4000


def message(error: BaseException, path: Path, kata: KataUnderTest | None, expected: str, time_limit: float | None) -> str:
    """The whole message of a failed test.

    Args:
        error: what was raised, with its traceback.
        path: the kata's file.
        kata: the loaded kata, None when loading it failed.
        expected: what the test demands, in words.
        time_limit: seconds a test may take, for the message of one that took longer.
    """
    frames = list(learner_frames(error.__traceback__, path))
    text = _headline(error, expected, time_limit, bool(frames))
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS] + f"\n  ... ({len(text) - MOST_CHARACTERS:,} more characters left out)"
    own = "" if isinstance(error, MissingName) else _own_lines(frames, path, kata)
    return f"{text}\n\n{own}".rstrip()


def _headline(error: BaseException, expected: str, time_limit: float | None, in_learners_code: bool) -> str:
    if isinstance(error, MissingName):
        return str(error)
    if isinstance(error, AssertionError) and (type(error).__name__ == "Unmet" or not in_learners_code):
        return str(error).partition("\nassert ")[0] or f"expected: {expected}"
    if type(error).__name__ == "Failed" and "Timeout" in str(error):
        return (
            "This did not come to an end.\n"
            f"  seen:      still running after {time_limit:g} s, in the line below\n"
            f"  expected:  {expected}\n"
            "  likely:    an endless loop (does the loop's condition ever change?), or far more epochs than needed"
        )
    name, text = type(error).__name__, f": {error}" if str(error) else ""
    if (cause := causes.likely_cause(error)) is None:
        cause = "the error's own words say what it stumbled over" + ("; it was raised in the line below" * in_learners_code)
    where = "Your code raised an error." if in_learners_code else "The test could not work with what your code returned."
    return f"{where}\n  seen:      {name}{text}\n  expected:  no error, so that: {expected}\n  likely:    {cause}"


def learner_frames(traceback: types.TracebackType | None, path: Path) -> Iterator[tuple[int, str]]:
    """Line number and function name of each traceback entry that lies in the kata's file, outermost first."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            yield traceback.tb_lineno, traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next


def ends_in(traceback: types.TracebackType | None, path: Path) -> bool:
    """Whether the exception was raised by a line of the kata's file itself, not by something that line called."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename == str(path)


def _own_lines(frames: list[tuple[int, str]], path: Path, kata: KataUnderTest | None) -> str:
    if frames:
        if len(frames) > MOST_FRAMES:
            frames = [*frames[:2], *frames[2 - MOST_FRAMES :]]
        lines = []
        for number, function in frames:
            lines.append(f"{shown(path)}:{number}, in {function}")
            source = source_of(kata).splitlines() if kata else linecache.getlines(str(path))
            lines.append("    " + (source[number - 1].strip() if number <= len(source) else ""))
        return "\n".join(lines)
    if kata is None or (used := last_used(kata)) is None:
        return ""
    code = code_of(source_of(kata), used)
    if not code:
        return f"{shown(path)}, {used}"
    listing = "\n".join(f"  {number:4d} | {text}" for number, text in code)
    return f"{shown(path)}:{code[0][0]}, your {used}:\n{listing}"
