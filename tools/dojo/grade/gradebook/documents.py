"""From a record to the text that is kept, and back. However much a submission made its tests say,
the text is bounded.
"""

import json
import math
from dataclasses import replace

from dojo.grade.records import KataGrade, Record, TaskGrade, record
from dojo.results import TaskResult

MESSAGE_CHARACTERS = 20_000
TESTS_A_TASK = 200
DOCUMENT_CHARACTERS = 4_000_000


def written(one: Record) -> str:
    """The record as JSON in ASCII, whatever the submission put into it. Numbers that are none are
    written as null.
    """
    short = replace(one, katas=tuple(_kata(kata) for kata in one.katas))
    text = _text(short)
    if len(text) > DOCUMENT_CHARACTERS:  # the grades stay, what the tests said goes
        text = _text(
            replace(short, katas=tuple(_kata(kata, with_tests=False) for kata in one.katas))
        )
    return text


def read(text: str) -> Record:
    """A record that written() has written.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    return record(json.loads(text))


def _text(one: Record) -> str:
    return json.dumps(finite(one.to_json()), allow_nan=False)


def _kata(kata: KataGrade, with_tests: bool = True) -> KataGrade:
    return replace(kata, tasks=tuple(_task(task, with_tests) for task in kata.tasks))


def _task(task: TaskGrade, with_tests: bool) -> TaskGrade:
    suite = task.suite if with_tests else None
    if suite is not None:
        tests = tuple(
            replace(test, name=_cut(test.name), message=_cut(test.message))
            for test in suite.tests[:TESTS_A_TASK]
        )
        suite = TaskResult(suite.name, tests)
    return replace(task, reason=_cut(task.reason), suite=suite)


def _cut(text: str) -> str:
    text = text.encode(errors="replace").decode()  # no half of a surrogate pair
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]} ... (cut)"


def finite(value: object) -> object:
    """The same JSON with null for numbers that JSON can't write."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list | tuple) else value
