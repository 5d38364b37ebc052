"""The hostile collection as a table: reference/validation/hostile.md. `python tools/bench/grading
--hostile` writes it.
"""

from collections.abc import Sequence

from attack_classes import CLASSES, STAND_INS
from hostile_programs import KATA, Program, programs

from dojo import ROOT

FILE = ROOT / "reference" / "validation" / "hostile.md"
HEAD = f"""# What was tried against the grader

Made by `python tools/bench/grading --hostile` from the headers of the programs in
`tools/tests/hostile/`; never edited. Each program is handed in as `{KATA}`, added to the stub or to
the reference.

`tools/tests/test_hostile.py` runs each in the sandbox: nothing outside is harmed, nothing of it is
left when its time is up, and the next one is judged as ever; so is, with those that are hardest on
the machine, the one beside it. The verdict follows from what its tests came to there; where they
pass, `tools/tests/test_judging.py` has it found by the exam. What is tried before any program runs
has a test of the intake instead.
"""
COLUMNS = ("class", "program", "what it tries", "verdict", "contained, because")


def table() -> str:
    """The page, in Markdown."""
    known = programs()
    return HEAD + "".join(
        f"\n## {group.capitalize()}\n\n{_section(classes, known)}"
        for group, classes in CLASSES.items()
    )


def _section(classes: Sequence[str], known: Sequence[Program]) -> str:
    rows = [COLUMNS, ["---"] * len(COLUMNS)]
    for one in classes:
        for program in known:
            if one in program.classes:
                attack, contained = _escaped(program.attack), _escaped(program.contained)
                rows.append(
                    (_escaped(one), f"`{program.name}`", attack, _verdict(program), contained)
                )
        if one in STAND_INS:
            rows.append(
                (
                    one,
                    f"`{STAND_INS[one]}`",
                    "before any program runs",
                    "none",
                    "it is refused, or made harmless",
                )
            )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _verdict(program: Program) -> str:
    """'failed' where all tasks have it, else what each has."""
    alike = set(program.verdict.values())
    return (
        alike.pop()
        if len(alike) == 1
        else ", ".join(f"{task}: {status}" for task, status in program.verdict.items())
    )


def _escaped(text: str) -> str:
    """As Markdown shows it unchanged."""
    return "".join(f"\\{letter}" if letter in "_*|<`" else letter for letter in text)
