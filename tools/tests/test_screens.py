"""Each screen as a learner sees it: narrow, usual and wide, in words alone, and in colour.

A change of a golden screen has to be meant: delete it, run this test, which writes it anew, and
read the difference.
"""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from dojo.catalog import Catalog, Kata, Stage, Task
from dojo.check import closing, hints, screens
from dojo.check.compare import CodePair
from dojo.check.state import State, TaskState
from dojo.check.watch import model as m
from dojo.check.watch.frame import Frame
from dojo.console import _MARKS, _PLAIN_MARKS, _WORDS, Screen
from dojo.curve import Band, Curve, draw
from dojo.reference_results import ReferenceResult
from dojo.results import KataResult, Measured, Outcome, TaskResult, TestResult, Verdict

FOLDER = Path(__file__).parent / "golden" / "screens"
WIDTHS = (60, 80, 120)
SGR = re.compile(r"\x1b\[([\d;]*)m")
LINK = re.compile(r"\x1b\]8;[^\x1b]*\x1b\\")
# bold, dim, underlined, and the colours that every theme, light or dark, sets for itself
EVERYWHERE = {"", "0", "1", "2", "4", "31", "32", "33", "35", "36"}

TASKS = (
    Task("model", 1, ("Which shape has x?", "A layer and a sigmoid."), "The layer is named."),
    Task("train", 2, ("Five moves.",)),
    Task("boundary", 1, ("Solve it.",)),
)
K06 = Kata("k06_logistic_regression", "Logistic regression", 0, "easy", 20, "Lines.", TASKS)
K07 = Kata("k07_hidden_layer", "Hidden layer", 0, "hard", 30, "Bends.", TASKS, "a line is poor.")
CATALOG = Catalog((Stage(0, "Lines", (K06, K07), "draw lines."),), ("A book.",))
RECORDS = {K06.name: ReferenceResult("", ("model", "train", "boundary"), {"k06.train": 6e-8})}
BAND = Band(100, tuple(1 / (1 + n) for n in range(25)), tuple(2 / (1 + n) for n in range(25)), 20)
CURVE = Curve(100, tuple(3 * 0.9**n for n in range(48)), BAND, "too slow")
DRAWN = "\n".join(f"             {line}".rstrip() for line in draw(CURVE)).lstrip()
WRONG = f"""The training ends short of its mark: the largest distance from the best line.
  seen:      0.3
  expected:  at most 0.01 (a correct solution usually ends near 0, such as 6e-08)
  loss:      {DRAWN}
  likely:    the learning rate is too small, so that the loss falls, and has still far to go

  katas/k06_logistic_regression.py:61, your train:
      61 | def train(model):
      70 |     optimizer = torch.optim.Adam(model.parameters(), lr=0.0005)"""


def task(name: str, *tests: tuple[str, str, str], **more: object) -> TaskResult:
    return TaskResult(name, tuple(TestResult(*each, **more) for each in tests))


def judged(measured: tuple[Measured, ...] = (), message: str = WRONG) -> KataResult:
    """k06, of which train failed; or passed, without a message."""
    outcome = Outcome.FAILED if message else Outcome.PASSED
    train = TestResult(
        "test_reaches_the_line", outcome, message, printed="epoch 0\nepoch 1", measured=measured
    )
    skipped = ("test_follows_its_device", Outcome.SKIPPED, "no Apple GPU on this machine")
    later = Outcome.BLOCKED if message else Outcome.PASSED
    why = "'boundary' can't be judged before 'train' passes." if message else ""
    return KataResult(
        K06.name,
        0,
        (
            task("model", ("test_prints_the_architecture", Outcome.PASSED, ""), skipped),
            TaskResult("train", (train,)),
            task("boundary", ("test_undecided", later, why)),
        ),
    )


REACHED = Measured("k06.train", "the largest distance from the line", 3e-9, 0.01, True, CURVE)
FAILED, GREEN = judged(), judged((REACHED,), "")
STATE = State(
    {
        K06.name: {
            "model": TaskState(attempts=1, first_green="2026-11-21", outcome=Outcome.PASSED),
            "train": TaskState(5, 3, "2026-11-22", Outcome.PASSED, solution_shown="2026-11-21"),
            "boundary": TaskState(attempts=2, first_green="2026-11-22", outcome=Outcome.PASSED),
        }
    }
)
WAITING = KataResult(
    K07.name,
    0,
    tuple(task(each.name, ("test_it", Outcome.NOT_STARTED, "waits for you")) for each in TASKS),
)
OPEN = hints.open_hints(State({K06.name: {"model": TaskState(hints=2)}}), K06, TASKS[0])
PAIRS = [CodePair("train", ("def train():", "    a = 1"), ("def train():", "    b = 1"))]
MODEL = m.Model(CATALOG, True, K06.name, is_warm=True, seconds=0.4)
AFTER = ("Tries until green: model 1, train 5 (2 hints), boundary 2.",)

