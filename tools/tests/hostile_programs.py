"""The hostile collection: programs that try what they must not, each with what becomes of it.

Each file of tools/tests/hostile has a header of comments, and code that is added to k06's stub or
to its reference:

    class       of attack, one or several of attack_classes.py, parted by semicolons
    attack      what it tries
    contained   why it comes to nothing
    added to    stub or reference
    ends        by itself, or from outside: when its time is up
    suite       the outcomes that the tests in the sandbox come to, task by task: feedback, which
                can be forged
    verdict     the statuses of the grade: what counts
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dojo import ROOT
from dojo.stubs import stub_of

KATA = "k06_logistic_regression"
TASKS = ("model", "train", "boundary")
FOLDER = Path(__file__).parent / "hostile"


@dataclass(frozen=True)
class Program:
    """One file of the collection. `suite` and `verdict` are task → outcome or status."""

    name: str
    classes: tuple[str, ...]
    attack: str
    contained: str
    base: str
    endless: bool
    suite: dict[str, str]
    verdict: dict[str, str]
    code: str

    def file(self, **places: object) -> bytes:
        """The kata's file that would be handed in.

        Args:
            places: what the program attacks, put where it says {canary}, {port}, {process} or
                {sibling}.
        """
        text = self.code
        for name, value in places.items():
            text = text.replace(f"{{{name}}}", str(value))
        return (base(self.base) + "\n\n" + text).encode()


@cache
def base(name: str) -> str:
    """The stub or the reference, without what it does when it is run as a program."""
    text = (
        (ROOT / "reference" / f"{KATA}.py")
        .read_text(encoding="utf-8")
        .partition('\nif __name__ == "__main__":')[0]
    )
    return text if name == "reference" else stub_of(text, list(TASKS))


def programs() -> list[Program]:
    return [_program(path) for path in sorted(FOLDER.glob("*.py"))]


def _program(path: Path) -> Program:
    header, _, code = path.read_text(encoding="utf-8").partition("\n\n")
    whole = re.sub(r"\n#? +(?![a-z ]+:)", " ", header)  # a field may go on in the next line
    fields = dict(line.removeprefix("# ").split(":", 1) for line in whole.splitlines())
    classes, attack, contained, added_to, ends, suite, verdict = (
        text.strip() for text in fields.values()
    )
    return Program(
        path.stem,
        tuple(classes.split("; ")),
        attack,
        contained,
        added_to,
        ends == "from outside",
        _by_task(suite),
        _by_task(verdict),
        code,
    )


def _by_task(text: str) -> dict[str, str]:
    """'model: failed, train: blocked' as a dictionary."""
    return dict(part.strip().split(": ") for part in text.split(","))
