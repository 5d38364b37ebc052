"""What a learner's code printed in a test: as much of it as a person reads."""

import re

MOST_LINES = 20
WIDEST = 200  # characters
# what moves the cursor or colours a terminal's text (ECMA-48), which has no place in a report
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")


def excerpt(text: str) -> str:
    """The first and the last lines of what was printed, and how many are left out between them."""
    lines = [_line(line) for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if (more := len(lines) - MOST_LINES) > 0:
        half = MOST_LINES // 2
        lines[half:-half] = [f"… {more} more line{'s' if more > 1 else ''} …"]
    return "\n".join(lines)


def _line(line: str) -> str:
    """A line as a terminal leaves it: a carriage return writes over what stood there."""
    *_, last = re.split(r"\r+", line.removesuffix("\r"))
    shown = "".join(filter(str.isprintable, _ESCAPES.sub("", last).expandtabs(4))).rstrip()
    left_out = len(shown) - WIDEST
    return shown if left_out <= 0 else f"{shown[:WIDEST]} … ({left_out:,} more characters)"
