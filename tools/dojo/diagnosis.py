"""Why a test failed, as a record: what was seen, what was expected, the likely causes, and a
question that leads on.

Light: the commands that only show a diagnosis need neither torch nor the tests.
"""

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from textwrap import indent

from dojo import curve as curves
from dojo.curve import Curve

MOST_CHARACTERS = 3000  # of each text of a diagnosis
LABEL = 10  # columns of "expected:" and the like


def counted(number: int, noun: str) -> str:
    """ "1 step", "2 steps", "2 losses", "2 batches", "2 epochs"."""
    plural = "es" if noun.endswith(("s", "ch")) and noun != "epoch" else "s"
    return f"{number} {noun}{'' if number == 1 else plural}"


@dataclass(frozen=True)
class Cause:
    """A likely cause; "told" by evidence if what came out is what this mistake gives.

    Attributes:
        id: the same wherever this cause is named, for reports to group by: "error.NAME" for an
            error of causes.toml, "source.NAME" for a finding in the learner's source, and else the
            task and the sentence, without numbers (`identified`). Empty in records that are older
            than ids.
    """

    text: str
    told: bool = False
    id: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Why one test failed.

    Attributes:
        headline: what is wrong, in a sentence.
        likely: the causes that fit, the likeliest first.
        pointer: a question or pointer that leads on; empty where the cause is one itself.
        layers: what went through the model, a line for each layer, up to the first that is wrong.
        where: "path:line" in the learner's own file, where one is known.
    """

    headline: str
    seen: str = ""
    expected: str = ""
    likely: tuple[Cause, ...] = ()
    pointer: str = ""
    layers: tuple[str, ...] = ()
    curve: Curve | None = None
    where: str = ""

    def text(self) -> str:
        """The message that every failure has the shape of."""
        first, *others = self.likely or (Cause(""),)
        parts = [
            ("seen:", self.seen),
            ("expected:", self.expected),
            ("layers:", "\n".join(self.layers)),
        ]
        parts += [("loss:", "\n".join(curves.draw(self.curve)) if self.curve else "")]
        parts += [
            ("likely:", first.text),
            *(("or:", cause.text) for cause in others),
            ("next:", self.pointer),
        ]
        return "\n".join([self.headline, *(_part(label, text) for label, text in parts if text)])

    @property
    def is_told(self) -> bool:
        """True if evidence tells a cause."""
        return any(cause.told for cause in self.likely)

    @property
    def leads_on(self) -> bool:
        """True if it ends in something to do: a pointer, a told cause, or a question."""
        return (
            bool(self.pointer)
            or self.is_told
            or any(cause.text.endswith("?") for cause in self.likely)
        )


def identified(cause: Cause, asked_by: str) -> Cause:
    """The cause with an id. One that a test words has the task's, as in "k06.train", then its first
    words and a hash of them all: the tests of a task that tell the same share it. Numbers and names
    come from one learner's values and don't count. Another wording is another id.
    """
    if cause.id:
        return cause
    words = re.findall(r"[a-z]+", re.sub(r"'[^']*'|\bself\.\w+", "", cause.text.lower()))
    digest = blake2b(" ".join(words).encode(), digest_size=2).hexdigest()
    return replace(cause, id=".".join([asked_by, "-".join([*words[:4], digest])]))


def _part(label: str, text: str) -> str:
    return indent(f"{label:<{LABEL}} " + text.replace("\n", "\n" + " " * (LABEL + 1)), "  ")


def clipped(text: str) -> str:
    """A text short enough for a report; what is left out is counted."""
    left_out = len(text) - MOST_CHARACTERS
    return (
        text
        if left_out <= 0
        else f"{text[:MOST_CHARACTERS]}\n... ({left_out:,} more characters left out)"
    )