OF_CHECK: dict[str, Callable[[Screen], None]] = {
    "overview": lambda screen: screens.overview(
        screen, CATALOG, Verdict("katas", (FAILED, WAITING)), RECORDS
    ),
    "a kata that failed": lambda screen: screens.kata(screen, K06, FAILED, RECORDS[K06.name]),
    "a green kata": lambda screen: screens.kata(
        screen,
        K06,
        GREEN,
        RECORDS[K06.name],
        True,
        screens.after_green(CATALOG, K06, STATE),
    ),
    "hints": lambda screen: screens.hints(screen, OPEN),
    "a solution": lambda screen: screens.solution(screen, K06, TASKS[0], [(7, "a"), (9, "  b")]),
    "a comparison": lambda screen: screens.comparison(screen, K06, TASKS[0], PAIRS),
    "the closing page": lambda screen: screens.closing(screen, closing.page(CATALOG, STATE)),
    "output": lambda screen: screens.output(screen, K06, FAILED),
}
OF_WATCH = {
    "watch, a kata that failed": m.Model(**vars(MODEL) | {"results": {K06.name: FAILED}}),
    "watch, a green kata": m.Model(
        **vars(MODEL) | {"results": {K06.name: GREEN}, "tries": AFTER[0]}
    ),
    "watch, testing": m.Model(
        **vars(MODEL) | {"run": m.RunUnderWay(1, (K06.name,), tests=3), "results": {}}
    ),
    "watch, the list": m.Model(**vars(MODEL) | {"view": m.LIST, "chosen": K07.name}),
    "watch, a question": m.Model(**vars(MODEL) | {"view": m.SKIP, "results": {K06.name: FAILED}}),
}


def console(width: int, colours: bool) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colours else None,
        highlight=False,
        soft_wrap=True,
        legacy_windows=False,
        _environ={},
    )


def shown(name: str, width: int, colours: bool = False, in_words: bool = False) -> str:
    """The screen of that name, as it is printed."""
    screen = Screen(console(width, colours), _MARKS, "█", "░")
    if in_words:
        screen = Screen(screen.console, _WORDS, "", "", in_words=True)
    if name in OF_WATCH:
        return "\n".join(Frame(screen, width, 40, RECORDS).lines(OF_WATCH[name])) + "\n"
    OF_CHECK[name](screen)
    return screen.console.file.getvalue()


def looks(name: str) -> Iterator[str]:
    """The screen in every width, and in words."""
    for width in WIDTHS:
        yield f"==== {width} columns\n{shown(name, width)}"
    yield f"==== in words\n{shown(name, 80, in_words=True)}"


@pytest.mark.parametrize("name", [*OF_CHECK, *OF_WATCH])
def test_a_screen_is_the_golden_one(name):
    text = "\n".join(line.rstrip() for line in "".join(looks(name)).split("\n"))
    text = SGR.sub("", LINK.sub("", text))
    path = FOLDER / f"{name}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path.name} was not there, and is written: read it, and run this again")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*OF_CHECK, *OF_WATCH])
def test_colour_says_nothing_that_the_text_does_not_and_suits_every_theme(name):
    coloured = LINK.sub("", shown(name, 80, colours=True))
    assert SGR.sub("", coloured) == SGR.sub("", LINK.sub("", shown(name, 80)))
    codes = {code for codes in SGR.findall(coloured) for code in codes.split(";")}
    assert codes <= EVERYWHERE


@pytest.mark.parametrize("name", [*OF_CHECK, *OF_WATCH])
def test_in_words_nothing_is_drawn(name):
    text = SGR.sub("", LINK.sub("", shown(name, 80, in_words=True)))
    assert set(text) <= set(map(chr, range(32, 127))) | {"\n", "…"}
    assert "3 to 0.0212" in text or "a kata" not in name  # a curve, in its ends


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", OF_WATCH)
def test_a_frame_is_no_wider_than_its_terminal(name, width):
    lines = SGR.sub("", LINK.sub("", shown(name, width))).splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) == 40


def test_marks_differ_by_their_shape():
    assert len(set(_MARKS.values())) == len(set(_PLAIN_MARKS.values())) == len(Outcome)
