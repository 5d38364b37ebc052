"""Puts a sheet to a solution of our own in this very process: quick, for trying exams out over many
draws.
"""

import contextlib
import functools
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from dojo.exam.answering import ask, load_kata
from dojo.exam.question import load
from dojo.exam.sheet import Sheet, handed_out, plain, text_of


class _Late(BaseException):
    """Not to be caught by a learner's `except Exception`."""


def reasons(sheet: Sheet, source: str, tasks: Collection[str]) -> dict[str, str]:
    """Task → why the answers of this text are not right, or an empty text; as `examiner.examine`
    says it.
    """
    questions = {question.name: question for question in load(text_of(sheet.kata), sheet.kata)}
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as folder:
        path = Path(folder) / f"{sheet.kata}.py"
        path.write_text(source, encoding="utf-8")
        try:
            kata = load_kata(path)
        except Exception as error:
            return {
                item.task: f"importing the file raised {type(error).__name__}"
                for item in sheet.items
                if item.task in tasks
            }
        for item in (item for item in sheet.items if item.task in tasks):
            question = questions[item.question]
            if not found.get(item.task):
                judged = functools.partial(_judged, question, kata, item)
                found[item.task] = _caught(judged, question.seconds)
    return found


def of_the_reference(sheet: Sheet, tasks: Collection[str]) -> dict[str, str]:
    """The same of the answers that the reference gave when the sheet was drawn."""
    questions = {question.name: question for question in load(text_of(sheet.kata), sheet.kata)}
    found: dict[str, str] = {}
    for item in (item for item in sheet.items if item.task in tasks):
        found[item.task] = found.get(item.task) or questions[item.question].judge(
            item.right, item.right, item.hidden
        )
    return found


def _judged(question, kata, item) -> str:
    answers = plain(ask(question, kata, item.seed, handed_out(item)))
    return question.judge(answers, item.right, item.hidden)


def _caught(judged: Callable[[], str], seconds: float) -> str:
    try:
        with _alarm(seconds):
            return judged()
    except (Exception, _Late, SystemExit) as error:
        return f"answering raised {type(error).__name__}: {error}"


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Of the time that the processor works for us: whatever else the machine does, a right answer
    is in time.
    """
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return

    def late(*_: object) -> None:
        raise _Late(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
