"""Grades a folder of submissions: one whose record is still valid is not judged again, and each new
record is kept at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dojo.grade.assignment import Assignment
from dojo.grade.gradebook import Gradebook, StoredRecord, key
from dojo.grade.intake import Intake
from dojo.grade.judge_pool import JudgePool, Judging
from dojo.grade.records import KataGrade, Record, Status, Submission, unjudged

AHEAD = 2  # submissions read for each judge: none waits for the next one, and few lie in memory


@dataclass(frozen=True)
class Standing:
    """The progress of a run.

    Attributes:
        total: submissions in the folder.
        judged: of these in this run.
        unchanged: of these before, and still valid.
    """

    total: int
    judged: int = 0
    unchanged: int = 0

    @property
    def done(self) -> int:
        return self.judged + self.unchanged


def grade(
    intake: Intake,
    assignment: Assignment,
    book: Gradebook,
    versions: Mapping[str, str],
    judging: Judging,
    jobs: int = 1,
    regrade: bool = False,
    on_done: Callable[[Standing], None] = lambda standing: None,
    on_stop: Callable[[], None] = lambda: None,
    isolated: bool = True,
) -> Standing:
    """Judge every submission that needs it, and keep its record. When this returns, the newest
    record of each id in the folder is that of its present content. A record that is an error of
    ours is never reused.

    Args:
        versions: what the records depend on besides the submission.
        judging: gives what makes a judge, of which each of the `jobs` threads has its own; not
            entered where there is nothing to judge.
        regrade: judge again what is unchanged, too. A regrading that was broken off goes on where
            it stopped.
        on_done: called after every submission.
        on_stop: called at Ctrl-C.
        isolated: the judges run submissions in a sandbox; also noted for what nobody could judge.

    Raises:
        CannotGrade: there are no judges to be had.
        GradebookError: a record can't be kept. Whatever is raised, what was kept before is kept.
    """
    after = book.begin_regrading() if regrade else 0
    standing = Standing(len(intake.entries))
    under_way = 0

    def keep(submission: Submission, record: Record) -> None:
        nonlocal standing
        book.add(key(submission, versions), record)
        standing = replace(standing, judged=standing.judged + 1)
        on_done(standing)

    def collect(most: int) -> None:
        """Keep the records that are made; wait while more than `most` are being made."""
        nonlocal under_way
        while result := pool.get(wait=under_way > most):
            under_way -= 1
            keep(*result)

    with JudgePool(judging, jobs, assignment, isolated, on_stop) as pool:
        for entry in intake.entries:
            submission = intake.read(entry)
            stored = book.find(key(submission, versions), after)
            if stored and Status.ERROR not in stored.record.statuses:
                _append_if_changed(book, stored, submission, assignment)
                standing = replace(standing, unchanged=standing.unchanged + 1)
                on_done(standing)
            elif submission.problem:
                why = "Nothing was handed in that could be read."
                keep(submission, unjudged(submission, assignment, Status.ABSENT, why, isolated))
            else:
                pool.put(submission)
                under_way += 1
            collect(AHEAD * jobs - 1)
        collect(0)
    book.end_regrading()
    return standing


def _append_if_changed(
    book: Gradebook, stored: StoredRecord, submission: Submission, assignment: Assignment
) -> None:
    """Append a stored record again if it became current again, or if the entry's name, what was
    left out of it, its notes or the points changed: a student who hands in an earlier version once
    more gets its record back.
    """
    current = replace(
        stored.record,
        entry=submission.entry,
        katas=tuple(_with_points_of(kata, assignment) for kata in stored.record.katas),
        ignored=submission.ignored,
        notes=submission.notes,
    )
    if book.newest_number(submission.id) != stored.number or current != stored.record:
        book.add(stored.key, current)


def _with_points_of(kata: KataGrade, assignment: Assignment) -> KataGrade:
    """The same grades with the points of this assignment."""
    return kata.with_each(
        lambda task: replace(task, possible=assignment.points_of(kata.name, task.name))
    )
