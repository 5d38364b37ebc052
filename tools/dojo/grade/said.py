"""What the tests said of a submission, bounded: its own text is in it, and a report can be as long
as a submission likes.
"""

import dataclasses
import json
from dataclasses import replace

from dojo.results import KataResult, TestResult
from dojo.suite.report import LONGEST_NAME

BESIDE = 4  # times as much as the messages: what is known beside them


def kept(result: KataResult, characters: int) -> KataResult:
    """The result with so much of what its tests say in all, the first of it; the rest is cut off.
    So is what is known beside that, such as a diagnosis, where it is far more.
    """
    left, beside = characters, BESIDE * characters

    def cut(test: TestResult) -> TestResult:
        nonlocal left, beside
        message, left = test.message[:left], max(left - len(test.message), 0)
        beside -= len(json.dumps(dataclasses.asdict(replace(test, message=""))))
        if message == test.message and beside >= 0:
            return test
        message += "" if message == test.message else " ... (cut: `output_kb`)"
        return replace(
            test,
            name=test.name[:LONGEST_NAME],
            message=message,
            measured=(),
            drift=(),
            diagnosis=None,
        )

    return replace(
        result,
        tasks=tuple(replace(task, tests=tuple(map(cut, task.tests))) for task in result.tasks),
    )
