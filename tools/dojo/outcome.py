"""The vocabulary of results. Light, for commands that only show them."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a test, task or kata came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_STARTED = "not started"  # the solution region still raises NotImplementedError
    BLOCKED = "blocked"  # another task has to pass first
    SKIPPED = "skipped"  # not run here, for the reason in the message; never a pass
    ERROR = "error"  # our own fault, never the learner's; never a pass
