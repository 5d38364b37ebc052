"""Grades a folder of submissions: what the gradebook knows already is not run again, and each new
record is kept at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dojo.grade.assignment import Assignment
from dojo.grade.gradebook import Gradebook, Kept, key
from dojo.grade.intake import Intake
from dojo.grade.judge_pool import Court, Workers
from dojo.grade.records import KataGrade, Status, Submission
from dojo.grade.unjudged import unreadable

AHEAD = 2  # submissions read for each judge: none waits for the next one, and few lie in memory


@dataclass(frozen=True)
class Standing:
    """How far a run has come.

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
    court: Court,
    jobs: int = 1,
    regrade: bool = False,
    on_done: Callable[[Standing], None] = lambda standing: None,
    on_stop: Callable[[], None] = lambda: None,
    isolated: bool = True,
) -> Standing:
    """Judge every submission that needs it, and keep its record. When this returns, the newest
    record of each id in the folder is that of its present content. Records that are an error of
    ours are made anew in every run.

    Args:
        versions: what the records depend on besides the submission.
        court: gives what makes a judge, of which each of the `jobs` threads has its own; not
            entered where there is nothing to judge.
        regrade: judge again what is unchanged, too. A regrading that was broken off goes on where
            it stopped.
        on_done: called after every submission.
        on_stop: called when Ctrl-C is heard.
        isolated: whether the judges run submissions in a sandbox: records of what nobody could
            judge say so as well.

    Raises:
        CannotGrade: there are no judges to be had.
        GradebookError: a record can't be kept. Whatever is raised, what was kept before is kept.
    """
    after = book.begin_regrading() if regrade else 0
    standing, under_way = Standing(len(intake.entries)), 0

    def keep(found: tuple[Submission, object] | None) -> None:
        nonlocal standing, under_way
        if found is not None:
            book.add(key(found[0], versions), found[1])
            standing, under_way = replace(standing, judged=standing.judged + 1), under_way - 1
            on_done(standing)

    with Workers(court, jobs, assignment, isolated, on_stop) as workers:
        for entry in intake.entries:
            submission = intake.read(entry)
            kept = book.find(key(submission, versions), after)
            if kept and Status.ERROR not in kept.record.statuses:
                _bring_forward(book, kept, submission, assignment)
                standing = replace(standing, unchanged=standing.unchanged + 1)
                on_done(standing)
            elif submission.problem:
                under_way += 1
                keep((submission, unreadable(submission, assignment, isolated)))
            else:
                workers.put(submission)
                under_way += 1
            keep(workers.get(wait=False))
            while under_way >= AHEAD * jobs:
                keep(workers.get())
        while under_way:
            keep(workers.get())
    book.end_regrading()
    return standing


def _bring_forward(
    book: Gradebook, kept: Kept, submission: Submission, assignment: Assignment
) -> None:
    """Let a record count that is valid again, whose entry has another name now, or whose tasks are
    worth other points: a student who hands in an earlier version once more gets its record back.
    """
    katas = tuple(_worth(kata, assignment) for kata in kept.record.katas)
    now = replace(
        kept.record,
        entry=submission.entry,
        katas=katas,
        ignored=submission.ignored,
        notes=submission.notes,
    )
    if book.newest_number(submission.id) != kept.number or now != kept.record:
        book.add(kept.key, now)


def _worth(kata: KataGrade, assignment: Assignment) -> KataGrade:
    """The same verdicts with the points of this assignment."""
    return replace(
        kata,
        tasks=tuple(
            replace(one, possible=assignment.points_of(kata.name, one.name)) for one in kata.tasks
        ),
    )
