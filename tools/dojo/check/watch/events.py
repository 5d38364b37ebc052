"""What happens in a watch session, and what is then to be done."""

from dataclasses import dataclass

from dojo.results import KataResult


@dataclass(frozen=True)
class Hints:
    """The open hints of a task; of how many."""

    task: str
    texts: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class Started:
    pass


@dataclass(frozen=True)
class Saved:
    """These katas' files were written, replaced, deleted or restored."""

    katas: frozenset[str]


@dataclass(frozen=True)
class Key:
    name: str


@dataclass(frozen=True)
class TestJudged:
    __test__ = False

    run: int


@dataclass(frozen=True)
class Judged:
    run: int
    results: tuple[KataResult, ...]
    seconds: float


@dataclass(frozen=True)
class NotJudged:
    """The run came to nothing, through no fault of the learner's."""

    run: int
    why: str


@dataclass(frozen=True)
class Restarting:
    """The warm process has to be started anew; why."""

    why: str


@dataclass(frozen=True)
class Noticed:
    """A sentence for the learner."""

    text: str


@dataclass(frozen=True)
class WasReset:
    """The kata's file is the stub again, and will be seen as saved; the sentence for the
    learner.
    """

    kata: str
    text: str


@dataclass(frozen=True)
class HintOpened:
    kata: str
    hints: Hints


@dataclass(frozen=True)
class ToRead:
    """A text about the kata to read at leisure: the comparison, or all hints."""

    kata: str
    text: str


@dataclass(frozen=True)
class Ended:
    """Ctrl-C, a closed terminal, a request to end."""

    code: int


Event = (
    Started
    | Saved
    | Key
    | TestJudged
    | Judged
    | NotJudged
    | Restarting
    | Noticed
    | WasReset
    | HintOpened
    | ToRead
    | Ended
)

# Effects: what is to be done.


@dataclass(frozen=True)
class Judge:
    run: int
    katas: tuple[str, ...]
    in_background: bool = False


@dataclass(frozen=True)
class Drop:
    run: int


@dataclass(frozen=True)
class OpenHint:
    kata: str
    task: str


@dataclass(frozen=True)
class ShowHints:
    kata: str


@dataclass(frozen=True)
class Compare:
    kata: str


@dataclass(frozen=True)
class Reset:
    kata: str


@dataclass(frozen=True)
class Quit:
    code: int


Effect = Judge | Drop | OpenHint | ShowHints | Compare | Reset | Quit
