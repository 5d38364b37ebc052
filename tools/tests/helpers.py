"""Short ways to read a verdict."""

from dojo.verdict import KataResult, TestResult


def by_name(result: KataResult) -> dict[str, TestResult]:
    return {test.name: test for task in result.tasks for test in task.tests}


def outcomes(result: KataResult) -> dict[str, str]:
    return {task.name: task.outcome for task in result.tasks}


def first_message(result: KataResult) -> str:
    return result.tasks[0].first_problem.message
