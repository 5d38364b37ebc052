"""What is said of a failure, where both the test and the learner's source speak of it.

The order, from the strongest evidence to the weakest:

1. One cause that the test tells: of all known mistakes this one alone gives the values that came
   out. It stays first, and what stands in the source follows as another possibility; unless that
   is the same mistake, or gives the same values: then the source says which it is, and where.
2. A mistake in the source that explains this kind of failure: it stands there, in code that the
   test used. It replaces guesses, and several causes that the values fit alike; and an error's
   usual cause, which says less exactly the same.
3. Everything else that the test or the error suggests.
4. What the source alone makes likely. It never replaces anything.

A mistake in the source that cannot have led to this failure is not mentioned: the test that it does
fail will speak of it.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from dojo.diagnosis import Cause, Diagnosis
from dojo.suite.source.classics import Slip

TRAINING = r"(?i)loss|step|mov|chang|mark|train|gradient|learn|weight|parameter|epoch|reach"
MOST = 2  # findings of one failure


def merged(
    why: Diagnosis, error: str, lines: Collection[int], findings: Sequence[Slip]
) -> Diagnosis:
    """The diagnosis with what the source adds to it.

    Args:
        why: what the test or the error says by itself.
        error: "Type: message" of an error; empty for an expectation that was not met.
        lines: the learner's lines in which the error was raised, or that led to it.
        findings: the classics in what the test used.
    """
    fitting = [one for one in findings if _explains(one, why, error, lines)]
    sources = [one for one in fitting if one.classic.sure]
    told = [_cause(one) for one in sources][:MOST]
    offered = [_cause(one) for one in fitting if not one.classic.sure][: MOST - len(told)]
    if not error and sum(cause.told for cause in why.likely) == 1:
        spoken = next(cause.text for cause in why.likely if cause.told)
        if not any(_is_like(one, spoken) for one in sources):
            others = (replace(cause, told=False) for cause in told[:1])
            return replace(why, likely=(*why.likely, *others))
    if told:
        return replace(why, likely=tuple(told), pointer="")
    return replace(why, likely=(*why.likely, *offered))


def _explains(one: Slip, why: Diagnosis, error: str, lines: Collection[int]) -> bool:
    if error:
        if one.classic.raises is None:
            return False
        is_there = any(one.line <= line <= one.end for line in lines) and one.end - one.line < 3
        return is_there or re.search(_filled(one.classic.raises, one, re.escape), error) is not None
    if one.classic.shows is None:
        return False
    pattern = TRAINING if one.classic.shows == "TRAINING" else one.classic.shows
    return re.search(pattern, f"{why.headline} {why.seen}") is not None


def _is_like(one: Slip, spoken: str) -> bool:
    pattern = one.classic.like
    return pattern is not None and re.search(_filled(pattern, one, re.escape), spoken) is not None


def _cause(one: Slip) -> Cause:
    text = f"line {one.line}: {_filled(one.classic.text, one, str)}"
    return Cause(text, one.classic.sure, f"source.{one.name}")


def _filled(text: str, one: Slip, quoted: Callable[[str], str]) -> str:
    return re.sub(r"\{(\d)\}", lambda group: quoted(one.words[int(group[1])]), text)
